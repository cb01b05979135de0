"""The incident's item in the ledger, read into a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

Item = Mapping[str, Mapping[str, Any]]
"""A DynamoDB item in its wire form: ``{"round": {"N": "1"}}``."""


@dataclass(frozen=True, slots=True)
class State:
    """Attributes of ``I``; times are epoch seconds.

    Attributes:
        gen: life of the incident, from 1. round: rounds started. done: rounds finished
            (done <= round <= done + 1).
        owner: request id of the run that works on it, or empty; its claim ends at ``lease``.
        next_at: when a waiting or deferred round may go on, or 0.
        members: findings in it. pending: of them, those that joined the round after ``round``.
        told: what the last message said: ``severity`` (0-4), ``exploit``, ``verdict``, ``at``.
        steps: of the round: id -> ``{"s": status, "at": .., "d": detail, "r": result}``.
        refs: by connection: ``ticket``, ``url``, ``thread``, ...
        tries, first_at: of the deferral that goes on, 0 when none.
        watched: sort keys of the pointers to it; see `hub_responder.ledger.pointers`.
        at: time of the last event that brought findings, which is what expressions see as `now`.
        closing: the round under way ends what was opened. closed: when its last finding had left
            and that was done (epoch seconds), or 0; the next finding begins another life.
        paused: the round waits because an operator paused its playbook.
        clicked: an analyst waits for the round's answer. asked: for that of the round after it.
        restoring: the round is there to tell that coverage is restored, and for nothing else.
        joined: the last round that findings joined which came by themselves. restored: the last
            one to which they were taken because their instance seemed protected again; 0: none.
    """

    pk: str
    gen: int = 1
    round: int = 0
    done: int = 0
    owner: str = ""
    lease: float = 0.0
    next_at: float = 0.0
    members: int = 0
    pending: int = 0
    told: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    group: tuple[str, ...] = ()
    tries: int = 0
    first_at: float = 0.0
    clicked: bool = False
    asked: bool = False
    at: float = 0.0
    closing: bool = False
    closed: float = 0.0
    watched: tuple[str, ...] = ()
    paused: bool = False
    restoring: bool = False
    joined: int = 0
    restored: int = 0

    @property
    def over(self) -> bool:
        """All its findings have left, and what was opened for it is to be ended."""
        left = self.members <= 0 and not self.pending
        return self.idle and left and bool(self.refs) and not self.closed

    @property
    def ended(self) -> bool:
        """What was opened for it was ended, and nothing has come since."""
        return self.idle and bool(self.closed) and not self.pending and self.members <= 0

    def reborn(self) -> State:
        """The state in which the next finding finds it."""
        return replace(self, gen=self.gen + 1, told={}, closed=0.0) if self.closed else self

    @property
    def idle(self) -> bool:
        """No round is under way."""
        return self.round == self.done and not self.owner

    def live(self, now: float) -> bool:
        """Some run owns it and has not run out of its lease."""
        return bool(self.owner) and self.lease >= now


@dataclass(frozen=True, slots=True)
class Member:
    """A finding's item (``F``): the round it belongs to and what is known of it.

    ``also`` is an earlier round that was not finished when the finding came again: a run that
    takes that round over must find it there. ``fingerprint`` is of the form ``schema`` that it
    came in last; ``other`` is that of the other form, empty where it came in one form only.
    ``left`` says how it left where it is ``closed``: RESOLVED, SUPPRESSED, ARCHIVED or PASSED.
    ``times`` counts the rounds that it joined on the UTC ``day`` (days since 1970) when it last
    did. ``later`` is how it came once those were too many, in the form of ``data``, with the time
    of that update in ``later_at``.
    """

    sk: str
    round: int
    fingerprint: str
    updated: float
    finding_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    closed: bool = False
    also: int = 0
    schema: str = ""
    other: str = ""
    left: str = ""
    day: int = 0
    times: int = 0
    later: Mapping[str, Any] = field(default_factory=dict)
    later_at: float = 0.0

    def belongs(self, round_: int) -> bool:
        """Whether it is one of the round's findings."""
        return round_ in (self.round, self.also)

    def last(self, schema: str) -> str:
        """The fingerprint to compare one of the form ``schema`` with."""
        return self.fingerprint if schema == self.schema else self.other or self.fingerprint

    def beside(self, schema: str) -> str:
        """The fingerprint of the other form to keep when one of the form ``schema`` is written."""
        return self.other if schema == self.schema or not self.schema else self.fingerprint


def _number(item: Item, name: str) -> float:
    return float(item.get(name, {}).get("N", 0))


def _json(item: Item, name: str) -> Any:
    text = item.get(name, {}).get("S")
    return msgspec.json.decode(text) if text else {}


def read_state(item: Item) -> State:
    """`State` from the wire form of ``I``."""
    return State(
        pk=item["pk"]["S"],
        gen=int(_number(item, "gen") or 1),
        round=int(_number(item, "round")),
        done=int(_number(item, "done")),
        owner=item.get("owner", {}).get("S", ""),
        lease=_number(item, "lease"),
        next_at=_number(item, "next_at"),
        members=int(_number(item, "members")),
        pending=int(_number(item, "pending")),
        told=_json(item, "told"),
        steps=_json(item, "steps"),
        refs=_json(item, "refs"),
        group=tuple(_json(item, "group") or ()),
        tries=int(_number(item, "tries")),
        first_at=_number(item, "first_at"),
        clicked=item.get("clicked", {}).get("BOOL", False),
        asked=item.get("asked", {}).get("BOOL", False),
        at=_number(item, "at"),
        closing=item.get("closing", {}).get("BOOL", False),
        closed=_number(item, "closed"),
        watched=tuple(_json(item, "watched") or ()),
        paused=item.get("paused", {}).get("BOOL", False),
        restoring=item.get("restoring", {}).get("BOOL", False),
        joined=int(_number(item, "joined")),
        restored=int(_number(item, "restored")),
    )


def read_member(item: Item) -> Member:
    """`Member` from the wire form of ``F`` or ``C``."""
    return Member(
        sk=item["sk"]["S"],
        round=int(_number(item, "round")),
        fingerprint=item.get("fp", {}).get("S", ""),
        updated=_number(item, "updated"),
        finding_id=item.get("id", {}).get("S", ""),
        data=_json(item, "data"),
        closed=item.get("closed", {}).get("BOOL", False),
        also=int(_number(item, "also")),
        schema=item.get("form", {}).get("S", ""),
        other=item.get("other_fp", {}).get("S", ""),
        left=item.get("left", {}).get("S", ""),
        day=int(_number(item, "day")),
        times=int(_number(item, "times")),
        later=_json(item, "later"),
        later_at=_number(item, "later_at"),
    )
