"""Events reach the queues of the rules they match, through boto3 and by direct calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from hub_toolkit.sandbox.event_plane.bus import EventPlane
from hub_toolkit.sandbox.sqs.errors import no_such_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REGION, ACCOUNT = "ap-northeast-1", "111122223333"
IMPORTS, DEAD = (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in ("imports", "dead"))
GONE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"
NOW = 1_795_000_000.0
EVENT = {
    "version": "0",
    "id": "e-1",
    "source": "example.scanner",
    "detail-type": "Scan",
    "account": ACCOUNT,
    "time": "2026-11-22T00:00:00Z",
    "region": REGION,
    "resources": [],
    "detail": {"state": "done", "名前": "検査"},
}


class Inbox:
    """Queues that keep what they are sent; GONE does not exist."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, Mapping[str, Any]]] = []

    def send(
        self, queue: str, body: str, attributes: Mapping[str, object] | None = None, /
    ) -> None:
        if queue == GONE:
            raise no_such_queue()
        self.messages.append((queue, body, attributes or {}))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def plane(inbox: Inbox) -> EventPlane:
    return EventPlane(lambda: NOW, inbox, REGION, ACCOUNT)


@pytest.fixture
def events(plane: EventPlane, aws_client: Callable[..., Any]) -> Any:
    return aws_client("events", plane.app)


def add_rule(plane: EventPlane, name: str, pattern: dict[str, Any], queue: str = IMPORTS) -> None:
    plane.put_rule(name, pattern)
    plane.put_targets(name, [{"Id": "q", "Arn": queue, "DeadLetterConfig": {"Arn": DEAD}}])


def test_a_matching_event_arrives_whole_and_readable(plane: EventPlane, inbox: Inbox) -> None:
    add_rule(plane, "done", {"detail": {"state": ["done"]}})
    add_rule(plane, "failed", {"detail": {"state": ["failed"]}})
    assert plane.put_event(EVENT) == ["done"]
    [(queue, body, attributes)] = inbox.messages
    assert (queue, json.loads(body), attributes) == (IMPORTS, EVENT, {})
    assert "検査" in body


def test_every_rule_that_matches_delivers(plane: EventPlane, inbox: Inbox) -> None:
    add_rule(plane, "b", {"source": ["example.scanner"]})
    add_rule(plane, "a", {"detail": {"state": [{"exists": True}]}})
    assert plane.put_event(EVENT) == ["a", "b"]
    assert len(inbox.messages) == 2


def test_removed_and_disabled_rules_deliver_nothing(plane: EventPlane, inbox: Inbox) -> None:
    add_rule(plane, "one", {"source": ["example.scanner"]})
    plane.remove_rule("one")
    plane.put_rule("two", {"source": ["example.scanner"]}, enabled=False)
    assert plane.put_event(EVENT) == []
    assert inbox.messages == []


def test_an_event_for_a_queue_that_is_gone_is_buried_with_the_reason(
    plane: EventPlane, inbox: Inbox
) -> None:
    add_rule(plane, "lost", {"source": ["example.scanner"]}, queue=GONE)
    plane.put_event(EVENT)
    [(queue, body, attributes)] = inbox.messages
    told = {name: value["StringValue"] for name, value in attributes.items()}
    assert (queue, json.loads(body)) == (DEAD, EVENT)
    assert told["RULE_ARN"] == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/lost"
    assert told["TARGET_ARN"] == GONE
    assert told["ERROR_CODE"] == "NO_RESOURCE"
    assert told["ERROR_MESSAGE"]
    assert plane.failed_invocations == 1


def test_without_a_dead_letter_queue_the_others_still_get_the_event(
    plane: EventPlane, inbox: Inbox
) -> None:
    plane.put_rule("both", {"source": ["example.scanner"]})
    plane.put_targets("both", [{"Id": "a", "Arn": GONE}, {"Id": "b", "Arn": IMPORTS}])
    plane.put_event(EVENT)
    assert [queue for queue, _, _ in inbox.messages] == [IMPORTS]


def test_put_events_completes_the_event(events: Any, plane: EventPlane, inbox: Inbox) -> None:
    add_rule(plane, "r", {"source": ["example.scanner"]})
    answer = events.put_events(
        Entries=[{"Source": "example.scanner", "DetailType": "Scan", "Detail": '{"n": 1}'}]
    )
    event = json.loads(inbox.messages[0][1])
    assert answer["FailedEntryCount"] == 0
    assert event == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "source": "example.scanner",
        "detail-type": "Scan",
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-18T11:06:40Z",
        "resources": [],
        "detail": {"n": 1},
    }


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Source": "aws.securityhub"}, "NotAuthorizedForSourceException"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[]"}, "MalformedDetail"),
        ({"Detail": '{"a":' * 20_000}, "MalformedDetail"),
        ({"Detail": '{"state":' + "[" * 400 + "]" * 400 + "}"}, None),
        ({"DetailType": None}, "InvalidArgument"),
        ({"Source": ""}, "InvalidArgument"),
    ],
)
def test_one_bad_entry_fails_alone(
    events: Any, plane: EventPlane, inbox: Inbox, entry: dict[str, Any], code: str | None
) -> None:
    add_rule(plane, "r", {"detail": {"state": [{"exists": False}]}})
    good = {"Source": "example.scanner", "DetailType": "Scan", "Detail": "{}"}
    bad = {name: value for name, value in {**good, **entry}.items() if value is not None}
    answer = events.put_events(Entries=[bad, good])
    assert answer["Entries"][0].get("ErrorCode") == code
    assert answer["FailedEntryCount"] == (code is not None)
    assert "EventId" in answer["Entries"][1]
    assert [json.loads(body)["detail"] for _, body, _ in inbox.messages][-1] == {}


def test_put_events_ends_at_ten_entries_and_256_kb(events: Any) -> None:
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    with pytest.raises(ClientError, match="less than or equal to 10"):
        events.put_events(Entries=[entry] * 11)
    with pytest.raises(ClientError, match="over the limit"):
        events.put_events(Entries=[{**entry, "Detail": json.dumps({"x": "y" * 262_144})}])


def test_an_event_for_another_bus_is_taken_and_goes_nowhere(
    events: Any, plane: EventPlane, inbox: Inbox
) -> None:
    add_rule(plane, "r", {"source": ["s"]})
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "other"}
    assert "EventId" in events.put_events(Entries=[entry])["Entries"][0]
    assert inbox.messages == []


def test_test_event_pattern_answers_with_the_same_matcher(events: Any) -> None:
    def verdict(pattern: dict[str, Any]) -> bool:
        answer = events.test_event_pattern(
            EventPattern=json.dumps(pattern), Event=json.dumps(EVENT)
        )
        return bool(answer["Result"])

    assert verdict({"detail": {"state": [{"prefix": "do"}]}})
    assert not verdict({"detail": {"state": ["failed"]}})


def test_test_event_pattern_names_what_is_wrong(events: Any) -> None:
    with pytest.raises(events.exceptions.InvalidEventPatternException, match=r"Reason: .*NUMERIC"):
        events.test_event_pattern(EventPattern='{"a":[{"NUMERIC":1}]}', Event=json.dumps(EVENT))
    for event in ("{", "[]", '{"source": "s"}'):
        with pytest.raises(ClientError, match="Parameter Event is not valid"):
            events.test_event_pattern(EventPattern='{"a":[1]}', Event=event)


def test_rules_and_targets_can_be_read_back_and_removed(events: Any, plane: EventPlane) -> None:
    pattern = '{"source": ["s"]}'
    arn = events.put_rule(Name="r-1", EventPattern=pattern, Description="d")["RuleArn"]
    events.put_rule(Name="s-1", ScheduleExpression="rate(5 minutes)", State="DISABLED")
    assert events.describe_rule(Name="r-1")["EventPattern"] == pattern
    listed = events.list_rules(NamePrefix="r")["Rules"]
    assert [(rule["Arn"], rule["State"]) for rule in listed] == [(arn, "ENABLED")]
    page = events.list_rules(Limit=1)
    assert events.list_rules(NextToken=page["NextToken"])["Rules"][0]["Name"] == "s-1"
    events.put_targets(Rule="r-1", Targets=[{"Id": "q", "Arn": IMPORTS}])
    events.put_rule(Name="r-1", EventPattern=pattern)
    assert events.list_targets_by_rule(Rule="r-1")["Targets"] == [{"Id": "q", "Arn": IMPORTS}]
    with pytest.raises(ClientError, match="has targets"):
        events.delete_rule(Name="r-1")
    removed = events.remove_targets(Rule="r-1", Ids=["q", "none"])
    assert [entry["TargetId"] for entry in removed["FailedEntries"]] == ["none"]
    events.delete_rule(Name="r-1")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.describe_rule(Name="r-1")


def test_what_cannot_be_served_is_refused(events: Any) -> None:
    with pytest.raises(ClientError, match="EventPattern or ScheduleExpression"):
        events.put_rule(Name="empty")
    with pytest.raises(events.exceptions.InvalidEventPatternException):
        events.put_rule(Name="bad", EventPattern='{"source": "s"}')
    events.put_rule(Name="r", EventPattern='{"source": ["s"]}')
    topic = {"Id": "t", "Arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t"}
    with pytest.raises(ClientError, match="SQS only"):
        events.put_targets(Rule="r", Targets=[topic])
    with pytest.raises(ClientError, match="without Input"):
        events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": IMPORTS, "Input": "{}"}])
    with pytest.raises(events.exceptions.LimitExceededException):
        events.put_targets(Rule="r", Targets=[{"Id": str(n), "Arn": IMPORTS} for n in range(6)])
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.list_rules(EventBusName="other")
    with pytest.raises(ClientError, match="has no events:ListEventBuses"):
        events.list_event_buses()
