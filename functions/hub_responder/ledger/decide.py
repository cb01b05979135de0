"""What to do with findings that arrive and with settle messages: pure, no clock and no calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hub_responder.ledger.state import Member, State
from hub_responder.playbook import Wait

Move = Literal[
    "open", "wait", "join", "takeover", "resume", "settle", "close", "repeat", "mine", "nothing"
]

DAY_S = 86_400.0
DAILY = 50
"""Rounds that one finding may start or join on a UTC day, clicks aside.

Nothing that a product says of a finding changes so often: that is twice an hour, all day, and only
changes of severity, exploit, fix, record state or compliance count. Whoever writes to a finding
because somebody else did gets there within minutes.
"""
LOOK_AGAIN_S = 5.0
"""How soon a settle message looks again at an incident that another run works on."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One finding that arrived for an incident.

    ``c_sk`` is set for a click: the request counts once, however often its message comes.
    ``schema`` is the form that it came in: a hub that sends both forms tells of a finding twice.
    ``remember`` is its partition in the history, where the playbook asks ``seen()``. ``left`` is
    how it left, of one that did.
    """

    finding_id: str
    f_sk: str
    fingerprint: str
    updated: float
    data: Mapping[str, Any] = field(default_factory=dict)
    c_sk: str = ""
    schema: str = "ASFF"
    remember: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Findings that arrived together for one incident.

    ``severity`` (0-4) is their worst; ``at`` is the time of the event (epoch seconds). ``more`` of
    the same event follow in another arrival, so that no round is to begin with these alone.
    ``restored``: their instance seems protected again; nothing is collected before the round.
    """

    pk: str
    group: tuple[str, ...]
    members: tuple[Arrived, ...]
    severity: int
    exploit: bool = False
    clicked: bool = False
    at: float = 0.0
    more: bool = False
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """A move and what goes with it.

    Attributes:
        move: the transition of the ledger, or why there is none.
        fresh: the members that it writes, each with what the ledger held of it.
        repeats: members that change nothing.
        guarded: members that came too often today: kept until tomorrow, each with what the ledger
            held of it.
        delay: seconds until the settle message, for wait, join and settle.
        urgent: the settle message need not wait for the burst to end.
    """

    move: Move
    fresh: tuple[tuple[Arrived, Member | None], ...] = ()
    repeats: tuple[Arrived, ...] = ()
    delay: float = 0.0
    urgent: bool = False
    guarded: tuple[tuple[Arrived, Member], ...] = ()

    @property
    def new(self) -> int:
        """How many live findings the incident has more by it: unknown ones, and those that come
        back. A click on an older copy of one that has left brings it not back."""
        return sum(
            1
            for member, held in self.fresh
            if held is None or (held.closed and member.updated >= held.updated)
        )


def brought(arrival: Arrival) -> str:
    """The attribute of the incident that says which round the findings were brought for."""
    return "restored" if arrival.restored else "joined"


def restoring(state: State, arrival: Arrival | None) -> bool:
    """Whether the round that begins after ``state`` is there for restored coverage alone.

    It is kept with the round: findings that join the one after it are known by the same numbers.
    """
    bringing = {brought(arrival)} if arrival else set()
    after = state.round + 1
    restored = state.restored == after or "restored" in bringing
    return restored and state.joined != after and "joined" not in bringing


def worse(arrival: Arrival, told: Mapping[str, Any]) -> bool:
    """Whether severity or exploit is worse than what the team was told; not before it was told."""
    if not told:
        return False
    return arrival.severity > told.get("severity", 0) or (
        arrival.exploit and not told.get("exploit", False)
    )


def decide(
    arrival: Arrival,
    state: State | None,
    known: Mapping[str, Member],
    *,
    now: float,
    wait: Wait,
    me: str,
) -> Decision:
    """The move for ``arrival``, given what the ledger is known to hold.

    Args:
        state: the incident, or None where it is not known to exist.
        known: by sort key, the finding and click items that are known to exist.
        me: this run's request id.
    """
    fresh, repeats, untold = _sort_members(arrival, state, known)
    guarded = tuple((one, held) for one, held in fresh if held and too_often(one, held, now))
    if guarded:
        kept = {one.f_sk for one, _ in guarded}
        members = tuple(one for one in arrival.members if one.f_sk not in kept)
        rest = replace(arrival, members=members)
        calm = decide(rest, state, known, now=now, wait=wait, me=me)
        return replace(calm, guarded=guarded)
    if state is None:
        return _first(fresh, arrival, wait) if fresh else Decision("repeat", (), repeats)
    if state.owner == me and not fresh:  # an earlier try of ours happened, its answer was lost
        return Decision("mine", (), repeats)
    if fresh:
        return _more(arrival, state, fresh, repeats, now=now, wait=wait)
    if untold:
        urgent = arrival.clicked and not arrival.more
        return _untold(state, repeats, now=now, urgent=urgent)
    return Decision("repeat", (), repeats)


def _sort_members(
    arrival: Arrival, state: State | None, known: Mapping[str, Member]
) -> tuple[tuple[tuple[Arrived, Member | None], ...], tuple[Arrived, ...], bool]:
    """Split into members that change something and repeats; and whether a repeat is untold."""
    fresh: list[tuple[Arrived, Member | None]] = []
    repeats: list[Arrived] = []
    untold = False
    for member in arrival.members:
        held = known.get(member.f_sk)
        seen = known.get(member.c_sk) if member.c_sk else held
        forgotten = state is None  # its incident expired, and DynamoDB has not removed it yet
        if seen is None or (not member.c_sk and (forgotten or _changed(member, seen))):
            fresh.append((member, held))
            continue
        repeats.append(member)
        untold = untold or (state is not None and seen.round > state.done)
    return tuple(fresh), tuple(repeats), untold


def day_of(now: float) -> int:
    """The UTC day of a time, in days since 1970."""
    return int(now // DAY_S)


def too_often(member: Arrived, held: Member, now: float) -> bool:
    """Whether the finding has joined as many rounds today as it may. A request always counts."""
    return not member.c_sk and held.day == day_of(now) and held.times >= DAILY


def _changed(member: Arrived, held: Member) -> bool:
    """Whether a finding that comes again is worth acting on.

    It is compared with the last one in the same form. ASFF often leaves unsaid what OCSF says (an
    exploit, a fix), so that the two forms of one finding differ for good: compared with each other
    they would look changed at every echo of our own update, for ever.
    """
    if member.updated < max(held.updated, held.later_at):
        return False
    if held.later_at and member.updated > held.later_at:  # what is kept for tomorrow is old by it
        return True
    return held.closed or member.fingerprint != held.last(member.schema)


def _first(
    fresh: tuple[tuple[Arrived, Member | None], ...], arrival: Arrival, wait: Wait
) -> Decision:
    if (arrival.clicked or wait.first <= 0) and not arrival.more:
        return Decision("open", fresh)
    return Decision("wait", fresh, delay=wait.first)


def _more(
    arrival: Arrival,
    state: State,
    fresh: tuple[tuple[Arrived, Member | None], ...],
    repeats: tuple[Arrived, ...],
    *,
    now: float,
    wait: Wait,
) -> Decision:
    """New or changed findings for an incident that exists."""
    again = not state.round or bool(state.closed)
    state = state.reborn()
    urgent = arrival.clicked or arrival.restored or worse(arrival, state.told)
    left = max(0.0, state.next_at - now)
    if not state.idle:
        calm = left if not state.owner else max(wait.then, LOOK_AGAIN_S)
        delay = LOOK_AGAIN_S if urgent else calm
        return Decision("join", fresh, repeats, delay, urgent)
    if (urgent or (state.pending and not left)) and not arrival.more:
        return Decision("open", fresh, repeats)
    if state.pending:
        return Decision("join", fresh, repeats, left)
    pause = wait.first if again else wait.then
    if pause <= 0 and not arrival.more:
        return Decision("open", fresh, repeats)
    return Decision("wait", fresh, repeats, pause)


def _untold(state: State, repeats: tuple[Arrived, ...], *, now: float, urgent: bool) -> Decision:
    """A message that comes again before its findings were told: somebody died, or works on it."""
    settled = decide_settle(state, now=now, urgent=urgent)
    if settled.move in ("nothing", "close"):  # its round ended while we looked
        return Decision("repeat", (), repeats)
    return Decision(settled.move, (), repeats, settled.delay, settled.urgent)


def decide_settle(
    state: State, *, now: float, urgent: bool, ended: int = 0, resumed: bool = False
) -> Decision:
    """The move for a settle message of the incident ``state``.

    Args:
        ended: the round that ended it and is to be tried again; 0: none is.
        resumed: the pause for which it waits is over.
    """
    if state.live(now):
        return Decision("settle", delay=min(LOOK_AGAIN_S, state.lease - now + 1), urgent=urgent)
    if state.owner:
        return Decision("takeover")
    if state.over or (ended == state.round and state.ended):
        return Decision("close")
    if state.idle and not state.pending:
        return Decision("nothing")
    left = 0.0 if resumed and state.paused else state.next_at - now
    if left > 0 and not (state.idle and urgent):  # a dependency that is down is not asked sooner
        return Decision("settle", delay=left, urgent=urgent)
    return Decision("open" if state.idle else "resume")
