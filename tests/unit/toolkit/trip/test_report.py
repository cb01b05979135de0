from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from hub_toolkit.trip.outcome import Entry, Result, StepResult, unmatched
from hub_toolkit.trip.report import print_next, print_results

DONE = Result(
    Entry(
        event="event.json",
        playbook="coverage",
        incident="coverage#1",
        finding_ids=("arn:aws:finding/0123456789abcdef", "f-2"),
        status="done",
        verdict="UNPROTECTED",
        steps=(),
        audit_records=11,
    ),
    instances=("i-0abc", "i-0abc", "i-0def"),
    messages=("soc-chat",),
    tickets=("SEC-1",),
    state="NEW -> NOTIFIED",
    seconds=25.04,
)


def printed(width: int, *results: Result, color: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=color, highlight=False)
    print_results(console, results)
    return file.getvalue()


def test_a_wide_terminal_gets_a_table_with_a_row_for_each_result() -> None:
    heading, row = printed(200, DONE).splitlines()
    assert heading.startswith("event ")
    assert heading.endswith(" time")
    for text in ("event.json", "789abcdef +1", "i-0abc, i-0def", "UNPROTECTED", "soc-chat"):
        assert text in row
    for text in ("SEC-1", "NEW -> NOTIFIED", "11", "25.0 s"):
        assert text in row


@pytest.mark.parametrize("width", [20, 60, 109])
def test_a_narrow_terminal_gets_a_block_for_each_result(width: int) -> None:
    lines = printed(width, DONE).splitlines()
    assert lines[0] == "event.json"
    assert max(len(line) for line in lines) <= width
    assert "  ticket: SEC-1" in lines


def test_nothing_but_text_is_written_where_there_is_no_terminal() -> None:
    assert "\x1b" not in printed(200, DONE)
    assert "\x1b[31mUNPROTECTED" in printed(200, DONE, color=True)


def test_what_failed_is_explained_below() -> None:
    fields: dict[str, Any] = {
        "status": "failed",
        "verdict": None,
        "steps": (StepResult("ticket", "ticket.open", "failed", "no project [red]SEC[/red]"),),
    }
    failed = Result(Entry("e.json", "coverage", "c#1", (), audit_records=3, **fields))
    assert "failed: e.json, step ticket: no project [red]SEC[/red]" in printed(200, failed)


def test_an_event_that_nobody_wants_says_so() -> None:
    assert "no_match" in printed(200, Result(unmatched("e.json", ["f-1"])))


def test_a_text_that_looks_like_markup_stays_text() -> None:
    entry = Entry("[bold]x[/bold]", "c", "c#1", ("[red]f",), "done", None, (), 1)
    assert "[bold]x[/bold]" in printed(200, Result(entry, instances=("[i]",)))


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [(None, "sandbox up"), ("http://127.0.0.1:1", "127.0.0.1:1/_sandbox/inbox")],
)
def test_it_says_where_to_look_next(endpoint: str | None, text: str) -> None:
    file = io.StringIO()
    print_next(Console(file=file, width=200), endpoint)
    assert text in file.getvalue()


def test_an_echo_is_left_out_where_something_was_done_and_is_shown_where_nothing_was() -> None:
    echo = Result(Entry("event.json", "other", "other#1", ("f-2",), "repeat", None, (), 1))
    shown = printed(200, DONE, echo)
    assert "coverage" in shown
    assert "other" not in shown
    assert "repeat" in printed(200, echo)
