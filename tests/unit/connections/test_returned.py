"""What SES says of messages later: whose they were, what happened, and nothing else of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import HOSTILE
from hub_responder.connections.returned import decode, is_mail, tags
from hub_responder.errors import UnreadableEvent
from hub_responder.events import decode as decode_finding_event

INCIDENT = "watch#" + "5" * 64
TAGS = {one["Name"]: [one["Value"]] for one in tags("prod", "soc-mail", INCIDENT, 2, "ab" * 20)}
BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {
            "emailAddress": "a@example.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 <script>",
        }
    ],
    "timestamp": "2026-11-22T00:00:00.000Z",
    "feedbackId": "0100-1",
}


def event(kind: str = "Email Bounced", held: Any = None, **changed: Any) -> str:
    detail = {
        "eventType": "Bounce",
        "mail": {"tags": {"ses:configuration-set": ["soc"], **TAGS}},
        **(held or {"bounce": BOUNCE}),
    }
    return json.dumps(
        {
            "version": "0",
            "id": "e-1",
            "detail-type": kind,
            "source": "aws.ses",
            "account": "111122223333",
            "time": "2026-11-22T00:00:01Z",
            "region": "us-east-1",
            "resources": [],
            "detail": detail,
            **changed,
        }
    )


def test_a_bounce_says_whose_message_it_was_and_who_did_not_get_it() -> None:
    came = decode(event())
    assert came is not None
    assert (came.playbook, came.incident, came.gen) == ("watch", INCIDENT, 2)
    assert (came.connection, came.effect, came.delivered) == ("soc-mail", "ab" * 20, False)
    assert came.why == "did not reach a@example.com (Permanent General, 5.1.1)"


def test_complaints_arrived_and_rejections_did_not() -> None:
    held = {"complaint": {"complainedRecipients": [{"emailAddress": "a@example.com"}] * 5}}
    came = decode(event("Email Complaint Received", held))
    assert came is not None
    assert came.delivered
    assert came.why.endswith("a@example.com, 2 more")
    came = decode(event("Email Rejected", {"reject": {"reason": "Bad content"}}))
    assert came is not None
    assert not came.delivered


@pytest.mark.parametrize(
    "changed",
    [
        {"detail-type": "Email Delivered"},
        {"id": ""},
        {"detail": {}},
        {"detail": {"mail": {"tags": {}}, "bounce": BOUNCE}},
        {"detail": {"mail": {"tags": {**TAGS, "hub-responder-gen": ["0"]}}, "bounce": BOUNCE}},
        {"detail": {"mail": {"tags": {**TAGS, "hub-responder-effect": "x"}}, "bounce": BOUNCE}},
    ],
)
def test_what_is_about_no_message_of_ours_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(UnreadableEvent):
        decode(event(**changed))


def test_other_services_events_are_left_to_others() -> None:
    body = event(source="aws.securityhub", note="aws.ses")
    assert is_mail(body)
    assert decode(body) is None
    assert decode('{"aws.ses"') is None
    with pytest.raises(UnreadableEvent):
        decode_finding_event(body)


@given(HOSTILE)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_another_server_says_it_stays_one_short_line(value: str) -> None:
    text = value.encode("utf-8", "replace").decode()
    one = {"emailAddress": text, "status": text, "diagnosticCode": text}
    held = {"bounce": {"bounceType": text, "bounceSubType": text, "bouncedRecipients": [one] * 60}}
    came = decode(event(held=held))
    assert came is not None
    assert len(came.why) < 1000


@given(st.recursive(st.none() | st.text(max_size=3) | st.integers(), st.lists, max_leaves=5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_shape_is_read_or_refused(value: Any) -> None:
    for held in ({"bounce": value}, {"bounce": {"bouncedRecipients": value}}, {"mail": value}):
        try:
            decode(event(held=held))
        except UnreadableEvent:
            continue
