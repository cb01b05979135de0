"""The records of all example events, as the archive maps them, by OCSF's published schema."""

from __future__ import annotations

import json
from pathlib import Path

from live import Live
from ocsf_schema import objections

EVENTS = sorted((Path(__file__).parents[2] / "events").glob("*.json"))


def test_what_is_recorded_of_every_example_event_validates(live: Live) -> None:
    for file in EVENTS:
        live.control("POST", "events", json.loads(file.read_text(encoding="utf-8")))
    live.settle()
    records = live.control("GET", "audit")
    told = {record["kind"] for record in records}
    assert {"received", "opened", "attempt", "outcome", "finished"} <= told
    assert [one for record in records for one in objections(record)] == []
    effects = [one for one in records if one["kind"] in ("attempt", "outcome") and "key" in one]
    assert effects
    for record in effects:
        assert record["function"].startswith("hub-responder-")
        assert record["target"]["resource"]
        assert record["trigger"]["at"]
    assert all("inputs" in one for one in effects if one["kind"] == "attempt")
    imports = [one for one in records if one.get("trigger", {}).get("kind") == "imported"]
    # An event that another test sent to a queue itself names no rule.
    rules = {one["trigger"]["by"] for one in imports if "by" in one["trigger"]}
    assert rules
    assert {"imported", "lifecycle"} >= {rule.rpartition("-")[2] for rule in rules}


def test_each_field_and_kind_that_is_written_is_explained(live: Live) -> None:
    one = live.finding(live.instance())
    live.imported(one)
    live.clicked(one)
    live.settle()
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    records = live.control("GET", "audit")
    used = {f"`{name}`" for record in records for name in (*record, record["kind"])}
    used |= {f"`{name}`" for record in records for name in record.get("target", ())}
    assert sorted(name for name in used if name not in text) == []
