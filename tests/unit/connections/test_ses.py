"""Amazon SES: what it is handed, what each of its errors means, and what its simulator knows."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from factories import NOW, playbook, runtime, work
from hub_responder import aws
from hub_responder.actions import notify
from hub_responder.actions.base import Outcome
from hub_responder.connections.permissions import mailing
from hub_responder.runtime import Runtime
from hub_toolkit.sandbox.in_process import answer_aws
from hub_toolkit.sandbox.ses import Ses, shown
from loopback import Cloud, Reply, error

MAIL = {
    "type": "ses",
    "sender": "soc@mail.example.com",
    "to": ["a@example.com", "b@example.com"],
    "configuration_set": "soc",
}


@pytest.fixture
def run_time(cloud: Cloud) -> Runtime:
    """A run whose connection ``mail`` leads to what ``cloud`` answers."""
    return runtime(playbook=playbook(connections={"mail": MAIL}))


@pytest.fixture
def taken(run_time: Runtime) -> list[Any]:
    """What the simulator was handed: it answers in place of ``cloud``."""
    requests: list[Any] = []
    simulator = Ses(lambda: NOW, {"mail": MAIL})

    def before_send(request: Any, **_: Any) -> Any:
        requests.append(request)
        return answer_aws(simulator.app, request)

    aws.session().events.register("before-send.sesv2", before_send)
    return requests


def tell(run_time: Runtime, **more: Any) -> Outcome:
    (outcome,) = notify.run([work(notify.Params("mail", "message.md.j2"), **more)], run_time)
    return outcome


def test_a_message_is_accepted_and_more_is_not_claimed(run_time: Runtime, taken: list[Any]) -> None:
    outcome = tell(run_time)
    assert (outcome.status, outcome.detail) == ("done", "accepted by mail")
    assert outcome.result["thread"].endswith("@mail.example.com>")
    (request,) = taken
    body = shown(request.body)
    assert body["to"] == ["a@example.com", "b@example.com"]
    assert body["subject"] == "UNPROTECTED: CRITICAL on web-01"
    assert body["tags"] == {
        "hub-responder-playbook": "inspector-coverage",
        "hub-responder-stage": "test",
        "hub-responder-incident": "5" * 64,
        "hub-responder-gen": "1",
        "hub-responder-connection": "mail",
        "hub-responder-effect": "ab" * 20,
    }


def test_the_request_is_one_that_the_sdk_would_let_pass(
    run_time: Runtime, taken: list[Any]
) -> None:
    assert tell(run_time).status == "done"
    request = json.loads(taken[0].body)
    shape = aws.client("sesv2").meta.service_model.operation_model("SendEmail").input_shape
    data = base64.b64decode(request["Content"]["Raw"]["Data"])
    typed = {**request, "Content": {"Raw": {"Data": data}}}
    assert ParamValidator().validate(typed, shape).generate_report() == ""
    assert len(data) < 40 * 1024 * 1024
    assert taken[0].url.endswith("/v2/email/outbound-emails")


@pytest.mark.parametrize(
    ("reply", "status", "doubt", "said"),
    [
        (error("TooManyRequestsException", status=429), "deferred", False, "TooManyRequests"),
        (error("LimitExceededException"), "deferred", False, "LimitExceeded"),
        (error("MessageRejected"), "failed", False, "while the account is in SES's sandbox"),
        (error("MailFromDomainNotVerifiedException"), "failed", False, "MAIL FROM domain"),
        (error("AccountSuspendedException"), "failed", False, "ask AWS Support"),
        (error("SendingPausedException"), "failed", False, "sending is paused"),
        (error("NotFoundException", status=404), "failed", False, "no such configuration set"),
        (error("AccessDeniedException", status=403), "failed", False, "AccessDenied"),
        (error("InternalServiceErrorException", status=500), "deferred", True, "Internal"),
        (Reply(hang_up=True), "deferred", True, "did not answer"),
    ],
)
def test_each_answer_means_what_follows(  # noqa: PLR0917 - cases
    run_time: Runtime, cloud: Cloud, reply: Reply, status: str, doubt: bool, said: str
) -> None:
    cloud.answer = lambda _request: reply
    outcome = tell(run_time)
    assert (outcome.status, outcome.in_doubt) == (status, doubt), outcome.detail
    assert said in outcome.detail
    assert len(cloud.requests) == 1  # a second try could be a second message


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ConfigurationSetName": "other"}, "NotFoundException"),
        ({"EmailTags": [{"Name": "a b", "Value": "x"}]}, "BadRequestException"),
        ({"Destination": {"ToAddresses": ["a@example.com"] * 51}}, "BadRequestException"),
        ({"Content": {"Simple": {}}}, "BadRequestException"),
        ({"from": b"From: x@evil.example\r\n"}, "MessageRejected"),
        ({"from": b"From: soc@mail.example.com\r\nSubject: a\r\nSubject: b\r\n"}, "BadRequest"),
        ({"from": b"From: soc@mail.example.com\r\nSubject: \xe6\r\n"}, "BadRequestException"),
        ({"from": b"Subject: x\r\n"}, "BadRequestException"),
        ({}, ""),
    ],
)
def test_the_simulator_refuses_what_ses_would(
    taken: list[Any], changed: dict[str, Any], code: str
) -> None:
    head = changed.pop("from", b"From: soc@mail.example.com\r\n")
    request = {
        "Destination": {"ToAddresses": ["a@example.com"]},
        "Content": {"Raw": {"Data": head + b"\r\nhello\r\n"}},
        **changed,
    }
    if code:
        with pytest.raises(ClientError, match=code):
            aws.client("sesv2").send_email(**request)
    else:
        answer = aws.client("sesv2").send_email(**request)
        assert answer["MessageId"].endswith("-000000")


def test_the_role_may_send_as_the_sender_only() -> None:
    (statement,) = mailing({"mail": MAIL, "chat": {"type": "sns"}})
    assert statement["Action"] == ["ses:SendEmail", "ses:SendRawEmail"]
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": "soc@mail.example.com"}}
    start = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:"
    assert [one["Fn::Sub"].removeprefix(start) for one in statement["Resource"]] == [
        "identity/soc@mail.example.com",
        "identity/mail.example.com",
        "identity/example.com",
        "configuration-set/soc",
    ]
    (elsewhere,) = mailing({"mail": {**MAIL, "region": "us-east-1"}})
    assert ":ses:us-east-1:" in elsewhere["Resource"][0]["Fn::Sub"]
