"""Everything is paused in the whole trip: nothing leaves, nothing is lost, clicks are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import Live


def operator(live: Live, *words: str) -> Any:
    """What an operator commands, as programs see the answer."""
    where = ["--json", "--endpoint", live.endpoint, "--stage", "sandbox"]
    result = CliRunner().invoke(application(), [*words, *where])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def calm(live: Live) -> Iterator[Live]:
    yield live
    operator(live, "resume")


def test_while_all_is_paused_nothing_leaves_and_afterwards_all_is_done_once(calm: Live) -> None:
    live = calm
    operator(live, "pause", "--why", "a storm")
    imported, other = live.instance(), live.instance()
    one = live.finding(imported)
    clicked = live.finding(other, Severity={"Label": "MEDIUM"})
    live.imported(one, clicked)
    live.clicked(clicked)
    assert live.messages(imported) + live.messages(other) == []
    assert live.tickets(imported) + live.tickets(other) == []
    assert live.held(one)["Workflow"]["Status"] == "NEW"
    assert ": a storm." in live.held(clicked)["Note"]["Text"]
    assert live.records(one, "paused")
    assert live.verdict(one)["verdict"] == "UNPROTECTED"
    waiting = {
        entry["name"]: entry["waiting"] for entry in operator(live, "pause", "--list")["paused"]
    }
    assert waiting["inspector-coverage"] >= 2
    operator(live, "resume", "--why", "it is over")
    live.settle()
    assert (len(live.messages(imported)), len(live.tickets(imported))) == (1, 1)
    assert live.held(one)["Workflow"]["Status"] == "NOTIFIED"
    assert live.held(clicked)["Note"]["Text"].startswith("UNPROTECTED")
    assert operator(live, "pause", "--list")["paused"] == []
