"""Holds what came of a case against what it expects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from hub_toolkit.dry.cases import Case, Coverage
    from hub_toolkit.dry.claims import StepClaim, Texts
    from hub_toolkit.dry.trial import Seen

_MAX_SHOWN = 1500


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as expected.

    Attributes:
        what: as ``ticket`` or ``message``. because: what was recorded about it.
    """

    what: str
    expected: str
    got: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step ended in one incident."""

    step: str
    uses: str
    status: str
    detail: str
    result: Mapping[str, Any]


def ended(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Ended]]:
    """The last outcome of each step in each incident, by step."""
    last: dict[tuple[str, str], Ended] = {}
    for record in records:
        step = str(record.get("step") or "")
        if record.get("kind") == "outcome" and step:
            last[str(record.get("incident", "")), step] = Ended(
                step=step,
                uses=str(record.get("uses", "")),
                status=str(record.get("status", "")),
                detail=str(record.get("detail", "")),
                result=record.get("result", {}),
            )
    steps: dict[str, list[Ended]] = {}
    for (_, step), outcome in last.items():
        steps.setdefault(step, []).append(outcome)
    return steps


def judge(case: Case, seen: Seen) -> list[Failure]:
    """What is not as ``case`` expects; empty: it passes."""
    failures = [
        Failure("the function", "to end well", crash.strip().splitlines()[-1], crash)
        for _, crash in seen.crashes[:1]
    ]
    steps = ended(seen.records)
    failures += _given(case, steps)
    failures += _matched(case, seen)
    failures += _skipped(case, seen)
    for step, claim in case.expect.steps.items():
        failures += _step(step, claim, steps.get(step, []), _no_match(case, seen))
    expect = case.expect
    failures += _sent("message", expect.message, case, seen, none=expect.no_message)
    failures += _sent("request", expect.request, case, seen, none=expect.no_request)
    failures += _tickets(case, seen)
    failures += _findings(case, seen)
    return failures


def _given(case: Case, steps: Mapping[str, Sequence[Ended]]) -> Iterator[Failure]:
    """The estate that was made for a verdict must lead to it, or the case says nothing."""
    for step, coverage in case.given.coverage.items():
        for outcome in steps.get(step, ()):
            verdict, reasons = outcome.result.get("verdict"), outcome.result.get("reasons", [])
            missing = [reason for reason in coverage.reasons if reason not in reasons]
            if outcome.status != "done":
                continue
            if verdict != coverage.verdict or missing:
                wanted = " ".join([coverage.verdict, *coverage.reasons])
                got = " ".join(map(str, [verdict, *reasons]))
                why = f"the playbook does not look at what makes it {coverage.verdict}"
                yield Failure(f"given {step}", wanted, got, why if missing else outcome.detail)
            else:
                yield from _given_more(step, coverage, outcome.result)


_UNLINKED = "is the connection linked to Server & Workload Protection?"


def _given_more(step: str, coverage: Coverage, result: Mapping[str, Any]) -> Iterator[Failure]:
    """How the agent was found, and what was told of CVEs, where the case gives it."""
    if coverage.tier and result.get("tier") != coverage.tier:
        yield Failure(f"given {step}.tier", coverage.tier, str(result.get("tier")), _UNLINKED)
    states = {one["cve"]: one["state"] for one in result.get("cves", ())}
    for shield in coverage.cves or ():
        got = states.get(shield.cve, "nothing")
        if got != shield.state:
            yield Failure(f"given {step}.cves {shield.cve}", shield.state, got, _UNLINKED)


def _matched(case: Case, seen: Seen) -> Iterator[Failure]:
    expect = case.expect
    rules = seen.rules_of(case.source.name)
    got, why = ", ".join(rules) or "no rule", why_not(case, seen)
    if expect.matched is True and not rules:
        yield Failure("matched", "a rule", got, why)
    elif expect.matched is False and rules:
        yield Failure("matched", "no rule", got)
    elif isinstance(expect.matched, tuple) and set(expect.matched) != set(rules):
        yield Failure("matched", ", ".join(expect.matched), got, why)
    if expect.why_not and not _contains(why, expect.why_not):
        yield Failure("why_not", f"text containing {expect.why_not!r}", why or "it matched")


def why_not(case: Case, seen: Seen) -> str:
    """Why rules did not match, a line for each field; of those that start the playbook."""
    lines = []
    for rule, mismatches in seen.mismatches_of(case.source.name).items():
        if rule != "lifecycle":
            lines += [f"{rule}: {mismatch}" for mismatch in mismatches]
    return "\n".join(lines)


def _skipped(case: Case, seen: Seen) -> Iterator[Failure]:
    wanted = case.expect.skipped
    if not wanted:
        return
    reasons = [str(one.get("detail", "")) for one in seen.records if one["kind"] == "skipped"]
    if not any(_contains(reason, wanted) for reason in reasons):
        got = "; ".join(reasons) or "it was not skipped"
        yield Failure("skipped", f"because of {wanted!r}", got, _no_match(case, seen))


def _step(step: str, claim: StepClaim, ends: Sequence[Ended], why: str) -> Iterator[Failure]:
    if not ends:
        if claim.status != "not_run":
            wanted = claim.status or "to be run"
            yield Failure(step, _wanted(claim) or wanted, "not run", why)
        return
    for one in ends:
        if claim.status == "not_run":
            yield Failure(step, "not run", one.status, one.detail)
        elif claim.status and one.status != claim.status:
            yield Failure(step, _wanted(claim), one.status, one.detail)
        elif claim.reason and not _contains(one.detail, claim.reason):
            yield Failure(step, _wanted(claim), f"{one.status} because of {one.detail!r}")
        else:
            for name, value in claim.results.items():
                if not _is_like(one.result.get(name), value):
                    got = f"{name}: {_shown(one.result.get(name))}"
                    yield Failure(step, f"{name}: {_shown(value)}", got, one.detail)


def _wanted(claim: StepClaim) -> str:
    true = [name for name, value in claim.results.items() if value is True]
    if claim.reason:
        return f"{claim.status} because of {claim.reason!r}"
    return true[0] if claim.status == "done" and true else claim.status


def _no_match(case: Case, seen: Seen) -> str:
    """Why nothing was done at all, as far as that is known."""
    if not seen.rules:
        return why_not(case, seen)
    reasons = [
        f"{record['kind']}: {record['detail']}"
        for record in seen.records
        if record["kind"] in {"skipped", "repeat", "dead", "unreadable"} and record.get("detail")
    ]
    return "; ".join(reasons)


def _sent(
    kind: str, claims: Sequence[Texts], case: Case, seen: Seen, *, none: bool
) -> Iterator[Failure]:
    """Messages, or requests to other programs."""
    sent = [one for one in seen.deliveries if one.kind == kind]
    if none and sent:
        said = "; ".join(f"to {one.connection}: {_first_line(one.text)}" for one in sent)
        yield Failure(kind, "none", f"{len(sent)}", _cut(said))
    for claim in claims:
        chosen = [one for one in sent if claim.to in ("", one.connection)]
        what = f"{kind} to {claim.to}" if claim.to else kind
        if not chosen:
            others = sorted({one.connection for one in sent})
            got = f"only to {', '.join(others)}" if others else f"no {kind}"
            yield Failure(what, f"a {kind}", got, _no_match(case, seen))
        else:
            yield from _texts(what, claim, "\n".join(one.text for one in chosen))


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _texts(what: str, claim: Texts, text: str) -> Iterator[Failure]:
    for wanted in claim.contains:
        if not _contains(text, wanted):
            yield Failure(what, f"text containing {wanted!r}", _cut(text) or "no text")
    for unwanted in claim.lacks:
        if _contains(text, unwanted):
            yield Failure(what, f"text without {unwanted!r}", _cut(text))


def _tickets(case: Case, seen: Seen) -> Iterator[Failure]:
    expect = case.expect
    if expect.no_ticket and seen.tickets:
        summaries = "; ".join(str(one["summary"]) for one in seen.tickets)
        yield Failure("ticket", "none", summaries)
    if expect.ticket is None:
        return
    fields = dict(expect.ticket)
    count = fields.pop("count", None)
    if count is not None and len(seen.tickets) != count:
        yield Failure("ticket", f"{count} tickets", f"{len(seen.tickets)}")
    if not fields:
        return
    if not seen.tickets:
        yield Failure("ticket", _shown(fields), "no ticket", _no_match(case, seen))
        return
    # The ticket that comes nearest is held against what is expected.
    differences = [
        [name for name, value in fields.items() if not _ticket_has(ticket, name, value)]
        for ticket in seen.tickets
    ]
    best = min(range(len(differences)), key=lambda index: len(differences[index]))
    for name in differences[best]:
        got = _cut(_shown(seen.tickets[best].get(name)))
        yield Failure(f"ticket.{name}", _shown(fields[name]), got)


def _ticket_has(ticket: Mapping[str, Any], name: str, value: Any) -> bool:
    held = ticket.get(name)
    texts = held if isinstance(held, list) else [held]
    wanted = value if isinstance(value, list) else [value]
    return all(any(_contains(str(text), str(one)) for text in texts) for one in wanted)


def _findings(case: Case, seen: Seen) -> Iterator[Failure]:
    expect = case.expect
    if not (expect.workflow or expect.note or expect.finding):
        return
    if not seen.findings:
        yield Failure("finding", "to be there", "Security Hub holds none")
    for finding in seen.findings.values():
        workflow = str(finding.get("Workflow", {}).get("Status", ""))
        if expect.workflow and workflow != expect.workflow:
            yield Failure("workflow", expect.workflow, workflow or "none", _no_match(case, seen))
        if expect.note is not None:
            yield from _texts("note", expect.note, str(finding.get("Note", {}).get("Text", "")))
        for name, value in expect.finding.items():
            if not _is_like(finding.get(name), value):
                yield Failure(f"finding.{name}", _shown(value), _cut(_shown(finding.get(name))))


def _is_like(held: Any, wanted: Any) -> bool:
    """Equal; of objects only what is wanted must be there."""
    if isinstance(held, Mapping) and isinstance(wanted, Mapping):
        return all(_is_like(held.get(key), value) for key, value in wanted.items())
    return bool(held == wanted)


def _contains(text: str, wanted: str) -> bool:
    """Whether ``wanted`` stands in ``text``, whatever white space lies between words."""
    return " ".join(wanted.split()) in " ".join(text.split())


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
