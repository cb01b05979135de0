"""Names in the ledger. Renaming a step or a connection duplicates nothing that was done."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

INCIDENT = "I"


def partition(playbook: str, group: Sequence[str], mode: str = "live") -> str:
    """The partition key of an incident: ``{playbook}#{sha256(group key)}``.

    The values are joined by their length, so that ("a", "bc") and ("ab", "c") differ. What a
    playbook only observes are other incidents: once it is live, it begins anew.
    """
    text = "".join(f"{len(value)}:{value}" for value in group)
    if mode != "live":
        text += mode
    return f"{playbook}#{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def finding(finding_id: str) -> str:
    """The sort key of a finding in an incident."""
    return "F#" + hashlib.sha256(finding_id.encode("utf-8", "replace")).hexdigest()


def click(event_id: str, finding_id: str) -> str:
    """The sort key of one request of an analyst for one finding."""
    digest = hashlib.sha256(f"{event_id}\n{finding_id}".encode("utf-8", "replace"))
    return "C#" + digest.hexdigest()


def effect(pk: str, gen: int, round_: int, step: str, *, lasting: bool) -> str:
    """The key of one effect, 40 hex digits; equal for every attempt at it.

    Args:
        lasting: the effect belongs to the incident's whole life (its ticket), not to one round.
    """
    text = f"{pk}|{gen}|ticket" if lasting else f"{pk}|{gen}|{round_}|{step}"
    return hashlib.sha256(text.encode()).hexdigest()[:40]
