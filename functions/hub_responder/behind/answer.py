"""What is behind a resource: the answer of one clue, and of all clues of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_responder.errors import HubResponderError
    from hub_responder.finding import Resource

MAX_INSTANCES = 200
"""Instances of one incident that are looked at; the others are counted."""
UNCERTAIN = frozenset({"gone", "ambiguous_node", "instances_starting", "outside_ec2"})
"""Reasons that leave open whether there is an instance, or which; others say that there is none."""
_HIDDEN = frozenset({"ambiguous_node", "outside_ec2"})
"""Reasons of a machine that is there and is not looked at."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The EC2 instances behind a resource.

    Attributes:
        instances: as findings name them; the resource itself where it is one.
        known_by: the field of the finding that names them, or the call that told; empty where the
            resource is the instance.
        left_out: machines that are there, or may be, and are not in ``instances``.
        starting: instances that are about to be there, and are not in ``instances``.
        reason: why there is none (`behind.words` has it in words), or empty.
        error: why it cannot be told whether there are any, or more.
    """

    instances: tuple[Resource, ...] = ()
    known_by: str = ""
    left_out: int = 0
    starting: int = 0
    reason: str = ""
    error: HubResponderError | None = None

    @property
    def itself(self) -> bool:
        """The resource is the instance."""
        return bool(self.instances) and not self.known_by


def merged(parts: Sequence[Behind]) -> Behind:
    """One answer of many; what is uncertain about one of them stays so."""
    found = {one.instance_id: one for part in parts for one in part.instances}
    instances = tuple(found.values())
    left_out = sum(part.left_out for part in parts) + max(0, len(instances) - MAX_INSTANCES)
    reasons = [part.reason for part in parts if part.reason]
    errors = [part.error for part in parts if part.error is not None]
    if instances:
        left_out += len(errors) + sum(reason in _HIDDEN for reason in reasons)
        reasons = []
    return Behind(
        instances=instances[:MAX_INSTANCES],
        known_by=next((part.known_by for part in parts if part.instances), ""),
        left_out=left_out,
        starting=sum(part.starting for part in parts),
        reason=next(iter(sorted(reasons, key=lambda reason: reason not in UNCERTAIN)), ""),
        error=next(iter(errors), None),
    )
