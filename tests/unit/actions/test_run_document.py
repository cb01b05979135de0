"""``ssm.run_document``: allowed documents only, one command for one effect, followed to its end."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from factories import ACCOUNT, INSTANCE, REGION, finding, incident, playbook, resource, runtime
from factories import work as work_of
from hub_responder import clock
from hub_responder.actions import run_document
from hub_responder.actions.base import Outcome, Work
from hub_responder.actions.run_document import Params
from loopback import Cloud, Reply, error
from member_cloud import MEMBER, ROLE, MemberCloud, instance

DOCUMENT = "AWS-RunPatchBaseline"
SEND, LIST, STATUS = "ssm.SendCommand", "ssm.ListCommands", "ssm.GetCommandInvocation"


@pytest.fixture(autouse=True)
def _time(members: MemberCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.time, "time", lambda: members.now)
    members.holds(instance(), instance("i-member", OwnerId=MEMBER))


def work(account: str = ACCOUNT, name: str = INSTANCE, **more: Any) -> Work:
    given: dict[str, Any] = {"document": DOCUMENT, "allow": [DOCUMENT]} | more.pop("params", {})
    arn = f"arn:aws:ec2:{REGION}:{account}:instance/{name}"
    of = resource(id=arn, instance_id=name, account=account)
    about = incident(findings=(finding(resources=(of,)),), refs=more.pop("refs", {}))
    return work_of(msgspec.convert(given, Params), about, **more)


def run(*works: Work) -> list[Outcome]:
    return run_document.run(works, runtime(playbook=playbook(member_role=ROLE)))


def again(first: Outcome, **more: Any) -> Outcome:
    """The next attempt, with what the first left."""
    (outcome,) = run(work(in_doubt=True, refs=first.refs, **more))
    return outcome


def test_a_command_is_sent_once_and_followed_to_its_end(members: MemberCloud) -> None:
    (sent,) = run(work(params={"parameters": {"Operation": "Scan", "List": ["a", "b"]}}))
    assert (sent.status, sent.in_doubt, sent.retry_after) == ("deferred", True, 30.0)
    request = json.loads(members.bodies[-1])
    assert request["InstanceIds"] == [INSTANCE]
    assert request["DocumentName"] == DOCUMENT
    assert request["Comment"] == "hub-responder " + "ab" * 20
    assert request["Parameters"] == {"Operation": ["Scan"], "List": ["a", "b"]}
    assert request["TimeoutSeconds"] == 600
    members.now += 3
    going = again(sent)
    assert going.status == "deferred"
    assert "InProgress" in going.detail
    members.now += 3
    ended = again(sent)
    assert ended.status == "done"
    assert ended.detail == f"{DOCUMENT} on {INSTANCE}: Success"
    assert (ended.result["status"], ended.result["code"]) == ("Success", 0)
    assert ended.result["output"] == f"{DOCUMENT} ran"
    assert members.count(SEND) == 1
    assert members.count(LIST) == 0


def test_a_command_that_may_have_been_sent_is_looked_up_by_its_comment(
    members: MemberCloud,
) -> None:
    run(work(key="cd" * 20))
    run(work())
    members.now += 10
    (found,) = run(work(in_doubt=True, attempted_at=members.now - 10))
    assert found.status == "done"
    assert members.count(SEND) == 2


def test_what_is_not_listed_is_sent_only_after_a_minute(members: MemberCloud) -> None:
    (early,) = run(work(in_doubt=True, attempted_at=members.now - 59))
    assert (early.status, early.in_doubt, early.retry_after) == ("deferred", True, 60.0)
    assert members.count(SEND) == 0
    (late,) = run(work(in_doubt=True, attempted_at=members.now - 61))
    assert late.status == "deferred"
    assert members.count(SEND) == 1


def test_a_member_accounts_instance_is_reached_in_its_account(members: MemberCloud) -> None:
    (sent,) = run(work(MEMBER, "i-member"))
    assert sent.status == "deferred"
    assert members.count("sts.AssumeRole") == 1


def test_a_document_that_is_not_allowed_runs_nowhere(members: MemberCloud) -> None:
    (outcome,) = run(work(params={"document": "AWS-RunShellScript"}))
    assert outcome.status == "failed"
    assert "'AWS-RunShellScript' is not allowed; there is AWS-RunPatchBaseline" in outcome.detail
    assert members.calls == []


def test_what_is_no_instance_is_skipped(members: MemberCloud) -> None:
    of = resource(type="AwsS3Bucket", id="arn:aws:s3:::b", instance_id="")
    params = Params(DOCUMENT, (DOCUMENT,))
    (outcome,) = run(work_of(params, incident(findings=(finding(resources=(of,)),))))
    assert outcome.status == "skipped"
    assert members.calls == []


def test_an_instance_that_takes_no_commands_fails(members: MemberCloud) -> None:
    members.holds(instance(State="stopped"))
    (outcome,) = run(work())
    assert outcome.status == "failed"
    assert "InvalidInstanceId" in outcome.detail


def test_a_command_is_never_sent_twice_by_the_client(members: MemberCloud) -> None:
    members.faults.add([{"target": SEND, "status": 500, "times": 2}])
    (outcome,) = run(work())
    assert (outcome.status, outcome.in_doubt) == ("deferred", True)
    assert members.count(SEND) == 1


def test_without_waiting_the_step_is_done_once_it_was_sent(members: MemberCloud) -> None:
    (outcome,) = run(work(params={"wait": False}))
    assert (outcome.status, outcome.result["status"]) == ("done", "Pending")
    members.now += 61
    (found,) = run(work(params={"wait": False}, in_doubt=True, attempted_at=members.now - 61))
    assert (found.status, found.result["command"]) == ("done", outcome.result["command"])
    assert members.count(SEND) == 1


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(200, {"Status": "Failed", "StatusDetails": "Failed", "ResponseCode": 1}), "failed"),
        (Reply(200, {"Status": "TimedOut", "StatusDetails": "Undeliverable"}), "failed"),
        (Reply(200, {"Status": "Delayed"}), "deferred"),
        (Reply(200, {}), "failed"),
        (error("InvocationDoesNotExist"), "deferred"),
        (error("AccessDeniedException"), "failed"),
        (error("InternalServerError", status=500), "deferred"),
    ],
)
def test_every_end_of_a_command_is_told(cloud: Cloud, reply: Reply, status: str) -> None:
    cloud.script["GetCommandInvocation"] = [reply]
    sent = Outcome("deferred", refs={"ssm": {DOCUMENT: "ab" * 20 + " c-1"}})
    outcome = again(sent)
    assert outcome.status == status
    assert cloud.called("SendCommand") == []


@pytest.mark.parametrize(
    "given", [{"allow": []}, {"allow": ["a b"]}, {"deliver_within": 5}, {"version": "x"}]
)
def test_what_ssm_would_refuse_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"document": DOCUMENT, "allow": [DOCUMENT]} | given, Params)


def test_the_role_may_run_the_allowed_documents_only() -> None:
    own = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/own"
    send, read = run_document.ACTION.permissions({"allow": [DOCUMENT, "mine", own]}, {})
    partition = "arn:${AWS::Partition}"
    assert send["Action"] == ["ssm:SendCommand"]
    assert send["Resource"] == [
        {"Fn::Sub": f"{partition}:ssm:*::document/{DOCUMENT}"},
        {"Fn::Sub": partition + ":ssm:*:${AWS::AccountId}:document/mine"},
        own,
        {"Fn::Sub": partition + ":ec2:*:${AWS::AccountId}:instance/*"},
    ]
    assert read["Action"] == ["ssm:GetCommandInvocation", "ssm:ListCommands"]
    assert run_document.ACTION.constants == ("allow",)


def test_a_plan_runs_nothing(members: MemberCloud) -> None:
    assert run_document.ACTION.plan is not None
    told = run_document.ACTION.plan(work(), runtime())
    assert told == f"would run {DOCUMENT} on {INSTANCE} in {ACCOUNT}"
    assert members.calls == []
