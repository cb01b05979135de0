"""Time lines: what is about something, and in which order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from hub_toolkit.trail.printed import print_events
from hub_toolkit.trail.timeline import about

ARN = "arn:aws:inspector2:us-east-1:111122223333:finding/"


def record(number: int, kind: str = "outcome", **fields: Any) -> dict[str, Any]:
    at = f"2026-11-22T00:00:{number:02d}.000Z"
    return {"id": f"run-1.{number}", "at": at, "kind": kind, "playbook": "p", **fields}


RECORDS = [
    record(4, step="ticket", detail="opened SEC-1 in jira", incident="p#1", findings=[ARN + "a"]),
    record(2, "attempt", step="ticket", incident="p#1", findings=[ARN + "a"]),
    record(3, step="ticket", detail="opened SEC-12 in jira", incident="p#2", findings=[ARN + "b"]),
    record(5, step="tell", incident="p#1", findings=[ARN + "a", ARN + "c"]),
    record(6, "finished", incident="p#1", trigger={"kind": "imported", "by": "rule/x"}),
    record(7, "redriven", actor="arn:aws:iam::111122223333:user/ann", findings=[ARN + "c"]),
    record(8, "repeat", incident="p#1", findings=[ARN + "c"]),
]


def read(texts: Sequence[str]) -> list[dict[str, Any]]:
    return [one for one in RECORDS if not texts or any(text in str(one) for text in texts)]


def runs(subject: str) -> list[int]:
    return [int(one.run.rpartition(".")[2]) for one in about(read, subject)]


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("SEC-1", [2, 4, 5, 6, 8]),  # all of its incident, and nothing of SEC-12's
        ("SEC-12", [3]),
        (ARN + "a", [2, 4, 5, 6]),  # not what only another finding of its incident got
        ("finding/c", [5, 6, 7, 8]),
        ("p#2", [3]),
        ("", [2, 3, 4, 5, 6, 7, 8]),
        ("SEC", []),
        ("SEC-", []),
    ],
)
def test_what_is_about_something(subject: str, found: list[int]) -> None:
    assert runs(subject) == found


def test_who_made_it_happen() -> None:
    by = {one.kind: one.who for one in about(read, "")}
    assert by["redriven"] == "arn:aws:iam::111122223333:user/ann"
    assert by["finished"] == "rule/x"
    assert by["repeat"] == ""


def test_times_are_local_and_texts_are_no_markup() -> None:
    hostile = record(1, detail="[bold]x[/bold] 日本語")
    out = io.StringIO()
    found = about(lambda _texts: [hostile], "")
    print_events(Console(file=out, width=160), found, ZoneInfo("Asia/Tokyo"))
    assert "11-22 09:00:01.000" in out.getvalue()
    assert "[bold]x[/bold] 日本語" in out.getvalue()
