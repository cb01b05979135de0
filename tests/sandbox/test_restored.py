"""An instance that was told unprotected gets its agent: thread and ticket are told, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hub_responder.vision_one.snapshot import MAX_AGE_S
from hub_toolkit.sandbox import estate
from live import REGION, Live


@pytest.fixture(autouse=True)
def nothing_is_left(live: Live) -> Iterator[None]:
    """Other tests look instances up themselves: no snapshot is young enough for them."""
    yield
    live.control("PUT", "ec2/instances", estate.load().ec2.instances)
    live.settle()
    live.control("POST", "clock", {"advance_s": MAX_AGE_S + 1})


def walk(live: Live) -> int:
    """The inventory walks; how many incidents it found restored."""
    answer = live.control("POST", "tick", {"function": "inventory"})["result"]["vision-one"]
    assert answer["error"] == ""
    live.settle()
    live.control("POST", "clock", {"advance_s": 61})
    return int(answer["restored"])


def running(live: Live, instance: str, account: str) -> None:
    one = {"InstanceId": instance, "OwnerId": account, "Region": REGION, "State": "running"}
    held = [*estate.load().ec2.instances, {**one, "PrivateIpAddress": "10.9.9.9", "Tags": {}}]
    live.control("PUT", "ec2/instances", held)


def told(live: Live, instance: str) -> list[str]:
    return [json.dumps(one["body"], ensure_ascii=False) for one in live.messages(instance)]


def fields(live: Live, finding: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = live.held(finding)["UserDefinedFields"]
    return found


def test_it_is_said_once_in_the_thread_and_in_the_ticket(live: Live) -> None:
    instance, account = live.instance(), "111122223333"
    letters = len(live.control("GET", "dlq"))
    running(live, instance, account)
    finding = live.finding(instance, account=account)
    live.imported(finding)
    walk(live)
    before = told(live, instance)
    assert fields(live, finding)["hubResponderVerdict"] == "UNPROTECTED"
    assert not any("Coverage restored" in one for one in before)

    live.protect(instance, account=account)
    assert walk(live) == 1
    (message,) = told(live, instance)[len(before) :]
    assert "Coverage restored" in message
    assert "PROTECTED: Vision One agent running" in message
    assert "Findings still open: 1." in message
    (ticket,) = live.tickets(instance)
    assert ticket["state"] == "open"
    assert json.dumps(ticket).count("Coverage restored") == 1
    assert fields(live, finding)["hubResponderVerdict"] == "PROTECTED"

    assert walk(live) == 0
    assert len(told(live, instance)) == len(before) + 1
    assert len(live.control("GET", "dlq")) == letters


def test_what_could_not_be_sent_is_found_by_the_first_walk_of_the_next_hour(live: Live) -> None:
    instance = live.instance()
    running(live, instance, "111122223333")
    live.imported(live.finding(instance))
    walk(live)
    before = told(live, instance)
    live.protect(instance)
    live.fault(target="sqs.SendMessageBatch", status=503, times=3)
    answer = live.control("POST", "tick", {"function": "inventory"})["result"]["vision-one"]
    assert "sqs" in answer["error"]
    assert answer["read_at"] is not None
    live.control("POST", "clock", {"advance_s": 3600})
    assert walk(live) == 1
    assert len(told(live, instance)) == len(before) + 1
