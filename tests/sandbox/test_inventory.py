"""The scheduled walk in the sandbox: what it leaves in its bucket, and where nobody sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hub_responder.inventory import history
from hub_responder.vision_one.snapshot import MAX_AGE_S, Snapshot, decode, key
from live import Live

BUCKET = "hub-responder-inventorybucket"
NAME = "vision-one"


@pytest.fixture(autouse=True)
def nothing_is_left(live: Live) -> Iterator[None]:
    """Other tests look instances up themselves: no snapshot is young enough for them."""
    yield
    live.settle()
    live.control("POST", "clock", {"advance_s": MAX_AGE_S + 1})


def tick(live: Live) -> dict[str, Any]:
    """What the walk told of the one tenant."""
    answer = live.control("POST", "tick", {"function": "inventory"})
    assert answer["function"] == "hub-responder-inventory"
    told: dict[str, Any] = answer["result"][NAME]
    return told


def content(live: Live, name: str) -> bytes:
    body: bytes = live.client("s3").get_object(Bucket=BUCKET, Key=name)["Body"].read()
    return body


def snapshot(live: Live) -> Snapshot:
    return decode(content(live, key(NAME)))


def rows(live: Live, told: dict[str, Any], tmp_path: Path) -> dict[str, tuple[Any, ...]]:
    """Instance -> verdict, reasons, whether it runs, and its computer, as DuckDB reads them."""
    file = tmp_path / "rows.parquet"
    file.write_bytes(content(live, history.key(NAME, told["read_at"])))
    with duckdb.connect() as database:
        found = database.execute(
            f"SELECT instance, verdict, reasons, running, computer FROM '{file}'"
        ).fetchall()
    return {instance: rest for instance, *rest in found}


def test_the_walk_leaves_a_snapshot_and_a_row_for_each_instance(live: Live, tmp_path: Path) -> None:
    before = live.control("GET", "inbox")
    told = tick(live)
    assert (told["error"], told["left_out"]) == ("", [])
    found = rows(live, told, tmp_path)
    assert len(found) == told["rows"]
    app, web = "i-0b2c3d4e5f6071829", "i-0a1b2c3d4e5f60718"
    assert found[app] == ["PROTECTED", [], True, 111]
    assert found[web] == ["UNPROTECTED", ["no_endpoint"], True, 107]
    held = snapshot(live)
    assert held.inventory.walked == told["endpoints"]
    (server,) = held.inventory.find(app)
    assert server.features == {
        "AntiMalware": "enabled",
        "IntrusionPreventionSystem": "enabled",
    }
    assert [one.id for one in held.computers[web]] == [107]
    assert live.control("GET", "inbox") == before  # nobody gets what is only state


def test_a_walk_that_fails_leaves_the_snapshot_that_stands(live: Live) -> None:
    tick(live)
    before = content(live, key(NAME))
    live.fault(target="vision_one", status=403, times=9)
    told = tick(live)
    assert told["read_at"] is None
    assert "403" in told["error"]
    assert content(live, key(NAME)) == before


def test_trouble_with_the_computers_is_told_and_costs_only_them(live: Live) -> None:
    live.fault(target="workload_security", status=500, times=9)
    told = tick(live)
    assert told["error"] == ""
    (said,) = told["left_out"]
    assert said.startswith("computers: ")
    assert not snapshot(live).computers


def test_the_sandbox_is_idle_though_a_walk_is_due_every_quarter_of_an_hour(live: Live) -> None:
    live.control("POST", "clock", {"advance_s": 3600})
    live.settle()


def test_a_protected_instance_is_told_from_the_snapshot_and_nobody_walks(live: Live) -> None:
    one, two = live.instance(), live.instance()
    live.protect(one)
    assert tick(live)["error"] == ""
    live.fault(target="vision_one", status=403, times=99)
    first, second = live.finding(one), live.finding(two)
    live.imported(first, second)
    assert live.verdict(first)["verdict"] == "PROTECTED"
    # what the snapshot does not show is asked for once more, and that cannot be told now
    told = live.verdict(second)
    assert (told["verdict"], told["reasons"]) == ("UNKNOWN", ["denied_403"])


def test_a_snapshot_that_is_too_old_answers_nobody(live: Live) -> None:
    instance = live.instance()
    live.protect(instance)
    assert tick(live)["error"] == ""
    live.control("POST", "clock", {"advance_s": MAX_AGE_S + 1})
    live.fault(target="vision_one", status=403, times=99)
    finding = live.finding(instance)
    live.imported(finding)
    assert live.verdict(finding)["reasons"] == ["denied_403"]
