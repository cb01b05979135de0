"""Nothing in a role is there for nothing: each permission is needed by some run.

That nothing is missing shows everywhere: a call that a role does not allow is refused, and `apart`
fails whatever tests made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from hub_toolkit.sandbox import estate
from live import ACCOUNT, FINANCE, REGION, Live, apart

PROJECT = Path(__file__).parents[2]
PREFIX = "hub-responder-"
PLAYBOOKS = {one.parent.name for one in PROJECT.glob("playbooks/*/playbook.yaml")}
_NAMES = re.compile("|".join(sorted(PLAYBOOKS, key=len, reverse=True)))
SCHEDULED = ("inventory", "sync", "archive", "lapsed", "unanswered", "reconcile")

Grant = tuple[str, str, str, str]


@pytest.fixture
def own() -> Iterator[Live]:
    """Its clock goes months ahead, which no other test has to see."""
    with apart(PROJECT) as live:
        yield live


def tick(live: Live, *functions: str) -> None:
    for name in functions:
        live.control("POST", "tick", {"function": name})
        live.settle()


def advance(live: Live, seconds: float) -> None:
    live.control("POST", "clock", {"advance_s": seconds})
    live.settle()


def everything_happens(live: Live) -> None:
    """All example events and all schedules, tickets that end in both ways, and what goes wrong."""
    crawler = f"arn:aws:iam::{ACCOUNT}:role/crawler"
    lake = ["security-lake", "register", "--crawler-role", crawler, "--why", "all of it"]
    lake += ["--endpoint", live.endpoint, "--stack", "hub-responder"]
    assert CliRunner().invoke(application(), lake).exit_code == 0
    words = ["run", str(PROJECT / "events"), "--endpoint", live.endpoint]
    assert CliRunner().invoke(application(), words).exit_code == 0
    earlier = datetime.fromtimestamp(live.begin_hour() - 4 * 3600, UTC)
    live.imported(live.finding(live.instance(), UpdatedAt=f"{earlier:%Y-%m-%dT%H}:30:00.000Z"))
    tick(live, *SCHEDULED, "unprotected-report", "weekly-digest")

    ended = live.finding(live.instance(), account=FINANCE)
    live.imported(ended)
    live.imported(ended | {"RecordState": "ARCHIVED", "UpdatedAt": "2026-11-03T00:00:00.000Z"})

    instance = live.instance()
    live.imported(live.finding(instance))
    (ticket,) = live.tickets(instance)
    done = {"system": ticket["system"], "ticket": ticket["id"], "state": "done"}
    live.control("POST", "tickets", done)
    tick(live, "sync")

    restored = live.instance()
    machine = {"InstanceId": restored, "OwnerId": ACCOUNT, "Region": REGION, "State": "running"}
    held = [*estate.load().ec2.instances, {**machine, "PrivateIpAddress": "10.9.9.9", "Tags": {}}]
    live.control("PUT", "ec2/instances", held)
    live.imported(live.finding(restored))
    tick(live, "inventory")
    advance(live, 61)
    live.protect(restored)
    tick(live, "inventory")

    live.fault(target="vision_one", status=503, times=9)
    tick(live, "inventory")
    live.control("DELETE", "faults", [])
    client = live.client("sqs")
    url = client.get_queue_url(QueueName="hub-responder-inspector-coverage-imports")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="not json")
    dying = live.finding(live.instance(), Severity={"Label": "MEDIUM"})
    live.imported(dying)
    live.fault(target="lambda", kill="before_effect", times=5)
    live.clicked(dying)
    tick(live, "unanswered", "unanswered")

    advance(live, 2 * 3600)
    tick(live, "archive")
    advance(live, 100 * 86_400)
    tick(live, "lapsed")

    dynamodb, table = live.client("dynamodb"), "hub-responder-AuditTable"
    (item,) = dynamodb.scan(TableName=table, Limit=1)["Items"]
    dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
    live.settle()


def grants(live: Live) -> dict[Grant, bool]:
    """What roles grant, and whether it was needed; what is alike in all playbooks' roles once."""
    found: dict[Grant, bool] = {}
    for function, report in live.control("GET", "permissions").items():
        name = function.removeprefix(PREFIX)
        whose = "PLAYBOOK" if name in PLAYBOOKS else name
        for one in report["grants"]:
            grant = (whose, one["action"], alike(one["resources"]), alike(one["keys"]))
            found[grant] = found.get(grant, False) or one["needed"]
    return found


def alike(value: Any) -> str:
    """Resources or keys, without the names of playbooks."""
    return _NAMES.sub("PLAYBOOK", str(value))


def test_each_permission_of_a_role_is_needed(own: Live) -> None:
    everything_happens(own)
    found = grants(own)
    assert len(found) > 60
    assert sorted(grant for grant, needed in found.items() if not needed) == []
