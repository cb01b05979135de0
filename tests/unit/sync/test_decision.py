"""What a finding gets when its ticket was closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.events import decode_finding
from hub_responder.finding import Finding, Note
from hub_responder.ledger.pointers import Pointer
from hub_responder.markdown.characters import width
from hub_responder.note import MAX_NOTE
from hub_responder.sync import decision
from hub_responder.tickets.ticket import Standing
from world import finding

POINTER = Pointer("p", "desk", "SEC-1", "p#1", 0.0, 9e9)
DONE = Standing("done", "Done", "Mori", closed_at=1_795_000_000.0)
DECLINED = replace(DONE, state="declined", label="Won't Do")


def held(**fields: Any) -> Finding:
    return replace(decode_finding(finding(1)), **fields)


def test_worked_off_resolves_and_declined_suppresses_with_who_and_when() -> None:
    done = decision.change(held(), POINTER, DONE, "en")
    declined = decision.change(held(), POINTER, DECLINED, "en")
    assert done is not None
    assert declined is not None
    assert (done.workflow, declined.workflow) == ("RESOLVED", "SUPPRESSED")
    assert done.note == "Resolved: SEC-1 was closed as Done by Mori at 2026-11-18T11:06Z"
    assert declined.note.startswith("Suppressed: SEC-1 was closed as Won't Do by Mori")
    japanese = decision.change(held(), POINTER, DECLINED, "ja")
    assert japanese is not None
    assert japanese.note.startswith("【抑制】チケットSEC-1が「Won't Do」としてクローズ(Mori、")


@pytest.mark.parametrize(
    "fields",
    [
        {"workflow": "RESOLVED"},
        {"workflow": "SUPPRESSED"},
        {"record_state": "ARCHIVED"},
        {"user_fields_whole": False},
    ],
)
def test_what_somebody_is_done_with_or_cannot_be_marked_stays(fields: dict[str, Any]) -> None:
    assert decision.change(held(**fields), POINTER, DONE, "en") is None


def test_a_decision_is_written_once_and_the_next_one_again() -> None:
    first = decision.change(held(user_fields={"theirs": "stays"}), POINTER, DONE, "en")
    assert first is not None
    assert dict(first.fields)["theirs"] == "stays"
    again = held(user_fields=dict(first.fields))
    assert decision.change(again, POINTER, DONE, "en") is None
    later = replace(DONE, closed_at=1_795_000_600.0)
    assert decision.change(again, POINTER, later, "en") is not None


def test_a_persons_note_is_quoted() -> None:
    made = decision.change(held(note=Note("call me first", "Sato")), POINTER, DONE, "en")
    assert made is not None
    assert "Sato: call me first" in made.note


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.text(max_size=600), st.text(max_size=600), st.sampled_from(["en", "ja"]))
def test_hostile_names_stay_on_one_line_within_the_limit(
    label: str, by: str, language: str
) -> None:
    made = decision.change(held(), POINTER, replace(DECLINED, label=label, by=by), language)
    assert made is not None
    assert width(made.note) <= MAX_NOTE
    assert len(made.note.splitlines()) == 1
