"""Scheduled functions, run when asked to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
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
    """

    def __init__(
        self,
        plan: Plan,
        place: Place,
        clock: Callable[[], float],
        invoke: Callable[[str, Any], Result],
    ) -> None:
        self._place = place
        self._clock = clock
        self._invoke = invoke
        self._functions = {
            function.name: function
            for function in plan.functions.values()
            if function.schedules or self._has_rule(plan, function)
        }

    def tick(self, name: str) -> dict[str, Any]:
        """Run a scheduled function now.

        Args:
            name: the function's name, with or without the stack's, or its logical id.

        Returns:
            ``{"function", "result"}``: what the handler returned.

        Raises:
            ControlError: there is no such scheduled function (404), or it failed (500).
        """
        function = self._find(name)
        result = self._invoke(function.name, self._event(function))
        if result.error is not None:
            kind = result.error.get("errorType", "error")
            text = f"{function.name} failed: {kind}: {result.error.get('errorMessage', '')}"
            raise ControlError(text, HTTPStatus.INTERNAL_SERVER_ERROR)
        return {"function": function.name, "result": result.payload}

    def _find(self, name: str) -> Function:
        for function in self._functions.values():
            if name in {function.name, function.logical_id} or (
                function.name == f"{self._place.stack}-{name}"
            ):
                return function
        known = ", ".join(sorted(self._functions)) or "none"
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
