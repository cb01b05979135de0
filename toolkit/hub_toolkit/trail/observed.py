"""What playbooks in observe mode would have done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from hub_toolkit.trail.records import Record


class Observed(msgspec.Struct, frozen=True, order=True):
    """One thing that a step would have done.

    Attributes:
        at: when (ISO 8601). findings: how many it would have been about.
        would: what, in one line.
    """

    at: str
    playbook: str
    incident: str
    step: str
    uses: str
    findings: int
    would: str


def of(records: Iterable[Record], playbook: str | None) -> list[Observed]:
    """What would have been done, oldest first; of one playbook or all."""
    return sorted(
        Observed(
            at=str(record.get("at", "")),
            playbook=str(record.get("playbook", "")),
            incident=str(record.get("incident", "")),
            step=str(record.get("step", "")),
            uses=str(record.get("uses", "")),
            findings=len(record.get("findings", ())),
            would=str(record.get("detail", "")),
        )
        for record in records
        if record.get("status") == "observed" and playbook in (None, record.get("playbook"))
    )
