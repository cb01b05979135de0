"""``lambda.invoke``: what the function gets, and what its answer may be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import finding, incident, resource, runtime, work
from hub_responder.actions import invoke_lambda
from hub_responder.actions.base import Outcome
from hub_responder.actions.invoke_lambda import Params
from hub_responder.deadline import Deadline
from hub_responder.engine.related import Others, Related
from loopback import Cloud, Reply, error
from member_cloud import MemberCloud

ARN = "arn:aws:lambda:eu-central-1:111122223333:function:find-owner:live"
PATH = f"/2015-03-31/functions/{ARN.replace(':', '%3A')}/invocations"
KEY = "ab" * 20


def invoke(payload: dict[str, Any] | None = None, **more: Any) -> Outcome:
    params = Params(ARN, payload, **more)
    (outcome,) = invoke_lambda.run([work(params)], runtime())
    return outcome


def answering(cloud: Cloud, *replies: Reply) -> None:
    cloud.script[PATH] = list(replies)


def test_a_function_gets_what_the_step_gives_and_the_key(members: MemberCloud) -> None:
    outcome = invoke({"instance": "i-1"})
    assert (outcome.status, outcome.detail) == ("done", "lambda find-owner:live answered")
    assert outcome.result == {"status": 200, "answer": {"received": True}}
    assert json.loads(members.bodies[-1]) == {"idempotencyKey": KEY, "instance": "i-1"}


def test_without_a_payload_it_gets_the_incident(members: MemberCloud) -> None:
    invoke()
    sent = json.loads(members.bodies[-1])
    assert sent["playbook"] == "inspector-coverage"
    assert sent["incident"]["severity"] == "CRITICAL"
    assert sent["resource"]["instanceId"] == resource().instance_id
    assert [one["id"] for one in sent["findings"]] == [finding().id]


def test_a_whole_incident_goes_without_the_findings_that_would_have_to_be_asked_for(
    members: MemberCloud,
) -> None:
    def refuse(_wanted: Any) -> set[tuple[str, str]]:
        raise AssertionError

    one = incident()
    unread = Related(one, Others(refuse, Deadline.after(0)))
    outcome = invoke({"all": replace(one, related=unread), "some": [one.findings]})
    assert outcome.status == "done"
    sent = json.loads(members.bodies[-1])
    assert sent["all"]["findings"][0]["id"] == sent["some"][0][0]["id"] == finding().id
    assert "related" not in sent["all"]


def test_without_waiting_it_is_an_event(members: MemberCloud) -> None:
    outcome = invoke(wait=False)
    assert outcome.result == {"status": 202, "answer": None}


def test_a_function_that_raises_fails_with_its_errors_type_only(cloud: Cloud) -> None:
    body = {"errorType": "KeyError\n", "errorMessage": "password=hunter2", "stackTrace": []}
    answering(cloud, Reply(200, body, {"X-Amz-Function-Error": "Unhandled"}))
    outcome = invoke()
    assert (outcome.status, outcome.detail) == ("failed", "lambda find-owner:live failed: KeyError")


@pytest.mark.parametrize(
    ("reply", "status", "calls"),
    [
        (error("ResourceNotFoundException", status=404), "failed", 1),
        (error("AccessDeniedException", status=403), "failed", 1),
        (error("TooManyRequestsException", status=429), "deferred", 1),
        (error("ServiceException", status=500), "deferred", 1),
        (Reply(200, b"not json"), "failed", 1),
        (Reply(200, b'"' + b"x" * 40_000 + b'"'), "failed", 1),
        (Reply(200, b"[" * 17 + b"]" * 17), "failed", 1),
        (Reply(hang_up=True), "deferred", 1),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_is_invoked_twice(
    cloud: Cloud, reply: Reply, status: str, calls: int
) -> None:
    answering(cloud, reply)
    outcome = invoke()
    assert outcome.status == status
    assert outcome.in_doubt == (status == "deferred")
    assert len(cloud.called(PATH)) == calls


def test_an_empty_answer_is_null(cloud: Cloud) -> None:
    answering(cloud, Reply(200, b""))
    assert invoke().result["answer"] is None


def test_too_large_a_payload_is_not_sent(members: MemberCloud) -> None:
    outcome = invoke({"x": "y" * 100_000})
    assert outcome.status == "failed"
    assert "at most 100,000" in outcome.detail
    assert members.calls == []


def test_nothing_is_sent_when_no_time_is_left(members: MemberCloud) -> None:
    (outcome,) = invoke_lambda.run([work(Params(ARN))], runtime(deadline=Deadline.after(0)))
    assert (outcome.status, outcome.in_doubt) == ("deferred", False)
    assert members.calls == []


@pytest.mark.parametrize("arn", ["find-owner", "arn:aws:lambda:x:1:function:f", ARN + ":x"])
def test_a_function_is_named_by_its_arn(arn: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"function": arn}, Params)


def test_the_role_may_invoke_this_function_only() -> None:
    assert invoke_lambda.ACTION.constants == ("function",)
    (statement,) = invoke_lambda.ACTION.permissions({"function": ARN}, {})
    assert statement["Action"] == ["lambda:InvokeFunction"]
    assert statement["Resource"] == [ARN]


def test_a_plan_names_function_and_resource_and_invokes_nothing(members: MemberCloud) -> None:
    assert invoke_lambda.ACTION.plan is not None
    told = invoke_lambda.ACTION.plan(work(Params(ARN)), runtime())
    assert told == f"would invoke lambda find-owner:live about {resource().id}"
    assert members.calls == []


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(title=st.text(), name=st.text())
def test_hostile_text_arrives_as_data(members: MemberCloud, title: str, name: str) -> None:
    of = incident(findings=(finding(title=title, resources=(resource(tags={"Name": name}),)),))
    (outcome,) = invoke_lambda.run([work(Params(ARN), of)], runtime())
    assert outcome.status == "done"
    sent = json.loads(members.bodies[-1])
    assert set(sent) == {
        "idempotencyKey",
        "version",
        "playbook",
        "stage",
        "at",
        "incident",
        "resource",
        "findings",
    }
