"""The event bus: takes events, delivers them to the queues of the rules that match.

One bus, ``default``. Targets are SQS queues; the message's body is the whole event. Rules with a
schedule are kept and never fire by themselves.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Protocol

from hub_toolkit.sandbox.aws_json import json_app
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.event_plane.api import EventsApi
from hub_toolkit.sandbox.event_plane.rules import Rule, Rules, compile_pattern
from hub_toolkit.sandbox.sqs.errors import SqsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hub_toolkit.sandbox.wsgi import App

LOG = logging.getLogger(__name__)

_DLQ_CODES = {"QueueDoesNotExist": "NO_RESOURCE"}
"""What EventBridge calls an error of the target; the user guide lists the codes."""


class Queues(Protocol):
    """The queues that events are delivered to."""

    def send(
        self, queue: str, body: str, attributes: Mapping[str, object] | None = None, /
    ) -> object:
        """Put a message into a queue.

        Args:
            queue: its ARN.
            body: the text.
            attributes: message attributes as the SQS API takes them.

        Raises:
            SqsError: there is no such queue, or it refuses the message.
        """


class EventPlane:
    """EventBridge of the sandbox.

    Args:
        clock: returns epoch seconds.
        queues: where matching events go.
        region, account: stand in ARNs and events.
    """

    def __init__(
        self, clock: Callable[[], float], queues: Queues, region: str, account: str
    ) -> None:
        self._queues = queues
        self._region = region
        self._account = account
        self._rules = Rules()
        self._api = EventsApi(self, self._rules, clock, region, account)
        self.app: App = json_app("AWSEvents", self)
        """The API over WSGI."""
        self.failed_invocations = 0
        """Deliveries that a target refused, as the CloudWatch metric counts them."""

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation of the EventBridge API.

        Raises:
            AwsError: EventBridge refuses.
        """
        return self._api.handle(operation, request)

    def put_rule(
        self,
        name: str,
        pattern: Mapping[str, Any] | str | None = None,
        *,
        schedule: str = "",
        enabled: bool = True,
        description: str = "",
        role_arn: str = "",
    ) -> str:
        """Add or replace a rule.

        Returns:
            Its ARN.

        Raises:
            AwsError: the pattern is not valid, or there is neither a pattern nor a schedule.
        """
        if not pattern and not schedule:
            raise AwsError(
                "ValidationException",
                "Parameter(s) EventPattern or ScheduleExpression must be specified.",
            )
        arn = f"arn:aws:events:{self._region}:{self._account}:rule/{name}"
        text = pattern if isinstance(pattern, str) or pattern is None else json.dumps(pattern)
        self._rules.put(
            Rule(
                name=name,
                arn=arn,
                pattern_text=text or "",
                pattern=compile_pattern(pattern) if pattern else None,
                schedule=schedule,
                enabled=enabled,
                description=description,
                role_arn=role_arn,
            )
        )
        return arn

    def put_targets(self, rule: str, targets: list[dict[str, Any]]) -> None:
        """Let a rule deliver to more queues; each target as the API takes it.

        Raises:
            AwsError: no such rule, or a target that the sandbox cannot serve.
        """
        self._api.put_targets(rule, targets)

    def remove_rule(self, name: str) -> None:
        """Delete a rule with its targets; no error where there is none."""
        self._rules.discard(name)

    def put_event(self, event: Mapping[str, Any]) -> list[str]:
        """Deliver an event that is whole: with id, time, account, region and so on.

        Returns:
            The names of the rules that it matched.

        Raises:
            AwsError: it is nested too deeply.
        """
        try:
            rules = self._rules.matching(event)
            body = json.dumps(event, ensure_ascii=False, separators=(",", ":")) if rules else ""
        except RecursionError:
            raise AwsError("MalformedDetail", "The event is nested too deeply.") from None
        # What is no Unicode text cannot be sent; Java writes a question mark, too.
        body = body.encode(errors="replace").decode()
        for rule in rules:
            for target in rule.targets.values():
                self._deliver(rule, target, body)
        return [rule.name for rule in rules]

    def _deliver(self, rule: Rule, target: Mapping[str, Any], body: str) -> None:
        try:
            self._queues.send(target["Arn"], body)
        except SqsError as error:
            self.failed_invocations += 1
            self._bury(rule, target, body, error)

    def _bury(self, rule: Rule, target: Mapping[str, Any], body: str, error: SqsError) -> None:
        """Send an event that its target refused to the target's own dead-letter queue.

        A missing queue is not tried again (EventBridge user guide, "Using dead-letter queues to
        process undelivered events"), so the error is told at once.
        """
        told = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": _DLQ_CODES.get(error.name, "SDK_CLIENT_ERROR"),
            "ERROR_MESSAGE": error.message,
            "RETRY_ATTEMPTS": "0",
        }
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in told.items()
        }
        dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
        try:
            if dead_letters:
                self._queues.send(dead_letters, body, attributes)
                return
        except SqsError as second:
            LOG.warning("the dead-letter queue %s refused an event: %s", dead_letters, second)
        LOG.warning("an event of rule %s is lost: %s", rule.name, told["ERROR_MESSAGE"])
