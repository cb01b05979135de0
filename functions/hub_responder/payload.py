"""What other programs get to know of an incident: JSON, the same from every action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.clock import iso
from hub_responder.errors import PermanentError
from hub_responder.incident import Incident
from hub_responder.values import clean, within

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.finding import Finding
    from hub_responder.runtime import Runtime

VERSION = 1
MAX_FINDINGS = 20
MAX_BYTES = 100_000
"""Of a request that an action makes; Lambda and Step Functions take 256 KB."""
KEY = "idempotencyKey"
"""Equal for every attempt at one effect: whoever gets it twice has done the work already."""


def payload(
    work: Work, runtime: Runtime, given: Mapping[str, Any] | None, target: str
) -> dict[str, Any]:
    """``given`` by the step, or else what is known of the incident; with the effect's key.

    Raises:
        PermanentError: it is too large, or no JSON.
    """
    content = dict(given) if given is not None else described(work, runtime)
    try:
        content = {KEY: work.key, **_plain(content)}
        size = len(msgspec.json.encode(content))
    except (TypeError, ValueError, RecursionError) as error:
        reason = type(error).__name__
        raise PermanentError(
            f"the payload for {target} is no JSON ({reason})", target=target
        ) from (None)
    if size > MAX_BYTES:
        said = f"the payload for {target} has {size:,} bytes; at most {MAX_BYTES:,} are sent"
        raise PermanentError(said, target=target)
    return content


def _plain(value: Any) -> Any:
    """``value`` with lists as JSON has them and without lone surrogates, which no JSON carries; a
    whole incident comes without ``related``, for which Security Hub would be asked."""
    if isinstance(value, str):
        return clean(value, len(value))
    if isinstance(value, Incident):
        told = msgspec.to_builtins(replace(value, related=()))
        return _plain({key: held for key, held in told.items() if key != "related"})
    if isinstance(value, Mapping):
        return {_plain(key): _plain(held) for key, held in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(held) for held in value]
    return value


def described(work: Work, runtime: Runtime) -> dict[str, Any]:
    """The incident, its resource and its worst findings."""
    incident = work.incident
    resource, ticket = incident.resource, incident.ticket
    return {
        "version": VERSION,
        "playbook": runtime.playbook.name,
        "stage": runtime.stage,
        "at": iso(runtime.now),
        "incident": {
            "key": f"{incident.key}#{incident.gen}",
            "round": incident.round,
            "change": incident.change,
            "severity": str(incident.severity),
            "count": incident.count,
            "new": incident.new,
            "ticket": dict(ticket) if ticket else None,
        },
        "resource": {
            "type": resource.type,
            "id": resource.id,
            "instanceId": resource.instance_id,
            "account": resource.account,
            "region": resource.region,
            "tags": within(resource.tags, 2000),
        },
        "findings": [_finding(finding) for finding in incident.findings[:MAX_FINDINGS]],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "productArn": finding.product_arn,
        "title": clean(finding.title, 256),
        "severity": str(finding.severity),
        "account": finding.account.id,
        "region": finding.region,
        "workflow": finding.workflow,
        "cves": list(finding.cves[:20]),
        "cvss": finding.max_cvss,
        "epss": finding.max_epss,
        "exploitAvailable": finding.exploit_available,
        "fixAvailable": finding.fix_available,
        "updated": iso(finding.updated),
    }
