"""The ledger as the engine uses it: reads, and moves that are decided again until they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub_responder import aws, clock
from hub_responder.audit import Audit, Record
from hub_responder.errors import TransientError
from hub_responder.ledger import history, keys, pauses
from hub_responder.ledger.decide import (
    Arrival,
    Arrived,
    Decision,
    decide,
    decide_settle,
    restoring,
)
from hub_responder.ledger.operations import Operations
from hub_responder.ledger.state import Item, Member, State, read_member, read_state
from hub_responder.ledger.transaction import Lost, Part, Transactions
from hub_responder.playbook import Wait

_READ_AT_ONCE = 100  # keys of one BatchGetItem
_DECIDE_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Settle:
    """A settle message: look at the incident ``pk``; ``clicked`` when an analyst waits.

    ``ended`` is a round that ended the incident and is to be tried again, as an operator asks;
    ``resumed`` says that an operator has ended the pause for which it waits.
    """

    pk: str
    urgent: bool = False
    clicked: bool = False
    ended: int = 0
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of an arrival or a settle message.

    Attributes:
        decision: the move that was made. state: the incident after it.
        complete: the arrival's findings are all of the round; otherwise the ledger holds more.
    """

    pk: str
    decision: Decision
    state: State
    complete: bool = True

    @property
    def owned(self) -> bool:
        """This run works on the round now."""
        return self.decision.move in ("open", "takeover", "resume", "close", "mine")


@dataclass(slots=True)
class _Known:
    """What is known of one incident while its move is decided."""

    state: State | None = None
    members: dict[str, Member] = field(default_factory=dict)

    def learn(self, lost: Lost) -> None:
        """Take over what a cancelled transaction showed; nothing shown means nothing is there."""
        if not lost.found:
            self.state, self.members = None, {}
        for sk, item in lost.found.items():
            if sk == keys.INCIDENT:
                self.state = read_state(item)
            else:
                self.members[sk] = read_member(item)


class Ledger:
    """One run's view of the ledger.

    Args:
        client: a DynamoDB client. table: the ledger's name. me: the run's request id.
        lease: when this run's claims end (epoch seconds). wait: of the playbook.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        transactions: Transactions,
        audit: Audit,
        *,
        me: str,
        lease: float,
        wait: Wait,
    ) -> None:
        self._client = client
        self._table = table
        self._transactions = transactions
        self._audit = audit
        self._me = me
        self._lease = lease
        self._wait = wait

    def operations(self) -> Operations:
        """The moves of this run, as of now."""
        return Operations(self._table, self._me, self._lease, clock.now())

    def submit(self, parts: Sequence[Part]) -> list[Lost | None]:
        """See `Transactions.submit`."""
        return self._transactions.submit(parts) if parts else []

    def arrive(
        self, arrivals: Sequence[Arrival], tell: Callable[[Arrival, Decision, State], list[Record]]
    ) -> list[Claim]:
        """OPEN, WAIT, JOIN, TAKEOVER or RESUME for each arrival, or see that it is a repeat.

        Args:
            tell: makes the records of a move; they are written in its transaction.
        """
        known = {arrival.pk: _Known() for arrival in arrivals}
        by_pk = {arrival.pk: arrival for arrival in arrivals}

        def plan(pk: str) -> tuple[Claim, Part]:
            arrival, held = by_pk[pk], known[pk]
            decision = decide(
                arrival, held.state, held.members, now=clock.now(), wait=self._wait, me=self._me
            )
            state = self._after(arrival, held.state, decision)
            pending = held.state.pending if held.state else 0
            complete = decision.move not in ("takeover", "resume", "mine") and not pending
            if decision.move == "open" and not decision.fresh:
                complete = False
            items = self._items(arrival, held.state, decision)
            records = tell(arrival, decision, state)
            guards = _guards(held.state, decision)
            return Claim(pk, decision, state, complete), Part(items, records, guards)

        return self._until_held([a.pk for a in arrivals], known, plan)

    def settle(
        self, settles: Sequence[Settle], tell: Callable[[Claim], list[Record]]
    ) -> list[Claim]:
        """OPEN, TAKEOVER, RESUME or CLOSE the incidents of settle messages, where it is time."""
        by_pk = {settle.pk: settle for settle in settles}
        known = {pk: _Known() for pk in by_pk}
        for item in self._read([(pk, keys.INCIDENT) for pk in by_pk]):
            known[item["pk"]["S"]].state = read_state(item)

        def plan(pk: str) -> tuple[Claim, Part]:
            state, settle = known[pk].state, by_pk[pk]
            if state is None:
                return Claim(pk, Decision("nothing"), State(pk)), Part([], [])
            if state.owner == self._me:
                return Claim(pk, Decision("mine"), state, complete=False), Part([], [])
            decision = decide_settle(
                state,
                now=clock.now(),
                urgent=settle.urgent,
                ended=settle.ended,
                resumed=settle.resumed,
            )
            operations = self.operations()
            items = {
                "open": lambda: [operations.open_pending(state, clicked=settle.clicked)],
                "takeover": lambda: [operations.takeover(state)],
                "resume": lambda: [operations.resume(state)],
                "close": lambda: [operations.close(state)],
            }.get(decision.move, list)()
            after = self._owned(state, decision, None, clicked=settle.clicked)
            claim = Claim(pk, decision, after, complete=False)
            return claim, Part(items, tell(claim), _guards(state, decision))

        return self._until_held(list(by_pk), known, plan)

    def _until_held(
        self,
        todo: list[str],
        known: Mapping[str, _Known],
        plan: Callable[[str], tuple[Claim, Part]],
    ) -> list[Claim]:
        """Decide, submit, and decide the lost ones again from what the answer showed."""
        order = list(todo)
        claims: dict[str, Claim] = {}
        for _ in range(_DECIDE_ROUNDS):
            planned = [plan(pk) for pk in todo]
            writing = [(claim, part) for claim, part in planned if part.items or part.records]
            claims |= {
                claim.pk: claim for claim, part in planned if not (part.items or part.records)
            }
            results = self.submit([part for _, part in writing])
            todo = []
            for (claim, _), lost in zip(writing, results, strict=True):
                if lost is None:
                    claims[claim.pk] = claim
                elif lost.paused is not None:
                    state = known[claim.pk].state or claim.state
                    paused = replace(claim.decision, move="settle", delay=pauses.LOOK_S)
                    claims[claim.pk] = Claim(claim.pk, paused, state)
                else:
                    known[claim.pk].learn(lost)
                    todo.append(claim.pk)
            if not todo:
                return [claims[pk] for pk in order]
        raise TransientError("an incident changes faster than it can be claimed", target="dynamodb")

    def _items(self, arrival: Arrival, state: State | None, decision: Decision) -> list[Any]:
        operations = self.operations()
        kept = [operations.guard(arrival.pk, one, held) for one, held in decision.guarded]
        return [*kept, *self._moved(operations, arrival, state, decision)]

    @staticmethod
    def _moved(
        operations: Operations, arrival: Arrival, state: State | None, decision: Decision
    ) -> list[Any]:
        if decision.move in ("open", "wait", "join") and decision.fresh:
            return operations.arrive(arrival, state, decision)
        if state is None:
            return []
        if decision.move == "open":
            return [operations.open_pending(state, clicked=arrival.clicked)]
        if decision.move == "takeover":
            return [operations.takeover(state)]
        if decision.move == "resume":
            return [operations.resume(state)]
        return []

    def _after(self, arrival: Arrival, state: State | None, decision: Decision) -> State:
        if state is None:
            state = State(arrival.pk, group=arrival.group)
        at = arrival.at if decision.fresh else state.at
        state = replace(state, members=state.members + decision.new, at=at)
        bringing = arrival if decision.fresh else None
        return self._owned(state, decision, bringing, clicked=arrival.clicked)

    def _owned(
        self, state: State, decision: Decision, arrival: Arrival | None, *, clicked: bool
    ) -> State:
        """``state`` after this run's claim."""
        if decision.move == "open":
            return replace(
                state.reborn(),
                round=state.round + 1,
                owner=self._me,
                lease=self._lease,
                pending=0,
                steps={},
                next_at=0.0,
                tries=0,
                first_at=0.0,
                clicked=clicked or state.asked,
                asked=False,
                restoring=restoring(state, arrival),
            )
        if decision.move == "close":
            return replace(
                state,
                round=state.round + 1,
                owner=self._me,
                lease=self._lease,
                steps={},
                next_at=0.0,
                tries=0,
                first_at=0.0,
                clicked=False,
                asked=False,
                restoring=False,
                closing=True,
                closed=0.0,
            )
        if decision.move in ("takeover", "resume"):
            return replace(state, owner=self._me, lease=self._lease, next_at=0.0)
        return state

    def later(self, pk: str, f_sk: str) -> Mapping[str, Any]:
        """How a finding came last once that was too often, in its compact form; empty: it was not.

        Raises:
            CallError: it cannot be read.
        """
        for item in self._read([(pk, f_sk)]):
            return read_member(item).later
        return {}

    def pause(self, playbook: str) -> pauses.Pause | None:
        """The pause of a playbook, or None.

        Raises:
            CallError: it cannot be read.
        """
        key = pauses.own(playbook)
        for item in self._read([(key["pk"]["S"], key["sk"]["S"])]):
            return pauses.read(item)
        return None

    def item(self, pk: str, sk: str) -> Item | None:
        """One item, read consistently.

        Raises:
            CallError: it cannot be read.
        """
        return next(iter(self._read([(pk, sk)])), None)

    def members(self, pk: str) -> list[Member]:
        """All findings of an incident, read consistently."""
        values = {":pk": {"S": pk}, ":f": {"S": "F#"}}
        return list(map(read_member, self._query("pk = :pk AND begins_with(sk, :f)", values)))

    def joined(self, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (partition, finding id) ever joined their incident.

        Raises:
            CallError: it cannot be read.
        """
        by_key = {(pk, keys.finding(finding_id)): (pk, finding_id) for pk, finding_id in wanted}
        held = self._read(list(by_key))
        return {by_key[item["pk"]["S"], item["sk"]["S"]] for item in held}

    def _query(self, condition: str, values: Mapping[str, Any]) -> list[Item]:
        """Items of one partition, read consistently."""
        found: list[Item] = []
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
        while True:
            try:
                answer = self._client.query(**request)
            except Exception as error:
                raise aws.translate(error, "dynamodb") from error
            found += answer.get("Items", [])
            if "LastEvaluatedKey" not in answer:
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def history(self, pk: str, since: float, until: float) -> list[str]:
        """The sort keys of the history items of partition ``pk`` between two times."""
        values = {
            ":pk": {"S": pk},
            ":from": {"S": history.moment(since)},
            ":to": {"S": history.moment(until) + "~"},  # after every finding of that moment
        }
        condition = "pk = :pk AND sk BETWEEN :from AND :to"
        return [item["sk"]["S"] for item in self._query(condition, values)]

    def untold(self, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (partition, finding's sort key) joined a round that is not over."""
        done: dict[str, int] = {}
        joined: dict[tuple[str, str], Member] = {}
        for item in self._read([*wanted, *((pk, keys.INCIDENT) for pk, _ in wanted)]):
            pk, sk = item["pk"]["S"], item["sk"]["S"]
            if sk == keys.INCIDENT:
                done[pk] = read_state(item).done
            else:
                joined[pk, sk] = read_member(item)
        return {key for key, member in joined.items() if member.round > done.get(key[0], 0)}

    def close(
        self, leavers: Sequence[tuple[str, Arrived]], tell: Callable[..., Record]
    ) -> list[str]:
        """Findings that left: they no longer count. Unknown ones are recorded as skipped.

        Returns:
            The incidents that they are of; perhaps none of their findings is left.
        """
        held = {
            (item["pk"]["S"], item["sk"]["S"]): read_member(item)
            for item in self._read([(pk, member.f_sk) for pk, member in leavers])
        }
        todo = list(leavers)
        for _ in range(_DECIDE_ROUNDS):
            todo = [
                one for some in _one_per_incident(todo) for one in self._close(some, held, tell)
            ]
            if not todo:
                return list(dict.fromkeys(pk for pk, _ in held))
        raise TransientError("a finding changes faster than it can be closed", target="dynamodb")

    def _close(
        self,
        leavers: Sequence[tuple[str, Arrived]],
        held: dict[tuple[str, str], Member],
        tell: Callable[..., Record],
    ) -> list[tuple[str, Arrived]]:
        """Close one finding of each incident; those that changed meanwhile, as ``held`` shows."""
        operations, parts = self.operations(), []
        for pk, member in leavers:
            known = held.get((pk, member.f_sk))
            if known is None or known.closed or member.updated < known.updated:
                why = "not one of ours" if known is None else "closed already, or older"
                parts.append(Part([], [tell(pk, member, "skipped", why)]))
            else:
                items = operations.close_member(pk, member, known)
                parts.append(Part(items, [tell(pk, member, "closed", "left Security Hub")]))
        again = []
        for (pk, member), lost in zip(leavers, self.submit(parts), strict=True):
            if lost is not None:
                again.append((pk, member))
                held.pop((pk, member.f_sk), None)
                if member.f_sk in lost.found:
                    held[pk, member.f_sk] = read_member(lost.found[member.f_sk])
        return again

    def _read(self, wanted: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
        """Items by key, read consistently."""
        found: list[Mapping[str, Any]] = []
        todo = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(wanted)]
        while todo:
            batch, todo = todo[:_READ_AT_ONCE], todo[_READ_AT_ONCE:]
            request = {self._table: {"Keys": batch, "ConsistentRead": True}}
            try:
                answer = self._client.batch_get_item(RequestItems=request)
            except Exception as error:
                raise aws.translate(error, "dynamodb") from error
            found += answer["Responses"].get(self._table, [])
            todo += answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found


def _guards(state: State | None, decision: Decision) -> tuple[str, ...]:
    """What was paused goes on only once that is over."""
    if state is None or not state.paused or decision.move != "resume":
        return ()
    return (state.pk.partition("#")[0],)


def _one_per_incident(
    leavers: Sequence[tuple[str, Arrived]],
) -> list[list[tuple[str, Arrived]]]:
    """Groups in which no incident comes twice: a transaction touches an item once."""
    groups: list[dict[str, tuple[str, Arrived]]] = []
    for pk, member in leavers:
        for group in groups:
            if pk not in group:
                group[pk] = (pk, member)
                break
        else:
            groups.append({pk: (pk, member)})
    return [list(group.values()) for group in groups]
