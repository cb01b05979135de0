"""EC2, STS and tags of the member accounts, through AWS's own client library."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from factories import ACCOUNT, REGION
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.members import cbor
from hub_toolkit.sandbox.members.query import xml
from member_cloud import MEMBER, ROLE, MemberCloud, instance


def client(cloud: MemberCloud, service: str, key: str = "any", region: str = REGION) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=cloud.url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["InstanceId"] for part in answer["Reservations"] for one in part["Instances"]]


def test_an_instance_is_told_with_what_the_estate_says(members: MemberCloud) -> None:
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/web"
    members.holds(
        instance(
            InstanceType="m7g.large",
            IamInstanceProfile=profile,
            PublicIpAddress="203.0.113.7",
            Tags={"Name": '<web> & "co"'},
        )
    )
    ec2 = client(members, "ec2")
    (reservation,) = ec2.describe_instances()["Reservations"]
    assert reservation["OwnerId"] == ACCOUNT
    (one,) = reservation["Instances"]
    assert one["State"] == {"Code": 16, "Name": "running"}
    assert one["Tags"] == [{"Key": "Name", "Value": '<web> & "co"'}]
    assert (one["InstanceType"], one["PublicIpAddress"]) == ("m7g.large", "203.0.113.7")
    assert one["IamInstanceProfile"]["Arn"] == profile
    assert one["LaunchTime"].year == 2026


def test_ids_that_are_not_there_are_refused_together_and_filters_pass_them_over(
    members: MemberCloud,
) -> None:
    members.holds(instance("i-1"))
    ec2 = client(members, "ec2")
    with pytest.raises(ClientError, match="instance IDs 'i-2, i-3' do not exist") as error:
        ec2.describe_instances(InstanceIds=["i-1", "i-2", "i-3"])
    assert code(error) == "InvalidInstanceID.NotFound"
    with pytest.raises(ClientError) as error:
        ec2.describe_instances(InstanceIds=["web-01"])
    assert code(error) == "InvalidInstanceID.Malformed"
    by_filter = [{"Name": "instance-id", "Values": ["i-1", "i-2"]}]
    assert ids(ec2.describe_instances(Filters=by_filter)) == ["i-1"]
    with pytest.raises(ClientError) as error:
        ec2.describe_instances(Filters=[{"Name": "no-such-filter", "Values": ["y"]}])
    assert code(error) == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("web-01", ["i-1"]),
        ("WEB-01", []),
        ("web-*", ["i-1", "i-2"]),
        ("web-0?", ["i-1"]),
        ("web-\\*", ["i-2"]),
        ("w.b-01", []),
        ("*", ["i-1", "i-2"]),
    ],
)
def test_tags_are_filters_whose_values_may_be_patterns(
    members: MemberCloud, value: str, found: list[str]
) -> None:
    names = {"i-1": "web-01", "i-2": "web-*"}
    named = [instance(one, Tags={"Name": name}) for one, name in names.items()]
    members.holds(*named, instance("i-3", Tags={}))
    answer = client(members, "ec2").describe_instances(
        Filters=[{"Name": "tag:Name", "Values": [value]}]
    )
    assert ids(answer) == found


def test_instances_come_in_pages(members: MemberCloud) -> None:
    names = [f"i-{number}" for number in range(10, 22)]
    members.holds(*map(instance, names))
    pages = client(members, "ec2").get_paginator("describe_instances")
    found = [ids(page) for page in pages.paginate(PaginationConfig={"PageSize": 5})]
    assert [len(page) for page in found] == [5, 5, 2]
    assert [name for page in found for name in page] == names


def test_a_terminated_instance_is_told_of_for_an_hour(members: MemberCloud) -> None:
    members.holds(instance("i-1", State="terminated"))
    ec2 = client(members, "ec2")
    (one,) = ec2.describe_instances()["Reservations"][0]["Instances"]
    assert one["State"]["Name"] == "terminated"
    assert "PrivateIpAddress" not in one
    members.now += 3601
    assert ids(ec2.describe_instances()) == []
    with pytest.raises(ClientError):
        ec2.describe_instances(InstanceIds=["i-1"])


def test_images_are_those_of_the_instances_there(members: MemberCloud) -> None:
    members.holds(
        instance("i-1", ImageId="ami-1", ImageName="golden"),
        instance("i-2", ImageId="ami-2", ImageName="other"),
        instance("i-3", ImageId="ami-3"),
    )
    filters = [{"Name": "image-id", "Values": ["ami-1", "ami-3"]}]
    answer = client(members, "ec2").describe_images(Filters=filters)
    assert [(one["ImageId"], one["Name"]) for one in answer["Images"]] == [("ami-1", "golden")]


def test_an_assumed_role_acts_in_its_account_until_it_expires(members: MemberCloud) -> None:
    members.holds(instance("i-1", OwnerId=MEMBER))
    sts = client(members, "sts")
    arn = f"arn:aws:iam::{MEMBER}:role/{ROLE}"
    key = sts.assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]["AccessKeyId"]
    theirs = client(members, "sts", key).get_caller_identity()
    assert theirs["Account"] == MEMBER
    assert theirs["Arn"].endswith(f"assumed-role/{ROLE}/me")
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    ec2 = client(members, "ec2", key)
    assert ids(ec2.describe_instances()) == ["i-1"]
    members.now += 3601
    with pytest.raises(ClientError) as error:
        ec2.describe_instances()
    assert code(error) == "ExpiredToken"


@pytest.mark.parametrize(
    ("arn", "request_", "wanted"),
    [
        (f"arn:aws:iam::{MEMBER}:role/other", {}, "AccessDenied"),
        (f"arn:aws:iam::999988887777:role/{ROLE}", {}, "AccessDenied"),
        ("arn:aws:iam::x:role/hub-responder", {}, "AccessDenied"),
        (f"arn:aws:iam::{MEMBER}:role/{ROLE}", {"RoleSessionName": "a b"}, "ValidationError"),
        (f"arn:aws:iam::{MEMBER}:role/{ROLE}", {"DurationSeconds": 7200}, "ValidationError"),
    ],
)
def test_a_role_that_may_not_be_assumed_is_refused(
    members: MemberCloud, arn: str, request_: dict[str, Any], wanted: str
) -> None:
    members.holds(instance("i-1", OwnerId=MEMBER))
    request = {"RoleArn": arn, "RoleSessionName": "me", **request_}
    with pytest.raises(ClientError) as error:
        client(members, "sts").assume_role(**request)
    assert code(error) == wanted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.floats(width=64),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_cbor_reads_what_it_wrote(value: Any) -> None:
    assert repr(cbor.decode(cbor.encode(value))) == repr(value)


@given(st.binary(max_size=60))
def test_cbor_of_any_kind_is_read_or_refused(data: bytes) -> None:
    try:
        cbor.decode(data)
    except AwsError as error:
        assert error.code == "SerializationException"  # noqa: PT017 - either is right


@given(st.text())
def test_no_text_breaks_out_of_the_xml(text: str) -> None:
    assert "<" not in xml(text, "item")
    assert "\x00" not in xml(text, "item")


def test_systems_manager_tells_of_what_it_manages_page_by_page(members: MemberCloud) -> None:
    named = [instance(f"i-{number}", ComputerName=f"WIN-{number}") for number in range(7)]
    members.holds(*named, instance("i-a"), instance("i-b", ComputerName="b", State="terminated"))
    ssm = client(members, "ssm")
    pages = ssm.get_paginator("describe_instance_information").paginate(
        PaginationConfig={"PageSize": 5}
    )
    told = [one["ComputerName"] for page in pages for one in page["InstanceInformationList"]]
    assert told == [f"WIN-{number}" for number in range(7)]
    of = [{"Key": "InstanceIds", "Values": ["i-3", "i-a", "i-none"]}]
    answer = ssm.describe_instance_information(Filters=of)
    assert [one["InstanceId"] for one in answer["InstanceInformationList"]] == ["i-3"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"Filters": [{"Key": "PingStatus", "Values": ["Online"]}]}, "InvalidFilterKey"),
        (
            {"Filters": [{"Key": "InstanceIds", "Values": ["i-1"] * 101}]},
            "ValidationException",
        ),
        ({"NextToken": "x"}, "InvalidNextToken"),
    ],
)
def test_systems_manager_refuses_what_it_does_not_know(
    members: MemberCloud, request_: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ClientError) as error:
        client(members, "ssm").describe_instance_information(**request_)
    assert code(error) == expected
