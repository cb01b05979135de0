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
            if self.live.control("GET", "faults"):
                assert number, f"{start.playbook} has no effect that can be killed"
                return
            again = 1 if point == "after_effect" else 0
            failures = wrong(end, clean, again=again)
            fault = f"killed {point.replace('_', ' ')} {number + 1}"
            step = _hit(end)
            yield Tried(start.playbook, step, fault, clean.effects, end.effects, failures)
        raise AssertionError(f"{start.playbook} has more than {MOST_EFFECTS} effects")

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
