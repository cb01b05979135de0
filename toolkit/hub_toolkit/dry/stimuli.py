"""A case's event, finding and trigger, as the EventBridge events that arrive."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub_responder.errors import HubResponderError
from hub_responder.events import SCHEDULE_EVENT, decode_finding
from hub_toolkit.playbooks.rules import ACTION_EVENTS, ASFF_EVENT, OCSF_EVENT
from hub_toolkit.sandbox.security_hub.events import Action, Envelopes

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_toolkit.dry.cases import Stimulus
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.sandbox.identifiers import Place

DEFAULT_TIME = "2026-11-22T00:03:12Z"
"""Of findings and events that tell none: a Sunday."""


class CannotMake(Exception):  # noqa: N818 - reads as the fact
    """No event can be made of what a case says; the text says why."""


def event_of(
    stimulus: Stimulus,
    source: Source,
    place: Place,
    *,
    tags: Mapping[str, str | None],
    at: float | None,
) -> dict[str, Any] | None:
    """The event; None where the playbook's schedule starts it.

    Args:
        tags: laid over the tags of the findings' resources.
        at: the event's time (epoch seconds); None: its own, or `DEFAULT_TIME`.

    Raises:
        CannotMake: the trigger does not fit the playbook or the event.
    """
    if stimulus.trigger == "schedule":
        if source.on.schedule is None:
            raise CannotMake("trigger: schedule, but the playbook has no `on.schedule`")
        return None
    event = _whole(stimulus.event, place) if stimulus.event is not None else None
    findings = _tagged(event, stimulus, place, tags)
    click = stimulus.trigger == "click"
    if not stimulus.trigger and event is None:
        click = source.on.imported is None and source.on.imported_v2 is None
    if event is None or (click and event["detail-type"] not in ACTION_EVENTS):
        event = _enveloped(findings, source, place, click=click, before=event)
    elif findings:
        event["detail"]["findings"] = findings
    if at is not None:
        event["time"] = iso(at)
    return event


def of_insight(
    stimulus: Stimulus, source: Source, place: Place, *, tags: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """The findings that the insight of the playbook's schedule holds, in ASFF.

    Args:
        tags: as for `event_of`.

    Raises:
        CannotMake: the schedule gets no findings, or they are not in ASFF.
    """
    if stimulus.event is None and not stimulus.finding:
        return []
    if source.on.schedule is None or not source.on.schedule.insight:
        text = "the schedule gets no findings: `on.schedule.findings` names no insight"
        raise CannotMake(text)
    event = _whole(stimulus.event, place) if stimulus.event is not None else None
    findings = _tagged(event, stimulus, place, tags)
    if any("finding_info" in finding for finding in findings):
        raise CannotMake("an insight's findings come in ASFF, not in OCSF")
    return findings


def _tagged(
    event: Mapping[str, Any] | None,
    stimulus: Stimulus,
    place: Place,
    tags: Mapping[str, str | None],
) -> list[dict[str, Any]]:
    findings = _findings(event, stimulus.finding, place)
    for finding in findings:
        _tag(finding, tags)
    return findings


def iso(at: float) -> str:
    """To the second, as EventBridge writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(event: Mapping[str, Any] | None) -> float:
    """The event's time; of one that tells none that can be read, `DEFAULT_TIME`."""
    for text in (str((event or {}).get("time", "")), DEFAULT_TIME):
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            continue
    raise AssertionError(DEFAULT_TIME)


def findings_of(event: Mapping[str, Any] | None) -> list[Finding]:
    """The findings of an event that can be read."""
    detail = (event or {}).get("detail")
    raws = detail.get("findings") if isinstance(detail, Mapping) else None
    return decoded(raws if isinstance(raws, list) else ())


def decoded(raws: Iterable[Any]) -> list[Finding]:
    """Those findings that can be read."""
    found = []
    for raw in raws:
        try:
            found.append(decode_finding(raw))
        except HubResponderError:
            continue
    return found


def again(event: Mapping[str, Any], number: int, at: float) -> dict[str, Any]:
    """The same event about other findings of the same threat, at another time."""
    other = copy.deepcopy(dict(event))
    other |= {"id": f"{event['id']}-earlier-{number}", "time": iso(at)}
    for finding in other["detail"].get("findings") or ():
        if "finding_info" in finding:
            finding["finding_info"]["uid"] += f"-earlier-{number}"
        elif "Id" in finding:
            finding["Id"] = f"{finding['Id']}-earlier-{number}"
    return other


def beside(
    changes: Mapping[str, Any], number: int, findings: Sequence[Finding], place: Place
) -> dict[str, Any]:
    """Another finding about the resources of the first of ``findings``, as Security Hub holds it;
    where there are none, about the account."""
    plain = _plain_finding(place)
    plain["Id"] += f"-related-{number}"
    for about in findings[:1]:
        plain |= {
            "AwsAccountId": about.account.id,
            "Region": about.region,
            "Resources": [{"Type": one.type, "Id": one.id} for one in about.resources],
        }
    made: dict[str, Any] = laid_over(plain, changes)
    return made


def laid_over(below: Any, changes: Any) -> Any:
    """``changes`` over ``below``: objects key by key, lists of objects one by one, else replaced.

    null takes a key away (as RFC 7386 does).
    """
    if isinstance(below, dict) and isinstance(changes, Mapping):
        for key, value in changes.items():
            if value is None:
                below.pop(key, None)
            else:
                below[key] = laid_over(below.get(key), value)
        return below
    if _objects(changes):
        held = below if _objects(below) else []
        fresh: list[Any] = [{} for _ in changes[len(held) :]]
        merged = [
            laid_over(one, other) for one, other in zip([*held, *fresh], changes, strict=False)
        ]
        return merged + held[len(changes) :]
    return laid_over({}, changes) if isinstance(changes, Mapping) else copy.deepcopy(changes)


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _whole(event: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """``event`` with what the envelope lacks."""
    text = repr(sorted(event.items(), key=lambda item: item[0]))
    made: dict[str, Any] = {
        "version": "0",
        "id": f"e-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}",
        "detail-type": ASFF_EVENT,
        "source": "hub-responder" if event.get("detail-type") == SCHEDULE_EVENT
        else "aws.securityhub",
        "account": place.account,
        "time": DEFAULT_TIME,
        "region": place.region,
        "resources": [],
        "detail": {},
        **copy.deepcopy(dict(event)),
    }  # fmt: skip
    if not isinstance(made["detail"], dict):
        raise CannotMake("the event's `detail` is no mapping")
    return made


def _findings(
    event: Mapping[str, Any] | None, changes: Mapping[str, Any], place: Place
) -> list[dict[str, Any]]:
    held = event["detail"].get("findings") if event is not None else None
    if event is not None:
        raws = [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
        if changes and not raws:
            raise CannotMake("the event holds no finding that `finding` could be laid over")
        return [laid_over(copy.deepcopy(raw), changes) for raw in raws]
    if "finding_info" in changes:
        return [copy.deepcopy(dict(changes))]
    return [laid_over(_plain_finding(place), changes)]


def _plain_finding(place: Place) -> dict[str, Any]:
    """The required fields of ASFF, for a finding that says only what matters to its case."""
    account = place.account
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:securityhub:{place.region}:{account}:finding/00000000-example",
        "ProductArn": f"arn:aws:securityhub:{place.region}:{account}:product/{account}/default",
        "GeneratorId": "example",
        "AwsAccountId": account,
        "Region": place.region,
        "Types": ["Software and Configuration Checks"],
        "CreatedAt": "2026-11-21T00:00:00Z",
        "UpdatedAt": "2026-11-21T00:00:00Z",
        "Severity": {"Label": "MEDIUM"},
        "Title": "An example",
        "Description": "An example",
        "Resources": [{"Type": "AwsAccount", "Id": f"AWS::::Account:{account}"}],
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }


def _tag(finding: dict[str, Any], tags: Mapping[str, str | None]) -> None:
    """Lay ``tags`` over those of every resource, in the finding's own form."""
    if not tags:
        return
    ocsf = "finding_info" in finding
    for resource in finding.get("resources" if ocsf else "Resources") or ():
        if not isinstance(resource, dict):
            continue
        if ocsf:
            held = {
                str(one.get("name", one.get("key"))): one.get("value")
                for one in resource.get("tags") or ()
                if isinstance(one, dict)
            }
            merged = laid_over(held, tags)
            resource["tags"] = [{"name": key, "value": value} for key, value in merged.items()]
        else:
            resource["Tags"] = laid_over(dict(resource.get("Tags") or {}), tags)


def _enveloped(
    findings: list[dict[str, Any]],
    source: Source,
    place: Place,
    *,
    click: bool,
    before: Mapping[str, Any] | None,
) -> dict[str, Any]:
    envelopes, at = Envelopes(place.region, place.account), time_of(before)
    if not findings:
        raise CannotMake("there is no finding to click on")
    if click:
        action = source.on.custom_action
        if action is None:
            raise CannotMake("trigger: click, but the playbook has no `on.custom_action`")
        arn = place.arn("securityhub", f"action/custom/{action.id}")
        clicked = Action(arn, action.name, action.description)
        event = envelopes.clicked(clicked, findings, at)
    elif "finding_info" in findings[0]:
        event = {**envelopes.imported_ocsf(findings[0], at), "detail-type": OCSF_EVENT}
    else:
        event = envelopes.imported(findings[0], at)
    text = repr(findings) + source.name + str(click)
    return {**event, "id": f"e-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}"}
