"""A small deterministic world for the engine: one thread runs at a time, and any may die.

Real ledger, real engine, the sandbox's DynamoDB store; a queue with delays, visibility, duplicates
and receives; actions that keep what they did. Every call to the outside passes a gate, where the
scheduler picks who goes on, and may let a run die before or after the call.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hub_responder import clock
from hub_responder.actions.base import Action, Outcome, Work
from hub_responder.audit import Audit
from hub_responder.deadline import Deadline
from hub_responder.engine import intake
from hub_responder.engine.batch import Batch
from hub_responder.engine.grouping import Cause, Subject, group
from hub_responder.engine.outbox import Outbox
from hub_responder.errors import ConfigurationError
from hub_responder.events import decode
from hub_responder.finding import Finding
from hub_responder.ledger import pauses
from hub_responder.ledger.decide import Arrival
from hub_responder.ledger.pauses import Pause
from hub_responder.ledger.store import Ledger
from hub_responder.ledger.transaction import Transactions
from hub_responder.playbook import Playbook, Step, Triggers, Wait
from hub_responder.runtime import Runtime
from hub_toolkit.sandbox.dynamodb.client import client
from hub_toolkit.sandbox.dynamodb.store import ItemStore
from hub_toolkit.sandbox.sqs.attributes import MAX_MESSAGE
from hub_toolkit.sandbox.sqs.message import check_body, decode_attributes, size

ACCOUNT, REGION = "111122223333", "us-east-1"
VISIBILITY_S = 95.0
RUN_S = 60.0
MAX_RECEIVES = 5


class Killed(BaseException):
    """The process died here."""


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


@dataclass
class Sent:
    """A message in the queue."""

    id: str
    body: str
    queue: str
    due: float
    receives: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)


def _refuse_large(entries: list[dict[str, Any]]) -> None:
    """What SQS refuses: too many bytes at once, or characters that no message may hold."""
    decoded = [decode_attributes(entry.get("MessageAttributes")) for entry in entries]
    bodies = [entry["MessageBody"] for entry in entries]
    for body, attributes in zip(bodies, decoded, strict=True):
        check_body(body, attributes, MAX_MESSAGE)
    total = sum(size(body, attributes) for body, attributes in zip(bodies, decoded, strict=True))
    assert total <= MAX_MESSAGE, "SQS takes 1 MiB at once"


def finding(
    number: int, instance: int = 1, severity: str = "HIGH", version: int = 1
) -> dict[str, Any]:
    """An Inspector finding."""
    account = "111122223333"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:inspector2:us-east-1:{account}:finding/{number:032x}",
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/inspector",
        "ProductName": "Inspector",
        "AwsAccountId": account,
        "Region": "us-east-1",
        "GeneratorId": "AWSInspector",
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
        "CreatedAt": "2026-11-20T00:00:00Z",
        "UpdatedAt": f"2026-11-20T00:00:{version:02d}Z",
        "Severity": {"Label": severity},
        "Title": f"CVE-2026-{number:04d} - openssl",
        "Description": "An invented vulnerability",
        "Resources": [
            {
                "Type": "AwsEc2Instance",
                "Id": f"arn:aws:ec2:us-east-1:{account}:instance/i-{instance:017x}",
            }
        ],
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }


def event(*findings: dict[str, Any], clicked: str = "") -> str:
    """An EventBridge event's text."""
    kind = "Custom Action" if clicked else "Imported"
    body = {
        "version": "0",
        "id": clicked or f"e-{random.getrandbits(60):x}",
        "detail-type": f"Security Hub Findings - {kind}",
        "source": "aws.securityhub",
        "account": "111122223333",
        "time": "2026-11-20T00:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:securityhub:us-east-1:111122223333:action/custom/Ask"],
        "detail": {"actionName": "Ask", "actionDescription": "Ask", "findings": list(findings)},
    }
    return json.dumps(body)


class Gate:
    """Where a run waits for its turn. ``kills`` is how many runs may die."""

    def __init__(self, seed: int, kills: int) -> None:
        self.random = random.Random(seed)
        self.kills = kills
        self.now = 1_800_000_000.0
        self._turn: dict[int, threading.Event] = {}
        self._arrived = threading.Event()

    def pass_through(self, call: Any) -> Any:
        """Make a call when it is this run's turn; die before or after it, perhaps."""
        mine = threading.get_ident()
        if mine not in self._turn:
            return call()
        self._wait(mine)
        fate = self.random.random()
        if self.kills and fate < 0.03:
            self.kills -= 1
            raise Killed
        result = call()
        if self.kills and fate > 0.97:
            self.kills -= 1
            raise Killed
        return result

    def _wait(self, mine: int) -> None:
        event = self._turn[mine]
        event.clear()
        self._arrived.set()
        event.wait(30)

    def run(self, jobs: list[Any]) -> None:
        """Run jobs at the same time, one step of one of them after the other."""
        running: dict[threading.Thread, bool] = {}
        errors: list[Exception] = []

        def body(job: Any) -> None:
            mine = threading.get_ident()
            self._turn[mine] = threading.Event()
            self._wait(mine)
            try:
                job()
            except Killed:
                pass
            except Exception as error:  # noqa: BLE001 - raised below, in the test's thread
                errors.append(error)
            finally:
                del self._turn[mine]
                self._arrived.set()

        for job in jobs:
            self._arrived.clear()
            thread = threading.Thread(target=body, args=(job,))
            running[thread] = True
            thread.start()
            self._arrived.wait(30)
        while alive := [thread for thread in running if thread.is_alive() and thread.ident]:
            waiting = [t for t in alive if t.ident in self._turn]
            if not waiting:
                continue
            self._arrived.clear()
            turn = self._turn.get(self.random.choice(waiting).ident or 0)
            if turn is None:
                continue
            turn.set()
            self._arrived.wait(30)
        if errors:
            raise errors[0]


class World:
    """Queue, tables, outside systems, and runs over them."""

    def __init__(
        self,
        seed: int = 0,
        *,
        kills: int = 0,
        wait: Wait | None = None,
        quiet: float = 0.0,
        skew_s: float = 0.0,
    ) -> None:
        self.gate = Gate(seed, kills)
        self._skew_s = skew_s
        self._skews: dict[int, float] = {}
        """By thread: how far its clock is off."""
        self.store = ItemStore(clock=lambda: self.gate.now)
        for name in ("ledger", "audit"):
            self.store.handle(
                "CreateTable",
                {
                    "TableName": name,
                    "BillingMode": "PAY_PER_REQUEST",
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "AttributeDefinitions": [
                        {"AttributeName": "pk", "AttributeType": "S"},
                        {"AttributeName": "sk", "AttributeType": "S"},
                    ],
                },
            )
        self._dynamodb = client(self.store, parameter_validation=False)
        self.queue: list[Sent] = []
        self.dead: list[Sent] = []
        self.tickets: dict[str, str] = {}
        self.opened: list[str] = []
        self.open: dict[str, bool] = {}
        """Ticket -> whether it is open."""
        self.ended: list[str] = []
        """The incidents whose end was told."""
        self.restored: list[str] = []
        """Where it was said that coverage is restored: tell or ticket."""
        self.told: list[tuple[str, frozenset[str]]] = []
        self.written: Counter[str] = Counter()
        self.fail: dict[str, list[Outcome]] = {}
        self.verdict: dict[str, Any] = {"verdict": "UNPROTECTED"}
        self.fatal: set[str] = set()
        """Ids of findings that kill whoever looks at them."""
        self.echo: Callable[[Finding], list[str]] | None = None
        """The events that Security Hub sends when a finding is written."""
        self.replaced: dict[str, Action] = {}
        self.run_s = RUN_S
        """How long a run may take; shorter ones have no time for a step."""
        self.runs = 0
        self._messages = 0
        self.playbook = Playbook(
            name="modelled",
            summary="For the model",
            version="0" * 12,
            on=Triggers(imported={"Severity": {"Label": ["HIGH", "CRITICAL"]}}),
            steps=(
                Step(id="look", uses="look"),
                Step(id="ticket", uses="ticket", if_="look.verdict == 'UNPROTECTED'"),
                Step(id="tell", uses="tell", needs=("ticket",)),
                Step(id="write", uses="write"),
            ),
            resource_types=("AwsEc2Instance",),
            wait=wait or Wait(0, 0),
            quiet=quiet,
        )

    # The outside

    def _scripted(self, name: str) -> Outcome | None:
        return self.fail[name].pop(0) if self.fail.get(name) else None

    def _effect(self, name: str, work: Work, act: Any) -> Outcome:
        self._assert_attempted(name, work)

        def happen() -> Outcome:
            return self._scripted(name) or act()

        outcome: Outcome = self.gate.pass_through(happen)
        return outcome

    def _assert_attempted(self, step: str, work: Work) -> None:
        """Invariant 1: no effect without a durable ATTEMPT record before it."""
        attempts = [
            record
            for record in self.records()
            if record["kind"] == "attempt"
            and record["step"] == step
            and record.get("incident") == work.incident.key
        ]
        assert attempts, f"{step} acts without an ATTEMPT record"

    def _look(self, works: Any, _runtime: Runtime) -> list[Outcome]:
        if self.fatal & {finding.id for work in works for finding in work.incident.findings}:
            raise Killed
        return [self._scripted("look") or Outcome("done", "", self.verdict) for _ in works]

    def _ticket(self, work: Work) -> Outcome:
        def open_() -> Outcome:
            if work.in_doubt and work.key in self.tickets:
                number = self.tickets[work.key]
                return Outcome("done", "found", {"id": number}, {"tickets": {"ticket": number}})
            if work.incident.ticket:
                self.open[work.incident.ticket["id"]] = True
                return Outcome("done", "there", {"id": work.incident.ticket["id"]})
            number = f"T-{len(self.opened) + 1}"
            self.opened.append(work.incident.key)
            self.tickets[work.key] = number
            self.open[number] = True
            refs = {"tickets": {"ticket": number}}
            return Outcome("done", "opened", {"id": number}, refs)

        return self._effect("ticket", work, open_)

    def _close(self, work: Work, _runtime: Runtime) -> Outcome:
        def close() -> Outcome:
            ticket = work.incident.ticket
            if ticket is None:
                return Outcome("skipped", "no ticket")
            self.open[ticket["id"]] = False
            return Outcome("done", "closed")

        return self._effect("ticket", work, close)

    def _end(self, work: Work, _runtime: Runtime) -> Outcome:
        def end() -> Outcome:
            self.ended.append(work.incident.key)
            return Outcome("done", "told the end")

        return self._effect("tell", work, end)

    def _restore(self, step: str) -> Any:
        def restore(work: Work, _runtime: Runtime) -> Outcome:
            def say() -> Outcome:
                self.restored.append(step)
                return Outcome("done", "restored")

            return self._effect(step, work, say)

        return restore

    def _tell(self, work: Work) -> Outcome:
        def send() -> Outcome:
            ids = frozenset(finding.id for finding in work.incident.findings)
            self.told.append((work.incident.key, ids))
            return Outcome("done", "sent")

        return self._effect("tell", work, send)

    def _write(self, work: Work) -> Outcome:
        def write() -> Outcome:
            self.written.update(finding.id for finding in work.incident.findings)
            for finding in work.incident.findings if self.echo else ():
                for body in self.echo(finding) if self.echo else ():
                    self.send(body)
            return Outcome("done", "written")

        return self._effect("write", work, write)

    def action(self, name: str) -> Action:
        """The actions of the modelled playbook."""
        if name in self.replaced:
            return self.replaced[name]

        def made(run: Any, **flags: Any) -> Action:
            return Action(
                name=name,
                summary="",
                effects=name != "look",
                params=Nothing,
                result=Nothing,
                permissions=lambda _with, _connections: [],
                example="",
                run=run,
                **flags,
            )

        def per(one: Any) -> Any:
            return lambda works, _runtime: [one(work) for work in works]

        found = {
            "look": lambda: made(self._look),
            "ticket": lambda: made(
                per(self._ticket),
                lasting=True,
                closes=self._close,
                restores=self._restore("ticket"),
            ),
            "tell": lambda: made(
                per(self._tell), tells=True, closes=self._end, restores=self._restore("tell")
            ),
            "write": lambda: made(per(self._write), answers=True),
        }
        if name not in found:
            raise ConfigurationError(name)
        return found[name]()

    # The queue

    def send(self, body: str, queue: str = "imports", delay: float = 0.0, **kept: Any) -> None:
        """Put a message into a queue."""
        self._messages += 1
        self.queue.append(Sent(f"m{self._messages}", body, queue, self.gate.now + delay, **kept))

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """SQS, as the engine's outbox calls it."""

        def put() -> dict[str, Any]:
            _refuse_large(Entries)
            for entry in Entries:
                attributes = entry.get("MessageAttributes", {})
                if QueueUrl == "dead":
                    self.dead.append(Sent("", entry["MessageBody"], "dead", 0, 0, attributes))
                else:
                    self.send(
                        entry["MessageBody"],
                        QueueUrl,
                        entry["DelaySeconds"],
                        attributes=attributes,
                    )
            return {"Successful": Entries, "Failed": []}

        answer: dict[str, Any] = self.gate.pass_through(put)
        return answer

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:  # noqa: N803, ARG002
        """SQS, as the engine's outbox calls it."""

        def drop() -> dict[str, Any]:
            self.queue = [sent for sent in self.queue if sent.id != ReceiptHandle]
            return {}

        answer: dict[str, Any] = self.gate.pass_through(drop)
        return answer

    def _receive(self, queue: str, most: int) -> list[Sent]:
        visible = [m for m in self.queue if m.queue == queue and m.due <= self.gate.now]
        self.gate.random.shuffle(visible)
        taken = visible[:most]
        for message in taken:
            message.receives += 1
            message.due = self.gate.now + VISIBILITY_S
            if message.receives > MAX_RECEIVES:
                self.queue.remove(message)
                self.dead.append(message)
        return [message for message in taken if message in self.queue]

    # Runs

    def _client(self) -> Any:
        inner, gate = self._dynamodb, self.gate

        class Gated:
            exceptions = inner.exceptions

            def __getattr__(self, name: str) -> Any:
                method = getattr(inner, name)
                return lambda **kwargs: gate.pass_through(lambda: method(**kwargs))

        return Gated()

    def wall(self) -> float:
        """What the clock of the machine shows on which the calling thread runs: with ``skew_s``
        none of them agree."""
        return self.gate.now + self._skews.get(threading.get_ident(), 0.0)

    def deadline(self) -> Deadline:
        """Of a run that begins now."""
        end = self.gate.now + self.run_s
        return Deadline(lambda: end - self.gate.now)

    def ledger(
        self, me: str, deadline: Deadline | None = None, audit: Audit | None = None
    ) -> Ledger:
        """The ledger as the run ``me`` has it, which begins now; ``audit`` makes its records."""
        deadline = deadline or self.deadline()
        audit = audit or Audit("audit", self.playbook, me)
        client = self._client()
        transactions = Transactions(
            client, audit, deadline, pause=lambda _seconds: None, ledger="ledger"
        )
        lease = clock.now() + deadline.left() + 5
        return Ledger(
            client, "ledger", transactions, audit, me=me, lease=lease, wait=self.playbook.wait
        )

    def _job(self, queue: str, messages: list[Sent]) -> Any:
        self.runs += 1
        me, deadline = f"run{self.runs}", self.deadline()
        skew = self.gate.random.uniform(-self._skew_s, self._skew_s) if self._skew_s else 0.0

        def job() -> None:
            self._skews[threading.get_ident()] = skew
            audit = Audit("audit", self.playbook, me)
            ledger = self.ledger(me, deadline, audit)
            outbox = Outbox(
                self, playbook="modelled", imports="imports", clicks="clicks", dead="dead"
            )
            runtime = Runtime(
                self.playbook, Path(), deadline, clock.now(), "test", action=self.action
            )
            batch = Batch(runtime, ledger, audit, outbox, clicks=queue == "clicks")
            failed = batch.handle([self._message(sent) for sent in messages])
            for sent in messages:
                if sent.id not in failed and sent in self.queue:
                    self.queue.remove(sent)

        return job

    def _message(self, sent: Sent) -> intake.Message:
        def number(name: str) -> float:
            return float(sent.attributes.get(name, {}).get("StringValue", 0))

        return intake.Message(
            sent.id,
            sent.body,
            sent.receives,
            sent.queue == "clicks",
            int(number("attempt")),
            number("first_at"),
            sent.id,
            (ACCOUNT, REGION),
        )

    def drain(self, *, batch: int = 10, runs: int = 3, limit_s: float = 86_400.0) -> None:
        """Run until the queue is empty; time goes on when nothing is visible."""
        end = self.gate.now + limit_s
        while self.queue:
            self._go_on(batch, runs)
            assert self.gate.now < end, "the queue does not drain"

    def pass_time(self, seconds: float, *, batch: int = 10, runs: int = 3) -> None:
        """Run what is due within ``seconds``; the queue need not drain."""
        end = self.gate.now + seconds
        while any(message.due <= end for message in self.queue):
            self._go_on(batch, runs)
        self.gate.now = max(self.gate.now, end)

    def _go_on(self, batch: int, runs: int) -> None:
        jobs = []
        for _ in range(self.gate.random.randint(1, runs)):
            for queue in ("imports", "clicks"):
                messages = self._receive(queue, self.gate.random.randint(1, batch))
                if messages:
                    jobs.append(self._job(queue, messages))
        if jobs:
            self.gate.run(jobs)
            self.gate.now += self.gate.random.uniform(0.1, 3.0)
        elif self.queue:
            self.gate.now = max(self.gate.now, min(m.due for m in self.queue))

    def pause(self) -> None:
        """An operator stops the playbook's effects."""
        held = pauses.attributes(Pause("arn:aws:sts::1:role/R/ada", "a storm", self.gate.now))
        item = {**pauses.own(self.playbook.name), **held}
        self._dynamodb.put_item(TableName="ledger", Item=item)

    def resume(self) -> None:
        """The end of it: who waits is told."""
        name = self.playbook.name
        self._dynamodb.delete_item(TableName="ledger", Key=pauses.own(name))
        for item in self._items("ledger"):
            if item["pk"]["S"] == pauses.waiting(name):
                note = {"hub_responder": "settle", "pk": item["sk"]["S"], "resumed": True}
                self.send(json.dumps(note), item["queue"]["S"])
                key = {"pk": item["pk"], "sk": item["sk"]}
                self._dynamodb.delete_item(TableName="ledger", Key=key)

    # What is there

    def _items(self, table: str) -> list[dict[str, Any]]:
        request: dict[str, Any] = {"TableName": table}
        items: list[dict[str, Any]] = []
        while True:
            page = self.store.handle("Scan", request)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def incidents(self) -> list[dict[str, Any]]:
        """The incidents' items."""
        return [item for item in self._items("ledger") if item["sk"]["S"] == "I"]

    def findings(self) -> list[dict[str, Any]]:
        """The findings' items."""
        return [item for item in self._items("ledger") if item["sk"]["S"].startswith("F#")]

    def pointers(self) -> dict[str, str]:
        """The pointers' sort keys and the incidents that they name, of those that are not over."""
        return {
            item["sk"]["S"]: item["incident"]["S"]
            for item in self._items("ledger")
            if item["pk"]["S"].endswith("#tickets") and float(item["expires"]["N"]) > self.gate.now
        }

    def records(self) -> list[dict[str, Any]]:
        """The audit records, in their order."""
        return [
            json.loads(line)
            for item in sorted(self._items("audit"), key=lambda item: str(item["sk"]["S"]))
            for line in item["records"]["S"].splitlines()
        ]


def arrival(world: World, *findings: dict[str, Any], clicked: str = "") -> Arrival:
    """What the ledger is asked for findings of one instance."""
    trigger = decode(event(*findings, clicked=clicked))
    cause = Cause(trigger.kind, trigger.event_id, clock.now(), bool(clicked))
    values = (ACCOUNT, REGION, trigger.findings[0].resource.id)
    subjects = [Subject(cause, one, values) for one in trigger.findings]
    (only,) = group(subjects, world.playbook)
    return only.arrival(world.playbook)
