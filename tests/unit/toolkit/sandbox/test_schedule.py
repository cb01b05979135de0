from __future__ import annotations

import json
from typing import Any

import pytest

from hub_toolkit.sandbox.control import ControlError
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.schedule import Schedule
from hub_toolkit.sandbox.template import Function, Plan
from hub_toolkit.sandbox.workers.pool import Result

PLACE = Place("stack", "111122223333", "us-east-1", "http://127.0.0.1:1")


def function(name: str, *schedules: str) -> Function:
    logical = f"{name.title()}Function"
    return Function(f"stack-{name}", logical, "h.h", {}, 60, 256, schedules=schedules)


class World:
    """One scheduled function, one by a rule, one that is not scheduled."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, Any]] = []
        self.result = Result("r-1", payload={"answered": 1})
        names = (function("often", "rate(5 minutes)"), function("daily"), function("playbook"))
        rule = {
            "ScheduleExpression": "rate(1 day)",
            "Targets": [{"Id": "a", "Arn": PLACE.arn("lambda", "function:stack-daily")}],
        }
        event = (
            '{"id": "report@<aws.scheduler.scheduled-time>", "r": ["<aws.scheduler.schedule-arn>"]}'
        )
        report = {"Target": {"Arn": PLACE.arn("sqs", "stack-report-imports"), "Input": event}}
        plan = Plan(
            functions={one.name: one for one in names},
            rules={"daily": rule},
            schedules={"stack-report": report},
        )
        self.sent: list[tuple[str, str]] = []
        send = lambda queue, body: self.sent.append((queue, body))  # noqa: E731 - a queue
        self.schedule = Schedule(plan, PLACE, lambda: 0.0, self._invoke, send)

    def _invoke(self, name: str, event: Any) -> Result:
        self.invoked.append((name, event))
        return self.result


@pytest.mark.parametrize("name", ["often", "stack-often", "OftenFunction"])
def test_a_scheduled_function_runs_under_any_of_its_names(name: str) -> None:
    world = World()
    answer = world.schedule.tick(name)
    assert answer == {"function": "stack-often", "result": {"answered": 1}}
    ((_, event),) = world.invoked
    assert (event["detail-type"], event["time"]) == ("Scheduled Event", "1970-01-01T00:00:00Z")


def test_a_function_may_be_scheduled_by_a_rule() -> None:
    assert World().schedule.tick("daily")["function"] == "stack-daily"


@pytest.mark.parametrize("name", ["report", "stack-report"])
def test_a_scheduled_playbook_gets_its_event_with_the_time_filled_in(name: str) -> None:
    world = World()
    assert world.schedule.tick(name)["function"] == "stack-report"
    ((queue, body),) = world.sent
    assert queue == PLACE.arn("sqs", "stack-report-imports")
    assert json.loads(body) == {
        "id": "report@1970-01-01T00:00:00Z",
        "r": [PLACE.arn("scheduler", "schedule/default/stack-report")],
    }


@pytest.mark.parametrize("name", ["playbook", "nothing"])
def test_what_is_not_scheduled_cannot_be_ticked(name: str) -> None:
    with pytest.raises(ControlError, match="stack-daily, stack-often, stack-report") as caught:
        World().schedule.tick(name)
    assert caught.value.status == 404


def test_a_function_that_fails_is_told() -> None:
    world = World()
    world.result = Result("r-1", error={"errorType": "KeyError", "errorMessage": "'x'"})
    with pytest.raises(ControlError, match="stack-often failed: KeyError: 'x'") as caught:
        world.schedule.tick("often")
    assert caught.value.status == 500
