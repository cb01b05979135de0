"""The parts of a dry run by themselves: its clock, its events, its texts, its connections."""

from __future__ import annotations

import copy
import json
from typing import Any

import boto3
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from hub_responder import aws, http
from hub_responder.deadline import Deadline
from hub_responder.errors import PermanentError
from hub_toolkit.dry import trial
from hub_toolkit.dry.clock import StillClock
from hub_toolkit.dry.stimuli import laid_over
from hub_toolkit.dry.traffic import text_of
from hub_toolkit.dry.world import World
from hub_toolkit.playbooks.load import load_project

from .conftest import CONNECTIONS, Project, event

START = 1_800_000_000.0


def test_a_clock_that_stands_calls_what_is_due_in_order_and_at_its_time() -> None:
    clock = StillClock(START)
    seen: list[tuple[str, float]] = []

    def later(name: str) -> Any:
        return lambda: seen.append((name, clock.now()))

    clock.call_at(START + 20, later("second"))
    clock.call_at(START + 10, later("first"))
    clock.call_at(START + 15, later("never")).cancel()
    clock.call_at(START + 40, lambda: clock.call_at(START + 41, later("added")))
    assert clock.now() == START
    assert clock.next_due() == START + 10
    clock.advance_to(START + 30)
    assert seen == [("first", START + 10), ("second", START + 20)]
    clock.advance(15)
    assert seen[2:] == [("added", START + 41)]
    clock.advance_to(START)
    assert clock.now() == START + 45
    with pytest.raises(ValueError, match="give a number from 0 up"):
        clock.advance(-1)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@given(JSON, JSON)
def test_what_is_laid_over_is_there_and_changes_neither(below: Any, changes: Any) -> None:
    before = copy.deepcopy(changes)
    made = laid_over(copy.deepcopy(below), changes)
    assert changes == before
    assert laid_over(copy.deepcopy(made), changes) == made


def test_lists_of_objects_are_laid_over_one_by_one_and_null_takes_away() -> None:
    below = {"a": [{"x": 1, "y": 1}, {"x": 2}], "b": [1, 2], "c": {"d": 1, "e": 2}}
    changes = {"a": [{"x": 9}], "b": [3], "c": {"d": None}, "f": {"g": None, "h": 1}}
    assert laid_over(below, changes) == {
        "a": [{"x": 9, "y": 1}, {"x": 2}],
        "b": [3],
        "c": {"e": 2},
        "f": {"h": 1},
    }


@pytest.mark.parametrize(
    ("system", "body", "text"),
    [
        (
            "slack",
            {
                "text": "fallback",
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "A & B"}},
                    {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* a&lt;b"}},
                    {"type": "divider"},
                    {
                        "type": "section",
                        "fields": [{"type": "mrkdwn", "text": "<https://x.example|there>"}],
                    },
                ],
            },
            "A & B\nbold a<b\nthere (https://x.example)",
        ),
        ("slack", {"text": "only text"}, "only text"),
        (
            "sns",
            {"Message": {"content": {"title": "T", "description": "one\n**two**"}}},
            "T\none\ntwo",
        ),
        ("sns", {"Message": "plain", "Subject": "S"}, "S\nplain"),
        ("opscenter", {"Title": "T", "Description": "D"}, "T\nD"),
        ("opscenter", {"OpsItemId": "oi-1", "Priority": 1}, "Priority: 1"),
        (
            "opscenter",
            {"OpsItemId": "oi-1", "Status": "Resolved", "Description": "D"},
            'D\nStatus: "Resolved"',
        ),
        ("github", {"title": "T", "body": "**D**", "labels": ["x"]}, "T\nD"),
        ("github", {"body": "D"}, "D"),
        ("webhook", {"title": "*T*", "deep": [1]}, '{"title":"*T*","deep":[1]}'),
        ("webhook", {"message": {"text": "*T* &lt;", "markdown": "m"}, "x": 1}, "*T* &lt;"),
        (
            "teams",
            {
                "type": "message",
                "attachments": [
                    {
                        "content": {
                            "type": "AdaptiveCard",
                            "fallbackText": "T",
                            "body": [
                                {"type": "RichTextBlock", "inlines": ["a ", {"text": "*b*"}]},
                                {
                                    "type": "FactSet",
                                    "facts": [{"title": "F\\_", "value": "**x** [t](https://u)"}],
                                },
                            ],
                            "actions": [
                                {"type": "Action.OpenUrl", "title": "Go", "url": "https://x"}
                            ],
                        }
                    }
                ],
            },
            "a *b*\nF_: x t (https://u)\nGo (https://x)",
        ),
        (
            "pagerduty",
            {
                "payload": {
                    "summary": "T *x*",
                    "custom_details": {"Fact": "*v*", "message": "M", "data": {"hidden": "d"}},
                },
                "links": [{"href": "https://x", "text": "Go"}],
            },
            "T *x*\nFact: *v*\nM\nGo (https://x)",
        ),
        ("pagerduty", {"event_action": "resolve", "dedup_key": "k"}, "resolve k"),
        ("unknown", "as it is", "as it is"),
    ],
)
def test_a_payload_is_read_as_people_read_it(system: str, body: Any, text: str) -> None:
    assert text_of(system, body) == text


TWO = CONNECTIONS + "  more: {type: jira, url: https://example.atlassian.net, project: OPS}\n"


def test_connections_at_one_host_are_told_apart_by_what_they_send(project: Project) -> None:
    project.write("playbooks/connections.yaml", TWO)
    loaded = load_project(project.root, "sandbox")
    with trial.bench(loaded, "sandbox") as bench:
        world: World = bench.world(loaded.sources, START)
        for name in ("more", "tickets"):
            secret = world.simulators.secrets[name]
            answer = requests.Request(
                "GET",
                "https://example.atlassian.net/rest/api/3/issue/NO-1?secret=x",
                auth=(secret["email"], secret["api_token"]),
            ).prepare()
            http.session().send(answer)
        seen = [(call.connection, call.path, call.status) for call in world.happened.calls]
        assert seen == [
            ("more", "/rest/api/3/issue/NO-1", 404),
            ("tickets", "/rest/api/3/issue/NO-1", 404),
        ]
        world.close()


def test_an_address_of_no_connection_is_refused_and_recorded(project: Project) -> None:
    loaded = load_project(project.root, "sandbox")
    with trial.bench(loaded, "sandbox") as bench:
        world = bench.world(loaded.sources, START)
        deadline = Deadline(lambda: 60.0)
        for session in (http.session(), http.public_session()):
            answer = http.call(
                "GET", "https://elsewhere.example/x", target="x", deadline=deadline, session=session
            )
            assert answer.status == 404
            with pytest.raises(PermanentError):
                http.raise_for_status(answer, "x")
        seen = [(call.system, call.path, call.effect) for call in world.happened.calls]
        assert seen == [("http", "/x", False)] * 2
        world.close()


def test_what_neither_we_nor_the_sandbox_have_is_answered_by_moto(project: Project) -> None:
    loaded = load_project(project.root, "sandbox")
    with trial.bench(loaded, "sandbox") as bench:
        world = bench.world(loaded.sources, START)
        client = aws.client("kms")
        assert client.list_keys()["Keys"] == []
        assert [call.connection for call in world.happened.calls] == ["kms.ListKeys"]
        world.close()


def test_a_topic_that_is_not_there_and_one_of_the_teams_own(project: Project) -> None:
    loaded = load_project(project.root, "sandbox")
    with trial.bench(loaded, "sandbox") as bench:
        world = bench.world(loaded.sources, START)
        client = aws.client("sns")
        own = "arn:aws:sns:us-east-1:111122223333"
        for topic in (f"{own}:hub-responder-notifications", "arn:aws:sns:eu-west-1:4:team"):
            assert client.publish(TopicArn=topic, Message="m")["MessageId"]
        for topic, code in ((f"{own}:hub-responder-no", "NotFound"), ("x", "InvalidParameter")):
            with pytest.raises(client.exceptions.ClientError) as raised:
                client.publish(TopicArn=topic, Message="m")
            assert raised.value.response["Error"]["Code"] == code
        world.close()


def test_worlds_of_one_bench_share_nothing(project: Project) -> None:
    loaded = load_project(project.root, "sandbox")
    with trial.bench(loaded, "sandbox") as bench:
        texts = []
        for _ in range(2):
            world = bench.world(loaded.sources, START)
            seen = trial.Seen()
            trial.put(world, event(), [], seen)
            texts.append(json.dumps([one.body for one in seen.deliveries]))
            assert len(world.tickets()) == 1
            world.close()
        assert texts[0] == texts[1]


def test_clients_made_outside_are_left_alone(project: Project) -> None:
    loaded = load_project(project.root, "sandbox")
    outside = boto3.session.Session(
        aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1"
    )
    with trial.bench(loaded, "sandbox") as bench:
        world = bench.world(loaded.sources, START)
        client = outside.client("sqs", endpoint_url="http://127.0.0.1:9")
        with pytest.raises(Exception, match="Could not connect"):
            client.list_queues()
        assert world.happened.calls == []
        world.close()
