"""The verdict on a resource that stands for instances: of one of them, or the worst of several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock
from hub_responder.behind.answer import UNCERTAIN, Behind
from hub_responder.errors import ConfigurationError, DeniedError, TransientError
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one.coverage import AGAIN_S, Coverage
from hub_responder.workload_security.shields import Shield

if TYPE_CHECKING:
    from hub_responder.errors import HubResponderError
    from hub_responder.finding import Resource

WORST_FIRST = ("UNPROTECTED", "DEGRADED", "UNKNOWN", "PROTECTED")
"""UNKNOWN is never hidden behind a PROTECTED one, and never counts as UNPROTECTED."""
_LEAST_FIRST = ("not_shieldable", "shieldable", "unknown", "detect_only", "shielded")
SHOWN = 5
"""Instances that the evidence names, the worst first."""


def without_instances(behind: Behind, resource: Resource) -> Coverage | None:
    """The verdict where there is no instance to ask Vision One for; None where there is one."""
    if behind.itself:
        return None if resource.instance_id else verdicts.no_instance_id()
    if behind.instances:
        return None
    if behind.error is not None:
        return verdicts.unknown(behind.error, _trouble(behind.error))
    if behind.reason in UNCERTAIN:
        again = AGAIN_S if behind.reason == "instances_starting" else None
        reasons = [behind.reason]
        return Coverage(
            verdict="UNKNOWN", reasons=reasons, checked_at=clock.now(), retry_after=again
        )
    return verdicts.not_applicable(resource.type, behind.reason)


def _trouble(error: HubResponderError) -> str:
    if isinstance(error, ConfigurationError):
        return "behind_configuration"
    if isinstance(error, TransientError):
        return "behind_unreachable"
    return "behind_denied" if isinstance(error, DeniedError) else "behind_refused"


def together(found: Sequence[Coverage], behind: Behind, resource: Resource) -> Coverage:
    """One verdict of those on ``behind.instances``, which are in the same order.

    The worst counts, with its reasons and evidence; instances that could not be looked at count as
    UNKNOWN. ``evidence["behind"]`` says how many there are, how many have which verdict, and the
    worst.
    """
    if behind.itself:
        return found[0]
    by_badness = sorted(
        zip(found, behind.instances, strict=True),
        key=lambda pair: WORST_FIRST.index(pair[0].verdict),
    )
    worst, instance = by_badness[0]
    counts: Counter[str] = Counter(each.verdict for each in found)
    counts["UNKNOWN"] += behind.left_out
    of_one = {"instance": instance.instance_id, "name": instance.name}
    if worst.verdict == "PROTECTED" and (len(found) > 1 or behind.left_out):
        worst, of_one = _all(worst, behind), {}
    worst = msgspec.structs.replace(worst, cves=_least(found, behind))
    evidence: dict[str, Any] = {
        "of": resource.type,
        "known_by": behind.known_by,
        **of_one,
        "instances": len(found) + behind.left_out,
        "verdicts": {verdict: counts[verdict] for verdict in WORST_FIRST if counts[verdict]},
        "worst": [one.instance_id for each, one in by_badness if each.verdict != "PROTECTED"],
    }
    del evidence["worst"][SHOWN:]
    if behind.starting:
        evidence["starting"] = behind.starting
    return msgspec.structs.replace(worst, evidence={**worst.evidence, "behind": evidence})


def _all(best: Coverage, behind: Behind) -> Coverage:
    """All that were looked at are protected: what was read of one of them says nothing of all."""
    if not behind.left_out:
        kept = ("matched_by", "cves_left_out")
        evidence = {name: best.evidence[name] for name in kept if name in best.evidence}
        return msgspec.structs.replace(best, evidence=evidence, tier="", computer=None)
    unknown = Coverage(verdict="UNKNOWN", checked_at=best.checked_at)
    if behind.error is not None:
        unknown = verdicts.unknown(behind.error, _trouble(behind.error))
    reasons = ["not_all_looked_at", *unknown.reasons]
    return msgspec.structs.replace(unknown, reasons=reasons)


def _least(found: Sequence[Coverage], behind: Behind) -> list[Shield]:
    """Of each CVE what is said of the instance that is shielded least.

    Where it is not told of every instance, the others may not be shielded: that is unknown.
    """
    said: dict[str, list[Shield]] = {}
    for shield in (one for each in found for one in each.cves):
        said.setdefault(shield.cve, []).append(shield)
    least = []
    for cve, shields in said.items():
        if len(shields) < len(found) + behind.left_out:
            shields.append(Shield(cve, "unknown"))
        least.append(min(shields, key=lambda one: _LEAST_FIRST.index(one.state)))
    return least
