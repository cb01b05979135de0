"""AWS for one function in this process: queues, tables, Security Hub, a topic, scripted faults."""

from __future__ import annotations

import itertools
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import msgspec

from factories import ACCOUNT, NOW, REGION
from hub_responder.archive.items import read
from hub_responder.playbook import Playbook
from hub_toolkit.dry.clock import StillClock
from hub_toolkit.dry.wires import Wires, installed, variables
from hub_toolkit.sandbox import dynamodb
from hub_toolkit.sandbox.aws_app import AwsApp
from hub_toolkit.sandbox.faults import Faults
from hub_toolkit.sandbox.pollers import to_record
from hub_toolkit.sandbox.security_hub.hub import SecurityHub
from hub_toolkit.sandbox.sqs import Queues
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, read_body, respond

STACK = "hub-responder"
LEDGER, AUDIT = f"{STACK}-LedgerTable-1A", f"{STACK}-AuditTable-1B"
OPERATOR = f"arn:aws:sts::{ACCOUNT}:assumed-role/Security/ada"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:notify"
ENDPOINT = "https://inside.invalid"
VISIBILITY_S = 95
PASSING = {"status": 400, "body": '{"__type":"InternalException"}', "times": 1}
"""A fault that may pass, which botocore does not try again itself."""
_WHO = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    f"<GetCallerIdentityResult><Arn>{OPERATOR}</Arn><UserId>A:ada</UserId>"
    f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
).encode()
Handler = Callable[[dict[str, Any], Any], Any]
_PUBLISHED = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    b"<MessageId>m-1</MessageId></PublishResult></PublishResponse>"
)


class Died(BaseException):
    """The process is gone."""


class Inside:
    """One deployment of one playbook; `Wires` lead this process's requests to it."""

    def __init__(self, wires: Wires, playbook: str) -> None:
        self._names = {
            "dead": f"{STACK}-dlq",
            "imports": f"{STACK}-{playbook}-imports",
            "clicks": f"{STACK}-{playbook}-clicks",
        }
        self.clock = StillClock(NOW)
        self.queues = Queues(self.clock, REGION, ACCOUNT, ENDPOINT)
        self.tables = dynamodb.ItemStore(self.clock.now, region=REGION, account=ACCOUNT)
        self.emitted: list[dict[str, Any]] = []
        self.hub = SecurityHub(self.clock.now, self.emitted.append, REGION, ACCOUNT)
        self.faults = Faults()
        self.published: list[str] = []
        self.deadly = False
        """The process dies at its next call of Security Hub."""
        self.log = wires.log
        self._runs = itertools.count(1)
        for table in (LEDGER, AUDIT):
            names = ("pk", "HASH"), ("sk", "RANGE")
            self.tables.handle(
                "CreateTable",
                {
                    "TableName": table,
                    "BillingMode": "PAY_PER_REQUEST",
                    "KeySchema": [{"AttributeName": n, "KeyType": kind} for n, kind in names],
                    "AttributeDefinitions": [
                        {"AttributeName": n, "AttributeType": "S"} for n, _ in names
                    ],
                },
            )
        self.dead = self.queues.create(self._names["dead"])
        redrive = {"deadLetterTargetArn": self.arn("dead"), "maxReceiveCount": "5"}
        settings = {"VisibilityTimeout": str(VISIBILITY_S), "RedrivePolicy": json.dumps(redrive)}
        self.imports = self.queues.create(self._names["imports"], settings)
        self.clicks = self.queues.create(self._names["clicks"], settings)
        services = {
            "sqs": self.queues.app,
            "dynamodb": dynamodb.app(self.tables),
            "securityhub": self._hub,
            "sts": _who,
        }
        wires.now = self.clock.now
        wires.app = self.app = AwsApp(
            services,
            {},
            other=self._publish,
            faults=self.faults,
            targets=lambda _call: (),
            performed=lambda _performed: None,
        )

    def _hub(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.deadly:
            self.deadly = False
            raise Died
        return self.hub.app(environ, start_response)

    def _publish(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.published.append(parse_qs(read_body(environ).decode())["Message"][0])
        return respond(start_response, 200, _PUBLISHED, "text/xml")

    def arn(self, queue: str) -> str:
        """The ARN of a queue: ``dead``, ``imports`` or ``clicks``."""
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self._names[queue]}"

    def environment(self, playbook: Path) -> dict[str, str]:
        """The function's variables."""
        return {
            "PLAYBOOK_DIR": str(playbook),
            "LEDGER_TABLE": LEDGER,
            "AUDIT_TABLE": AUDIT,
            "IMPORTS_QUEUE_URL": self.imports,
            "CLICKS_QUEUE_URL": self.clicks,
            "DLQ_URL": self.dead,
            "STAGE": "test",
            "NOTIFICATIONS_TOPIC_ARN": TOPIC,
            "POWERTOOLS_METRICS_NAMESPACE": "hub-responder",
        }

    def context(self, left: float = 60.0) -> Any:
        """Lambda's context of a run that has ``left`` seconds."""
        return SimpleNamespace(
            aws_request_id=f"run-{next(self._runs)}",
            get_remaining_time_in_millis=lambda: int(left * 1000),
        )

    def invoke(self, handler: Handler, queue: str = "imports", left: float = 60.0) -> list[str]:
        """One invocation with what is visible in a queue; bodies that come again."""
        received = []
        while taken := self.queues.receive(self.arn(queue)):
            received += taken
        records = [to_record(message, self.arn(queue), REGION) for message in received]
        answer = handler({"Records": records}, self.context(left))
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        for message in received:
            if message.id not in failed:
                self.queues.delete(self.arn(queue), message.receipt)
        return [message.body for message in received if message.id in failed]

    def letters(self) -> list[dict[str, Any]]:
        """What is in the DLQ: body and reason."""
        self.clock.advance(61)  # somebody may have looked at them
        letters = []
        while taken := self.queues.receive(self.arn("dead"), visibility=1):
            letters += [
                {"body": m.body, "reason": m.attributes["reason"].value if m.attributes else ""}
                for m in taken
            ]
        self.clock.advance(1)
        return letters

    def records(self) -> list[dict[str, Any]]:
        """The audit records, in their order."""
        items = self.tables.handle("Scan", {"TableName": AUDIT})["Items"]
        items.sort(key=lambda item: item["sk"]["S"])
        return [json.loads(line) for item in items for line in item["records"]["S"].splitlines()]

    def kept(self) -> dict[str, str]:
        """What is kept beside the audit records, by digest."""
        items = self.tables.handle("Scan", {"TableName": AUDIT})["Items"]
        return {
            digest: text
            for item in items
            if "contents" in item
            for digest, text in read(
                {**item, "contents": {"B": b64decode(item["contents"]["B"])}}
            ).contents.items()
        }

    def note(self, finding: dict[str, Any]) -> str:
        """The note that stands on a finding in Security Hub."""
        held = self.hub.get(finding["Id"]) or {}
        return str(held.get("Note", {}).get("Text", ""))


def _who(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """STS: who runs a command."""
    return respond(start_response, 200, _WHO, "text/xml")


def write(playbook: Playbook, folder: Path) -> Path:
    """A compiled playbook's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "playbook.json").write_bytes(msgspec.json.encode(playbook))
    return folder


@contextmanager
def inside(playbook: Playbook, folder: Path) -> Iterator[Inside]:
    """A deployment of ``playbook``, its environment set for this process."""
    region = {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": ENDPOINT,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }
    with installed(region) as wires:
        made = Inside(wires, playbook.name)
        with variables({**region, **made.environment(write(playbook, folder))}):
            yield made
        made.queues.close()
