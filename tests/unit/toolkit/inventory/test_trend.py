from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estate_history import moment, row, write_fleet
from history_bucket import NOON, Deployed
from hub_responder.inventory import history
from hub_toolkit.inventory.periods import Period
from hub_toolkit.inventory.trend import Counts, trend

DAY = 86_400.0
WEB, APP, BATCH = "i-0aaaaaaaaaaaaaaa1", "i-0bbbbbbbbbbbbbbb2", "i-0ccccccccccccccc3"
OTHER = "444455556666"


def at(text: str) -> float:
    return moment(f"2026-11-{text}")


def test_each_day_is_told_by_its_last_snapshot(deployed: Deployed) -> None:
    deployed.walked(at("18T10:00"), row(WEB, verdict="UNPROTECTED"))
    deployed.walked(at("18T22:00"), row(WEB), row(APP, account=OTHER, verdict="DEGRADED"))
    deployed.walked(at("20T09:00"), row(WEB), row(APP, account=OTHER))
    found = deployed.report("--from", "2026-11-18", "--to", "2026-11-20")
    first, gap, last = found["buckets"]
    assert (found["unit"], found["read"], found["available"]) == ("day", 2, 3)
    assert first["taken_at"] == "2026-11-18T22:00:00Z"
    assert first["all"] == {
        "protected": 1, "degraded": 1, "unprotected": 0, "unknown": 0, "total": 2, "percent": 50.0
    }  # fmt: skip
    assert first["groups"][OTHER]["degraded"] == 1
    assert (gap["taken_at"], gap["all"]["total"]) == (None, 0)
    assert last["all"]["percent"] == 100.0


def test_two_days_or_less_are_told_by_the_hour(deployed: Deployed) -> None:
    deployed.walked(at("20T09:45"), row(WEB))
    deployed.walked(at("20T10:00"), row(WEB), row(APP))
    found = deployed.report("--from", "2026-11-20T09:10", "--to", "2026-11-20T11:30")
    assert found["unit"] == "hour"
    assert [one["start"][11:16] for one in found["buckets"]] == ["09:00", "10:00", "11:00"]
    assert [one["all"]["total"] for one in found["buckets"]] == [1, 2, 0]


def test_days_are_those_of_the_settings(in_tokyo: Deployed) -> None:
    in_tokyo.walked(at("18T14:59"), row(WEB))
    in_tokyo.walked(at("18T15:01"), row(WEB), row(APP))
    found = in_tokyo.report("--from", "2026-11-18", "--to", "2026-11-21")
    assert [one["all"]["total"] for one in found["buckets"]] == [1, 2, 0, 0]
    assert found["timezone"] == "Asia/Tokyo"


def test_what_does_not_run_is_left_out_and_what_ec2_did_not_tell_is_not(deployed: Deployed) -> None:
    deployed.walked(
        at("20T10:00"),
        row(WEB),
        row(APP, running=False, verdict="DEGRADED", reasons=["offline"]),
        row(BATCH, running=None, verdict="UNKNOWN", reasons=["incomplete"]),
    )
    found = deployed.report("--from", "-5d")
    (told,) = [one for one in found["buckets"] if one["taken_at"]]
    assert told["all"]["total"] == 2
    assert told["stopped"] == 1
    assert found["reasons"] == {"incomplete": 1}


def test_only_all_of_them_are_a_hundred_percent(deployed: Deployed) -> None:
    many = [row(f"i-{number:017x}") for number in range(2999)]
    deployed.walked(at("20T10:00"), *many, row(WEB, verdict="UNKNOWN"))
    assert deployed.report("--from", "-5d")["ends"]["all"]["percent"] == 99.9


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("account", {"111122223333": 1, OTHER: 2}),
        ("region", {"us-east-1": 2, "eu-central-1": 1}),
        ("policy", {"Linux Server": 2, "": 1}),
    ],
)
def test_accounts_regions_and_policies_can_be_told_apart(
    deployed: Deployed, by: str, groups: dict[str, int]
) -> None:
    deployed.walked(
        at("20T10:00"),
        row(WEB),
        row(APP, account=OTHER, region="eu-central-1"),
        row(BATCH, account=OTHER, policy="", verdict="UNPROTECTED"),
    )
    found = deployed.report("--from", "-5d", "--by", by)
    assert {one["group"]: one["now"]["total"] for one in found["groups"]} == groups
    assert found["groups"][-1]["now"]["percent"] == 100.0  # the least protected stand first


def test_groups_are_held_against_the_beginning(deployed: Deployed) -> None:
    deployed.walked(at("18T10:00"), row(WEB), row(APP, verdict="UNPROTECTED"))
    deployed.walked(at("20T10:00"), row(WEB), row(APP), row(BATCH, account=OTHER))
    found = {one["group"]: one for one in deployed.report("--from", "-5d")["groups"]}
    assert found["111122223333"]["before"]["percent"] == 50.0
    assert found["111122223333"]["now"]["percent"] == 100.0
    assert found[OTHER]["before"] is None


def test_what_was_protected_and_is_not_any_more_is_named_with_since_when(
    deployed: Deployed,
) -> None:
    lost = {"verdict": "DEGRADED", "reasons": ["offline"], "last_contact": at("19T08:00")}
    deployed.walked(at("18T10:00"), row(WEB), row(APP), row(BATCH, verdict="UNPROTECTED"))
    deployed.walked(at("19T10:00"), row(WEB, **lost), row(APP), row(BATCH, verdict="UNPROTECTED"))
    deployed.walked(
        at("20T10:00"),
        row(WEB, **lost),
        row(APP, verdict="UNKNOWN"),
        row(BATCH, verdict="UNPROTECTED"),
    )
    found = deployed.report("--from", "-5d")
    (one,) = found["lost"]
    assert one["instance"] == WEB
    assert one["last_protected"] == "2026-11-18T10:00:00Z"
    assert one["since"] == "2026-11-19T10:00:00Z"
    assert one["last_contact"] == "2026-11-19T08:00:00Z"
    assert found["untold"] == 1  # what nobody knows is not called unprotected


def test_what_lost_its_protection_twice_is_told_by_the_last_time(deployed: Deployed) -> None:
    for day, verdict in (("17", "PROTECTED"), ("18", "DEGRADED"), ("19", "PROTECTED"),
                         ("20", "UNPROTECTED"), ("21", "DEGRADED")):  # fmt: skip
        deployed.walked(at(f"{day}T10:00"), row(WEB, verdict=verdict))
    (one,) = deployed.report("--from", "-6d")["lost"]
    assert one["last_protected"] == "2026-11-19T10:00:00Z"
    assert one["since"] == "2026-11-20T10:00:00Z"


def test_what_is_gone_lost_nothing(deployed: Deployed) -> None:
    deployed.walked(at("18T10:00"), row(WEB), row(APP))
    deployed.walked(
        at("20T10:00"), row(WEB), row(APP, running=False, verdict="DEGRADED", reasons=["stale"])
    )
    assert deployed.report("--from", "-5d")["lost"] == []


def test_a_damaged_snapshot_costs_itself_and_is_named(deployed: Deployed) -> None:
    deployed.walked(at("20T10:00"), row(WEB))
    broken = deployed.holds("history/day=2026-11-20/vision-one-110000Z.parquet", b"broken")
    done = deployed.run("inventory", "report", "--from", "-5d", "--json")
    assert done.exit_code == 0
    assert done.stderr.count(f"warning: {broken} cannot be read") == 1
    assert done.json["ends"]["taken_at"] == "2026-11-20T10:00:00Z"
    assert len(done.json["damaged"]) == 1


def test_other_tenants_are_not_counted(deployed: Deployed) -> None:
    deployed.walked(at("20T10:00"), row(WEB))
    deployed.walked(at("20T10:01"), row(WEB, verdict="UNPROTECTED"), connection="other")
    assert deployed.report("--from", "-5d")["ends"]["all"]["protected"] == 1


def test_a_range_without_snapshots_says_where_there_are_some(deployed: Deployed) -> None:
    deployed.walked(at("10T10:00"), row(WEB))
    done = deployed.run("inventory", "report", "--from", "2026-11-12", "--to", "2026-11-14")
    assert done.exit_code == 1
    assert "the last one before is of 2026-11-10 10:00 UTC" in done.stderr
    deployed.empty()
    deployed.walked(at("10T10:00"), row(WEB), connection="other")
    done = deployed.run("inventory", "report")
    assert "there are some of other: --connection" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "x"), "--from 'x' is no time"),
        (("--to", "2027-01-01"), "--to 2027-01-01 is in the future"),
        (("--from", "-1d", "--to", "-2d"), "--from must be before --to"),
        (("--from", "2020-01-01"), "400 days are read at most"),
        (("--by", "colour"), "'colour' is not one of"),
    ],
)
def test_bad_usage_is_exit_2(deployed: Deployed, words: Sequence[str], said: str) -> None:
    deployed.walked(at("20T10:00"), row(WEB))
    done = deployed.run("inventory", "report", *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_stack_without_an_inventory_is_exit_2(deployed: Deployed) -> None:
    done = deployed.run("inventory", "report", "--stack", "another")
    assert done.exit_code == 2
    assert "there is no InventoryBucket of stack another" in done.stderr


def test_the_terminal_says_the_sum_last(deployed: Deployed) -> None:
    deployed.walked(at("18T10:00"), row(WEB), row(APP, name="app"))
    deployed.walked(at("20T10:00"), row(WEB), row(APP, name="app", verdict="UNPROTECTED",
                                                 reasons=["no_endpoint"]))  # fmt: skip
    done = deployed.run("inventory", "report", "--from", "2026-11-18", "--to", "2026-11-20")
    assert done.exit_code == 0
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert "2026-11-19   no snapshot" in done.stdout
    assert f"{APP} app 111122223333 us-east-1" in lines
    assert (
        "UNPROTECTED: no Vision One agent; between 2026-11-18 10:00 and 2026-11-20 10:00" in lines
    )
    assert "50.0 % protected: 1 of 2 running instances, as of 2026-11-20 10:00 UTC." in lines
    assert "50.0 points worse than on 2026-11-18 10:00." in lines
    assert "The last snapshot of each day is read: 2 of 2 in the range. For 1 there" in done.stdout


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([f"i-{number:017x}" for number in range(6)]),
            st.tuples(
                st.sampled_from(["PROTECTED", "DEGRADED", "UNPROTECTED", "UNKNOWN"]),
                st.sampled_from(["111122223333", OTHER]),
                st.sampled_from([True, False, None]),
            ),
            max_size=6,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_numbers_are_those_of_the_rows(
    deployed: Deployed, days: list[dict[str, tuple[str, str, bool | None]]]
) -> None:
    deployed.empty()
    start = NOON - 10 * DAY
    for day, held in enumerate(days):
        deployed.walked(
            start + day * DAY,
            *(row(one, verdict=v, account=a, running=r) for one, (v, a, r) in held.items()),
        )
    period = Period(start - DAY, NOON, ZoneInfo("UTC"))
    found = trend(deployed.history, "vision-one", period, "account")
    assert found is not None
    for bucket, held in zip(found.told, days, strict=True):
        running = Counter(verdict for verdict, _, runs in held.values() if runs is not False)
        assert bucket.all == Counts.of(running)
        assert sum(group.total for group in bucket.groups.values()) == running.total()
    assert {one.instance for one in found.lost} == _lost(days)


def _lost(days: list[dict[str, Any]]) -> set[str]:
    last = {one for one, (verdict, _, runs) in days[-1].items()
            if verdict in ("DEGRADED", "UNPROTECTED") and runs is not False}  # fmt: skip
    before = {
        one
        for held in days[:-1]
        for one, (verdict, _, runs) in held.items()
        if verdict == "PROTECTED" and runs is not False
    }
    return last & before


def test_a_generated_fleet_gets_better(deployed: Deployed, tmp_path: Any) -> None:
    for day in range(6):
        path = tmp_path / "fleet.parquet"
        taken = NOON - (5 - day) * DAY - 3600
        write_fleet(path, taken, day=day / 5, accounts=4, instances=400)
        deployed.holds(history.key("vision-one", taken), path.read_bytes())
    found = deployed.report("--from", "-6d")
    shares = [one["all"]["percent"] for one in found["buckets"] if one["taken_at"]]
    assert shares[-1] > shares[0] + 5
    assert found["lost"]
