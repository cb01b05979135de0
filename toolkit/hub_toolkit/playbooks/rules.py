"""The EventBridge rules that a playbook's triggers become.

``imported`` starts it: the match, guarded so that only live findings pass. ``lifecycle`` passes
the same findings once they are archived, resolved, suppressed or passed: that only closes. ASFF
and OCSF share a rule through ``$or``, which keeps a playbook within 12 resources.
"""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

from hub_responder.connections.returned import KINDS, PLAYBOOK, SOURCE, STAGE

if TYPE_CHECKING:
    from hub_responder.playbook import Triggers

Pattern = dict[str, Any]

ASFF_EVENT = "Security Hub Findings - Imported"
OCSF_EVENT = "Findings Imported V2"
ACTION_EVENTS = ("Security Hub Findings - Custom Action", "Security Hub Insight Results")

ASFF_LIVE: Pattern = {"RecordState": ["ACTIVE"], "Workflow": {"Status": ["NEW", "NOTIFIED"]}}
OCSF_LIVE: Pattern = {
    "activity_name": [{"anything-but": "Close"}],
    "status": [{"anything-but": ["Suppressed", "Resolved", "Archived"]}],
}
"""OCSF has no RecordState: "findings with activity_name != Close" are active ("OCSF findings in
Security Hub", user guide), and the status names are OCSF's own. That Security Hub writes exactly
these statuses is a guess: its samples show only New. Both fields were present in all of them."""

MAX_COMBINATIONS = 1000
"""Combinations that ``$or`` may make in one pattern (EventBridge user guide, "Or" matching)."""


def imported(triggers: Triggers) -> Pattern | None:
    """The pattern of the rule that starts the playbook; None without imported triggers."""
    return _joined(
        [
            _event(ASFF_EVENT, {**triggers.imported, **ASFF_LIVE})
            if triggers.imported is not None
            else None,
            _event(OCSF_EVENT, {**triggers.imported_v2, **OCSF_LIVE})
            if triggers.imported_v2 is not None
            else None,
        ]
    )


def returned(playbook: str, stage: Any) -> Pattern:
    """The pattern of the rule that brings what SES says later of the playbook's e-mail.

    Args:
        stage: of the stack, which another one in the account may share a configuration set with.
    """
    tags = {PLAYBOOK: [playbook], STAGE: [stage]}
    return {
        "source": [SOURCE],
        "detail-type": list(KINDS),
        "detail": {"mail": {"tags": tags}},
    }


def lifecycle(triggers: Triggers) -> Pattern | None:
    """The pattern of the rule that closes what `imported` opened.

    A control's finding that passes loses its severity as well (it becomes INFORMATIONAL), so
    severity is asked for only where a finding was archived, resolved or suppressed, and the
    match's own compliance status never.
    """
    asff = ocsf = None
    if triggers.imported is not None:
        asff = _event(
            ASFF_EVENT,
            _closing(
                triggers.imported,
                compliance=("Compliance", "Status"),
                severity=("Severity",),
                ended=(
                    {"RecordState": ["ARCHIVED"]},
                    {"Workflow": {"Status": ["RESOLVED", "SUPPRESSED"]}},
                ),
                passed={"Compliance": {"Status": ["PASSED"]}},
            ),
        )
    if triggers.imported_v2 is not None:
        ocsf = _event(
            OCSF_EVENT,
            _closing(
                triggers.imported_v2,
                compliance=("compliance", "status"),
                severity=("severity", "severity_id"),
                ended=(
                    {"activity_name": ["Close"]},
                    {"status": ["Suppressed", "Resolved", "Archived"]},
                ),
                passed={"compliance": {"status": ["Pass"]}},
            ),
        )
    return _joined([asff, ocsf])


def action(arn: Any) -> Pattern:
    """The pattern of clicks and insight results of the action target ``arn``."""
    return {
        "source": ["aws.securityhub"],
        "detail-type": list(ACTION_EVENTS),
        "resources": [arn],
    }


def length(pattern: Pattern) -> int:
    """Characters of ``pattern`` as the JSON that EventBridge counts."""
    return len(json.dumps(pattern, separators=(",", ":"), ensure_ascii=False))


def combinations(pattern: Any) -> int:
    """How many combinations the ``$or`` of ``pattern`` make."""
    made = 1
    if isinstance(pattern, dict):
        for key, value in pattern.items():
            made *= sum(map(combinations, value)) if key == "$or" else combinations(value)
    return made


def _event(detail_type: str, finding: Pattern) -> Pattern:
    return {"detail-type": [detail_type], "detail": {"findings": finding}}


def _joined(alternatives: list[Pattern | None]) -> Pattern | None:
    given = [alternative for alternative in alternatives if alternative is not None]
    if not given:
        return None
    source: Pattern = {"source": ["aws.securityhub"]}
    return {**source, **given[0]} if len(given) == 1 else {**source, "$or": given}


def _closing(
    match: Pattern,
    *,
    compliance: tuple[str, str],
    severity: tuple[str, ...],
    ended: tuple[Pattern, ...],
    passed: Pattern,
) -> Pattern:
    """``match`` for findings that have ended, whatever ended them."""
    outer, status = compliance
    wanted: list[Pattern] = []
    for branch, end in product(_branches(match), (*ended, passed)):
        one = dict(branch)
        held = {key: value for key, value in one.pop(outer, {}).items() if key != status}
        if held:
            one[outer] = held
        if end is passed:
            one = {key: value for key, value in one.items() if key not in severity}
        wanted.append(_merged(one, end))
    return _factored(wanted)


def _branches(match: Pattern) -> list[Pattern]:
    """``match`` without ``$or`` at its top: a pattern for each alternative."""
    rest = {key: value for key, value in match.items() if key != "$or"}
    if "$or" not in match:
        return [rest]
    return [_merged(rest, branch) for chosen in match["$or"] for branch in _branches(chosen)]


def _merged(one: Pattern, other: Pattern) -> Pattern:
    """Both patterns' fields; of a field that both match, what ``other`` says."""
    merged = dict(one)
    for key, value in other.items():
        held = merged.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            merged[key] = _merged(held, value)
        else:
            merged[key] = value
    return merged


def _factored(alternatives: list[Pattern]) -> Pattern:
    """The pattern of ``alternatives``, with what all of them share written once."""
    first = alternatives[0]
    shared = {
        key: value
        for key, value in first.items()
        if all(key in other and other[key] == value for other in alternatives)
    }
    rest = [{key: value for key, value in one.items() if key not in shared} for one in alternatives]
    return {**shared, "$or": rest}
