"""An incident: the findings of one playbook about one subject, as steps and templates see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hub_responder.finding import Finding, Resource
    from hub_responder.severity import Severity

Change = Literal["opened", "grew", "raised", "reopened", "restored", "clicked", "closed"]


@dataclass(frozen=True, slots=True)
class Incident:
    """What steps, expressions and templates see of an incident in one round.

    Attributes:
        key: the ledger's partition key.
        group: the values of ``group_by``, in their order.
        gen: how often it was reopened, from 1; round: the pass of steps, from 1 within a gen.
        findings: the findings of this round, worst first.
        count: all findings that ever joined, this round's included.
        new: how many of ``findings`` were not in an earlier round.
        resource: the resource that matched.
        severity: the worst of its findings.
        change: why this round happens.
        refs: by connection name, what earlier steps left: ``ticket``, ``url``, ``thread``.
        clicked: an analyst asked for this round and waits for an answer on the finding.
        left: how findings left Security Hub (RESOLVED, SUPPRESSED, ARCHIVED, PASSED) -> how many,
            of an incident whose findings all have; else nothing.
        related: the other live findings on the resource, worst first, at most 50; looked up in
            Security Hub when they are first read, which raises CallError where it cannot be asked.
    """

    key: str
    group: tuple[str, ...]
    gen: int
    round: int
    findings: tuple[Finding, ...]
    count: int
    new: int
    resource: Resource
    severity: Severity
    change: Change
    refs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clicked: bool = False
    left: Mapping[str, int] = field(default_factory=dict)
    related: Sequence[Finding] = field(default=(), repr=False, compare=False)

    @property
    def more_related(self) -> bool:
        """Whether there are more than `related` lists."""
        return bool(getattr(self.related, "more", False))

    @property
    def ticket(self) -> Mapping[str, Any] | None:
        """The incident's ticket: ``{"id": "SEC-123", "url": "https://..."}``, or none yet."""
        for ref in self.refs.values():
            if "ticket" in ref:
                return {"id": ref["ticket"], "url": ref.get("url", "")}
        return None
