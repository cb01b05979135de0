"""The ledger's transitions as items of a DynamoDB transaction (the wire form). Pure.

Every move states what it found (round, owner, ...) as its condition, so that a move decided on
stale knowledge is cancelled as a whole and decided again from the item that the answer carries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from hub_responder.ledger import history, keys, pauses, pointers
from hub_responder.ledger.decide import Arrival, Arrived, Decision, brought, day_of, restoring
from hub_responder.ledger.state import Member, State

TransactItem = dict[str, Any]

KEEP_S = 200 * 86400
"""An incident nobody touched for 200 days is forgotten; Security Hub keeps findings for 90."""
KEEP_CLICK_S = 14 * 86400
"""SQS keeps a message for 14 days at most: no repeat of a click comes later."""

_OWNED = "owner = :me AND round = :round"
_ATTRIBUTE = re.compile(r"(?<![:#\w])([a-z_]+)\b(?!\()")


@lru_cache(maxsize=64)
def _aliased(expression: str) -> tuple[str, dict[str, str]]:
    """``expression`` with every attribute as ``#name``: DynamoDB reserves 573 words."""
    names = {f"#{name}": name for name in _ATTRIBUTE.findall(expression)}
    return _ATTRIBUTE.sub(r"#\1", expression), names


def number(value: float) -> dict[str, str]:
    """A number attribute; whole numbers are written without a fraction."""
    return {"N": str(int(value)) if value == int(value) else repr(float(value))}


def text(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"S": value}


def json(value: Any) -> dict[str, str]:
    """A value kept as JSON in one string attribute: half the cost of a map of attributes."""
    return {"S": msgspec.json.encode(value).decode()}


class Operations:
    """Builds items for one table and one run.

    Args:
        table: the ledger's table. me: the run's request id. lease: when its claims end. now: the
            time of the moves (epoch seconds).
    """

    def __init__(self, table: str, me: str, lease: float, now: float) -> None:
        self._table = table
        self._me = me
        self._lease = lease
        self._now = now

    def _key(self, pk: str, sk: str = keys.INCIDENT) -> dict[str, Any]:
        return {"pk": text(pk), "sk": text(sk)}

    def _put(self, item: dict[str, Any], condition: str, **values: Any) -> TransactItem:
        expression, names = _aliased(condition)
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": expression,
            "ExpressionAttributeNames": names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if values:
            put["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
        return {"Put": put}

    def _update(
        self, key: dict[str, Any], expression: str, condition: str, **values: Any
    ) -> TransactItem:
        change, changed = _aliased(expression)
        check, checked = _aliased(condition)
        return {
            "Update": {
                "TableName": self._table,
                "Key": key,
                "UpdateExpression": change,
                "ConditionExpression": check,
                "ExpressionAttributeNames": changed | checked,
                "ExpressionAttributeValues": {f":{k}": v for k, v in values.items()},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def arrive(
        self, arrival: Arrival, state: State | None, decision: Decision
    ) -> list[TransactItem]:
        """The items of ``open``, ``wait`` and ``join`` for findings that arrived."""
        base = state.round if state else 0
        new = decision.new
        if decision.move == "open":
            head = self._open(arrival, state, new)
        elif state is None:
            head = self._create_waiting(arrival, new, decision.delay)
        else:
            head = self._join(state, decision, new, arrival)
        return [head, *self._members(arrival, decision, base + 1)]

    def _incident(self, arrival: Arrival, new: int) -> dict[str, Any]:
        return {
            **self._key(arrival.pk),
            "gen": number(1),
            "done": number(0),
            "members": number(new),
            "group": json(arrival.group),
            "at": number(arrival.at),
            "expires": number(int(self._now) + KEEP_S),
        }

    def _open(self, arrival: Arrival, state: State | None, new: int) -> TransactItem:
        if state is None:
            item = self._incident(arrival, new) | {
                "round": number(1),
                "pending": number(0),
                "owner": text(self._me),
                "lease": number(self._lease),
                "clicked": {"BOOL": arrival.clicked},
            }
            return self._put(item, "attribute_not_exists(pk)")
        return self._open_idle(state, new, arrival, clicked=arrival.clicked, at=arrival.at)

    def _open_idle(
        self, state: State, new: int, arrival: Arrival | None, *, clicked: bool, at: float
    ) -> TransactItem:
        again = ", told, closed" if state.closed else ""
        return self._update(
            self._key(state.pk),
            "SET round = :next, owner = :me, lease = :lease, pending = :zero,"
            " clicked = :clicked, at = :at, expires = :expires, gen = :gen,"
            " restoring = :restoring"
            f" REMOVE steps, next_at, tries, first_at, asked{again} ADD members :new",
            "round = :round AND done = :round AND attribute_not_exists(owner)"
            " AND pending = :pending",
            gen=number(state.reborn().gen),
            next=number(state.round + 1),
            round=number(state.round),
            pending=number(state.pending),
            me=text(self._me),
            lease=number(self._lease),
            zero=number(0),
            clicked={"BOOL": clicked or state.asked},
            at=number(at),
            expires=number(int(self._now) + KEEP_S),
            new=number(new),
            restoring={"BOOL": restoring(state, arrival)},
        )

    def open_pending(self, state: State, *, clicked: bool) -> TransactItem:
        """OPEN by a settle message: the findings that joined become the round."""
        return self._open_idle(state, 0, None, clicked=clicked, at=state.at)

    def _create_waiting(self, arrival: Arrival, new: int, delay: float) -> TransactItem:
        item = self._incident(arrival, new) | {
            "round": number(0),
            "pending": number(len(arrival.members)),
            brought(arrival): number(1),
            "next_at": number(self._now + delay),
        }
        return self._put(item, "attribute_not_exists(pk)")

    def _join(self, state: State, decision: Decision, new: int, arrival: Arrival) -> TransactItem:
        values: dict[str, Any] = {
            "round": number(state.round),
            "count": number(len(decision.fresh)),
            "new": number(new),
            "at": number(arrival.at),
            "expires": number(int(self._now) + KEEP_S),
            "next": number(state.round + 1),
        }
        change = f"SET at = :at, expires = :expires, {brought(arrival)} = :next"
        if decision.move == "join":
            if (
                arrival.clicked
            ):  # whoever starts the next round must know that an analyst waits for it
                change += ", asked = :asked"
                values["asked"] = {"BOOL": True}
            return self._update(
                self._key(state.pk),
                change + " ADD pending :count, members :new",
                "round = :round",
                **values,
            )
        return self._update(
            self._key(state.pk),
            change + ", next_at = :next_at ADD pending :count, members :new",
            "round = :round AND done = :round AND attribute_not_exists(owner) AND pending = :zero",
            next_at=number(self._now + decision.delay),
            zero=number(0),
            **values,
        )

    def _members(self, arrival: Arrival, decision: Decision, round_: int) -> list[TransactItem]:
        items: list[TransactItem] = []
        for member, held in decision.fresh:
            items.append(self._member(arrival.pk, member, held, round_))
            if member.c_sk:
                click = {
                    **self._key(arrival.pk, member.c_sk),
                    "round": number(round_),
                    "expires": number(int(self._now) + KEEP_CLICK_S),
                }
                items.append(self._put(click, "attribute_not_exists(pk)"))
            if member.remember:
                what = history.handled(arrival.pk.partition("#")[0])
                items.append(self.remember(member.remember, member.finding_id, what, arrival.at))
        return items

    def remember(self, pk: str, finding_id: str, what: str, at: float) -> TransactItem:
        """An entry of the history; see `hub_responder.ledger.history`."""
        return history.put(self._table, pk, finding_id, what, at)

    def _member(self, pk: str, member: Arrived, held: Member | None, round_: int) -> TransactItem:
        if held is not None and member.updated < held.updated:  # a click on an older copy
            return self._update(
                self._key(pk, member.f_sk),
                "SET also = round, round = :round",
                "round = :held",
                round=number(round_),
                held=number(held.round),
            )
        item = {
            **self._key(pk, member.f_sk),
            "round": number(round_),
            "fp": text(member.fingerprint),
            "updated": number(member.updated),
            "id": text(member.finding_id),
            "data": json(member.data),
            "form": text(member.schema),
            "expires": number(int(self._now) + KEEP_S),
            **self._counted(member, held),
        }
        if held is not None and held.beside(member.schema):
            item["other_fp"] = text(held.beside(member.schema))
        if held is None:
            return self._put(item, "attribute_not_exists(pk)")
        item["also"] = number(held.round if held.round < round_ else held.also)
        return self._put(
            item,
            "fp = :fp AND updated = :updated AND round = :held",
            fp=text(held.fingerprint),
            updated=number(held.updated),
            held=number(held.round),
        )

    def _counted(self, member: Arrived, held: Member | None) -> dict[str, Any]:
        """How often the finding joined a round today, this time included; requests do not count."""
        today = day_of(self._now)
        times = held.times if held is not None and held.day == today else 0
        return {"day": number(today), "times": number(times + (not member.c_sk))}

    def guard(self, pk: str, member: Arrived, held: Member) -> TransactItem:
        """The finding came too often today: it is kept as it came now, and nothing else is done."""
        return self._update(
            self._key(pk, member.f_sk),
            "SET later = :later, later_at = :at, times = :times",
            "fp = :fp AND updated = :updated AND round = :held AND times = :counted",
            later=json(member.data),
            at=number(member.updated),
            times=number(held.times + 1),
            fp=text(held.fingerprint),
            updated=number(held.updated),
            held=number(held.round),
            counted=number(held.times),
        )

    def close(self, state: State) -> TransactItem:
        """CLOSE: the round that ends what was opened; for nobody while a finding is there.

        It ends it once more where ``state`` is closed already.
        """
        closed = "attribute_exists(closed)" if state.closed else "attribute_not_exists(closed)"
        return self._update(
            self._key(state.pk),
            "SET round = :next, owner = :me, lease = :lease, closing = :true"
            " REMOVE steps, next_at, tries, first_at, clicked, asked, restoring, closed",
            "round = :round AND done = :round AND attribute_not_exists(owner)"
            f" AND pending = :zero AND members <= :zero AND {closed}",
            next=number(state.round + 1),
            round=number(state.round),
            me=text(self._me),
            lease=number(self._lease),
            zero=number(0),
            true={"BOOL": True},
        )

    def closed(self, pk: str, round_: int, refs: Mapping[str, Any]) -> TransactItem:
        """FINISH of that round: all has ended; `unpoint` goes with it."""
        return self._update(
            self._key(pk),
            "SET done = :round, refs = :refs, closed = :now"
            " REMOVE owner, lease, steps, next_at, tries, first_at, closing, watched",
            _OWNED,
            me=text(self._me),
            round=number(round_),
            refs=json(refs),
            now=number(self._now),
        )

    def takeover(self, state: State) -> TransactItem:
        """TAKEOVER of a round whose owner ran out of its lease."""
        return self._update(
            self._key(state.pk),
            "SET owner = :me, lease = :lease",
            "round = :round AND owner = :old AND lease < :now",
            me=text(self._me),
            lease=number(self._lease),
            round=number(state.round),
            old=text(state.owner),
            now=number(self._now),
        )

    def resume(self, state: State) -> TransactItem:
        """RESUME of a round that waited; of one that was paused under a guard."""
        return self._update(
            self._key(state.pk),
            "SET owner = :me, lease = :lease REMOVE next_at, paused",
            "round = :round AND done = :done AND attribute_not_exists(owner)",
            me=text(self._me),
            lease=number(self._lease),
            round=number(state.round),
            done=number(state.done),
        )

    def step(
        self, pk: str, round_: int, steps: Mapping[str, Any], refs: Mapping[str, Any]
    ) -> TransactItem:
        """STEP: outcomes so far and the next attempt, while the round is still ours."""
        return self._update(
            self._key(pk),
            "SET steps = :steps, refs = :refs, watched = :watched",
            _OWNED,
            me=text(self._me),
            round=number(round_),
            steps=json(steps),
            refs=json(refs),
            watched=json(pointers.of(refs)),
        )

    def finish(
        self, pk: str, round_: int, told: Mapping[str, Any], refs: Mapping[str, Any]
    ) -> TransactItem:
        """FINISH: the round's findings count as told."""
        return self._update(
            self._key(pk),
            "SET done = :round, told = :told, refs = :refs, watched = :watched"
            " REMOVE owner, lease, steps, next_at, tries, first_at, closing",
            _OWNED,
            me=text(self._me),
            round=number(round_),
            told=json(told),
            refs=json(refs),
            watched=json(pointers.of(refs)),
        )

    def defer(
        self,
        pk: str,
        round_: int,
        steps: Mapping[str, Any],
        refs: Mapping[str, Any],
        *,
        next_at: float,
        tries: int,
        first_at: float,
    ) -> TransactItem:
        """WAIT: the round goes on later, its done steps kept."""
        return self._update(
            self._key(pk),
            "SET steps = :steps, refs = :refs, watched = :watched, next_at = :next_at,"
            " tries = :tries, first_at = :first_at REMOVE owner, lease",
            _OWNED,
            me=text(self._me),
            round=number(round_),
            steps=json(steps),
            refs=json(refs),
            watched=json(pointers.of(refs)),
            next_at=number(next_at),
            tries=number(tries),
            first_at=number(first_at),
        )

    def pause(
        self,
        pk: str,
        round_: int,
        steps: Mapping[str, Any],
        refs: Mapping[str, Any],
        *,
        queue: str,
    ) -> list[TransactItem]:
        """WAIT for the end of a pause, which uses up no time; a pointer says that it waits.

        Args:
            queue: through which it is to go on, ``imports`` or ``clicks``.
        """
        key = self._key(pauses.waiting(pk.partition("#")[0]), pk)
        pointer = key | {"queue": text(queue), "expires": number(int(self._now) + KEEP_S)}
        wait = self._update(
            self._key(pk),
            "SET steps = :steps, refs = :refs, watched = :watched, next_at = :next_at,"
            " paused = :true REMOVE owner, lease, tries, first_at",
            _OWNED,
            me=text(self._me),
            round=number(round_),
            steps=json(steps),
            refs=json(refs),
            watched=json(pointers.of(refs)),
            next_at=number(self._now + pauses.LOOK_S),
            true={"BOOL": True},
        )
        return [wait, {"Put": {"TableName": self._table, "Item": pointer}}]

    def point(self, pk: str, refs: Mapping[str, Any], watched: Sequence[str]) -> list[TransactItem]:
        """The pointers of tickets that are new in ``refs``; they go with `step`, `finish`, `defer`.

        Args:
            watched: the sort keys of the pointers that are there (`State.watched`).
        """
        new = (ticket for ticket in pointers.of(refs) if ticket not in watched)
        return [self._pointer(pk, ticket, int(self._now) + KEEP_S) for ticket in new]

    def unpoint(self, pk: str, watched: Sequence[str]) -> list[TransactItem]:
        """No pointers any more, as what was opened has ended; they go with `closed`.

        They expire at once, which needs no permission to delete items.
        """
        return [self._pointer(pk, ticket, int(self._now)) for ticket in watched]

    def _pointer(self, pk: str, ticket: str, expires: int) -> TransactItem:
        item = {
            **self._key(pointers.partition(pk.partition("#")[0]), ticket),
            "incident": text(pk),
            "since": number(self._now),
            "expires": number(expires),
        }
        return {"Put": {"TableName": self._table, "Item": item}}

    def close_member(self, pk: str, member: Arrived, held: Member) -> list[TransactItem]:
        """A finding left (archived, resolved, passed, suppressed): it no longer counts."""
        change = "SET fp = :fp, form = :form, updated = :updated, closed = :true, left = :left"
        values: dict[str, Any] = {"left": text(member.left)}
        if held.beside(member.schema):
            change += ", other_fp = :other"
            values["other"] = text(held.beside(member.schema))
        return [
            self._update(
                self._key(pk, member.f_sk),
                change,
                "fp = :old AND updated = :held AND attribute_not_exists(closed)",
                fp=text(member.fingerprint),
                form=text(member.schema),
                updated=number(member.updated),
                true={"BOOL": True},
                old=text(held.fingerprint),
                held=number(held.updated),
                **values,
            ),
            self._update(
                self._key(pk), "ADD members :less", "attribute_exists(pk)", less=number(-1)
            ),
        ]
