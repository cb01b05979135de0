"""Security Lake in the sandbox: from the registration to objects in the lake, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from hub_responder import parquet
from hub_toolkit.cli import application
from live import ACCOUNT, REGION, Live, apart

LAKE = f"aws-security-data-lake-{REGION}-sandbox"
CRAWLER = f"arn:aws:iam::{ACCOUNT}:role/service-role/crawler"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/AmazonSecurityLake-Provider"
KEY = re.compile(
    r"ext/hub-responder-(7001|2005|6003)/region=us-east-1/accountId=111122223333"
    r"/eventDay=(\d{8})/\d\d\.parquet"
)


@pytest.fixture(scope="module")
def own() -> Iterator[Live]:
    """Commands are recorded by this machine's clock: where others' is ahead, they come late."""
    with apart(Path(__file__).parents[2]) as live:
        yield live


def command(live: Live, *words: str) -> tuple[int, str]:
    args = [*words, "--endpoint", live.endpoint, "--stack", "hub-responder"]
    result = CliRunner(env={"COLUMNS": "300"}).invoke(application(), args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def answer(live: Live, *words: str) -> tuple[int, Any]:
    code, told = command(live, *words, "--json")
    return code, json.loads(told)


def objects(live: Live) -> dict[str, bytes]:
    s3 = live.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=LAKE).get("Contents", ())]
    return {key: s3.get_object(Bucket=LAKE, Key=key)["Body"].read() for key in keys}


def archived(live: Live) -> dict[str, Any]:
    """Something happens, and the hour is sealed."""
    finding = live.finding(live.instance())
    live.imported(finding)
    live.settle()
    live.clicked(finding)
    live.settle()
    live.control("POST", "clock", {"advance_s": 4800})
    told: dict[str, Any] = live.control("POST", "tick", {"function": "archive"})["result"]
    return told


def test_the_archive_comes_to_the_lake_until_it_is_unregistered(own: Live) -> None:
    register = ["security-lake", "register", "--crawler-role", CRAWLER, "--why", "the SOC asks"]
    code, made = answer(own, *register)
    assert code == 0
    names = {f"hub-responder-{uid}": uid for uid in (7001, 2005, 6003)}
    assert {one["name"]: one["class_uid"] for one in made} == names
    assert {one["location"] for one in made} == {f"s3://{LAKE}/ext/{name}/" for name in names}
    assert [one["new"] for one in answer(own, *register)[1]] == [False] * 3

    told = archived(own)
    assert told["copied"] >= 3
    found = objects(own)
    assert all(KEY.fullmatch(key) for key in found)
    written = {row[0] for body in found.values() for row in parquet.rows(body, "metadata.uid")}
    by_class = {
        key: {row[0] for row in parquet.rows(body, "class_uid")} for key, body in found.items()
    }
    assert all(uids == {int(key.split("/")[1][-4:])} for key, uids in by_class.items())
    records = own.control("GET", "audit")
    kinds = {one["kind"] for one in records if one["id"] in written}
    assert {"registered", "outcome", "received"} <= kinds

    code, status = answer(own, "security-lake", "status")
    assert code == 0
    assert {one["last_key"].removeprefix(f"s3://{LAKE}/") for one in status["sources"]} <= {*found}
    assert all(one["there"] and not one["failure"] for one in status["sources"])

    with pytest.raises(ClientError, match="AccessDenied"):
        own.client("sts").assume_role(
            RoleArn=f"{ROLE}-hub-responder-7001-{REGION}",
            RoleSessionName="somebody",
            ExternalId="guessed",
        )
    unregister = ["security-lake", "unregister", "--why", "over"]
    assert sorted(answer(own, *unregister)[1]["unregistered"]) == sorted(names)
    assert answer(own, *unregister)[1]["unregistered"] == []
    assert archived(own)["copied"] == 0
    assert objects(own) == found
    told_of = [one for one in own.control("GET", "audit") if "registered" in one["kind"]]
    assert [one["kind"] for one in told_of] == ["registered"] * 3 + ["unregistered"] * 3
    assert {one["why"] for one in told_of} == {"the SOC asks", "over"}
    assert all(one["actor"].startswith("arn:") for one in told_of)


def test_trend_delivers_to_a_source_of_its_own(own: Live) -> None:
    secret = ["--secret", "hub-responder/sandbox/trend-security-lake"]
    words = ["trend-lake", "register", "dns-activity", "file-activity", "--tenant", "202400001234"]
    words += [*secret, "--crawler-role", CRAWLER, "--why", "hunting"]
    own.fault(target="trend-security-lake", skip=1, status=503)  # it is listed first
    code, told = command(own, *words)
    assert code == 2
    assert "The custom source trend-dns is there, and Trend does not know of it" in told
    code, listed = answer(own, "trend-lake", "list", *secret)
    assert (code, [(one["source"], one["registered"]) for one in listed]) == (
        1,
        [("trend-dns", False)],
    )
    own.fault(target="trend-security-lake", skip=1, reset="after")
    assert command(own, *words)[0] == 2  # it was registered, and the answer was lost
    for _ in range(2):  # what failed goes on; what is there stays
        code, made = answer(own, *words)
        assert (code, [(one["source"], one["registered"]) for one in made]) == (
            0,
            [("trend-dns", True), ("trend-file", True)],
        )
    code, listed = answer(own, "trend-lake", "list", *secret)
    assert (code, [one["event_class"] for one in listed]) == (0, ["dns-activity", "file-activity"])
    posted = [one for one in own.control("GET", "inbox") if one["system"] == "trend-security-lake"]
    bodies = {one["body"]["eventClass"]: one["body"] for one in posted if one["method"] == "POST"}
    assert bodies["file-activity"] == {
        "eventClass": "file-activity",
        "providerAccountID": "868324285112",
        "bucketName": LAKE,
        "prefix": "ext/trend-file",
        "roleArn": f"{ROLE}-trend-file-{REGION}",
    }
    with pytest.raises(ClientError, match="AccessDenied"):  # it trusts Trend, not this account
        own.client("sts").assume_role(
            RoleArn=f"{ROLE}-trend-file-{REGION}",
            RoleSessionName="somebody",
            ExternalId="202400001234",
        )
    ending = ["trend-lake", "unregister", *secret, "--why", "over"]
    assert answer(own, *ending[:2], "dns-activity", *ending[2:])[1] == {
        "unregistered": ["trend-dns"]
    }
    assert answer(own, *ending)[1] == {"unregistered": ["trend-file"]}
    assert answer(own, "trend-lake", "list", *secret) == (0, [])
    assert command(own, *ending)[1] == "Nothing was registered.\n"
