"""``vision_one.fleet_report`` over EC2, Vision One and S3 as the sandbox has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estates import TOKEN, Tenant, endpoint
from factories import ACCOUNT, NOW, REGION, playbook, runtime, work
from hub_responder import clock, fleet, member
from hub_responder.actions import check_coverage, fleet_report, get
from hub_responder.actions.base import Outcome
from hub_responder.actions.fleet_report import HEADINGS, Params, plain, table
from hub_responder.connections.resolve import Connection
from hub_responder.deadline import Deadline
from hub_responder.engine.steps import MAX_RESULT
from hub_responder.fleet import Machine
from hub_responder.vision_one import clues, inventory
from hub_responder.vision_one.asking import Question
from hub_responder.vision_one.coverage import Coverage
from hub_toolkit.sandbox.aws_json import JSON_1_1, respond_ok
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, read_body, respond
from loopback import Loopback, Reply
from member_cloud import MEMBER, ROLE, MemberCloud, instance

BUCKET = "reports-1"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1")


class Files:
    """What was written to S3, and the secret of Vision One."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT":
            self.held[str(environ["PATH_INFO"])] = read_body(environ)
            return respond(start_response, 200, b"", "application/xml")
        secret = {"Name": "x", "SecretString": msgspec.json.encode({"token": TOKEN}).decode()}
        return respond_ok(start_response, secret, JSON_1_1)

    def rows(self) -> list[dict[str, str]]:
        (body,) = self.held.values()
        assert body.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.fixture
def files(members: MemberCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    made = Files()
    members.other = made.app
    monkeypatch.setenv("REPORTS_BUCKET", BUCKET)
    inventory.forget()
    member.forget()
    yield made
    inventory.forget()
    member.forget()


@pytest.fixture
def tenant(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    made = Tenant(server, NOW)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
    return made


def report(
    tenant: Tenant, params: Params | None = None, deadline: Deadline | None = None, **settings: Any
) -> Outcome:
    connections = {"vision-one": {"type": "vision_one", "base_url": tenant.server.url}}
    played = playbook(name="weekly", connections=connections, member_role=ROLE, **settings)
    more = {"deadline": deadline} if deadline else {}
    (outcome,) = fleet_report.run([work(params or Params())], runtime(playbook=played, **more))
    return outcome


def test_instances_are_counted_and_the_worst_come_first(
    members: MemberCloud, tenant: Tenant, files: Files
) -> None:
    members.holds(
        instance("i-0000000000000001", Tags={"Name": "good"}),
        instance("i-0000000000000002", Tags={"Name": "old"}),
        instance("i-0000000000000003", Tags={"Name": "away", "owner": "pay"}),
        instance("i-0000000000000004", Tags={"Name": "bare"}, PrivateIpAddress="10.9.9.9"),
        instance("i-0000000000000005", State="stopped"),
    )
    tenant.holds(
        endpoint("i-0000000000000001"),
        endpoint("i-0000000000000002", componentVersion="outdatedVersion"),
        endpoint("i-0000000000000003", status="off", lastConnectedDateTime="-P9D"),
    )
    outcome = report(tenant)
    result = outcome.result
    assert outcome.status == "done"
    numbers = ("total", "protected", "degraded", "unprotected", "unknown", "more")
    assert [result[name] for name in numbers] == [4, 1, 2, 1, 0, 0]
    assert (result["no_agent"], result["offline"], result["old"]) == (1, 1, 1)
    assert [row["name"] for row in result["worst"]] == ["bare", "old", "away"]
    assert result["worst"][2]["owner"] == "pay"
    assert result["file"].startswith(f"s3://{BUCKET}/fleet-report/weekly/2026-11-22-")
    assert result["left_out"] == ""
    assert [row["verdict"] for row in files.rows()] == [
        "UNPROTECTED", "DEGRADED", "DEGRADED", "PROTECTED",
    ]  # fmt: skip
    assert files.rows()[0]["private_ip"] == "10.9.9.9"
    assert list(files.held) == [f"/{result['file'].removeprefix('s3://')}"]


def test_a_verdict_is_the_one_that_a_coverage_check_gives(
    members: MemberCloud, tenant: Tenant, files: Files
) -> None:
    names = [f"i-000000000000000{number}" for number in range(7)]
    members.holds(*(instance(name, PrivateIpAddress=f"10.1.1.{n}") for n, name in enumerate(names)))
    tenant.holds(
        endpoint(names[0]),
        endpoint(names[1], status="off"),
        endpoint(names[2], status="unknown"),
        endpoint(names[3], version="", status="", protectionManager="", lastConnectedDateTime=""),
        endpoint(names[4], account="999988887777"),
        endpoint("", ipAddresses=["10.1.1.5"]),
    )
    assert report(tenant).status == "done"
    machines = fleet.running([(ACCOUNT, REGION)], "", Deadline.after(60)).machines
    settings = {"type": "vision_one", "base_url": tenant.server.url}
    connection = Connection("vision-one", "vision_one", settings)
    resources = [machine.resource for machine in machines]
    expected = check_coverage.judged(
        [Question(clues.of(one)) for one in resources],
        check_coverage.Params(),
        connection,
        {},
        stage="test",
        deadline=Deadline.after(60),
    )
    wanted = {
        one.instance_id: coverage.verdict for one, coverage in zip(resources, expected, strict=True)
    }
    assert {row["instance"]: row["verdict"] for row in files.rows()} == wanted
    assert len(set(wanted.values())) >= 3


def test_an_account_or_region_that_cannot_be_read_is_named_and_costs_only_itself(
    members: MemberCloud, tenant: Tenant, files: Files
) -> None:
    members.holds(
        instance("i-0000000000000001"),
        instance("i-0000000000000002", OwnerId=MEMBER),
        instance("i-0000000000000003", Region="us-east-1"),
    )
    tenant.holds(endpoint("i-0000000000000009"))
    accounts = (ACCOUNT, MEMBER, "999988887777")
    outcome = report(tenant, Params(regions=(REGION, "us-east-1")), accounts=accounts)
    assert (outcome.status, outcome.result["total"]) == ("done", 3)
    assert f"999988887777 {REGION}: sts.AssumeRole" in outcome.result["left_out"]
    assert "not read: 999988887777" in outcome.detail
    assert {row["account"] for row in files.rows()} == {ACCOUNT, MEMBER}


def test_thousands_are_read_page_by_page_and_the_result_stays_small(
    members: MemberCloud, tenant: Tenant, files: Files
) -> None:
    tags = {"Name": "受付サーバー" * 12, "Owner": "基盤チーム" * 15}
    members.holds(*(instance(f"i-{n:017x}", Tags=tags, PrivateIpAddress="") for n in range(2_345)))
    tenant.holds(endpoint("i-0fffffffffffffff1"))
    outcome = report(tenant, Params(most=50))
    result = outcome.result
    assert members.count("ec2.DescribeInstances") == 3
    assert (result["total"], result["unprotected"]) == (2345, 2345)
    assert len(result["worst"]) + result["more"] == 2345
    assert 0 < len(result["worst"]) < 50
    assert len(msgspec.json.encode(result)) < MAX_RESULT
    assert len(files.rows()) == 2345
    assert files.rows()[0]["name"] == tags["Name"]


def test_what_there_is_no_time_for_is_left_out_and_said(
    members: MemberCloud, tenant: Tenant, files: Files
) -> None:
    members.holds(*(instance(f"i-{n:017x}") for n in range(3_000)))
    tenant.holds(endpoint("i-0fffffffffffffff1"))
    left = [60.0]

    def passing() -> float:
        if members.count("ec2.DescribeInstances") == 2:
            left[0] = 31.0
        return left[0]

    outcome = report(tenant, deadline=Deadline(passing))
    assert (outcome.status, outcome.result["total"]) == ("done", 2000)
    assert "no time left to call ec2.DescribeInstances" in outcome.result["left_out"]


def test_while_vision_one_is_away_nothing_is_reported(
    members: MemberCloud, tenant: Tenant, files: Files
) -> None:
    members.holds(instance("i-0000000000000001"))
    tenant.server.answer = lambda _request: Reply(503, headers={"Retry-After": "60"})
    outcome = report(tenant)
    assert outcome.status == "deferred"
    assert outcome.retry_after is not None
    assert files.held == {}


def test_trouble_of_each_service_is_said(
    members: MemberCloud, tenant: Tenant, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    members.holds(instance("i-0000000000000001"))
    tenant.holds(endpoint("i-0000000000000001"))
    members.faults.add([{"target": "s3.PutObject", "status": 503, "times": 3}])
    assert report(tenant).status == "deferred"
    members.faults.add([{"target": "s3.PutObject", "status": 403, "times": 1}])
    assert report(tenant).status == "failed"
    members.faults.add([{"target": "ec2.DescribeInstances", "status": 403, "times": 1}])
    refused = report(tenant)
    assert (refused.status, "AccessDenied" in refused.detail) == ("failed", True)
    monkeypatch.delenv("REPORTS_BUCKET")
    assert "REPORTS_BUCKET is not set" in report(tenant).detail


def test_a_second_attempt_writes_the_same_file(
    members: MemberCloud, tenant: Tenant, files: Files
) -> None:
    members.holds(instance("i-0000000000000001"))
    tenant.holds(endpoint("i-0000000000000001"))
    assert report(tenant).result["file"] == report(tenant).result["file"]
    assert len(files.held) == 1


@given(st.text(max_size=40), st.sampled_from(FORMULAS))
def test_no_cell_is_a_formula_and_every_cell_comes_back(text: str, formula: str) -> None:
    for name in (text.replace("\x00", ""), formula + text.replace("\x00", "")):
        written = plain(name)
        assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert written in (name, f"'{name}")


def test_the_file_is_what_excel_reads() -> None:
    one = fleet._machine(
        {"InstanceId": "i-1", "Tags": [{"Key": "Name", "Value": '=HYPERLINK("x"),\n"受付"'}]},
        (ACCOUNT, REGION),
        "aws",
    )
    assert isinstance(one, Machine)
    body = table([(one, Coverage(verdict="UNPROTECTED", reasons=["no_endpoint"]))])
    assert body.startswith(b"\xef\xbb\xbfverdict,reasons,account")
    (row,) = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    assert list(row) == list(HEADINGS)
    assert row["name"] == '\'=HYPERLINK("x"),\n"受付"'


def test_the_role_may_write_below_one_prefix_only() -> None:
    action = get("vision_one.fleet_report")
    found = action.permissions({}, {"vision-one": {"type": "vision_one"}})
    by_action = {one["Action"][0]: one["Resource"] for one in found}
    assert by_action["s3:PutObject"] == [{"Fn::Sub": "${ReportsBucket.Arn}/fleet-report/*"}]
    assert set(by_action) == {
        "dynamodb:UpdateItem", "ec2:DescribeInstances", "s3:GetObject", "s3:PutObject",
        "secretsmanager:GetSecretValue",
    }  # fmt: skip
    assert (action.effects, action.in_members, action.reports) == (True, True, True)
