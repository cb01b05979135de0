"""What the ledger decides, case by case: pure, so every case is a line of a table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_responder.ledger.decide import (
    LOOK_AGAIN_S,
    Arrival,
    Arrived,
    decide,
    decide_settle,
    worse,
)
from hub_responder.ledger.state import Member, State
from hub_responder.playbook import Wait

NOW = 1_000_000.0
WAIT = Wait(15, 120)
AT_ONCE = Wait(0, 0)
TOLD = {"severity": 3, "exploit": False, "verdict": "UNPROTECTED", "at": NOW - 60}
IDLE = State("p", round=1, done=1, told=TOLD)
BUSY = State("p", round=2, done=1, owner="other", lease=NOW + 30, told=TOLD)
DEAD = State("p", round=2, done=1, owner="other", lease=NOW - 1, told=TOLD)
PENDING = State("p", round=1, done=1, told=TOLD, pending=2, next_at=NOW + 40)
DUE = State("p", round=1, done=1, told=TOLD, pending=2, next_at=NOW - 1)
DEFERRED = State("p", round=2, done=1, told=TOLD, next_at=NOW + 40, tries=1)


def arrived(**values: Any) -> Arrived:
    return Arrived(
        **{"finding_id": "f", "f_sk": "F#f", "fingerprint": "fp", "updated": 5.0} | values
    )


def arrival(*members: Arrived, severity: int = 3, **values: Any) -> Arrival:
    return Arrival("p", ("g",), members or (arrived(),), severity, **values)


def held(**values: Any) -> dict[str, Member]:
    """What the ledger knows of the finding."""
    member = {"sk": "F#f", "round": 1, "fingerprint": "fp", "updated": 5.0, "schema": "ASFF"}
    return {"F#f": Member(**member | values)}


@pytest.mark.parametrize(
    ("state", "wait", "values", "decided"),
    [
        # nobody knows the incident
        (None, WAIT, {}, ("wait", 15, False)),
        (None, AT_ONCE, {}, ("open", 0, False)),
        (None, WAIT, {"clicked": True}, ("open", 0, False)),
        (None, WAIT, {"severity": 4, "exploit": True}, ("wait", 15, False)),
        # it is idle
        (IDLE, WAIT, {}, ("wait", 120, False)),
        (IDLE, AT_ONCE, {}, ("open", 0, False)),
        (IDLE, WAIT, {"clicked": True}, ("open", 0, False)),
        (IDLE, WAIT, {"severity": 4}, ("open", 0, False)),
        (IDLE, WAIT, {"exploit": True}, ("open", 0, False)),
        (IDLE, WAIT, {"severity": 2}, ("wait", 120, False)),
        (State("p", round=0, done=0), WAIT, {}, ("wait", 15, False)),
        # a burst is being collected
        (PENDING, WAIT, {}, ("join", 40, False)),
        (PENDING, WAIT, {"clicked": True}, ("open", 0, False)),
        (PENDING, WAIT, {"severity": 4}, ("open", 0, False)),
        (DUE, WAIT, {}, ("open", 0, False)),
        # somebody works on it, or did
        (BUSY, WAIT, {}, ("join", 120, False)),
        (BUSY, AT_ONCE, {}, ("join", LOOK_AGAIN_S, False)),
        (BUSY, WAIT, {"severity": 4}, ("join", LOOK_AGAIN_S, True)),
        (BUSY, WAIT, {"clicked": True}, ("join", LOOK_AGAIN_S, True)),
        (DEAD, WAIT, {}, ("join", 120, False)),
        # a round waits for a dependency
        (DEFERRED, WAIT, {}, ("join", 40, False)),
        (DEFERRED, WAIT, {"clicked": True}, ("join", LOOK_AGAIN_S, True)),
    ],
)
def test_a_new_finding(
    state: State | None, wait: Wait, values: Any, decided: tuple[str, float, bool]
) -> None:
    decision = decide(arrival(**values), state, {}, now=NOW, wait=wait, me="me")
    assert (decision.move, decision.delay, decision.urgent) == decided
    assert [member.finding_id for member, _ in decision.fresh] == ["f"]


@pytest.mark.parametrize(
    ("state", "known", "move"),
    [
        (IDLE, held(), "repeat"),
        (IDLE, held(updated=9.0, fingerprint="other"), "repeat"),  # an older copy
        (BUSY, held(round=1), "repeat"),
        (BUSY, held(round=2), "settle"),
        (DEAD, held(round=2), "takeover"),
        (DEFERRED, held(round=2), "settle"),
        (PENDING, held(round=2), "settle"),
        (DUE, held(round=2), "open"),
        (State("p", round=2, done=1, told=TOLD, next_at=NOW - 1), held(round=2), "resume"),
        (State("p", round=2, done=1, owner="me", lease=NOW + 9), held(round=2), "mine"),
    ],
)
def test_a_finding_that_comes_again_unchanged(
    state: State, known: dict[str, Member], move: str
) -> None:
    decision = decide(arrival(), state, known, now=NOW, wait=WAIT, me="me")
    assert decision.move == move
    assert decision.fresh == ()
    assert [member.finding_id for member in decision.repeats] == ["f"]


@pytest.mark.parametrize(
    ("known", "fresh"),
    [
        (held(fingerprint="old"), True),
        (held(fingerprint="old", updated=6.0), False),
        (held(closed=True), True),
        (held(closed=True, updated=6.0), False),
        (held(fingerprint="old", schema="OCSF", other="fp"), False),
        (held(fingerprint="fp", schema="OCSF", other="old"), True),
        (held(fingerprint="old", schema="OCSF"), True),
        (held(fingerprint="old", schema=""), True),
        (held(schema=""), False),
    ],
)
def test_what_counts_as_changed(known: dict[str, Member], fresh: bool) -> None:
    decision = decide(arrival(), IDLE, known, now=NOW, wait=AT_ONCE, me="me")
    assert bool(decision.fresh) == fresh


def test_a_click_counts_once_however_often_its_message_comes() -> None:
    click = arrival(arrived(c_sk="C#1"), clicked=True)
    first = decide(click, IDLE, held(), now=NOW, wait=WAIT, me="me")
    assert (first.move, len(first.fresh)) == ("open", 1)
    known = held() | {"C#1": Member("C#1", 1, "", 0.0)}
    again = decide(click, IDLE, known, now=NOW, wait=WAIT, me="me")
    assert (again.move, again.fresh) == ("repeat", ())


def test_a_finding_of_an_incident_that_expired_begins_it_anew() -> None:
    decision = decide(arrival(), None, held(round=7), now=NOW, wait=AT_ONCE, me="me")
    assert decision.move == "open"
    assert [member for _, member in decision.fresh] == list(held(round=7).values())


def test_new_findings_and_repeats_are_told_apart() -> None:
    both = arrival(arrived(), arrived(finding_id="g", f_sk="F#g"))
    decision = decide(both, IDLE, held(), now=NOW, wait=AT_ONCE, me="me")
    assert [member.finding_id for member, _ in decision.fresh] == ["g"]
    assert [member.finding_id for member in decision.repeats] == ["f"]


@pytest.mark.parametrize(
    ("state", "urgent", "move"),
    [
        (IDLE, False, "nothing"),
        (IDLE, True, "nothing"),
        (PENDING, False, "settle"),
        (PENDING, True, "open"),
        (DUE, False, "open"),
        (BUSY, False, "settle"),
        (BUSY, True, "settle"),
        (DEAD, False, "takeover"),
        (DEFERRED, False, "settle"),
        (DEFERRED, True, "settle"),  # a dependency that is down is not asked sooner
        (State("p", round=2, done=1, next_at=NOW), False, "resume"),
    ],
)
def test_a_settle_message(state: State, urgent: bool, move: str) -> None:
    assert decide_settle(state, now=NOW, urgent=urgent).move == move


def test_a_settle_message_looks_again_when_the_lease_is_over_at_the_latest() -> None:
    soon = State("p", round=2, done=1, owner="o", lease=NOW + 1)
    assert decide_settle(soon, now=NOW, urgent=False).delay == 2
    assert decide_settle(BUSY, now=NOW, urgent=False).delay == LOOK_AGAIN_S


def test_nothing_is_worse_before_anything_was_told() -> None:
    assert not worse(arrival(severity=4, exploit=True), {})
    assert not worse(arrival(severity=4, exploit=True), {"severity": 4, "exploit": True})
    assert worse(arrival(exploit=True), {"severity": 4})


STATES = st.builds(
    lambda done, owner, ahead, **values: State(
        "p", done=done, owner=owner, round=done + (1 if owner else ahead), **values
    ),
    done=st.integers(0, 3),
    owner=st.sampled_from(["", "me", "other"]),
    ahead=st.integers(0, 1),
    lease=st.floats(NOW - 9, NOW + 9),
    next_at=st.floats(NOW - 9, NOW + 9),
    pending=st.integers(0, 2),
    told=st.sampled_from([{}, TOLD]),
)
MEMBERS = st.dictionaries(
    st.sampled_from(["F#f", "C#f"]),
    st.builds(
        Member,
        sk=st.just("F#f"),
        round=st.integers(0, 4),
        fingerprint=st.sampled_from(["fp", "x"]),
        updated=st.floats(0, 9),
        closed=st.booleans(),
    ),
)


@given(STATES | st.none(), MEMBERS, st.booleans(), st.sampled_from([WAIT, AT_ONCE]))
def test_no_finding_is_ever_without_a_claim_a_settle_message_or_an_end(
    state: State | None, known: dict[str, Member], clicked: bool, wait: Wait
) -> None:
    member = arrived(c_sk="C#f" if clicked else "")
    decision = decide(arrival(member, clicked=clicked), state, known, now=NOW, wait=wait, me="me")
    assert len(decision.fresh) + len(decision.repeats) == 1
    assert decision.delay >= 0
    if decision.fresh:
        assert decision.move in ("open", "wait", "join")
        assert decision.move != "open" or state is None or state.idle
    elif decision.move == "repeat":  # it was told, or its round is over by now
        seen = known[member.c_sk or "F#f"]
        assert state is None or seen.round <= state.done or (state.idle and not state.pending)
    if decision.move in ("takeover", "resume"):
        assert state is not None
        assert not state.live(NOW)
