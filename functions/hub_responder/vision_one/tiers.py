"""The tiers for a whole batch: each is asked about what the ones before have not found.

What could not be asked is trouble of those instances that it could have found, and of no other: no
trouble makes an instance absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from hub_responder.errors import HubResponderError, IncompleteError
from hub_responder.vision_one import computers, coverage, search
from hub_responder.vision_one.endpoint import Endpoint, merged
from hub_responder.vision_one.matching import (
    Absent,
    Candidates,
    Doubt,
    Found,
    Match,
    by_instance,
    by_likeness,
)
from hub_responder.vision_one.modules import identity

if TYPE_CHECKING:
    from hub_responder.vision_one.client import Client
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.coverage import Coverage, Demand
    from hub_responder.vision_one.inventory import Inventory
    from hub_responder.vision_one.snapshot import Snapshot
    from hub_responder.workload_security.computer import Computer

WORKLOAD = "workload_security"
"""The reason where Server & Workload Protection could not be asked."""
_BY_ID = "instance id in Server & Workload Protection"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A tier could not be asked. ``reason`` is the verdict's; empty: as the error tells."""

    error: HubResponderError
    reason: str = ""


Answer = Found | Trouble


@dataclass(slots=True)
class Tiers:
    """What is known for one batch.

    Attributes:
        client: asks for what the inventory does not tell; None: nothing is asked, so that records
            that only their details tell apart leave a doubt.
        inventory: the endpoints of Vision One.
        computers: those of Server & Workload Protection, by instance; empty: it is not linked.
        untold: why an instance may have a computer that is not among them; None: it has not.
        searched: what the search by address has found already; None: it was not asked.
    """

    client: Client | None
    inventory: Inventory
    computers: computers.Known = field(default_factory=dict)
    untold: HubResponderError | None = None
    searched: search.Searched | None = None
    _details: dict[str, Endpoint] = field(default_factory=dict)

    def find(self, sought: Sequence[Clues]) -> list[Answer]:
        """What is found for each of the instances."""
        found: list[Answer] = [by_instance(self.inventory, clues) for clues in sought]
        for tier in (self._by_computer, self._by_likeness, self._by_address):
            absent = [(place, one) for place, one in enumerate(found) if isinstance(one, Absent)]
            answers = tier([sought[place] for place, _ in absent]) if absent else []
            for (place, before), answer in zip(absent, answers, strict=True):
                found[place] = _after(before, answer)
        return [self._ended(*one) for one in zip(sought, found, strict=True)]

    def computer(self, clues: Clues, answer: Answer | None = None) -> Computer | None:
        """The instance's computer, as far as it is told; that of the agent which ``answer`` is."""
        told = self.computers.get(clues.instance_id, ())
        if isinstance(told, HubResponderError):
            return None
        guid = answer.endpoint.guid if isinstance(answer, Match) else ""
        return computers.best(told, clues.account, guid)

    def _ended(self, clues: Clues, answer: Answer) -> Answer:
        """An instance is absent only if every tier could be asked."""
        told = self.computers.get(clues.instance_id, self.untold)
        if isinstance(answer, Absent) and isinstance(told, HubResponderError):
            return Trouble(told, WORKLOAD)
        return answer

    # Server & Workload Protection

    def _by_computer(self, sought: Sequence[Clues]) -> list[Answer]:
        """Agents whose instance only Server & Workload Protection tells, by their GUID."""
        told = [self.computer(clues) for clues in sought]
        agents = {one.guid for one in told if one is not None and one.has_agent is not False}
        try:
            records = self._records(agents - {""})
        except HubResponderError as error:
            return [
                Trouble(error) if one is not None and one.has_agent is not False else Absent()
                for one in told
            ]
        pairs = zip(sought, told, strict=True)
        return [Absent() if one is None else _of_computer(clues, one, records)
                for clues, one in pairs]  # fmt: skip

    def _records(self, guids: Iterable[str]) -> Mapping[str, Sequence[Endpoint]]:
        """The records of agents, from the inventory or, where it has none, as they are now.

        Raises:
            TransientError, PermanentError: as `search.listed`.
        """
        found: dict[str, list[Endpoint]] = {}
        wanted = set(guids)
        if not wanted:
            return found
        for each in self.inventory.endpoints():
            if each.guid.lower() in wanted:
                found.setdefault(each.guid.lower(), []).append(each)
        missing = wanted - set(found)
        return {**found, **(search.listed(self.client, missing) if self.client and missing else {})}

    # Records without an instance id

    def _by_likeness(self, sought: Sequence[Clues]) -> list[Answer]:
        return [self._alike(clues, ()) for clues in sought]

    def _by_address(self, sought: Sequence[Clues]) -> list[Answer]:
        """Those that the inventory's walk does not show."""
        if self.client is None:
            return [Absent() for _ in sought]
        searched = self.searched
        if searched is None:
            searched = search.by_address(self.client, sought, self.inventory.identified_guids())
        return [self._searched(clues, searched.get(clues.instance_id, ())) for clues in sought]

    def _searched(self, clues: Clues, told: Sequence[Endpoint] | HubResponderError) -> Answer:
        if isinstance(told, HubResponderError):
            return Trouble(told)
        own = [each for each in told if each.instance_id == clues.instance_id]
        found = by_instance(self.inventory.with_endpoints(own), clues)
        if not isinstance(found, Absent):
            return found
        others = [each for each in told if each.instance_id != clues.instance_id]
        answer = self._alike(clues, others)
        return _after(found, answer)

    def _alike(self, clues: Clues, more: Sequence[Endpoint]) -> Answer:
        known = self.inventory.resembling(clues)
        held = {identity(each) for each in more}
        among = Candidates(
            records=[*(each for each in known if identity(each) not in held), *more],
            unseen=self.inventory.unseen(clues.account),
            read_at=self.inventory.read_at,
        )
        try:
            return by_likeness(clues, among, self._detailed if self.client else None)
        except HubResponderError as error:
            return Trouble(error)

    def _detailed(self, listed: Endpoint) -> Endpoint:
        """The record with what only its detail tells: MAC addresses, perhaps the instance."""
        assert self.client is not None  # noqa: S101 - only handed on where there is one
        if not listed.guid or listed.guid in self.inventory.shared:
            return listed
        if listed.guid not in self._details:
            self._details[listed.guid] = self.client.detail(listed.guid)
        detail = self._details[listed.guid]
        if detail.instance_id and not listed.instance_id:
            machine = {"instance_id": detail.instance_id, "account_id": detail.account_id}
            listed = msgspec.structs.replace(listed, **machine)
        return merged(listed, detail, shared=False)


def of_snapshot(snapshot: Snapshot) -> Tiers:
    """What a snapshot alone tells; nothing is asked."""
    untold = None
    if not snapshot.computers_complete:
        untold = IncompleteError("not all computers were read", target=WORKLOAD)
    return Tiers(None, snapshot.inventory, snapshot.computers, untold)


def judged(
    known: Tiers,
    clues: Clues,
    answer: Answer,
    demand: Demand,
    read_at: float,
    *,
    now: float | None = None,
) -> Coverage:
    """The verdict on what was found for an instance.

    Args:
        read_at: when it was read (epoch seconds). now: when contact counts; None: then.
    """
    if isinstance(answer, Trouble):
        return coverage.unknown(answer.error, answer.reason)
    return coverage.of(
        answer,
        demand,
        read_at,
        now=now,
        walked=known.inventory.walked,
        computer=known.computer(clues, answer),
    )


def _after(before: Absent, answer: Answer) -> Answer:
    """A record without an agent, of whichever tier came first, is still what there is."""
    if isinstance(answer, Absent):
        return Absent(before.bare or answer.bare)
    return answer


def _of_computer(
    clues: Clues, computer: Computer, records: Mapping[str, Sequence[Endpoint]]
) -> Found:
    if computer.has_agent is False:
        return Absent()  # its connector lists the instance; that is said in the evidence
    alone = Match("workload_instance_id", computers.as_endpoint(computer), _BY_ID)
    fitting = [each for each in records.get(computer.guid, ()) if _fits(clues, each)]
    if len(fitting) > 1:
        named = {"agent_guid": computer.guid, "candidates": len(fitting)}
        return Doubt("ambiguous", named | {"endpoint": fitting[0].name})
    if not fitting or fitting[0].bare:
        return alone
    return Match("workload_agent_guid", fitting[0], f"{_BY_ID}, and agent id")


def _fits(clues: Clues, record: Endpoint) -> bool:
    """Whether a record of the agent can be the instance's: a clone's bears another's id."""
    own = record.instance_id in ("", clues.instance_id)
    return own and (not clues.account or record.account_id in ("", clues.account))
