"""Scheduled functions and playbooks, run when asked to (not by the clock)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.control import ControlError

if TYPE_CHECKING:
    from hub_toolkit.sandbox.identifiers import Place
    from hub_toolkit.sandbox.template import Function, Plan
    from hub_toolkit.sandbox.workers.pool import Result


class Schedule:
    """The functions that a schedule invokes.

    Args:
        plan: the template's functions and rules. place: for the stack's name and ARNs.
        clock: returns epoch seconds. invoke: runs a function by name with an event.
        send: sends a message to a queue by its ARN.
    """

    def __init__(
        self,
        plan: Plan,
        place: Place,
        clock: Callable[[], float],
        invoke: Callable[[str, Any], Result],
        send: Callable[[str, str], object],
    ) -> None:
        self._send = send
        self._schedules = plan.schedules
        self._place = place
        self._clock = clock
        self._invoke = invoke
        self._functions = {
            function.name: function
            for function in plan.functions.values()
            if function.schedules or self._has_rule(plan, function)
        }

    def tick(self, name: str) -> dict[str, Any]:
        """Run a scheduled function now, or send a playbook's queue its scheduled event.

        Args:
            name: the name of the function or the playbook, with or without the stack's, or the
                function's logical id.

        Returns:
            ``{"function", "result"}``: what the handler returned; of a playbook ``{"sent": ..}``.

        Raises:
            ControlError: there is no such scheduled function (404), or it failed (500).
        """
        for known, schedule in self._schedules.items():
            if name in {known, known.removeprefix(f"{self._place.stack}-")}:
                return {"function": known, "result": {"sent": self._start(known, schedule)}}
        function = self._find(name)
        result = self._invoke(function.name, self._event(function))
        if result.error is not None:
            kind = result.error.get("errorType", "error")
            text = f"{function.name} failed: {kind}: {result.error.get('errorMessage', '')}"
            raise ControlError(text, HTTPStatus.INTERNAL_SERVER_ERROR)
        return {"function": function.name, "result": result.payload}

    def _start(self, name: str, schedule: Mapping[str, Any]) -> str:
        """EventBridge Scheduler's delivery, its context attributes filled in."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        filled = str(schedule["Target"]["Input"])
        for attribute, value in {
            "scheduled-time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "schedule-arn": self._place.arn("scheduler", f"schedule/default/{name}"),
        }.items():
            filled = filled.replace(f"<aws.scheduler.{attribute}>", value)
        self._send(schedule["Target"]["Arn"], filled)
        return filled

    def _find(self, name: str) -> Function:
        for function in self._functions.values():
            if name in {function.name, function.logical_id} or (
                function.name == f"{self._place.stack}-{name}"
            ):
                return function
        known = ", ".join(sorted([*self._functions, *self._schedules])) or "none"
        raise ControlError(f"there is no scheduled function {name!r}; there are: {known}", 404)

    def _event(self, function: Function) -> dict[str, Any]:
        """EventBridge's event for a schedule ("Scheduled Event" in its user guide)."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._place.account,
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._place.region,
            "resources": [self._place.arn("events", f"rule/{function.name}")],
            "detail": {},
        }

    def _has_rule(self, plan: Plan, function: Function) -> bool:
        arn = self._place.arn("lambda", f"function:{function.name}")
        return any(
            target.get("Arn") == arn
            for rule in plan.rules.values()
            if rule.get("ScheduleExpression")
            for target in rule.get("Targets", [])
        )
