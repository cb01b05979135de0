"""The operations of the EventBridge API that the sandbox answers itself.

Messages are AWS's where they are known (API reference, and answers quoted in public issues).
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.event_plane.rules import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub_toolkit.sandbox.event_plane.bus import EventPlane
    from hub_toolkit.sandbox.event_plane.rules import Rule, Rules

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 256 * 1024
"""Of all entries of a PutEvents request (EventBridge quotas)."""

MAX_PAGE = 100

_MANDATORY = ("id", "account", "source", "time", "region", "detail-type")
_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}")
_TARGET_KEYS = frozenset({"Id", "Arn", "DeadLetterConfig", "RetryPolicy", "RoleArn"})


class EventsApi:
    """The API over a bus and its rules."""

    def __init__(
        self,
        plane: EventPlane,
        rules: Rules,
        clock: Callable[[], float],
        region: str,
        account: str,
    ) -> None:
        self._plane = plane
        self._rules = rules
        self._clock = clock
        self._region = region
        self._account = account
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "DeleteRule": self._delete_rule,
            "DescribeRule": self._describe_rule,
            "ListRules": self._list_rules,
            "ListTargetsByRule": self._list_targets,
            "PutEvents": self._put_events,
            "PutRule": self._put_rule,
            "PutTargets": self._put_targets,
            "RemoveTargets": self._remove_targets,
            "TestEventPattern": self._test_event_pattern,
        }

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation.

        Raises:
            AwsError: EventBridge refuses.
        """
        if operation not in self._operations:
            raise AwsError("UnknownOperationException", f"The sandbox has no events:{operation}.")
        if operation not in ("PutEvents", "TestEventPattern"):
            _check_bus(request.get("EventBusName"))
        return self._operations[operation](request)

    def put_targets(self, rule: str, targets: list[dict[str, Any]]) -> None:
        """Check targets and add them to a rule.

        Raises:
            AwsError: no such rule, or a target that the sandbox cannot serve.
        """
        scheduled = bool(self._rules.get(rule).schedule)
        for target in targets:
            _check_target(target, scheduled=scheduled)
        self._rules.put_targets(rule, targets)

    def _put_events(self, request: dict[str, Any]) -> dict[str, Any]:
        entries = _list(request, "Entries")
        if not 1 <= len(entries) <= MAX_ENTRIES:
            bound = (
                f"less than or equal to {MAX_ENTRIES}" if entries else "greater than or equal to 1"
            )
            raise AwsError(
                "ValidationException",
                "1 validation error detected: Value at 'entries' failed to satisfy constraint: "
                f"Member must have length {bound}",
            )
        if sum(_entry_bytes(entry) for entry in entries) > MAX_REQUEST_BYTES:
            raise AwsError(
                "ValidationException", "Total size of the entries in the request is over the limit."
            )
        results = [self._put_entry(entry) for entry in entries]
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def _put_entry(self, entry: Any) -> dict[str, Any]:
        try:
            event = self._event(entry)
            # AWS takes events for a bus that does not exist, and nothing gets them.
            if _bus_name(entry.get("EventBusName")) == "default":
                self._plane.put_event(event)
        except AwsError as error:
            return {"ErrorCode": error.code, "ErrorMessage": error.message}
        return {"EventId": event["id"]}

    def _event(self, entry: Any) -> dict[str, Any]:
        if not isinstance(entry, dict):
            raise AwsError("InvalidArgument", "An entry must be an object.")
        for name in ("Source", "DetailType", "Detail"):
            if not isinstance(entry.get(name), str) or not entry[name]:
                raise AwsError(
                    "InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                )
        if entry["Source"].lower().startswith("aws."):
            raise AwsError("NotAuthorizedForSourceException", "Not authorized for the source.")
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": self._account,
            "time": _time(entry.get("Time") or self._clock()),
            "region": self._region,
            "resources": _resources(entry.get("Resources")),
            "detail": _detail(entry["Detail"]),
        }

    def _test_event_pattern(self, request: dict[str, Any]) -> dict[str, Any]:
        pattern = compile_pattern(_text(request, "EventPattern"))
        try:
            event = json.loads(_text(request, "Event"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise AwsError("ValidationException", "Parameter Event is not valid.") from None
        if not isinstance(event, dict) or not all(name in event for name in _MANDATORY):
            # The API reference also names resources; AWS does not insist on it.
            raise AwsError(
                "ValidationException",
                f"Parameter Event is not valid. Needed: {', '.join(_MANDATORY)}.",
            )
        try:
            return {"Result": pattern.matches_event(event)}
        except RecursionError:
            raise AwsError("ValidationException", "The event is nested too deeply.") from None

    def _put_rule(self, request: dict[str, Any]) -> dict[str, Any]:
        name = _text(request, "Name")
        if not _NAME.fullmatch(name):
            raise AwsError("ValidationException", f"Parameter Name is not valid: {_NAME.pattern}")
        arn = self._plane.put_rule(
            name,
            request.get("EventPattern"),
            schedule=request.get("ScheduleExpression", ""),
            enabled=request.get("State", "ENABLED") != "DISABLED",
            description=request.get("Description", ""),
            role_arn=request.get("RoleArn", ""),
        )
        return {"RuleArn": arn}

    def _describe_rule(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            **_describe(self._rules.get(_text(request, "Name"))),
            "CreatedBy": self._account,
        }

    def _list_rules(self, request: dict[str, Any]) -> dict[str, Any]:
        rules = self._rules.named(request.get("NamePrefix", ""))
        return _page(request, "Rules", [_describe(rule) for rule in rules])

    def _delete_rule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._rules.remove(_text(request, "Name"))
        return {}

    def _put_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        self.put_targets(_text(request, "Rule"), _list(request, "Targets"))
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def _list_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        rule = self._rules.get(_text(request, "Rule"))
        return _page(request, "Targets", [dict(target) for target in rule.targets.values()])

    def _remove_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        missing = self._rules.remove_targets(_text(request, "Rule"), _list(request, "Ids"))
        failed = [
            {
                "TargetId": key,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": "The rule has no such target.",
            }
            for key in missing
        ]
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}


def _check_target(target: Any, *, scheduled: bool) -> None:
    if not isinstance(target, dict) or not all(
        isinstance(target.get(name), str) and target[name] for name in ("Id", "Arn")
    ):
        raise AwsError("ValidationException", "A target needs Id and Arn.")
    if scheduled:
        return
    if not target["Arn"].startswith("arn:aws:sqs:"):
        raise AwsError(
            "ValidationException", f"The sandbox delivers events to SQS only: {target['Arn']}"
        )
    unknown = sorted(set(target) - _TARGET_KEYS)
    if unknown:
        raise AwsError(
            "ValidationException",
            f"The sandbox delivers the whole event to a standard queue, without {unknown[0]}.",
        )


def _check_bus(name: Any) -> None:
    if _bus_name(name) != "default":
        raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")


def _bus_name(name: Any) -> str:
    return str(name).rsplit("/", 1)[-1] if name else "default"


def _describe(rule: Rule) -> dict[str, Any]:
    described = {
        "Name": rule.name,
        "Arn": rule.arn,
        "EventPattern": rule.pattern_text,
        "ScheduleExpression": rule.schedule,
        "State": "ENABLED" if rule.enabled else "DISABLED",
        "Description": rule.description,
        "RoleArn": rule.role_arn,
        "EventBusName": "default",
    }
    return {key: value for key, value in described.items() if value}


def _page(request: dict[str, Any], key: str, items: list[Any]) -> dict[str, Any]:
    token, limit = request.get("NextToken") or "0", request.get("Limit") or MAX_PAGE
    if not isinstance(token, str) or not token.isdecimal() or not isinstance(limit, int):
        raise AwsError("ValidationException", "NextToken or Limit is not valid.")
    start, end = int(token), int(token) + max(1, min(limit, MAX_PAGE))
    page: dict[str, Any] = {key: items[start:end]}
    if end < len(items):
        page["NextToken"] = str(end)
    return page


def _entry_bytes(entry: Any) -> int:
    """How AWS counts an entry: its texts in UTF-8, and 14 bytes for a time."""
    if not isinstance(entry, dict):
        return 0
    texts = [entry.get(name) for name in ("Source", "DetailType", "Detail")]
    resources = entry.get("Resources")
    texts += resources if isinstance(resources, list) else []
    size = sum(len(text.encode(errors="replace")) for text in texts if isinstance(text, str))
    return size + (14 if entry.get("Time") else 0)


def _detail(text: str) -> dict[str, Any]:
    try:
        detail = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        raise AwsError("MalformedDetail", "Detail is malformed.")
    return detail


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _resources(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _time(value: Any) -> str:
    """To the second, as EventBridge writes it; epoch seconds or ISO 8601 are taken."""
    try:
        at = (
            datetime.fromisoformat(value)
            if isinstance(value, str)
            else datetime.fromtimestamp(value, UTC)
        )
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError, OverflowError, OSError):
        raise AwsError("InvalidArgument", "Parameter Time is not valid.") from None


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise AwsError("ValidationException", f"Parameter {name} is not valid: text is needed.")
    return value


def _list(request: dict[str, Any], name: str) -> list[Any]:
    value = request.get(name)
    if not isinstance(value, list):
        raise AwsError("ValidationException", f"Parameter {name} is not valid: a list is needed.")
    return value
