"""Clients in member accounts: whose credentials, for how long, and what is said where it fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from factories import ACCOUNT, REGION
from hub_responder import clock, member
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError, DeniedError, PermanentError, TransientError
from member_cloud import MEMBER, ROLE, MemberCloud, instance

DEADLINE = Deadline.after(3600)


def seen(account: str, region: str = REGION, role: str = ROLE) -> list[str]:
    """The instances that a client of ``account`` sees."""
    client = member.client("ec2", account, region, role=role, deadline=DEADLINE)
    found = client.describe_instances()["Reservations"]
    return [one["Instances"][0]["InstanceId"] for one in found]


@pytest.fixture(autouse=True)
def estate(members: MemberCloud) -> None:
    members.holds(
        instance("i-own"),
        instance("i-member", OwnerId=MEMBER),
        instance("i-far", OwnerId=MEMBER, Region="us-west-2"),
    )


def test_the_own_account_is_called_without_a_role(members: MemberCloud) -> None:
    assert seen(ACCOUNT, role="") == ["i-own"]
    assert members.count("sts.AssumeRole") == 0


def test_a_member_account_is_called_in_its_role_and_in_the_findings_region(
    members: MemberCloud,
) -> None:
    assert seen(MEMBER) == ["i-member"]
    assert seen(MEMBER, "us-west-2") == ["i-far"]
    assert members.count("sts.AssumeRole") == 1


def test_without_a_role_another_account_is_told_what_to_set(members: MemberCloud) -> None:
    with pytest.raises(ConfigurationError, match=rf"{MEMBER}.*member_role in settings\.yaml"):
        seen(MEMBER, role="")
    assert "sts.AssumeRole" not in members.calls


def test_a_role_that_cannot_be_assumed_is_named(members: MemberCloud) -> None:
    with pytest.raises(DeniedError, match=f"sts.AssumeRole of other in {MEMBER}: AccessDenied"):
        seen(MEMBER, role="other")
    with pytest.raises(DeniedError, match="999988887777"):
        seen("999988887777")


@pytest.mark.parametrize("account", ["", "1", "masked", "11112222333\u0664", "1" * 13])
def test_what_is_no_account_is_called_nowhere(members: MemberCloud, account: str) -> None:
    with pytest.raises(PermanentError, match="is no AWS account"):
        seen(account)
    assert members.calls == []


def test_credentials_are_renewed_before_they_expire(
    members: MemberCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock.time, "time", lambda: members.now)
    seen(MEMBER)
    members.now += 3600 - member.RENEW_S - 1
    assert seen(MEMBER) == ["i-member"]
    assert members.count("sts.AssumeRole") == 1
    members.now += 2
    assert seen(MEMBER) == ["i-member"]
    assert members.count("sts.AssumeRole") == 2


def test_ten_threads_assume_a_role_once(members: MemberCloud) -> None:
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(seen, [MEMBER] * 10)) == [["i-member"]] * 10
    assert members.count("sts.AssumeRole") == 1
    assert members.count("sts.GetCallerIdentity") <= 10


def test_sts_that_does_not_answer_can_be_asked_again(members: MemberCloud) -> None:
    members.faults.add([{"target": "sts.AssumeRole", "status": 503, "times": 3}])
    with pytest.raises(TransientError):
        seen(MEMBER)
    assert seen(MEMBER) == ["i-member"]


def test_nothing_is_called_when_no_time_is_left(members: MemberCloud) -> None:
    with pytest.raises(TransientError, match="no time left"):
        member.client("ec2", MEMBER, REGION, role=ROLE, deadline=Deadline.after(0))
    assert members.calls == []


def test_the_session_is_named_after_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "stack: a/b" + "x" * 80)
    name = member.session_name()
    assert name.startswith("stack--a-b")
    assert len(name) == 64
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    assert member.session_name() == "hub-responder"
