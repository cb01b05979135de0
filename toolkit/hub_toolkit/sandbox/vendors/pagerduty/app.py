"""The WSGI application: ``POST /v2/enqueue``, and the alerts that follow from it.

It answers 202 to every valid event, also to one that is dropped then (an acknowledge or resolve
without an open alert): the inbox has such an event among what was refused. That a later trigger
replaces what an open alert shows, its severity included, and that an event which is too large is
answered 413, are guesses.
"""

from __future__ import annotations

import copy
import hmac
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from werkzeug.routing import Rule

from hub_toolkit.sandbox.vendors.base import (
    BodyError,
    Simulator,
    Verdict,
    json_response,
    mark,
    read_object,
    text_response,
)
from hub_toolkit.sandbox.vendors.pagerduty import events

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from hub_toolkit.sandbox.vendors.base import Clock

Status = Literal["triggered", "acknowledged", "resolved"]


@dataclass(slots=True)
class Alert:
    """An alert of the service.

    Attributes:
        dedup_key: by which later events find it while it is not resolved.
        payload: of the newest trigger, as sent. links: likewise.
        triggers: how many triggers it is made of.
        opened, changed: epoch seconds.
    """

    dedup_key: str
    payload: dict[str, Any]
    opened: float
    changed: float
    links: list[Any] = field(default_factory=list)
    status: Status = "triggered"
    triggers: int = 1


class PagerDuty(Simulator):
    """One service with one integration. Safe for threads.

    Args:
        clock: returns epoch seconds.
        routing_key: of the integration.
    """

    def __init__(self, clock: Clock, *, routing_key: str) -> None:
        super().__init__([Rule("/v2/enqueue", methods=["POST"], endpoint=self._enqueue)])
        self._clock = clock
        self._routing_key = routing_key
        self._alerts: list[Alert] = []
        self._lock = threading.Lock()

    def alerts(self) -> list[Alert]:
        """Copies of all alerts, oldest first."""
        with self._lock:
            return copy.deepcopy(self._alerts)

    def _enqueue(self, request: Request) -> Response:
        if len(request.get_data()) > events.MAX_BYTES:
            return text_response("Request Entity Too Large", 413)
        try:
            event = read_object(request)
        except BodyError as error:
            return _invalid([f"The event is not JSON: {error}"])
        problems = events.problems(event)
        if problems:
            return _invalid(problems)
        if not hmac.compare_digest(event["routing_key"], self._routing_key):
            return text_response("Invalid routing key", 400)
        with self._lock:
            dedup_key, dropped = self._apply(event)
        if dropped:
            mark(request, Verdict.REFUSED, "dropped: no open alert has this dedup_key")
        answer = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
        return json_response(answer, 202)

    def _apply(self, event: dict[str, Any]) -> tuple[str, bool]:
        """The event's key, and whether nothing came of it."""
        dedup_key = event.get("dedup_key") or uuid.uuid4().hex
        now = self._clock()
        alert = self._open(dedup_key)
        if event["event_action"] == "trigger":
            links = event.get("links", [])
            if alert is None:
                self._alerts.append(Alert(dedup_key, event["payload"], now, now, links))
            else:
                alert.payload, alert.links, alert.changed = event["payload"], links, now
                alert.triggers += 1
            return dedup_key, False
        if alert is None:
            return dedup_key, True
        resolves = event["event_action"] == "resolve"
        alert.status, alert.changed = "resolved" if resolves else "acknowledged", now
        return dedup_key, False

    def _open(self, dedup_key: str) -> Alert | None:
        for alert in self._alerts:
            if alert.dedup_key == dedup_key and alert.status != "resolved":
                return alert
        return None


def _invalid(problems: list[str]) -> Response:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": problems}
    return json_response(body, 400)
