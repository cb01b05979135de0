"""The sandbox's Security Lake refuses what the API reference refuses."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from factories import ACCOUNT, REGION
from hub_toolkit.sandbox.security_lake import MAX_SOURCES, S3_OPERATIONS, SecurityLake
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, respond
from member_cloud import MemberCloud

CRAWLER = f"arn:aws:iam::{ACCOUNT}:role/crawler"


@pytest.fixture
def lake(members: MemberCloud) -> SecurityLake:
    made = SecurityLake(ACCOUNT, REGION, members.members.accounts)
    members.services["securitylake"] = made.app
    return made


def create(name: str = "source", **changed: Any) -> Any:
    identity = {"principal": ACCOUNT, "externalId": "secret-1"} | changed.pop("identity", {})
    configuration = {
        "crawlerConfiguration": {"roleArn": CRAWLER},
        "providerIdentity": identity,
    }
    request = {"sourceName": name, "configuration": configuration, **changed}
    return boto3.client("securitylake").create_custom_log_source(**request)["source"]


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("a" * 21, {}, "more than 20 characters"),
        ("a b", {}, "is not allowed"),
        ("source", {"identity": {"principal": "1"}}, "principal is not allowed"),
        ("source", {"identity": {"externalId": "a b"}}, "externalId is not allowed"),
        ("source", {"eventClasses": ["REMEDIATION_ACTIVITY"]}, "not supported"),
    ],
)
def test_what_is_not_allowed_is_refused(
    lake: SecurityLake, name: str, changed: dict[str, Any], said: str
) -> None:
    assert lake.enabled
    with pytest.raises(ClientError, match=f"BadRequestException.*{said}"):
        create(name, **changed)


def test_a_name_is_there_once_and_an_account_has_50(lake: SecurityLake) -> None:
    client = boto3.client("securitylake")
    for number in range(MAX_SOURCES):
        create(f"source-{number}", eventClasses=["API_ACTIVITY"])
    with pytest.raises(ClientError, match="ConflictException"):
        create("source-7")
    with pytest.raises(ClientError, match="50 custom sources"):
        create("one-more")
    client.delete_custom_log_source(sourceName="source-7")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.delete_custom_log_source(sourceName="source-7")
    create("one-more")
    asked = [{"customLogSource": {"sourceName": name}} for name in ("one-more", "source-7")]
    (held,) = client.list_log_sources(sources=asked)["sources"]
    assert [one["customLogSource"]["sourceName"] for one in held["sources"]] == ["one-more"]
    (known,) = client.list_data_lakes(regions=[REGION])["dataLakes"]
    assert (known["s3BucketArn"], known["createStatus"]) == (
        f"arn:aws:s3:::{lake.bucket}",
        "COMPLETED",
    )
    assert client.list_data_lakes(regions=["sa-east-1"])["dataLakes"] == []


def test_a_provider_puts_objects_below_its_location_and_nothing_else(
    lake: SecurityLake, members: MemberCloud
) -> None:
    def s3(_environ: Environ, start_response: StartResponse) -> list[bytes]:
        return respond(start_response, 200, b"", "text/plain")

    members.operations |= dict.fromkeys(S3_OPERATIONS, lake.around(s3))
    provider = create()["provider"]
    sts = boto3.client("sts")
    asked = {"RoleArn": provider["roleArn"], "RoleSessionName": "provider"}
    for wrong in ({}, {"ExternalId": "other"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(**asked, **wrong)
    given = sts.assume_role(**asked, ExternalId="secret-1")["Credentials"]
    writer = boto3.client(
        "s3",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    writer.put_object(Bucket=lake.bucket, Key="ext/source/x", Body=b"x")
    for bucket, key in ((lake.bucket, "ext/source-2/x"), ("other", "ext/source/x")):
        with pytest.raises(ClientError, match="AccessDenied"):
            writer.put_object(Bucket=bucket, Key=key, Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        writer.get_object(Bucket=lake.bucket, Key="ext/source/x")
    boto3.client("securitylake").delete_custom_log_source(sourceName="source")
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(**asked, ExternalId="secret-1")
