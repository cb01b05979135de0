"""From a ticket back to its incident."""

from __future__ import annotations

from typing import Any

import pytest

from hub_responder.ledger import pointers
from hub_responder.ledger.operations import KEEP_S, Operations
from hub_responder.ledger.state import read_state
from hub_responder.ledger.transaction import Part
from world import World, arrival, finding

REFS = {"jira": {"ticket": "SEC-1", "url": "https://jira.example.com"}, "chat": {"thread": "1.2"}}


def operations() -> Operations:
    return Operations("ledger", "me", 1060.0, 1000.0)


def test_a_pointer_reads_back_as_it_was_written() -> None:
    (item,) = operations().point("p#1", REFS, ())
    found = pointers.read(item["Put"]["Item"])
    assert found == pointers.Pointer("p", "jira", "SEC-1", "p#1", 1000.0, 1000.0 + KEEP_S)
    assert item["Put"]["Item"]["pk"] == {"S": "p#tickets"}


def test_a_ticket_whose_id_has_a_number_sign_reads_back() -> None:
    (item,) = operations().point("p#1", {"github": {"ticket": "acme/app#12"}}, ())
    found = pointers.read(item["Put"]["Item"])
    assert (found.connection, found.ticket) == ("github", "acme/app#12")
    assert found.sk == "github#acme/app#12"


def test_only_tickets_that_have_none_get_a_pointer() -> None:
    both = {**REFS, "other": {"ticket": "T-2"}}
    (item,) = operations().point("p#1", both, ("jira#SEC-1",))
    assert item["Put"]["Item"]["sk"] == {"S": "other#T-2"}


@pytest.mark.parametrize("ticket", ["", 7, None, "x" * 513, "é" * 300])
def test_what_can_be_no_sort_key_gets_none(ticket: Any) -> None:
    assert operations().point("p#1", {"jira": {"ticket": ticket}}, ()) == []


def test_a_round_that_another_run_took_over_leaves_no_pointer(world: World) -> None:
    (claim,) = world.ledger("a").arrive([arrival(world, finding(1))], lambda *_: [])
    made = world.ledger("b").operations()
    move = made.step(claim.pk, claim.state.round, {}, REFS)
    (lost,) = world.ledger("b").submit([Part([move, *made.point(claim.pk, REFS, ())], [])])
    assert lost is not None
    assert world.pointers() == {}


def test_an_incident_that_has_ended_has_no_pointer_until_it_begins_anew(world: World) -> None:
    (claim,) = world.ledger("a").arrive([arrival(world, finding(1))], lambda *_: [])
    ledger = world.ledger("a")
    made = ledger.operations()
    move = made.step(claim.pk, claim.state.round, {}, REFS)
    ledger.submit([Part([move, *made.point(claim.pk, REFS, ())], [])])
    assert world.pointers() == {"jira#SEC-1": claim.pk}
    move = made.closed(claim.pk, claim.state.round, REFS)
    ledger.submit([Part([move, *made.unpoint(claim.pk, pointers.of(REFS))], [])])
    assert world.pointers() == {}
    (item,) = world.incidents()
    assert read_state(item).watched == ()
    ledger.submit([Part(made.point(claim.pk, REFS, ()), [])])
    assert world.pointers() == {"jira#SEC-1": claim.pk}
