"""Runs of a playbook in one sandbox, each about findings of its own.

What passes (`kills`, `troubles`, `comings`, `rotations`) must end as if nothing had been. What
lasts (`refusals`) must end in the dead-letter queue with its reason, and as if nothing had been
once it is over and the letter was sent again; or in the playbook's own way without a verdict.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from typer.testing import CliRunner

from faults.ends import End, undecided, unexplained, wrong
from faults.stimuli import Start
from hub_toolkit.cli import application
from live import ACCOUNT, Live

MOST_EFFECTS = 30
"""Of one run: more is a run that does not end."""
MOST_CALLS = 60
"""To one dependency, of one run."""
TIMES = ("before", "after")
"""When in a call a function's time may be up."""
_LISTS = {"records": "audit", "deliveries": "inbox", "tickets": "tickets", "letters": "dlq"}
OLDER = "after a newer one"
AT_ONCE = "twice at once"
SHAPES = (AT_ONCE, "again afterwards", "a day late", OLDER)
"""How a message may come, besides once and in time: EventBridge and SQS deliver at least once, and
in no order."""
LASTING: dict[str, dict[str, Any]] = {
    "refuses": {"status": 403, "body": {"message": "Forbidden"}},
    "is down": {"status": 503},
}
"""For as long as a playbook tries, and longer."""
DENIED = {"status": 400, "body": {"__type": "AccessDeniedException", "message": "not authorized"}}
LEFT_OUT = ("ConcurrentUpdateError", "InternalFailure")
TOO_LATE_S = 11.0
"""Longer than any call is waited for."""
GIVES_UP_H = 26
_FOR_EVER = 100_000
VENDORS = ("vision_one", "workload_security")
REFUSING = (
    "securityhub.BatchUpdateFindings",
    "dynamodb",
    "sqs",
    "secretsmanager",
    "sts",
    "ec2",
    "ssm",
)
"""What a role may be denied for good: all of it, and of Security Hub what writes."""
LONGER = "fails for longer"
AWS = ("dynamodb", "sqs", "securityhub", "secretsmanager", "sts", "ec2", "ssm")
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

    kind: str
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

    def run(
        self, start: Start, *faults: dict[str, Any], events: Sequence[dict[str, Any]] = ()
    ) -> End:
        """Let ``start`` happen among ``faults``, and wait until nothing more does.

        Args:
            events: what comes instead of one event about something new, one after the other.
        """
        live = self.live
        before = self._begin(faults)
        findings = self._send(start, events or self._events(start))
        live.settle()
        self.left = bool(live.control("GET", "faults"))
        live.control("DELETE", "faults", [])
        return self._end(findings, before)

    def _begin(self, faults: Sequence[dict[str, Any]]) -> Mapping[str, int]:
        live = self.live
        live.reset()
        before = {name: len(live.control("GET", path)) for name, path in _LISTS.items()}
        if faults:
            live.control("POST", "faults", list(faults))
        return before

    def _end(self, findings: tuple[str, ...], before: Mapping[str, int]) -> End:
        """What there is that was not there before."""
        live = self.live
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
            yield _tried("killed", start, fault, clean=clean, end=end, failures=failures, step=step)
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
                yield _tried(
                    "fails for a while", start, fault, clean=clean, end=end, failures=failures
                )

    def timeouts(self, start: Start, *, every: bool = False) -> Iterator[Tried]:
        """The function's time is up in a call to each dependency, one run for each.

        Args:
            every: in each call of the run, not only in the first to each.
        """
        clean = self.run(start)
        used = dict.fromkeys(one["connection"] for one in clean.deliveries)
        for target, when in itertools.product((*VENDORS, *AWS, *used), TIMES):
            for number in range(MOST_CALLS if every else 1):
                if target == "secretsmanager":
                    self.live.kill_workers()  # the next ones have to read the secrets again
                end = self.run(start, {"target": target, "time_out": when, "skip": number})
                if self.left:
                    break  # nothing of the playbook asks it once more
                # invariant 5: what was sent and could not be recorded is sent again
                unrecorded = when == "after" or target == "dynamodb"
                failures = wrong(end, clean, again=int(unrecorded))
                fault = f"time is up {when} call {number + 1} to {target}"
                step = _hit(end)
                yield _tried(
                    "timed out", start, fault, clean=clean, end=end, failures=failures, step=step
                )

    def late(self, start: Start) -> Iterator[Tried]:
        """Each dependency answers only once the function has stopped to wait."""
        clean = self.run(start)
        used = dict.fromkeys(one["connection"] for one in clean.deliveries)
        for target in (*VENDORS, *used):
            end = self.run(start, {"target": target, "delay_s": TOO_LATE_S})
            if self.left:
                continue
            failures = wrong(end, clean, again=1)  # what it did then is in doubt
            fault = f"{target} answers too late"
            yield _tried("answers too late", start, fault, clean=clean, end=end, failures=failures)

    def partly(self, start: Start) -> Iterator[Tried]:
        """Security Hub leaves findings out of an update, and says which (of OCSF's it knows none by
        product here)."""
        clean = self.run(start)
        for code in LEFT_OUT if clean.done("finding.") else ():
            event = self._event(start)
            named = [
                {"Id": one["Id"], "ProductArn": one["ProductArn"]}
                for one in event["detail"]["findings"]
                if "ProductArn" in one
            ]
            left_out = [{"FindingIdentifier": one, "ErrorCode": code} for one in named]
            fault = {
                "target": "securityhub.BatchUpdateFindings",
                "status": 200,
                "body": {"ProcessedFindings": [], "UnprocessedFindings": left_out},
            }
            end = self.run(start, fault, events=[event])
            failures = wrong(end, clean, again=0)
            name = f"Security Hub leaves findings out: {code}"
            yield _tried(
                "leaves findings out", start, name, clean=clean, end=end, failures=failures
            )

    def comings(self, start: Start) -> Iterator[Tried]:
        """Its message comes in each of `SHAPES`."""
        clean = self.run(start)
        for shape in SHAPES if start.event is not None else ():
            event = self._event(start)
            if shape == OLDER and "Imported" not in event["detail-type"]:
                continue  # another click is another request
            end = self.run(start, events=_shaped(event, shape))
            failures = wrong(end, clean, again=0)
            yield _tried(
                "message comes twice, late, out of order",
                start,
                f"comes {shape}",
                clean=clean,
                end=end,
                failures=failures,
            )

    def rotations(self, start: Start) -> Iterator[Tried]:
        """Each secret is changed after it was read: what the process holds is refused."""
        clean = self.run(start)
        secrets = self.live.client("secretsmanager")
        for name in dict.fromkeys(one["connection"] for one in clean.deliveries):
            secret = {"SecretId": f"hub-responder/sandbox/{name}"}
            try:
                held = secrets.get_secret_value(**secret)["SecretString"]
            except secrets.exceptions.ResourceNotFoundException:
                continue  # it needs none
            before = dict.fromkeys(json.loads(held), "before")
            secrets.put_secret_value(**secret, SecretString=json.dumps(before))
            self.live.kill_workers()
            refused = self.run(start)  # every process reads the wrong one
            secrets.put_secret_value(**secret, SecretString=held)
            self._redrive(refused)
            end = self.run(start)
            failures = wrong(end, clean, again=0)
            fault = f"the secret of {name} is changed"
            yield _tried("secret is changed", start, fault, clean=clean, end=end, failures=failures)

    def refusals(self, start: Start) -> Iterator[Tried]:
        """Each dependency refuses or is down for longer than the playbook tries.

        What is sent again is a new round, which tells in the thread what was not known before.
        Where it is coverage that cannot be told, the playbook goes on with that.
        """
        clean = self.run(start)
        used = dict.fromkeys(one["connection"] for one in clean.deliveries)
        again = clean.messages.total()
        lasting = [
            *((name, how, fault) for name in (*VENDORS, *used) for how, fault in LASTING.items()),
            *((name, "refuses", DENIED) for name in REFUSING),
        ]
        for target, how, fault in lasting:
            entry = {"target": target, "times": _FOR_EVER, **fault}
            if target == "secretsmanager":
                self.live.kill_workers()  # the next ones have to read the secrets again
            ended, end = self._lasting(start, entry)
            if not self.left:
                continue  # nothing of the playbook asks it
            if target in VENDORS and not ended.letters:
                failures = undecided(ended)
            else:
                failures = [*unexplained(ended), *wrong(end, clean, again=again)]
            name = f"{target} {how} on"
            yield _tried(LONGER, start, name, clean=clean, end=end, failures=failures)

    def _lasting(self, start: Start, fault: dict[str, Any]) -> tuple[End, End]:
        """What there is when it was given up, and once it is over and was sent again."""
        live = self.live
        before = self._begin([fault])
        findings = self._send(start, self._events(start))
        live.settle()
        for _ in range(GIVES_UP_H):
            live.control("POST", "clock", {"advance_s": 3600})
            live.settle()
        (still,) = live.control("GET", "faults")
        self.left = still["times"] < fault["times"]
        live.control("DELETE", "faults", [])
        ended = self._end(findings, before)
        self._redrive(ended)
        return ended, self._end(findings, before)

    def _redrive(self, end: End) -> None:
        """Its letters are sent again, and all that follows comes to its end."""
        letters = [letter["message_id"] for letter in end.letters]
        if letters:
            words = ["dlq", "redrive", *letters, "--why", "it is over"]
            where = ["--endpoint", self.live.endpoint, "--stack", "hub-responder"]
            told = CliRunner().invoke(application(), [*words, *where])
            assert told.exit_code == 0, told.output
            self.live.settle()

    def _events(self, start: Start) -> list[dict[str, Any]]:
        """One event about something new; none where it is the schedule that starts it."""
        return [self._event(start)] if start.event is not None else []

    def _event(self, start: Start) -> dict[str, Any]:
        return start.about(self.live.instance(), next(self._numbers))

    def _send(self, start: Start, events: Sequence[dict[str, Any]]) -> tuple[str, ...]:
        """The ids of the findings. An event that stands twice in a row comes twice at once."""
        if not events:
            self.live.control("POST", "tick", {"function": start.playbook})
            return ()
        for number, event in enumerate(events):
            if number and event is not events[number - 1]:
                self.live.settle()
            sent = self.live.control("POST", "events", event)
            assert sent["rules"], f"no rule wants what starts {start.playbook}"
        found = events[0]["detail"]["findings"]
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


def _tried(
    kind: str,
    start: Start,
    fault: str,
    *,
    clean: End,
    end: End,
    failures: list[str],
    step: str = "",
) -> Tried:
    return Tried(kind, start.playbook, step, fault, clean.effects, end.effects, failures)


def _hit(end: End) -> str:
    """The step whose worker died: it was attempted more often than it ended."""
    count = Counter(one["step"] for one in end.records if one["kind"] == "attempt")
    count.subtract(one["step"] for one in end.records if one["kind"] == "outcome")
    return next((step for step, number in count.items() if number > 0), "")


def _shaped(event: dict[str, Any], shape: str) -> list[dict[str, Any]]:
    """The events that come, for the one that is meant."""
    if shape == "a day late":
        at = datetime.fromisoformat(event["time"]) - timedelta(days=1)
        return [{**event, "time": at.strftime("%Y-%m-%dT%H:%M:%SZ")}]
    if shape == OLDER:
        older = copy.deepcopy(event)
        older["id"] += "-older"
        for finding in older["detail"]["findings"]:
            if "UpdatedAt" in finding:
                finding["UpdatedAt"] = finding["CreatedAt"]
        return [event, older]
    return [event, event if shape == AT_ONCE else copy.deepcopy(event)]
