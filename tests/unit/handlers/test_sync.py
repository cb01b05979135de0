"""What the function that follows tickets says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub_responder import observability
from hub_responder.errors import CallError
from hub_responder.handlers.sync import handler
from hub_responder.sync.plan import FILE
from inside import Inside


@pytest.fixture(autouse=True)
def _planned(deployed: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_text("{}", encoding="utf-8")
    monkeypatch.setenv("SYNC_DIR", str(tmp_path))
    observability._metrics.cache_clear()  # made without a namespace before
    observability._metrics().clear_metrics()


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line) for line in lines if "SilentTicketSystems" in line]


def test_a_walk_that_came_to_its_end_says_how_many_systems_were_silent(
    deployed: Inside, capsys: pytest.CaptureFixture[str]
) -> None:
    handler({}, deployed.context())
    (told,) = metrics(capsys)
    assert told["SilentTicketSystems"] == [0.0]


def test_one_that_failed_says_nothing_so_that_the_alarm_misses_it(
    deployed: Inside, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_TABLE", "nowhere")
    with pytest.raises(CallError):
        handler({}, deployed.context())
    assert metrics(capsys) == []
