"""PagerDuty: an alert for each life of an incident, through the Events API v2.

Every event about one life (`Incident.gen`) has the same ``dedup_key``: a first trigger opens an
alert, later ones join it, a resolve ends it; so to send one twice does no harm. It is 202 that
answers: what becomes of an accepted event is not told.
https://developer.pagerduty.com/docs/events-api-v2/overview/ (answers, limits),
https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ (fields).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import http, secrets
from hub_responder.clock import iso
from hub_responder.connections.settings import PagerDuty, read
from hub_responder.errors import ConfigurationError, DeniedError, PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.markdown.filters import console_url
from hub_responder.markdown.pagerduty import DATA, MAX_URL, to_details, to_links, to_summary
from hub_responder.payload import described

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

ADDRESSES = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
"""By service region (support.pagerduty.com, "Service Regions")."""
SEVERITIES = {"CRITICAL": "critical", "HIGH": "error", "MEDIUM": "warning"}
"""Security Hub's -> PagerDuty's; what is less is ``info``."""
MAX_DEDUP_KEY = 255
MAX_FIELD = 255
"""UTF-16 units of what PagerDuty names no limit for: the short fields."""
MAX_BYTES = 512 * 1024
"""Of an event ("API Limits")."""
BACK_OFF_S = 180.0
"""After a 429 or 5xx that names no time: "a backoff of a few minutes" ("API Limits")."""
_ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")


def base_url(region: str, given: str = "") -> str:
    """Where events go: the address ``given``, else the region's; without ``/`` at its end."""
    return given.rstrip("/") or ADDRESSES[region]


def send(
    connection: Connection,
    document: Document,
    work: Work,
    runtime: Runtime,
    ref: Mapping[str, Any],  # noqa: ARG001 - the key tells which alert it is
) -> dict[str, Any]:
    """Trigger the alert of the incident's life; an open one takes the new text and severity.

    Returns:
        ``{"alert": dedup_key}``.

    Raises:
        ConfigurationError: the secret holds no routing key.
        CallError: it was not accepted; ``sent`` of a TransientError: it may have been.
    """
    event = trigger(document, work, runtime)
    _enqueue(connection, event, runtime)
    return {"alert": event["dedup_key"]}


update = send
"""A trigger with the key of an open alert joins it, and notifies nobody anew."""


def resolve(
    connection: Connection,
    document: Document,  # noqa: ARG001 - a resolve event carries no text
    work: Work,
    runtime: Runtime,
    ref: Mapping[str, Any],  # noqa: ARG001 - the key tells which alert it is
) -> dict[str, Any]:
    """Resolve the alert of the incident's life; where none is open, PagerDuty drops the event.

    Raises:
        ConfigurationError, CallError: as `send`.
    """
    alert = dedup_key(work, runtime)
    _enqueue(connection, {"event_action": "resolve", "dedup_key": alert}, runtime)
    return {"alert": alert}


def trigger(document: Document, work: Work, runtime: Runtime) -> dict[str, Any]:
    """The event that tells ``document``, without the routing key, in less than `MAX_BYTES`."""
    event = {
        "event_action": "trigger",
        "dedup_key": dedup_key(work, runtime),
        "payload": _payload(document, work, runtime),
        "links": to_links(document),
        "client": "hub-responder",
    }
    for finding in work.incident.findings[:1]:
        address = console_url(finding)
        if 0 < len(address) <= MAX_URL:
            event["client_url"] = address
    return _fitting(event)


def dedup_key(work: Work, runtime: Runtime) -> str:
    """What every event about this life of the incident has in common, at most 255 characters."""
    key = f"hub-responder/{runtime.stage}/{work.incident.key}#{work.incident.gen}"
    if len(key) <= MAX_DEDUP_KEY:
        return key
    return "hub-responder/" + hashlib.sha256(key.encode()).hexdigest()


def _payload(document: Document, work: Work, runtime: Runtime) -> dict[str, Any]:
    incident = work.incident
    resource = incident.resource
    fields = {
        "source": resource.instance_id or resource.id,
        "component": resource.name or resource.type,
        "group": f"{resource.account}/{resource.region}",
        "class": next((f.types[0] if f.types else f.product for f in incident.findings), ""),
    }
    return {
        "summary": to_summary(document),
        "severity": SEVERITIES.get(str(incident.severity), "info"),
        "timestamp": iso(runtime.now),
        **{name: _field(value) for name, value in fields.items() if value},
        "custom_details": {**to_details(document), DATA: _harmless(described(work, runtime))},
    }


def _fitting(event: dict[str, Any]) -> dict[str, Any]:
    """``event`` in `MAX_BYTES`, the routing key included: what people read is bounded far below,
    so what programs read is left out where all of it is too much."""
    if len(msgspec.json.encode(event)) <= MAX_BYTES - MAX_FIELD:
        return event
    details = {k: v for k, v in event["payload"]["custom_details"].items() if k != DATA}
    return {**event, "payload": {**event["payload"], "custom_details": details}}


def _field(text: str) -> str:
    return shorten(one_line(clean(text)).strip(), MAX_FIELD) or "-"


def _harmless(value: Any) -> Any:
    """``value`` without characters that hide or reorder what people read."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(name): _harmless(held) for name, held in value.items()}
    return [_harmless(held) for held in value] if isinstance(value, list) else value


def _enqueue(connection: Connection, event: Mapping[str, Any], runtime: Runtime) -> None:
    settings = read(connection.settings, PagerDuty, connection.name)
    base = base_url(settings.region, settings.base_url)
    session = http.session_for(private=settings.private, ca=settings.ca)

    def call(secret: Mapping[str, str]) -> None:
        key = secrets.value(secret, "routing_key", connection.name)
        if not _ROUTING_KEY.fullmatch(key):
            raise ConfigurationError(
                f"the routing_key of connection {connection.name} is none: an integration of type"
                ' "Events API v2" shows one of 32 letters and digits'
            )
        response = http.call(
            "POST",
            f"{base}/v2/enqueue",
            target=connection.name,
            deadline=runtime.deadline,
            json={**event, "routing_key": key},
            session=session,
        )
        _check(response, connection.name, key)

    secrets.use(runtime.stage, connection.name, call)


def _check(response: http.Response, target: str, key: str) -> None:
    """Raise what the answer means; an answer that repeats the routing key is not repeated so."""
    if response.status == 400:  # noqa: PLR2004 - HTTP
        said = _complaints(response).replace(key, "***")
        message = f"{target} answered 400{f': {said}' if said else ''}"
        # A routing key that is not known is refused like an event that is wrong.
        error = DeniedError if re.search("routing.?key", said, re.IGNORECASE) else PermanentError
        raise error(message, target=target, status=400)
    try:
        http.raise_for_status(response, target)
    except TransientError as error:
        raise TransientError(
            str(error),
            target=target,
            status=error.status,
            sent=error.sent,
            retry_after=BACK_OFF_S if error.retry_after is None else error.retry_after,
        ) from None


def _complaints(response: http.Response) -> str:
    """What PagerDuty says is wrong (``message`` and ``errors``, or bare text), bounded."""
    try:
        answer = response.json()
    except PermanentError:
        answer = response.body[:200].decode(errors="replace")
    if isinstance(answer, dict):
        errors = answer.get("errors")
        said = [answer.get("message", ""), *(errors if isinstance(errors, list) else [errors])]
        answer = "; ".join(str(one) for one in said if one)
    return shorten(one_line(clean(str(answer))).strip(), 200)
