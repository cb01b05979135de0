"""What a queue message is, whatever it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from hub_responder.engine.intake import Message, Recheck, message, read
from hub_responder.errors import UnreadableEvent
from hub_responder.events import Trigger
from hub_responder.ledger.store import Settle
from world import event, finding

PK = "p#" + "0" * 64
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def record(body: str = "{}", **attributes: Any) -> dict[str, Any]:
    """A record of Lambda's SQS event."""
    return {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "3"},
        "messageAttributes": {name: {"stringValue": value} for name, value in attributes.items()},
        "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:clicks",
    }


def test_a_record_is_read_with_its_receives_queue_and_attributes() -> None:
    read_ = message(record("b", attempt="2", first_at="1795305600.5"), "clicks")
    home = ("111122223333", "eu-central-1")
    assert read_ == Message("m-1", "b", 3, True, 2, 1795305600.5, "r-1", home)
    assert not message(record(), "other").clicks


@given(st.text() | st.none())
def test_any_attribute_is_a_usable_number_or_none(value: str | None) -> None:
    read_ = message(record(attempt=value, first_at=value), "clicks")
    assert read_.attempt >= 0
    assert 0 <= read_.first_at < float("inf")


def test_an_event_is_a_trigger_and_our_own_messages_are_what_they_say() -> None:
    compact = factories.finding().compact()
    recheck = {"hub_responder": "recheck", "event_id": "e~1", "findings": [compact]}
    own = [{"hub_responder": "settle", "pk": PK, "clicked": True}, recheck]
    bodies = [event(finding(1)), *(json.dumps(one, separators=(",", ":")) for one in own)]
    kinds = [read(Message("m", body, 1, False)) for body in bodies]
    assert isinstance(kinds[0], Trigger)
    assert kinds[1] == Settle(PK, clicked=True)
    assert isinstance(kinds[2], Recheck)
    assert kinds[2].findings[0].fingerprint() == factories.finding().fingerprint()


@given(st.text())
def test_any_text_is_read_or_unreadable(body: str) -> None:
    with pytest.raises(UnreadableEvent):
        read(Message("m", body, 1, False))


@given(
    kind=st.sampled_from(["settle", "recheck", "failed"]) | JSON,
    rest=st.dictionaries(st.sampled_from(["pk", "findings", "event_id", "urgent", "x"]), JSON),
)
def test_any_message_of_our_own_form_is_read_or_unreadable(kind: Any, rest: Any) -> None:
    body = json.dumps({"hub_responder": kind, **rest}, separators=(",", ":"))
    try:
        content = read(Message("m", body, 1, False))
    except UnreadableEvent:
        return
    assert isinstance(content, Recheck)
    assert content.findings == ()
