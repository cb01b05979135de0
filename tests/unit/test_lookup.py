"""Tags of any resource: no tag is an answer, a look-up that failed is none."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import ACCOUNT, INSTANCE, REGION, resource
from hub_responder import clock, lookup
from hub_responder.deadline import Deadline
from hub_responder.errors import (
    CallError,
    ConfigurationError,
    DeniedError,
    PermanentError,
    TransientError,
)
from hub_responder.finding import Resource
from member_cloud import MEMBER, ROLE, MemberCloud, instance

DEADLINE = Deadline.after(3600)
ASKED = "tagging.GetResources"


def of(name: str, account: str = ACCOUNT, region: str = REGION) -> Resource:
    arn = f"arn:aws:ec2:{region}:{account}:instance/{name}"
    return resource(id=arn, instance_id=name, account=account, region=region)


def tags(asked: Resource, role: str = ROLE) -> dict[str, str]:
    return dict(lookup.tags(asked, role, DEADLINE))


def test_the_tags_are_those_of_the_resource(members: MemberCloud) -> None:
    members.holds(instance(), instance("i-2", Tags={"env": "dev"}))
    assert tags(resource()) == {"Name": "web-01", "Owner": "pay"}
    assert tags(of("i-2")) == {"env": "dev"}


def test_a_resource_without_tags_has_none(members: MemberCloud) -> None:
    members.holds(instance(Tags={}))
    assert tags(resource()) == {}


def test_a_resource_of_a_member_account_is_asked_about_there(members: MemberCloud) -> None:
    members.holds(instance("i-3", OwnerId=MEMBER, Region="us-west-2", Tags={"a": "b"}))
    assert tags(of("i-3", MEMBER, "us-west-2")) == {"a": "b"}
    with pytest.raises(ConfigurationError, match="member_role"):
        tags(of("i-4", MEMBER, "us-west-2"), role="")


def test_an_answer_is_kept_for_two_minutes(
    members: MemberCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(clock.time, "time", lambda: now[0])
    members.holds(instance())
    for at in (1000.0, 1119.0):
        now[0] = at
        tags(resource())
    assert members.count(ASKED) == 1
    members.holds(instance(Tags={"Name": "new"}))
    now[0] = 1121.0
    assert tags(resource()) == {"Name": "new"}


def test_many_are_asked_about_in_one_call(members: MemberCloud) -> None:
    names = [f"i-{number:017x}" for number in range(120)]
    members.holds(*(instance(name, Tags={"n": name}) for name in names))
    lookup.prepare([of(name) for name in names] * 2, ROLE, DEADLINE)
    asked = members.count(ASKED)
    assert asked == 3  # 100 ARNs in two pages, and 20
    assert [tags(of(name)) for name in names] == [{"n": name} for name in names]
    assert members.count(ASKED) == asked


def test_one_account_that_fails_costs_the_others_nothing(members: MemberCloud) -> None:
    members.holds(instance())
    lookup.prepare([of("i-5", "999988887777"), resource()], ROLE, DEADLINE)
    assert tags(resource())["Name"] == "web-01"
    with pytest.raises(DeniedError, match="999988887777"):
        tags(of("i-5", "999988887777"))


def test_a_failure_is_remembered_for_the_batch_and_not_longer(
    members: MemberCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(clock.time, "time", lambda: now[0])
    members.holds(instance())
    members.faults.add([{"target": ASKED, "status": 503, "times": 3}])
    for name in (INSTANCE, "i-6", "i-7"):
        with pytest.raises(TransientError):
            tags(of(name))
    assert members.count(ASKED) == 3  # botocore's three, for the first of them
    now[0] += 11
    assert tags(resource())["Name"] == "web-01"


def test_an_arn_that_is_refused_costs_its_neighbours_nothing(members: MemberCloud) -> None:
    members.holds(instance())
    odd = resource(id="arn:aws:ec2")
    lookup.prepare([odd, resource()], ROLE, DEADLINE)
    with pytest.raises(PermanentError, match="InvalidParameter"):
        tags(odd)
    assert tags(resource())["Name"] == "web-01"


@pytest.mark.parametrize(
    "name",
    ["AWS::::Account:111122223333", "web-01", "", "arn:aws:iam::111122223333:role/admin"],
)
def test_what_the_api_cannot_tell_is_an_error_without_a_call(
    members: MemberCloud, name: str
) -> None:
    with pytest.raises(CallError):
        tags(resource(id=name))
    assert members.calls == []


def test_no_time_left_is_said(members: MemberCloud) -> None:
    with pytest.raises(TransientError, match="no time left"):
        lookup.tags(resource(), ROLE, Deadline.after(0))


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(max_size=80), account=st.sampled_from([ACCOUNT, MEMBER, "masked"]))
def test_hostile_ids_give_tags_or_a_call_error(
    members: MemberCloud, name: str, account: str
) -> None:
    members.holds(instance())
    asked = resource(id=f"arn:aws:ec2:{REGION}:{account}:{name}", account=account)
    try:
        assert tags(asked) == {}
    except CallError as error:
        assert len(str(error)) < 400  # noqa: PT017 - either is right
