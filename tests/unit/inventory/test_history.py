"""A row for each instance: what is written of it, and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from factories import ACCOUNT, INSTANCE, NOW, REGION, resource
from hub_responder import parquet
from hub_responder.fleet import Fleet, Machine
from hub_responder.inventory.history import COLUMNS, Row, key, rows
from hub_responder.inventory.run import ORDER
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.inventory import Inventory
from hub_responder.vision_one.snapshot import Snapshot
from hub_responder.workload_security.computer import Computer

MEMBER = "444455556666"


def server(instance: str = INSTANCE, **overrides: Any) -> Endpoint:
    values: dict[str, Any] = {
        "guid": f"guid-{instance}",
        "name": "ip-10-20-1-12.ec2.internal",
        "type": "server",
        "account_id": ACCOUNT,
        "instance_id": instance,
        "epp_status": "on",
        "epp_installed": True,
        "epp_contact": "2026-11-21T23:55:00",
        "agent_version": "20.0.2.1234",
        "component_version": "latestVersion",
        "policy": "Linux Server",
        "isolation": "off",
        "sensor_status": "enabled",
    }
    return Endpoint(**values | overrides)


def computer(instance: str = INSTANCE, **overrides: Any) -> Computer:
    values: dict[str, Any] = {
        "id": 34, "instance_id": instance, "account_id": ACCOUNT, "ips_state": "prevent",
        "rules": (11, 12),
    }  # fmt: skip
    return Computer(**values | overrides)


def taken(*endpoints: Endpoint, computers: Any = (), **told: Any) -> Snapshot:
    held: dict[str, list[Computer]] = {}
    for one in computers:
        held.setdefault(one.instance_id, []).append(one)
    known = Inventory(NOW, {}, walked=len(endpoints), **told).with_endpoints(endpoints)
    return Snapshot("https://api.example.com", known, held, computers_complete=True)


def running(*instances: str, **overrides: Any) -> Fleet:
    found = [Machine(resource(instance_id=each, details={}, **overrides)) for each in instances]
    return Fleet(found, [])


def written(
    snapshot: Snapshot, fleet: Fleet | None = None, whole: Any = frozenset({ACCOUNT})
) -> dict[str, Row]:
    made = list(rows("vision-one", snapshot, fleet or running(), whole))
    assert len({row.instance for row in made}) == len(made)
    return {row.instance: row for row in made}


def test_a_protected_instance() -> None:
    on = {"AntiMalwareScans": "enabled", "IntrusionPreventionSystem": "disabled", "Firewall": "x"}
    found = written(taken(server(features=on), computers=[computer()]), running(INSTANCE))
    assert found == {
        INSTANCE: Row(
            taken_at=int(NOW * 1000),
            connection="vision-one",
            account=ACCOUNT,
            region=REGION,
            instance=INSTANCE,
            name="web-01",
            running=True,
            verdict="PROTECTED",
            reasons=[],
            tier="instance_id",
            agent_guid=f"guid-{INSTANCE}",
            endpoint="ip-10-20-1-12.ec2.internal",
            agent_status="on",
            last_contact=int((NOW - 300) * 1000),
            agent_version="20.0.2.1234",
            components="latestVersion",
            policy="Linux Server",
            isolation="off",
            sensor_status="enabled",
            modules_on=["anti_malware"],
            modules_off=["intrusion_prevention"],
            computer=34,
            ips_state="prevent",
            ips_rules=2,
        )
    }


def test_an_instance_that_nobody_knows_is_unprotected() -> None:
    row = written(taken(), running(INSTANCE))[INSTANCE]
    assert (row.verdict, row.reasons, row.tier) == ("UNPROTECTED", ["no_endpoint"], "")
    assert (row.agent_guid, row.last_contact, row.computer, row.ips_rules) == ("", None, None, None)


@pytest.mark.parametrize("told", [{"missing": 1}, {"unreadable": {"": 1}}])
def test_where_something_was_not_seen_nobody_is_unprotected(told: dict[str, Any]) -> None:
    row = written(taken(**told), running(INSTANCE))[INSTANCE]
    assert (row.verdict, row.reasons) == ("UNKNOWN", ["incomplete"])


def test_a_day_without_contact_is_too_long() -> None:
    row = written(taken(server(epp_contact="2026-11-20T23:55:00")), running(INSTANCE))[INSTANCE]
    assert (row.verdict, row.reasons) == ("DEGRADED", ["stale"])


def test_what_vision_one_knows_and_ec2_does_not_is_not_running() -> None:
    found = written(
        taken(
            server(), server("i-2"), server("i-3", account_id=MEMBER), server("i-4", account_id="")
        ),
        running(INSTANCE),
    )
    assert {name: row.running for name, row in found.items()} == {
        INSTANCE: True, "i-2": False, "i-3": None, "i-4": None,
    }  # fmt: skip
    assert (found["i-2"].account, found["i-2"].region, found["i-2"].name) == (ACCOUNT, "", "")


def test_where_ec2_could_not_be_asked_nobody_is_said_not_to_run() -> None:
    found = written(taken(server(), server("i-2")), running(INSTANCE), whole=frozenset())
    assert [row.running for row in found.values()] == [True, None]


def test_an_instance_is_one_row_whatever_the_case_of_its_id() -> None:
    assert len(written(taken(server("i-0abc")), running("i-0ABC"))) == 1


def test_the_computer_is_the_agents_and_of_the_instances_account() -> None:
    two = [computer(guid="x"), computer(id=35, guid=server().guid)]
    assert written(taken(server(), computers=two), running(INSTANCE))[INSTANCE].computer == 35
    other = [computer(account_id=MEMBER), computer(id=35, rules=None)]
    row = written(taken(computers=other), running(INSTANCE))[INSTANCE]
    assert (row.computer, row.ips_rules) == (35, None)


def test_an_agent_that_only_server_and_workload_protection_knows_is_one() -> None:
    row = written(taken(computers=[computer(has_agent=True)]), running(INSTANCE))[INSTANCE]
    assert (row.verdict, row.reasons[0]) == ("DEGRADED", "not_in_vision_one")
    assert row.tier == "workload_instance_id"


def test_computers_that_could_not_be_read_make_nobody_unprotected() -> None:
    unread = replace(taken(server("i-2")), computers_complete=False)
    found = written(unread, running(INSTANCE))
    assert (found[INSTANCE].verdict, found[INSTANCE].reasons) == ("UNKNOWN", ["workload_security"])
    assert found["i-2"].verdict == "PROTECTED"


def test_columns_are_what_a_row_has(tmp_path: Path) -> None:
    assert tuple(COLUMNS) == Row.__struct_fields__
    snapshot = taken(server(), server("i-2"), computers=[computer()])
    made = list(rows("vision-one", snapshot, running(INSTANCE, "i-3"), {ACCOUNT}))
    file = tmp_path / "x.parquet"
    file.write_bytes(parquet.written(made, COLUMNS, ORDER))
    with duckdb.connect() as database:
        told = database.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
        held = database.execute(f"SELECT account, region, instance FROM '{file}'").fetchall()
    assert {column[0]: column[1] for column in told} == COLUMNS
    assert held == sorted((row.account, row.region, row.instance) for row in made)


def test_a_file_lies_below_its_day_in_utc() -> None:
    assert key("vision-one", NOW) == "history/day=2026-11-22/vision-one-000000Z.parquet"
    assert key("x", NOW - 1) == "history/day=2026-11-21/x-235959Z.parquet"
