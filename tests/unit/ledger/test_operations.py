"""The items of transactions, and the keys in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_responder.ledger import keys
from hub_responder.ledger.decide import Arrival, Arrived, Decision
from hub_responder.ledger.operations import Operations, number
from hub_responder.ledger.state import Member, State, read_member, read_state

GROUPS = st.lists(st.text(), max_size=4)


def operations() -> Operations:
    return Operations("ledger", "me", 1060.0, 1000.0)


@given(GROUPS, GROUPS)
def test_other_groups_have_other_partitions(one: list[str], other: list[str]) -> None:
    surrogates = any("\ud800" <= c <= "\udfff" for text in one + other for c in text)
    if one != other and not surrogates:
        assert keys.partition("p", one) != keys.partition("p", other)
    assert keys.partition("p", one) == keys.partition("p", list(one))


def test_a_playbook_that_observes_has_incidents_of_its_own() -> None:
    assert keys.partition("p", ["a"], "observe") != keys.partition("p", ["a"], "live")
    assert keys.partition("p", ["a"], "observe").startswith("p#")


def test_effect_keys_are_equal_for_every_attempt_and_for_nothing_else() -> None:
    def key(gen: int = 1, round_: int = 1, step: str = "s", *, lasting: bool = False) -> str:
        return keys.effect("p#1", gen, round_, step, lasting=lasting)

    assert key() == key()
    assert len({key(), key(gen=2), key(round_=2), key(step="t"), key(lasting=True)}) == 5
    assert key(lasting=True) == key(round_=9, step="renamed", lasting=True)
    assert key(lasting=True) != key(gen=2, lasting=True)


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (1.0, "1"), (1.5, "1.5"), (-2, "-2")])
def test_numbers_are_written_short(value: float, text: str) -> None:
    assert number(value) == {"N": text}


def test_every_name_is_an_alias_and_every_value_is_used() -> None:
    state = State("p#1", round=2, done=2, pending=1, told={"severity": 3})
    member = Arrived("f", "F#f", "fp", 5.0, {"a": 1}, "C#c")
    arrival = Arrival("p#1", ("g",), (member,), 3, clicked=True)
    held = Member("F#f", 1, "fp", 9.0, "f", schema="OCSF", other="x")
    made = operations()
    items: list[dict[str, Any]] = [
        made.takeover(state),
        made.resume(state),
        made.step("p#1", 1, {}, {}),
        made.finish("p#1", 1, {}, {}),
        made.defer("p#1", 1, {}, {}, next_at=1.0, tries=1, first_at=1.0),
        made.open_pending(state, clicked=True),
        *made.close_member("p#1", member, held),
    ]
    for move in ("open", "wait", "join"):
        for known in (None, held):
            decision = Decision(move, ((member, known),), delay=5.0)  # type: ignore[arg-type] # a move
            items += made.arrive(arrival, state, decision)
            if move != "join":
                items += made.arrive(arrival, None, decision)
    for item in items:
        ((_, body),) = item.items()
        text = f"{body.get('UpdateExpression', '')} {body.get('ConditionExpression', '')}"
        words = set(text.replace(",", " ").replace("(", " ").replace(")", " ").split())
        assert {w for w in words if w.startswith("#")} == set(body["ExpressionAttributeNames"])
        used = {w for w in words if w.startswith(":")}
        assert used == set(body.get("ExpressionAttributeValues", {}))


def test_an_item_reads_back_as_it_was_written() -> None:
    member = Arrived("f", "F#f", "fp", 5.5, {"a": [1, "x"]}, schema="OCSF")
    arrival = Arrival("p#1", ("g", "h"), (member,), 3)
    head, first = operations().arrive(arrival, None, Decision("open", ((member, None),)))
    state = read_state(head["Put"]["Item"])
    assert (state.pk, state.round, state.owner, state.lease) == ("p#1", 1, "me", 1060.0)
    assert state.group == ("g", "h")
    kept = read_member(first["Put"]["Item"])
    assert (kept.finding_id, kept.updated, kept.data) == ("f", 5.5, {"a": [1, "x"]})
    assert (kept.schema, kept.other, kept.last("OCSF"), kept.last("ASFF")) == (
        "OCSF",
        "",
        "fp",
        "fp",
    )


def test_the_other_forms_fingerprint_is_kept_beside() -> None:
    held = Member("F#f", 1, "asff", 5.0, "f", schema="ASFF")
    member = Arrived("f", "F#f", "ocsf", 5.0, schema="OCSF")
    arrival = Arrival("p#1", ("g",), (member,), 3)
    state = State("p#1", round=1, done=1)
    _, item = operations().arrive(arrival, state, Decision("open", ((member, held),)))
    kept = read_member(item["Put"]["Item"])
    assert (kept.last("OCSF"), kept.last("ASFF")) == ("ocsf", "asff")
    again = Arrived("f", "F#f", "asff-2", 6.0, schema="ASFF")
    arrival = Arrival("p#1", ("g",), (again,), 3)
    _, item = operations().arrive(arrival, state, Decision("open", ((again, kept),)))
    kept = read_member(item["Put"]["Item"])
    assert (kept.last("OCSF"), kept.last("ASFF")) == ("ocsf", "asff-2")
