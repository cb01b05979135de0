"""What the engine sends, over the sandbox's SQS, which enforces its limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import factories
from hub_responder import aws
from hub_responder.engine.intake import Message, Recheck, read
from hub_responder.engine.outbox import Outbox, backoff
from hub_responder.errors import PermanentError, TransientError
from hub_responder.ledger.store import Settle
from hub_toolkit.sandbox.sqs.message import REFUSED
from inside import PASSING, Inside, inside

PK = "inspector-coverage#" + "a" * 64


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Inside]:
    with inside(factories.playbook(), tmp_path) as made:
        yield made


def outbox(hub: Inside) -> Outbox:
    return Outbox(
        aws.client("sqs"), playbook="marks", imports=hub.imports, clicks=hub.clicks, dead=hub.dead
    )


def bodies(hub: Inside, queue: str, after: float = 0.0) -> list[str]:
    """What is visible in a queue some seconds from now, taken out of it."""
    hub.clock.advance(after)
    found = []
    while taken := hub.queues.receive(hub.arn(queue)):
        for one in taken:
            found.append(one.body)
            hub.queues.delete(hub.arn(queue), one.receipt)
    return found


def message(body: str, **values: Any) -> Message:
    return Message("m", body, 1, values.pop("clicks", False), **values)


def test_a_settle_message_is_read_as_it_was_meant(hub: Inside) -> None:
    sent = outbox(hub)
    sent.settle(PK, 0, clicks=False, urgent=True, clicked=True)
    sent.settle(PK, 12.3, clicks=True)
    sent.flush()
    assert [read(message(body)) for body in bodies(hub, "imports")] == [Settle(PK, True, True)]
    assert bodies(hub, "clicks", 12) == []
    assert [read(message(body)) for body in bodies(hub, "clicks", 1)] == [Settle(PK, False, False)]


def test_a_delay_that_sqs_cannot_keep_is_cut_to_what_it_can(hub: Inside) -> None:
    sent = outbox(hub)
    sent.settle(PK, 86_400, clicks=False)
    sent.settle(PK, -5, clicks=False)
    sent.flush()
    assert len(bodies(hub, "imports")) == 1
    assert len(bodies(hub, "imports", 900)) == 1


def test_a_recheck_of_many_findings_is_read_back_whole(hub: Inside) -> None:
    findings = [
        factories.finding(id=f"finding-{n}", title="長" * 1000, description="文" * 4000)
        for n in range(400)
    ]
    sent = outbox(hub)
    sent.recheck("e~1", findings, 30)
    sent.flush()
    read_back = [read(message(body)) for body in bodies(hub, "clicks", 30)]
    assert all(isinstance(one, Recheck) and one.event_id == "e~1" for one in read_back)
    ids = [f.id for one in read_back if isinstance(one, Recheck) for f in one.findings]
    assert sorted(ids) == sorted(finding.id for finding in findings)


def test_a_deferred_message_counts_its_attempts_and_its_age(hub: Inside) -> None:
    sent = outbox(hub)
    began = hub.clock.now() - 100
    sent.defer(message("{}", attempt=3, first_at=began), "jira answers 503", 86_400)
    sent.flush()
    hub.clock.advance(backoff(3))
    (again,) = hub.queues.receive(hub.arn("imports"))
    assert again.attributes["attempt"].value == "4"
    assert float(again.attributes["first_at"].value) == began


def test_a_deferred_message_that_is_too_old_is_dead_with_its_reason(hub: Inside) -> None:
    sent = outbox(hub)
    sent.defer(message("{}", first_at=hub.clock.now() - 90_000), "jira answers 503", 86_400)
    sent.flush()
    assert hub.letters() == [{"body": "{}", "reason": "gave up after 90000 s: jira answers 503"}]


def test_twenty_messages_of_200_kb_are_all_sent(hub: Inside) -> None:
    sent = outbox(hub)
    for number in range(20):
        sent.defer(message(json.dumps([number, "x" * 200_000])), "down", 86_400)
    sent.flush()
    numbers = sorted(json.loads(body)[0] for body in bodies(hub, "imports", 30))
    assert numbers == list(range(20))


@given(body=st.text(min_size=1), reason=st.text())
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_can_be_dead_for_any_reason(hub: Inside, body: str, reason: str) -> None:
    sent = outbox(hub)
    sent.dead(message(body), reason)
    sent.flush()
    (letter,) = hub.letters()
    assert letter["body"] == REFUSED.sub("\ufffd", body)
    assert len(letter["reason"]) in range(1, 251)
    hub.queues.purge(hub.arn("dead"))


def test_what_sqs_does_not_take_now_is_kept_and_sent_with_the_next(hub: Inside) -> None:
    sent = outbox(hub)
    sent.settle(PK, 0, clicks=False)
    hub.faults.add([{"target": "sqs.SendMessageBatch", **PASSING}])
    with pytest.raises(TransientError):
        sent.flush()
    sent.flush()
    assert len(bodies(hub, "imports")) == 1


def test_entries_that_were_refused_are_kept_and_the_others_are_gone() -> None:
    class Half:
        """Takes the first of two, and then what it gets."""

        def __init__(self, *, fault: bool) -> None:
            self.taken: list[str] = []
            self.failures = [{"Id": "1", "SenderFault": fault, "Code": "x"}]

        def send_message_batch(self, **request: Any) -> dict[str, Any]:
            failed, self.failures = self.failures, []
            refused = {one["Id"] for one in failed}
            entries = [entry for entry in request["Entries"] if entry["Id"] not in refused]
            self.taken += [entry["MessageBody"] for entry in entries]
            return {"Failed": failed}

    for fault, kind in ((False, TransientError), (True, PermanentError)):
        half = Half(fault=fault)
        sent = Outbox(half, playbook="p", imports="i", clicks="c", dead="d")
        sent.dead(message("one"), "r")
        sent.dead(message("two"), "r")
        with pytest.raises(kind):
            sent.flush()
        sent.flush()
        assert half.taken == ["one", "two"]


def test_forgotten_messages_are_not_sent(hub: Inside) -> None:
    sent = outbox(hub)
    sent.settle(PK, 0, clicks=False)
    sent.forget()
    sent.flush()
    assert bodies(hub, "imports") == []


def test_waits_between_tries_grow_from_30_seconds_to_15_minutes() -> None:
    assert [backoff(tries) for tries in range(7)] == [30, 60, 120, 240, 480, 900, 900]
    assert backoff(10_000) == 900
