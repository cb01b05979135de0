"""What the control routes do: each a small step between the request and one part of the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from hub_toolkit.sandbox import audit_reader, vendor_routes
from hub_toolkit.sandbox.control import (
    DEFAULT_TIMEOUT_S,
    MAX_TIMEOUT_S,
    ControlError,
    Query,
    Route,
    a_list,
    an_object,
    seconds,
    text,
    texts,
)
from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from hub_toolkit.sandbox.clock import Clock
    from hub_toolkit.sandbox.dynamodb import ItemStore
    from hub_toolkit.sandbox.event_plane.bus import EventPlane
    from hub_toolkit.sandbox.faults import Faults
    from hub_toolkit.sandbox.idle import Idle
    from hub_toolkit.sandbox.inbox import Inbox
    from hub_toolkit.sandbox.members.plane import Members
    from hub_toolkit.sandbox.security_hub.hub import SecurityHub
    from hub_toolkit.sandbox.sqs import Message, Queues
    from hub_toolkit.sandbox.tickets import Tickets
    from hub_toolkit.sandbox.vendors.vision_one import VisionOne
    from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity

DECISIONS = ("done", "declined", "open")
"""What a person can make of a ticket."""
_ENVELOPE = ("id", "time", "source", "detail-type", "account", "region", "resources", "detail")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes act on.

    Attributes:
        connections: settings as the functions have them, by name: addresses of simulators.
        dead_letters: ARNs of the dead-letter queues. audit_tables: names of the audit tables.
        tick: invokes a scheduled function by name; raises ControlError if there is none.
    """

    clock: Clock
    queues: Queues
    events: EventPlane
    hub: SecurityHub
    tables: ItemStore
    inbox: Inbox
    tickets: Tickets
    faults: Faults
    idle: Idle
    members: Members
    vision_ones: Sequence[VisionOne]
    workload_securities: Sequence[WorkloadSecurity]
    connections: Mapping[str, Mapping[str, Any]]
    dead_letters: Sequence[str]
    audit_tables: Sequence[str]
    tick: Callable[[str], Any]


def table(
    parts: Parts, permissions: Callable[[], Any] = dict[str, Any]
) -> dict[tuple[str, str], Route]:
    """The routes of the sandbox contract.

    Args:
        permissions: tells what each function's role was needed for.
    """
    routes = _Routes(parts)
    return {
        ("POST", "/click"): routes.click,
        ("POST", "/insight"): routes.insight,
        ("POST", "/events"): routes.events,
        ("GET", "/idle"): routes.idle,
        ("GET", "/clock"): routes.clock,
        ("POST", "/clock"): routes.set_clock,
        ("GET", "/connections"): lambda _body, _query: parts.connections,
        ("GET", "/inbox"): lambda _body, _query: parts.inbox.deliveries(),
        ("GET", "/tickets"): lambda _body, _query: parts.tickets.list(),
        ("POST", "/tickets"): routes.decide,
        ("GET", "/audit"): routes.audit,
        ("GET", "/dlq"): routes.dead_letters,
        ("GET", "/permissions"): lambda _body, _query: permissions(),
        ("PUT", "/ec2/instances"): routes.replace_instances,
        ("PUT", "/ecs/tasks"): routes.replace_tasks,
        ("PUT", "/ecs/container-instances"): routes.replace_container_instances,
        ("PUT", "/autoscaling/groups"): routes.replace_groups,
        ("POST", "/tick"): routes.tick,
        **vendor_routes.table(parts.vision_ones, parts.workload_securities, parts.faults),
    }


class _Routes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def click(self, body: Any, _query: Query) -> Any:
        given = an_object(body, "action_id", "finding_ids")
        events = self._parts.hub.click(text(given, "action_id"), texts(given, "finding_ids"))
        return {"event_ids": [event["id"] for event in events]}

    def insight(self, body: Any, _query: Query) -> Any:
        given = an_object(body, "action_id", "insight_arn", "values")
        chosen = texts(given, "values") if "values" in given else None
        event = self._parts.hub.insight(
            text(given, "insight_arn"), text(given, "action_id"), chosen
        )
        return {"event_ids": [event["id"]]}

    def events(self, body: Any, _query: Query) -> Any:
        """A raw event; Security Hub then holds its findings, since it is what told of them."""
        if not isinstance(body, dict):
            raise ControlError("an event is a JSON object")
        missing = [name for name in _ENVELOPE if name not in body]
        if missing:
            raise ControlError(f"the event has no {', '.join(missing)}")
        if not isinstance(body["detail"], dict):
            raise ControlError("the event's detail is no JSON object")
        learn(self._parts.hub, body["detail"])
        return {"event_id": str(body["id"]), "rules": self._parts.events.put_event(body)}

    def decide(self, body: Any, _query: Query) -> Any:
        """A person closes a ticket in its system, or opens it again."""
        given = an_object(body, "system", "ticket", "state")
        system, ticket, state = (text(given, name) for name in ("system", "ticket", "state"))
        if state not in DECISIONS:
            raise ControlError(f"`state` is one of {', '.join(DECISIONS)}, not {state!r}")
        try:
            self._parts.tickets.decide(system, ticket, state)
        except LookupError as error:
            raise ControlError(str(error)) from error
        return {"ticket": ticket, "state": state}

    def idle(self, _body: Any, query: Query) -> Any:
        timeout = seconds(query, "timeout", DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S)
        if not self._parts.idle.wait(timeout):
            raise ControlError(
                f"not idle within {timeout:g} s: something is queued, running or due within the "
                "next 10 minutes of the sandbox's clock",
                HTTPStatus.REQUEST_TIMEOUT,
            )
        return self.clock(None, {})

    def clock(self, _body: Any, _query: Query) -> Any:
        return {"now": self._parts.clock.now(), "speed": self._parts.clock.speed}

    def set_clock(self, body: Any, _query: Query) -> Any:
        given = an_object(body, "speed", "advance_s")
        if not given:
            raise ControlError("speed or advance_s is needed")
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ControlError(f"{name!r} must be a number")
        if "speed" in given:
            self._parts.clock.set_speed(float(given["speed"]))
        if "advance_s" in given:
            self._parts.clock.advance(float(given["advance_s"]))
        return self.clock(None, {})

    def audit(self, _body: Any, _query: Query) -> Any:
        items: list[dict[str, Any]] = []
        for name in self._parts.audit_tables:
            request: dict[str, Any] = {"TableName": name}
            while True:
                answer = self._parts.tables.handle("Scan", request)
                items += answer.get("Items", [])
                if "LastEvaluatedKey" not in answer:
                    break
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return audit_reader.records(items)

    def dead_letters(self, _body: Any, _query: Query) -> Any:
        queues = self._parts.queues
        found = [
            (message, arn) for arn in self._parts.dead_letters for message in queues.messages(arn)
        ]
        return [_shown(message, arn) for message, arn in sorted(found, key=lambda one: one[0].sent)]

    def replace_instances(self, body: Any, _query: Query) -> Any:
        return {"instances": self._parts.members.instances.replace(a_list(body))}

    def replace_tasks(self, body: Any, _query: Query) -> Any:
        return {"tasks": self._parts.members.ecs.replace_tasks(a_list(body))}

    def replace_container_instances(self, body: Any, _query: Query) -> Any:
        held = self._parts.members.ecs.replace_container_instances(a_list(body))
        return {"container_instances": held}

    def replace_groups(self, body: Any, _query: Query) -> Any:
        return {"groups": self._parts.members.groups.replace(a_list(body))}

    def tick(self, body: Any, _query: Query) -> Any:
        return self._parts.tick(text(an_object(body, "function"), "function"))


def learn(hub: SecurityHub, detail: dict[str, Any]) -> None:
    """Let Security Hub hold the findings and the insight of an event that it does not hold yet.

    The event does not tell an insight's filters: here it is about all active findings. What cannot
    be a finding or insight is passed over: it is the responder's part to cope with that.
    """
    if "insightArn" in detail:
        names = (detail.get(key) for key in ("insightArn", "insightName", "resultType"))
        with suppress(AwsError):
            hub.seed_insight(*(str(name) for name in names))
    findings = detail.get("findings")
    for finding in findings if isinstance(findings, list) else ():
        try:
            if "finding_info" in finding:
                hub.seed_ocsf(finding)
            elif isinstance(finding["Id"], str) and hub.get(finding["Id"]) is None:
                hub.seed(finding)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue


def _shown(message: Message, arn: str) -> dict[str, Any]:
    """A dead letter: why it is there, its body (parsed where it is JSON), and its source."""
    attributes = {name: _value(held) for name, held in message.attributes.items()}
    try:
        body = msgspec.json.decode(message.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        body = message.body
    return {
        "message_id": message.id,
        "queue": arn.rsplit(":", 1)[-1],
        "reason": attributes.get("reason", ""),
        "attributes": attributes,
        "source": message.source.rsplit(":", 1)[-1],
        "receive_count": message.receive_count,
        "body": body,
    }


def _value(attribute: Any) -> str:
    value = attribute.value
    return value if isinstance(value, str) else f"{len(value)} bytes"
