"""Which record is this instance's? Tiers in the order of trust; the first with exactly one ends it.

1. ``instance_id``: the record bears the instance's id, and its account where both tell one.
2. ``workload_agent_guid``: Server & Workload Protection knows the instance, and Vision One its
   agent. ``workload_instance_id``: only the former knows the agent.
3. ``host_name``: a record without instance id, by the instance's id in its name, or by a name
   that is the instance's and is corroborated; see `likeness`.
4. ``private_ip``: the same by an address.

A record that is plainly without an agent ends nothing: the agent may have a record of its own. What
could be the instance's and is proven by no tier is a `Doubt`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub_responder.vision_one.likeness import Likeness, likeness

if TYPE_CHECKING:
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.endpoint import Endpoint
    from hub_responder.vision_one.inventory import Inventory

Tier = Literal[
    "instance_id", "workload_instance_id", "workload_agent_guid", "host_name", "private_ip", ""
]
"""How the record was found; empty: there is none that counts."""
MOST = 10
"""Details that are asked for to tell one instance's record from others."""
_MAX_SHOWN = 3

Detailed = Callable[["Endpoint"], "Endpoint"]
Compared = tuple["Endpoint", Likeness]


class Match(msgspec.Struct, frozen=True):
    """The instance's record. ``by``: what it was recognized by, for people."""

    tier: Tier
    endpoint: Endpoint
    by: str


class Doubt(msgspec.Struct, frozen=True):
    """It cannot be told which record is the instance's, if any: ``reason`` is the verdict's."""

    reason: str
    evidence: Mapping[str, Any]
    passing: bool = False


class Absent(msgspec.Struct, frozen=True):
    """No tier finds an agent. ``bare`` is the record without one, where there is one."""

    bare: Match | None = None


Found = Match | Doubt | Absent


def by_instance(inventory: Inventory, clues: Clues) -> Found:
    """The first tier.

    Several records of one instance are its earlier agents, or a cloud connector's: one with an
    agent counts before one that may have it, and that before one without; then the latest contact.
    An account that either side does not tell is taken to fit: instance ids are unique.
    """
    records = inventory.find(clues.instance_id)
    own = [one for one in records if not clues.account or one.account_id in (clues.account, "")]
    if own:
        best = max(own, key=_standing)
        by = "cloud instance id and account" if best.account_id else "instance id"
        match = Match("instance_id", best, by)
        return Absent(match) if best.bare else match
    if records:
        return Doubt("account_mismatch", {"other_account": records[0].account_id})
    return Absent()


def _standing(record: Endpoint) -> tuple[bool, bool, bool, float]:
    on, contact = record.epp_status == "on", record.epp_last_connected or 0.0
    return on, record.has_agent, not record.bare, contact


class Candidates(msgspec.Struct, frozen=True):
    """Records that share a mark with the instance.

    Attributes:
        records: those without an instance id, or of which only an address is known to fit.
        unseen: how many more there are that could not be read; see `Inventory.unseen`.
        read_at: when they were read (epoch seconds).
    """

    records: Sequence[Endpoint]
    unseen: int
    read_at: float


def by_likeness(clues: Clues, among: Candidates, detailed: Detailed | None = None) -> Found:
    """The third and fourth tier: records without an instance id.

    Args:
        detailed: a record with its MAC addresses, which only its detail tells; it is asked where
            the instance's are known. None: they cannot be had, so that they leave a doubt.

    Raises:
        TransientError, PermanentError: as ``detailed`` does.
    """
    alike = _compared(clues, among, detailed)
    proven = [pair for pair in alike if pair[1].proven]
    agents = [pair for pair in proven if not pair[0].bare]
    if len(agents) == 1:
        return _match(*agents[0])
    left = [pair for pair in alike if agents or not (pair[1].proven and pair[0].bare)]
    doubt = _doubt(left, among, macs_untold=bool(clues.macs) and detailed is None)
    if doubt is not None:
        return doubt
    if left:
        return _match(*left[0])
    return Absent(_match(*proven[0])) if proven else Absent()


def _compared(clues: Clues, among: Candidates, detailed: Detailed | None) -> list[Compared]:
    """The records that may be the instance's, those before that nothing speaks against."""
    alike = [(one, likeness(clues, one, among.read_at)) for one in among.records]
    alike = [(one, like) for one, like in alike if not like.certain]
    if clues.macs and detailed is not None:
        closer = [detailed(one) for one, _ in alike[:MOST]]
        alike[:MOST] = [(one, likeness(clues, one, among.read_at)) for one in closer]
    left = [(one, like) for one, like in alike if not like.certain]
    return sorted(left, key=lambda pair: bool(pair[1].against))


def _doubt(left: Sequence[Compared], among: Candidates, *, macs_untold: bool) -> Doubt | None:
    """Why none of what is left counts; None: nothing is left, or its first alone fits."""
    fitting = [one for one, like in left if not like.against]
    if len(fitting) > 1:
        return Doubt("ambiguous", _shown(fitting))
    if among.unseen:
        return Doubt("incomplete", {"unreadable": among.unseen}, passing=True)
    if not left or (left[0][1].corroborated and not macs_untold):
        return None
    one, like = left[0]
    return Doubt("lookalike", _shown([one]) | _facts(like))


def _match(record: Endpoint, like: Likeness) -> Match:
    named = like.agrees & {"instance_id", "name"}
    by = {
        "instance_id": "instance id in its name",
        "mac": "MAC address",
        "name": "host name",
        "address": "address",
    }
    *first, last = [words for fact, words in by.items() if fact in like.agrees]
    said = f"{', '.join(first)} and {last}" if first else last
    return Match("host_name" if named else "private_ip", record, said)


def _shown(records: Sequence[Endpoint]) -> dict[str, Any]:
    """The first of the records, for people; how many there are where it is not alone."""
    first = records[0]
    shown: dict[str, Any] = {"endpoint": first.name, "agent_guid": first.guid}
    if len(records) > 1:
        shown["endpoints"] = [one.name for one in records[:_MAX_SHOWN]]
        shown["candidates"] = len(records)
    return shown


def _facts(like: Likeness) -> dict[str, Any]:
    told = {"agrees": sorted(like.agrees)} if like.agrees else {}
    return told | ({"against": like.against} if like.against else {})
