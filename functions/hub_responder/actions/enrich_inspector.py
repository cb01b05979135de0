"""``enrich.inspector``: what Amazon Inspector itself says of the findings: EPSS, exploits, fixes.

A finding of Inspector has the same ARN in Security Hub. ListFindings takes ten ARNs to a filter,
BatchGetFindingDetails ten to a call
(https://docs.aws.amazon.com/inspector/v2/APIReference/API_BatchGetFindingDetails.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import aws, member
from hub_responder.actions.base import Action, Outcome, Statement, Work, attempt, line
from hub_responder.clock import iso
from hub_responder.errors import HubResponderError, TransientError
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

AT_ONCE = 10
MAX_FIXES = 20
MAX_CVES = 20
TARGET = "inspector2"

Place = tuple[str, str]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``most``: how many findings of an incident are asked about, the worst first (1 to 50)."""

    most: int = 10

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        if not 1 <= self.most <= 50:  # noqa: PLR2004 - said in the message
            raise ValueError("most must be from 1 to 50")


class Fix(msgspec.Struct, frozen=True):
    """A vulnerable package; ``fixed_in`` is empty where there is no fix yet."""

    cve: str
    package: str
    version: str = ""
    fixed_in: str = ""


class Result(msgspec.Struct, frozen=True):
    """The worst that Inspector or the findings say; null where neither says.

    ``known`` counts the findings that Inspector told of. ``epss`` is the highest probability of
    exploitation (0 to 1), ``risk`` Inspector's highest score (0 to 10). ``exploit_seen_at`` and
    ``due`` (CISA's catalogue of exploited vulnerabilities) are ISO 8601 or empty. ``reason`` says
    why Inspector told nothing, or is empty.
    """

    known: int = 0
    cves: tuple[str, ...] = ()
    epss: float | None = None
    risk: float | None = None
    exploit_available: bool | None = None
    exploit_seen_at: str = ""
    fix_available: bool | None = None
    fixes: tuple[Fix, ...] = ()
    due: str = ""
    reason: str = ""


class _Told(msgspec.Struct):
    """What Inspector says of one finding."""

    finding: Mapping[str, Any]
    detail: Mapping[str, Any] = {}


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Two calls for ten findings of an account and region, whatever incidents they belong to."""
    wanted: dict[Place, dict[str, None]] = {}
    for work in works:
        for finding in _asked_about(work):
            wanted.setdefault(_place(finding), {})[finding.id] = None
    told: dict[str, _Told | HubResponderError] = {}
    for place, arns in wanted.items():
        told |= _ask(place, list(arns), runtime)
    return [attempt(lambda work: _outcome(work, told), work) for work in works]


def _asked_about(work: Work) -> list[Finding]:
    params: Params = work.params
    ours = [one for one in work.incident.findings if ":inspector2:" in one.id]
    return ours[: params.most]


def _place(finding: Finding) -> Place:
    return finding.account.id, finding.region


def _ask(
    place: Place, arns: Sequence[str], runtime: Runtime
) -> dict[str, _Told | HubResponderError]:
    account, region = place
    role, deadline = runtime.playbook.member_role, runtime.deadline
    try:
        # Without a role this account is asked: Inspector's delegated administrator knows members'.
        asked = account if role else member.own_account(deadline)
        client = member.client(TARGET, asked, region, role=role, deadline=deadline)
        found: dict[str, _Told | HubResponderError] = {}
        for start in range(0, len(arns), AT_ONCE):
            some = arns[start : start + AT_ONCE]
            deadline.timeout(10.0, target=TARGET)
            found |= _list(client, some)
            _add_details(client, found, some)
    except aws.ERRORS as error:
        return dict.fromkeys(arns, aws.translate(error, f"{TARGET}.ListFindings"))
    except HubResponderError as error:
        return dict.fromkeys(arns, error)
    return found


def _list(client: Any, arns: Sequence[str]) -> dict[str, _Told]:
    wanted = [{"comparison": "EQUALS", "value": arn} for arn in arns]
    answer = client.list_findings(filterCriteria={"findingArn": wanted}, maxResults=len(arns))
    return {str(one.get("findingArn", "")): _Told(one) for one in answer.get("findings", ())}


def _add_details(
    client: Any, found: Mapping[str, _Told | HubResponderError], arns: Sequence[str]
) -> None:
    """What BatchGetFindingDetails adds, as far as it does: it is not in all regions."""
    known = [arn for arn in arns if arn in found]
    if not known:
        return
    try:
        answer = client.batch_get_finding_details(findingArns=known)
    except aws.ERRORS:
        return
    for detail in answer.get("findingDetails", ()):
        told = found.get(str(detail.get("findingArn", "")))
        if isinstance(told, _Told):
            told.detail = detail


def _outcome(work: Work, told: Mapping[str, _Told | HubResponderError]) -> Outcome:
    asked = _asked_about(work)
    answers = [told[one.id] for one in asked if one.id in told]
    for answer in answers:
        if isinstance(answer, TransientError):
            raise answer
    errors = [str(answer) for answer in answers if isinstance(answer, HubResponderError)]
    known = [answer for answer in answers if isinstance(answer, _Told)]
    if errors:
        reason = errors[0]
    elif not asked:
        reason = "no finding of Inspector"
    else:
        reason = "" if known else "Inspector knows none of these findings any more"
    result = _merged(work.incident.findings, known, line(reason))
    return Outcome("done", _said(result), result=msgspec.to_builtins(result))


def _merged(findings: Sequence[Finding], known: Sequence[_Told], reason: str) -> Result:
    fixes = dict.fromkeys(fix for one in known for fix in _fixes(one.finding))
    cves = dict.fromkeys(cve for finding in findings for cve in finding.cves)
    return Result(
        known=len(known),
        cves=tuple(cves)[:MAX_CVES],
        epss=_highest([*_scores(known, _epss), *(one.max_epss for one in findings)]),
        risk=_highest(_scores(known, lambda one: one.finding.get("inspectorScore"))),
        exploit_available=_any(
            [*(_yes(one, "exploitAvailable") for one in known)]
            + [one.exploit_available for one in findings]
        ),
        exploit_seen_at=_latest(map(_exploit_seen, known)),
        fix_available=_any(
            [*(_yes(one, "fixAvailable") for one in known)]
            + [one.fix_available for one in findings]
        ),
        fixes=tuple(fixes)[:MAX_FIXES],
        due=_earliest(_mapping(one.detail, "cisaData").get("dateDue") for one in known),
        reason=reason,
    )


def _mapping(held: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = held.get(key)
    return value if isinstance(value, Mapping) else {}


def _epss(one: _Told) -> Any:
    detailed = one.detail.get("epssScore")
    return detailed if detailed is not None else _mapping(one.finding, "epss").get("score")


def _scores(known: Iterable[_Told], read: Callable[[_Told], Any]) -> list[float | None]:
    values = (read(one) for one in known)
    return [float(one) if isinstance(one, int | float) else None for one in values]


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _yes(one: _Told, key: str) -> bool | None:
    return {"YES": True, "PARTIAL": True, "NO": False}.get(str(one.finding.get(key)))


def _any(answers: Sequence[bool | None]) -> bool | None:
    said = [answer for answer in answers if answer is not None]
    return any(said) if said else None


def _exploit_seen(one: _Told) -> Any:
    seen = _mapping(one.detail, "exploitObserved").get("lastSeen")
    return seen or _mapping(one.finding, "exploitabilityDetails").get("lastKnownExploitAt")


def _latest(times: Iterable[Any]) -> str:
    known = [at for at in times if isinstance(at, datetime)]
    return iso(max(known).timestamp()) if known else ""


def _earliest(times: Iterable[Any]) -> str:
    known = [at for at in times if isinstance(at, datetime)]
    return iso(min(known).timestamp()) if known else ""


def _fixes(finding: Mapping[str, Any]) -> Iterable[Fix]:
    details = _mapping(finding, "packageVulnerabilityDetails")
    cve = clean(str(details.get("vulnerabilityId") or ""), 64)
    packages = details.get("vulnerablePackages")
    for one in packages if isinstance(packages, list) else ():
        if isinstance(one, Mapping):
            fixed = clean(str(one.get("fixedInVersion") or ""), 64)
            yield Fix(
                cve,
                clean(str(one.get("name") or ""), 128),
                clean(str(one.get("version") or ""), 64),
                "" if fixed == "NotAvailable" else fixed,
            )


def _said(result: Result) -> str:
    parts = [f"Inspector told of {result.known}" if result.known else result.reason]
    if result.epss is not None:
        parts.append(f"EPSS {result.epss:.2f}")
    if result.exploit_available is not None:
        parts.append("exploit known" if result.exploit_available else "no exploit known")
    if result.fix_available is not None:
        parts.append("fix available" if result.fix_available else "no fix yet")
    return line(", ".join(parts))


def permissions(
    _with: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Reading Inspector's findings; it knows no resources there."""
    reads = ["inspector2:BatchGetFindingDetails", "inspector2:ListFindings"]
    return [{"Effect": "Allow", "Action": reads, "Resource": ["*"]}]


ACTION = Action(
    name="enrich.inspector",
    summary="Asks Inspector for EPSS, known exploits and fixed versions of the findings.",
    effects=False,
    params=Params,
    result=Result,
    permissions=permissions,
    example="- {id: threat, uses: enrich.inspector}",
    run=run,
    in_members=True,
)
