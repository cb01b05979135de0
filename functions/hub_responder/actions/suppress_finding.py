"""``finding.suppress``: no more of these findings, with a reason, an owner and an end.

The end stands in the finding's UserDefinedFields for programs and in its note for people. A finding
that a person archived or resolved stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from hub_responder.actions.base import Action, Outcome, Work, line
from hub_responder.actions.batch_update import (
    SETTLED,
    Change,
    Progress,
    Wanted,
    merged,
    permissions,
    write,
)
from hub_responder.actions.current import present
from hub_responder.clock import iso
from hub_responder.errors import ConfigurationError
from hub_responder.ledger.history import CLOSED_AS
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.note import answer_text, quotation, run_id

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

MAX_DAYS = 366
"""Nothing is suppressed for longer: somebody is to look again."""
DAY_S = 86_400.0
MAX_REASON = 200
MAX_OWNER = 60
UNTIL, BY, WHY = (
    "hubResponderSuppressedUntil",
    "hubResponderSuppressedBy",
    "hubResponderSuppressedWhy",
)
"""UserDefinedFields: when the suppression ends, who answers for it, and its reason."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, who answers for it, and until when.

    ``until`` is a date (2026-12-31, its end in UTC), ``days`` counts from the trigger; one of them
    is needed, at most 366 days ahead. A CRITICAL finding with a known exploit is suppressed only
    with ``even_if_exploited``. ``closed_as`` says what the findings turned out to be, in capitals
    (FALSE_POSITIVE, RISK_ACCEPTED): later conditions count it with ``seen(days, closed_as)``.
    """

    reason: str
    owner: str
    until: str = ""
    days: int = 0
    even_if_exploited: bool = False
    closed_as: str = ""

    def __post_init__(self) -> None:
        """Refuse what says no end or two."""
        if bool(self.until) == bool(self.days):
            raise ValueError("give one of until (a date) and days")
        if self.days and not 1 <= self.days <= MAX_DAYS:
            raise ValueError(f"days must be from 1 to {MAX_DAYS}")
        if self.closed_as and not CLOSED_AS.fullmatch(self.closed_as):
            raise ValueError("closed_as must be capitals and _, as FALSE_POSITIVE")


class Result(msgspec.Struct, frozen=True):
    """How many findings were suppressed, left as they were, and refused; the last day, if any.

    ``closed_as`` is empty where some were not suppressed: then nothing is remembered of them.
    """

    suppressed: int
    left: int = 0
    failed: int = 0
    until: str = ""
    closed_as: str = ""


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Suppress the findings of all incidents, in as few calls as their values allow."""
    decided = [_decision(work, runtime) for work in works]
    wanted = [one.wanted if isinstance(one, _Decision) else () for one in decided]
    progress = write(wanted, runtime.deadline)
    return [
        _outcome(one, part, work) if isinstance(one, _Decision) else one
        for one, part, work in zip(decided, progress, works, strict=True)
    ]


def _decision(work: Work, runtime: Runtime) -> _Decision | Outcome:
    """What the findings get as they are now, or what it means that this cannot be told."""
    now = present(work, runtime.deadline)
    if isinstance(now, Outcome):
        return now
    try:
        return _decide(now, runtime)
    except ConfigurationError as error:
        return Outcome("failed", line(str(error)))


class _Decision(msgspec.Struct):
    """What each finding gets, why some are left, and until when."""

    wanted: Wanted
    reasons: dict[str, int]
    until: str


def _decide(work: Work, runtime: Runtime) -> _Decision:
    end = _end(work.params, runtime.now)
    reasons: dict[str, int] = {}
    wanted: list[tuple[Finding, Change | None]] = []
    for finding in work.incident.findings:
        change, why = _change(finding, work, end, runtime)
        wanted.append((finding, change))
        if change is None:
            reasons[why] = reasons.get(why, 0) + 1
    return _Decision(wanted, reasons, _day(end))


def _end(params: Params, now: float) -> float:
    """When the suppression ends (epoch seconds).

    Raises:
        ConfigurationError: the parameters name no day within `MAX_DAYS` from now.
    """
    for name, text in (("reason", params.reason), ("owner", params.owner)):
        if not text.strip():
            raise ConfigurationError(f"nothing is suppressed without {name}")
    if params.days:
        return now + params.days * DAY_S
    end = None
    if _DATE.fullmatch(params.until):
        try:
            end = datetime.fromisoformat(params.until).replace(tzinfo=UTC).timestamp() + DAY_S - 1
        except ValueError:
            end = None
    if end is None or not now < end <= now + (MAX_DAYS + 1) * DAY_S:
        raise ConfigurationError(
            f"until must be a date like 2026-12-31, from today to {MAX_DAYS} days ahead,"
            f" not {params.until[:40]!r}"
        )
    return end


def _day(at: float) -> str:
    return iso(at)[:10]


def _change(
    finding: Finding, work: Work, end: float, runtime: Runtime
) -> tuple[Change | None, str]:
    """What a finding gets, or why it is left."""
    params: Params = work.params
    if finding.record_state == "ARCHIVED":
        return None, "archived"
    if finding.workflow in SETTLED and not work.incident.clicked:
        return None, f"{finding.workflow.lower()} already"
    if not params.even_if_exploited and _is_exploited(finding):
        return None, "CRITICAL with a known exploit"
    language = runtime.playbook.language
    note = answer_text(_text(params, end, work, language), quotation(finding.note, language))
    fields = merged(finding, _fields(params, end, work, runtime))
    if not fields:
        return None, "its user-defined fields leave no room for the end"
    return Change(note, "SUPPRESSED", fields), ""


def _is_exploited(finding: Finding) -> bool:
    return finding.severity == "CRITICAL" and finding.exploit_available is True


def _text(params: Params, end: float, work: Work, language: str) -> str:
    reason = shorten(one_line(clean(params.reason)).strip(), MAX_REASON)
    owner = shorten(one_line(clean(params.owner)).strip(), MAX_OWNER)
    run = run_id(work.incident)
    if language == "ja":
        return f"【抑制】{_day(end)}まで:{reason}|担当:{owner}|実行{run}"
    return f"SUPPRESSED until {_day(end)}: {reason} | owner: {owner} | run {run}"


def _fields(params: Params, end: float, work: Work, runtime: Runtime) -> dict[str, str]:
    return {
        UNTIL: iso(end),
        BY: params.owner,
        WHY: shorten(params.reason, MAX_REASON),
        "hubResponderIncident": f"{work.incident.key}#{work.incident.gen}",
        "hubResponderAt": iso(runtime.now),
    }


def _outcome(decision: _Decision, part: Progress, work: Work) -> Outcome:
    said = []
    if part.updated:
        said.append(f"{part.updated} suppressed until {decision.until}")
    said += [f"{count} left: {why}" for why, count in sorted(decision.reasons.items())]
    if part.refusals:
        said.append(f"{len(part.refusals)} refused: {part.reasons()}")
    until = decision.until if part.updated else ""
    all_of_them = part.updated and not part.left and not part.refusals
    closed_as = work.params.closed_as if all_of_them else ""
    result = Result(part.updated, part.left, len(part.refusals), until, closed_as)
    return part.outcome(line(", ".join(said)), msgspec.to_builtins(result))


def plan(work: Work, runtime: Runtime) -> str:
    """How many findings would be suppressed, until when and why."""
    decision = _decide(work, runtime)
    count = sum(change is not None for _, change in decision.wanted)
    if not count:
        return line(f"would suppress nothing: {', '.join(sorted(decision.reasons))}")
    findings = f"{count} finding{'' if count == 1 else 's'}"
    params: Params = work.params
    return line(
        f"would suppress {findings} until {decision.until} for {params.owner}: {params.reason}"
    )


ACTION = Action(
    name="finding.suppress",
    summary="Sets findings to SUPPRESSED with a note, and records owner, reason and end.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="""\
- uses: finding.suppress
  with: {reason: expected scan of the test range, owner: cloud-security, days: 30}
""",
    run=run,
    answers=True,
    plan=plan,
)
