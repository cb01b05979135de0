"""Runs of a playbook in one sandbox, each about findings of its own."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from faults.ends import End, wrong
from faults.stimuli import Start
from live import ACCOUNT, Live

MOST_EFFECTS = 30
"""Of one run: more is a run that does not end."""
_LISTS = {"records": "audit", "deliveries": "inbox", "tickets": "tickets", "letters": "dlq"}
VENDORS = ("vision_one", "workload_security")
AWS = ("dynamodb", "sqs", "securityhub", "secretsmanager")
_THROTTLED = {"__type": "ThrottlingException", "message": "Rate exceeded"}
TROUBLES: dict[str, tuple[dict[str, Any], int]] = {
    "answers 500": ({"status": 500}, 0),
    "is reset before": ({"reset": "before"}, 0),
    "is reset after": ({"reset": "after", "times": 1}, 1),
    "is cut short": ({"truncate": True, "times": 1}, 1),
}
"""Each with how many messages it may bring twice: what was done, and could not be told, is in doubt
as if the process had died between sending and recording."""
THROTTLED: dict[bool, dict[str, Any]] = {
    True: {"status": 400, "body": _THROTTLED},
    False: {"status": 429, "retry_after": 1},
}
"""By whether it is AWS that throttles."""
_WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True, slots=True)
class Tried:
    """One fault, and what came of it."""

    playbook: str
    step: str
    fault: str
    expected: int
    seen: int
    wrong: list[str]


@dataclass(slots=True)
class Trials:
    """Of all playbooks, one after the other."""

    live: Live
    left: bool = False
    """Of the last run's faults some are still to come: it ended before them."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def run(self, start: Start, *faults: dict[str, Any]) -> End:
        """Let ``start`` happen among ``faults``, and wait until nothing more does."""
        live = self.live
        live.reset()
        before = {name: len(live.control("GET", path)) for name, path in _LISTS.items()}
        if faults:
            live.control("POST", "faults", list(faults))
        findings = self._send(start)
        live.settle()
        self.left = bool(live.control("GET", "faults"))
        live.control("DELETE", "faults", [])
        added = {
            name: tuple(live.control("GET", path)[before[name] :]) for name, path in _LISTS.items()
        }
        states = tuple(live.held({"Id": one})["Workflow"]["Status"] for one in findings)
        return End(findings=findings, states=states, waiting=self._waiting(), **added)

    def kills(self, start: Start, point: str) -> Iterator[Tried]:
        """Kill the worker at each of the effects that the playbook has, one run for each."""
        clean = self.run(start)
        assert wrong(clean, clean, again=0) == []
        for number in range(MOST_EFFECTS):
            kill = {"target": "lambda", "kill": point, "skip": number}
            end = self.run(start, kill)
            if self.left:
                assert number, f"{start.playbook} has no effect that can be killed"
                return
            again = 1 if point == "after_effect" else 0
            failures = wrong(end, clean, again=again)
            fault = f"killed {point.replace('_', ' ')} {number + 1}"
            step = _hit(end)
            yield Tried(start.playbook, step, fault, clean.effects, end.effects, failures)
        raise AssertionError(f"{start.playbook} has more than {MOST_EFFECTS} effects")

    def troubles(self, start: Start) -> Iterator[Tried]:
        """Each dependency fails for a while in each of `TROUBLES`, one run for each."""
        clean = self.run(start)
        assert wrong(clean, clean, again=0) == []
        used = dict.fromkeys(one["connection"] for one in clean.deliveries)
        for target in (*VENDORS, *AWS, *used):
            throttled = (THROTTLED[target in AWS], 0)
            for name, (trouble, again) in {**TROUBLES, "throttles": throttled}.items():
                if target == "secretsmanager":
                    self.live.kill_workers()  # the next ones have to read the secrets again
                end = self.run(start, {"target": target, "times": 2, **trouble})
                if self.left:
                    break  # nothing of the playbook asks it
                failures = wrong(end, clean, again=again)
                fault = f"{target} {name}"
                yield Tried(start.playbook, "", fault, clean.effects, end.effects, failures)

    def _send(self, start: Start) -> tuple[str, ...]:
        if start.event is None:
            self.live.control("POST", "tick", {"function": start.playbook})
            return ()
        event = start.about(self.live.instance(), next(self._numbers))
        sent = self.live.control("POST", "events", event)
        assert sent["rules"], f"no rule wants what starts {start.playbook}"
        found = event["detail"]["findings"]
        return tuple(one.get("Id") or one["finding_info"]["uid"] for one in found)

    def _waiting(self) -> dict[str, int]:
        sqs = self.live.client("sqs")
        waiting = {}
        for url in sqs.list_queues()["QueueUrls"]:
            name = url.rpartition("/")[2]
            if "dead" not in name and "dlq" not in name:
                own = f"{self.live.endpoint}/{ACCOUNT}/{name}"
                held = sqs.get_queue_attributes(QueueUrl=own, AttributeNames=list(_WAITING))
                waiting[name] = sum(int(number) for number in held["Attributes"].values())
        return waiting


def _hit(end: End) -> str:
    """The step whose worker died: it was attempted more often than it ended."""
    count = Counter(one["step"] for one in end.records if one["kind"] == "attempt")
    count.subtract(one["step"] for one in end.records if one["kind"] == "outcome")
    return next((step for step, number in count.items() if number > 0), "")
