"""What a snapshot says, asked once more before anyone is told.

Agents that the snapshot knows are asked for by their GUIDs, several with one filter; whoever has
the address of an instance without one, several with one search. Each question also asks for an
agent that is there, the *canary*: without it, what is not found proves nothing. Where that cannot
tell, or costs more, the whole inventory is walked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_responder import clock
from hub_responder.vision_one import filters, search
from hub_responder.vision_one.client import PAGE, TARGET
from hub_responder.vision_one.inventory import CONFIRM_S, FRESH_S, Inventory, inventory
from hub_responder.vision_one.matching import Match

if TYPE_CHECKING:
    from hub_responder.vision_one.client import Client
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.tiers import Answer, Tiers

Confirmed = tuple[Inventory, search.Searched | None]
"""Endpoints as they are now, and what the search by address has found; None: it was not asked."""


def walked(client: Client, sought: Sequence[Clues], *, clicked: bool) -> Confirmed:
    """The whole inventory; one that is a minute old answers no click.

    Raises:
        TransientError, PermanentError: as `inventory`.
    """
    fresh_s = CONFIRM_S if clicked else FRESH_S
    return inventory(client, [clues.instance_id for clues in sought], fresh_s), None


def confirmed(
    client: Client, sought: Sequence[Clues], kept: Tiers, said: Sequence[Answer], *, clicked: bool
) -> Confirmed:
    """What concerns the instances, as it is now.

    Args:
        kept: what the snapshot knows. said: what it says of each instance.

    Raises:
        TransientError, PermanentError: it cannot be told now.
    """
    plan = _Plan.of(sought, kept, said)
    if plan is None or plan.cost > plan.cost_of_walk:
        return walked(client, sought, clicked=clicked)
    try:
        return plan.ask(client)
    except search.NotHeededError:
        return walked(client, sought, clicked=clicked)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The questions that take the place of a walk.

    Attributes:
        guids: of the agents that may be an instance's. there: instance -> the agent that is its.
        absent: instances that the snapshot shows no agent of.
        known: the snapshot's endpoints. canary: see above.
    """

    guids: Sequence[str]
    there: Mapping[str, tuple[Clues, str]]
    absent: Sequence[Clues]
    known: Inventory
    canary: str

    @classmethod
    def of(cls, sought: Sequence[Clues], kept: Tiers, said: Sequence[Answer]) -> _Plan | None:
        """None where only a walk can tell: there is no canary, something could not be read, an
        agent's GUID fits in no filter, or an instance has no address to be searched by."""
        guids: dict[str, None] = {}
        there: dict[str, tuple[Clues, str]] = {}
        absent: dict[str, Clues] = {}
        for clues, answer in zip(sought, said, strict=True):
            if isinstance(answer, Match) and answer.tier != "workload_instance_id":
                there[clues.instance_id] = clues, answer.endpoint.guid.lower()
                guids[answer.endpoint.guid] = None
            else:
                absent[clues.instance_id] = clues
            records = [*kept.inventory.find(clues.instance_id), *kept.inventory.resembling(clues)]
            guids |= {one.guid: None for one in records if one.guid}
        plan = cls(list(guids), there, [*absent.values()], kept.inventory, _canary(kept.inventory))
        return plan if plan._tells() else None

    def _tells(self) -> bool:
        known = bool(self.canary) and all(map(filters.is_safe, self.guids))
        whole = not any(self.known.unseen(clues.account) for clues in self.absent)
        return known and whole and all(any(search.private(clues)) for clues in self.absent)

    @property
    def cost(self) -> int:
        """Requests, as long as nothing has changed."""
        room = filters.MAX_CHARACTERS - len(search.or_canary(self.canary))
        agents = filters.packed([filters.equals("agentGuid", guid) for guid in self.guids], room)
        return sum(1 for _ in agents) + self._searches(room)

    @property
    def cost_of_walk(self) -> int:
        """Requests: pages of servers; where some are absent, desktops and the search too."""
        pages = self.known.walked // PAGE + 1
        return pages + (1 + self._searches(filters.MAX_CHARACTERS) if self.absent else 0)

    def _searches(self, room: int) -> int:
        return sum(1 for _ in filters.packed(search.terms(self.absent), room))

    def ask(self, client: Client) -> Confirmed:
        """The answers.

        Raises:
            NotHeededError: they prove nothing.
            TransientError, PermanentError: as `search.listed`.
        """
        started = clock.now()
        listed = search.listed(client, self.guids, self.canary) if self.guids else {}
        gone = [clues for clues, guid in self.there.values() if guid not in listed]
        absent = [*self.absent, *gone]
        own = {guid.lower() for guid in self.guids}
        others = self.known.identified_guids() - own
        searched = search.by_address(client, absent, others, self.canary)
        if not all(clues.instance_id in searched for clues in absent):
            raise search.NotHeededError("the search does not tell", target=TARGET)
        found = [one for guid, held in listed.items() if guid in own for one in held]
        made = Inventory(started, {}, walked=self.known.walked, shared=self.known.shared)
        return made.with_endpoints(found), searched


def _canary(known: Inventory) -> str:
    """An agent that is surely there: one that is on, which no other shares the GUID with."""
    for records in known.by_instance.values():
        for one in records:
            if (
                one.epp_status == "on"
                and filters.is_safe(one.guid)
                and one.guid not in known.shared
            ):
                return one.guid
    return ""
