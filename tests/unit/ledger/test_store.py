"""The ledger's moves over the sandbox's DynamoDB: what is written, and who loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub_responder.audit import Audit
from hub_responder.errors import PermanentError, TransientError
from hub_responder.ledger.decide import Decision
from hub_responder.ledger.state import State, read_member, read_state
from hub_responder.ledger.store import Claim, Ledger, Settle
from hub_responder.ledger.transaction import Lost, Part
from hub_responder.playbook import Wait
from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, transaction_conflict
from world import World, arrival, finding


def nothing(*_: Any) -> list[Any]:
    return []


def claim(world: World, me: str, *findings: dict[str, Any], clicked: str = "") -> Claim:
    (made,) = world.ledger(me).arrive([arrival(world, *findings, clicked=clicked)], nothing)
    return made


def state(world: World) -> State:
    (item,) = world.incidents()
    return read_state(item)


def finish(world: World, me: str, made: Claim) -> bool:
    """Whether the round could be finished."""
    ledger = world.ledger(me)
    move = ledger.operations().finish(made.pk, made.state.round, {"severity": 3}, {})
    (lost,) = ledger.submit([Part([move], [])])
    return lost is None


def test_the_first_opens_and_the_next_joins_the_round_after(world: World) -> None:
    first, second = claim(world, "a", finding(1)), claim(world, "b", finding(2))
    assert (first.decision.move, first.complete) == ("open", True)
    assert (second.decision.move, second.owned) == ("join", False)
    held = state(world)
    assert (held.round, held.done, held.owner, held.pending, held.members) == (1, 0, "a", 1, 2)
    rounds = {m["id"]["S"]: int(m["round"]["N"]) for m in world.findings()}
    assert rounds == {finding(1)["Id"]: 1, finding(2)["Id"]: 2}


def test_what_the_run_believes_after_a_move_is_what_is_written(world: World) -> None:
    opened = claim(world, "a", finding(1), finding(2), clicked="c")
    assert opened.state == replace(state(world), group=opened.state.group)
    claim(world, "b", finding(3))
    finish(world, "a", opened)
    (settled,) = world.ledger("c").settle([Settle(opened.pk)], nothing)
    assert settled.decision.move == "open"
    assert settled.state == state(world)


@pytest.mark.parametrize("stale", ["owner", "round"])
def test_a_move_on_stale_knowledge_is_lost_and_changes_nothing(world: World, stale: str) -> None:
    opened = claim(world, "a", finding(1))
    before = world.incidents()
    if stale == "owner":
        assert not finish(world, "b", opened)
    else:
        old = replace(opened, state=replace(opened.state, round=0))
        assert not finish(world, "a", old)
    assert world.incidents() == before


def test_a_lease_must_be_over_before_anybody_takes_a_round_over(world: World) -> None:
    opened = claim(world, "a", finding(1))
    ledger = world.ledger("b")
    (lost,) = ledger.submit([Part([ledger.operations().takeover(opened.state)], [])])
    assert lost is not None
    world.gate.now += 66
    (taken,) = world.ledger("b").settle([Settle(opened.pk)], nothing)
    assert (taken.decision.move, taken.state.owner) == ("takeover", "b")
    assert state(world).owner == "b"
    assert not finish(world, "a", opened)


def test_only_one_of_two_takes_a_round_over(world: World) -> None:
    opened = claim(world, "a", finding(1))
    world.gate.now += 66
    moves = [world.ledger(me).settle([Settle(opened.pk)], nothing)[0].decision.move for me in "bcd"]
    assert moves == ["takeover", "settle", "settle"]


def test_a_claim_whose_answer_was_lost_is_ours(world: World) -> None:
    claim(world, "a", finding(1))
    again = claim(world, "a", finding(1))
    assert (again.decision.move, again.owned, again.complete) == ("mine", True, False)
    (settled,) = world.ledger("a").settle([Settle(again.pk)], nothing)
    assert settled.decision.move == "mine"


def test_a_deferred_round_keeps_its_steps_and_is_resumed_when_it_is_due(world: World) -> None:
    opened = claim(world, "a", finding(1))
    steps = {"tell": {"s": "deferred"}, "look": {"s": "done", "r": {"verdict": "X"}}}
    ledger = world.ledger("a")
    move = ledger.operations().defer(
        opened.pk, 1, steps, {}, next_at=world.gate.now + 30, tries=1, first_at=world.gate.now
    )
    assert ledger.submit([Part([move], [])]) == [None]
    (early,) = world.ledger("b").settle([Settle(opened.pk, urgent=True)], nothing)
    assert (early.decision.move, early.decision.delay) == ("settle", 30)
    world.gate.now += 31
    (resumed,) = world.ledger("b").settle([Settle(opened.pk)], nothing)
    assert resumed.decision.move == "resume"
    assert resumed.state.steps == steps
    assert resumed.state.tries == 1


def test_a_settle_message_for_an_incident_that_is_not_there_does_nothing(world: World) -> None:
    (made,) = world.ledger("a").settle([Settle("p#gone")], nothing)
    assert made.decision == Decision("nothing")
    assert world.incidents() == []


def test_a_click_on_an_older_copy_joins_and_keeps_what_is_newer(world: World) -> None:
    opened = claim(world, "a", finding(1, version=9, severity="CRITICAL"))
    finish(world, "a", opened)
    claim(world, "b", finding(1, version=2), clicked="c")
    (item,) = world.findings()
    member = read_member(item)
    assert (member.round, member.data["severity"]) == (2, "CRITICAL")


def test_records_are_written_in_the_transaction_of_their_move(world: World) -> None:
    record = {"kind": "opened", "mark": 1}
    world.ledger("a").arrive([arrival(world, finding(1))], lambda *_: [record])
    assert world.records() == [record]
    world.ledger("b").arrive([arrival(world, finding(1))], lambda _a, d, _s: [{"kind": d.move}])
    assert [r for r in world.records() if r != record] == [{"kind": "settle"}]


def test_a_closed_finding_no_longer_counts_and_does_so_once(world: World) -> None:
    made = claim(world, "a", finding(1), finding(2))
    gone = arrival(world, finding(1, version=2) | {"RecordState": "ARCHIVED"})
    leaver = (gone.pk, gone.members[0])
    kinds: list[str] = []

    def tell(_pk: str, _member: Any, kind: str, why: str) -> dict[str, str]:
        kinds.append(f"{kind}: {why}")
        return {"kind": kind}

    for run in ("b", "c"):
        world.ledger(run).close([leaver], tell)
    assert kinds == ["closed: left Security Hub", "skipped: closed already, or older"]
    assert state(world).members == 1
    assert [m.closed for m in sorted(world.ledger("d").members(made.pk), key=_by_id)] == [
        True,
        False,
    ]


def _by_id(member: Any) -> str:
    return str(member.finding_id)


def test_closing_what_is_unknown_or_newer_changes_nothing_and_is_recorded(world: World) -> None:
    claim(world, "a", finding(1, version=9))
    before = world.findings()
    older = arrival(world, finding(1, version=2) | {"RecordState": "ARCHIVED"})
    stranger = arrival(world, finding(3, 7) | {"RecordState": "ARCHIVED"})
    leavers = [(one.pk, one.members[0]) for one in (older, stranger)]
    world.ledger("b").close(leavers, lambda _pk, _m, kind, why: {"kind": kind, "detail": why})
    assert world.findings() == before
    details = [record["detail"] for record in world.records()]
    assert details == ["closed already, or older", "not one of ours"]


def test_many_findings_of_one_incident_close_one_after_the_other(world: World) -> None:
    findings = [finding(n) for n in range(20)]
    claim(world, "a", *findings)
    gone = arrival(world, *[one | {"RecordState": "ARCHIVED"} for one in findings])
    leavers = [(gone.pk, member) for member in gone.members]
    world.ledger("b").close(leavers, lambda _pk, _m, kind, _why: {"kind": kind})
    assert state(world).members == 0
    assert [record["kind"] for record in world.records()] == ["closed"] * 20


def test_all_members_are_read_page_by_page(world: World) -> None:
    for start in range(0, 600, 30):
        many = [finding(n) | {"Title": "長い" * 99} for n in range(start, start + 30)]
        made = claim(world, "a", *many)
    assert len(world.ledger("b").members(made.pk)) == 600


def test_a_conflict_is_tried_again_and_happens_once(world: World) -> None:
    left = [2]

    def conflict(operation: str, tables: tuple[str, ...]) -> DynamoDBError | None:
        left[0] -= 1
        busy = operation == "TransactWriteItems" and left[0] >= 0
        return transaction_conflict(len(tables)) if busy else None

    world.store.faults = conflict
    assert claim(world, "a", finding(1)).owned
    assert state(world).round == 1


def test_throttling_that_does_not_end_is_transient(world: World) -> None:
    world.store.faults = lambda operation, tables: (
        transaction_conflict(len(tables)) if operation == "TransactWriteItems" else None
    )
    with pytest.raises(TransientError):
        claim(world, "a", finding(1))


def test_an_incident_that_changes_at_every_look_is_transient(world: World) -> None:
    class Faster:
        """Somebody else is, each time."""

        def submit(self, parts: Sequence[Part]) -> list[Lost]:
            return [Lost({})] * len(parts)

    ledger = Ledger(None, "ledger", Faster(), Audit("a", world.playbook, "me"), **OWN)  # type: ignore[arg-type] # it only submits
    with pytest.raises(TransientError, match="faster"):
        ledger.arrive([arrival(world, finding(1))], nothing)


OWN: dict[str, Any] = {"me": "me", "lease": 0.0, "wait": Wait(0, 0)}


def test_an_item_that_outgrew_dynamodb_costs_nobody_else_their_move(world: World) -> None:
    ledger = world.ledger("a")
    parts = []
    for number in range(5):
        size = 500_000 if number == 2 else 10
        item = {"pk": {"S": f"p{number}"}, "sk": {"S": "I"}, "x": {"S": "x" * size}}
        parts.append(Part([{"Put": {"TableName": "ledger", "Item": item}}], [{"n": number}]))
    with pytest.raises(PermanentError):
        ledger.submit(parts)
    assert sorted(item["pk"]["S"] for item in world.incidents()) == ["p0", "p1", "p3", "p4"]
    assert sorted(record["n"] for record in world.records()) == [0, 1, 3, 4]


def test_waiting_is_written_with_the_time_at_which_it_ends(world: World) -> None:
    world.playbook = replace_wait(world, Wait(15, 120))
    made = claim(world, "a", finding(1))
    assert (made.decision.move, made.decision.delay) == ("wait", 15)
    held = state(world)
    assert (held.round, held.pending, held.next_at) == (0, 1, world.gate.now + 15)
    assert held.idle


def replace_wait(world: World, wait: Wait) -> Any:
    return msgspec.structs.replace(world.playbook, wait=wait)
