"""A round over tenants, EC2 and S3, all of them simulated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import duckdb
import msgspec
import pytest

from estates import TOKEN, Tenant, endpoint
from factories import ACCOUNT, NOW, REGION
from hub_responder import fleet, observability
from hub_responder.deadline import Deadline
from hub_responder.handlers import inventory as handlers
from hub_responder.inventory.plan import FILE, Plan, Watch
from hub_responder.inventory.run import NEVER_S, Taken, run
from hub_responder.vision_one import snapshot
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, respond
from loopback import Reply
from member_cloud import MEMBER, ROLE, MemberCloud, instance
from workload import KEY, Workload, computer

BUCKET = "inventory-1"
ONE, TWO, THREE = (f"i-000000000000000{number}" for number in (1, 2, 3))


@pytest.fixture
def cloud_(members: MemberCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemberCloud]:
    """AWS with three instances, an empty bucket, and the secrets."""
    moto = MotoStore(ACCOUNT, REGION)
    moto.create_bucket(BUCKET)
    moto.put_secret("hub-responder/test/vision-one", {"token": TOKEN})
    moto.put_secret("hub-responder/test/workload", {"api_key": KEY})
    moto.load()
    members.other = moto.app
    members.holds(instance(ONE), instance(TWO), instance(THREE, State="stopped"))
    monkeypatch.setenv("INVENTORY_BUCKET", BUCKET)
    yield members
    moto.reset()


def planned(tenant: Tenant, workload: Workload | None = None, **settings: Any) -> Plan:
    connections: dict[str, dict[str, Any]] = {
        "vision-one": {"type": "vision_one", "base_url": tenant.server.url}
    }
    if workload:
        connections["vision-one"]["workload_security"] = "workload"
        connections["workload"] = {
            "type": "workload_security", "base_url": workload.server.url,
        }  # fmt: skip
    return Plan(connections=connections, **settings)


def walked(plan: Plan, left: float = 120.0) -> Taken:
    (taken,) = run(plan, "test", Deadline.after(left)).values()
    return taken


def objects() -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return sorted(one["Key"] for one in listed)


def history(tmp_path: Path, select: str) -> list[tuple[Any, ...]]:
    """What the one file of the history holds, by instance."""
    (key,) = [key for key in objects() if key.startswith("history/")]
    held = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)
    assert held["ContentType"] == "application/vnd.apache.parquet"
    file = tmp_path / "history.parquet"
    file.write_bytes(held["Body"].read())
    with duckdb.connect() as database:
        return database.execute(f"SELECT {select} FROM '{file}' ORDER BY instance").fetchall()


def loaded(tenant: Tenant) -> snapshot.Snapshot | None:
    snapshot.forget()
    return snapshot.load("vision-one", tenant.server.url, Deadline.after(60))


def test_a_round_leaves_a_snapshot_and_a_file_of_history(
    cloud_: MemberCloud, tenant: Tenant, workload: Workload, tmp_path: Path
) -> None:
    tenant.holds(endpoint(ONE), endpoint(THREE))
    workload.holds(computer(ONE))
    taken = walked(planned(tenant, workload))
    assert taken == Taken(endpoints=2, rows=3, read_at=NOW)
    assert objects() == [
        "current/vision-one.snapshot",
        "history/day=2026-11-22/vision-one-000000Z.parquet",
    ]
    held = loaded(tenant)
    assert held is not None
    assert [bool(held.inventory.find(each)) for each in (ONE, TWO, THREE)] == [True, False, True]
    assert [one.instance_id for one in held.computers[ONE]] == [ONE]
    at = datetime(2026, 11, 22)  # noqa: DTZ001 - as DuckDB gives it
    assert history(tmp_path, "instance, running, verdict, region, taken_at, computer") == [
        (ONE, True, "PROTECTED", REGION, at, 34),
        (TWO, True, "UNPROTECTED", REGION, at, None),
        (THREE, False, "PROTECTED", "", at, None),
    ]


def test_accounts_and_regions_of_the_plan_are_asked(
    cloud_: MemberCloud, tenant: Tenant, tmp_path: Path
) -> None:
    cloud_.holds(
        instance(ONE, Region="us-east-1"),
        instance(TWO, OwnerId=MEMBER, Region=REGION),
        instance(THREE, Region="ap-south-1"),
    )
    plan = planned(
        tenant, accounts=(ACCOUNT, MEMBER), regions=(REGION, "us-east-1"), member_role=ROLE
    )
    assert walked(plan).rows == 2
    assert history(tmp_path, "instance, account, region") == [
        (ONE, ACCOUNT, "us-east-1"), (TWO, MEMBER, REGION),
    ]  # fmt: skip


def test_an_account_that_cannot_be_asked_is_named_and_says_nothing_of_what_runs(
    cloud_: MemberCloud, tenant: Tenant, tmp_path: Path
) -> None:
    tenant.holds(endpoint(THREE), endpoint("i-9", account=MEMBER))
    taken = walked(planned(tenant, accounts=(ACCOUNT, MEMBER)))
    (said,) = taken.left_out
    assert said.startswith(f"{MEMBER} {REGION}: ")
    assert taken.error == ""
    assert history(tmp_path, "instance, running") == [
        (ONE, True), (TWO, True), (THREE, False), ("i-9", None),
    ]  # fmt: skip


def test_more_instances_than_are_held_say_nothing_of_what_does_not_run(
    cloud_: MemberCloud, tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "MAX_INSTANCES", 1)
    tenant.holds(endpoint(THREE))
    (said,) = walked(planned(tenant)).left_out
    assert said == "1 instances over 1"
    assert history(tmp_path, "instance, running") == [(ONE, True), (THREE, None)]


def test_an_instance_that_runs_is_looked_for_among_desktops_too(
    cloud_: MemberCloud, tenant: Tenant, tmp_path: Path
) -> None:
    mac = endpoint(TWO, type="desktop", _securityDeployment=["workloadProtection"])
    tenant.holds(endpoint(ONE), mac)
    walked(planned(tenant))
    assert history(tmp_path, "instance, verdict") == [(ONE, "PROTECTED"), (TWO, "PROTECTED")]


def test_what_cannot_be_told_restored_leaves_no_tenant_without_its_snapshot(
    cloud_: MemberCloud, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_TABLE", "there-is-none")
    tenant.holds(endpoint(ONE))
    group = ("finding.account.id", "finding.region", "finding.resource.id")
    watch = Watch(playbook="gone", connection="vision-one", group_by=group)
    taken = walked(planned(tenant, watches=(watch,)))
    assert "dynamodb.BatchGetItem" in taken.error
    assert (taken.read_at, taken.rows) == (NOW, 2)
    assert loaded(tenant) is not None


def test_a_walk_that_does_not_come_to_its_end_leaves_the_snapshot_before(
    cloud_: MemberCloud, tenant: Tenant
) -> None:
    tenant.holds(endpoint(ONE))
    assert walked(planned(tenant)).error == ""
    tenant.now += 900
    link = f"{tenant.server.url}/v3.0/endpointSecurity/endpoints?skipToken=x"
    tenant.replies = [Reply(200, {"items": [], "nextLink": link}), Reply(403), Reply(403)]
    taken = walked(planned(tenant))
    assert (taken.read_at, taken.rows) == (None, 0)
    assert "403" in taken.error
    held = loaded(tenant)
    assert held is not None
    assert held.read_at == NOW
    assert len(objects()) == 2


@pytest.mark.parametrize(
    ("reply", "said"), [(Reply(401), "401"), (Reply(429), "429"), (Reply(200, b"<p>"), "something")]
)
def test_what_keeps_a_snapshot_from_being_written_is_said(
    cloud_: MemberCloud, tenant: Tenant, reply: Reply, said: str
) -> None:
    tenant.replies = [reply, reply, reply]
    assert said in walked(planned(tenant)).error
    assert objects() == []


def test_a_snapshot_stands_where_its_history_cannot_be_written(
    cloud_: MemberCloud, tenant: Tenant
) -> None:
    tenant.holds(endpoint(ONE))
    store = cloud_.other

    def without_history(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT" and "/history/" in environ["PATH_INFO"]:
            return respond(start, 403, b"<Error><Code>AccessDenied</Code></Error>", "text/xml")
        return store(environ, start)

    cloud_.other = without_history
    taken = walked(planned(tenant))
    assert (taken.read_at, taken.rows) == (NOW, 0)
    assert "s3.PutObject: AccessDenied" in taken.error
    assert loaded(tenant)


def test_no_snapshot_no_history(cloud_: MemberCloud, tenant: Tenant) -> None:
    tenant.holds(endpoint(ONE))
    cloud_.faults.add([{"target": "s3.PutObject", "status": 403, "times": 1}])
    assert walked(planned(tenant)).read_at is None
    assert objects() == []


def test_one_tenants_trouble_is_not_anothers(cloud_: MemberCloud, tenant: Tenant) -> None:
    tenant.holds(endpoint(ONE))
    good = planned(tenant).connections["vision-one"]
    plan = Plan(connections={"missing": {"type": "vision_one"}, "vision-one": good})
    told = run(plan, "test", Deadline.after(120))
    assert "there is none; create it" in told["missing"].error
    assert told["vision-one"].error == ""
    assert [key for key in objects() if key.startswith("current/")] == [
        "current/vision-one.snapshot"
    ]


def test_without_time_nothing_is_begun_that_cannot_be_ended(
    cloud_: MemberCloud, tenant: Tenant
) -> None:
    tenant.holds(endpoint(ONE))
    assert "no time left" in walked(planned(tenant), left=22.0).error
    assert tenant.lists == []
    assert objects() == []


# The function


def handled(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[Any, dict[str, Any]]:
    """What the handler answers, and the metrics that it writes."""
    (tmp_path / FILE).write_bytes(msgspec.json.encode(plan))
    for name, value in {
        "INVENTORY_DIR": str(tmp_path),
        "STAGE": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "HubResponder",
        "POWERTOOLS_SERVICE_NAME": "stack-inventory",
    }.items():
        monkeypatch.setenv(name, value)
    capsys.readouterr()
    observability._metrics.cache_clear()  # made without a namespace before
    observability._metrics().clear_metrics()
    context = SimpleNamespace(aws_request_id="run-1", get_remaining_time_in_millis=lambda: 300_000)
    answer = handlers.handler({}, context)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "_aws" in line]
    return answer, metrics


def test_the_function_tells_how_old_the_oldest_snapshot_is(
    cloud_: MemberCloud,
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tenant.holds(endpoint(ONE))
    answer, metrics = handled(planned(tenant), tmp_path, monkeypatch, capsys)
    assert answer["vision-one"]["endpoints"] == 1
    assert (metrics["service"], metrics["playbook"]) == ("stack-inventory", "inventory")
    assert (metrics["InventoryAge"], metrics["SnapshotsWritten"]) == ([0.0], [1.0])
    (held,) = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="current/")["Contents"]
    tenant.now = held["LastModified"].timestamp() + 1234
    tenant.replies = [Reply(403), Reply(403)]
    _, metrics = handled(planned(tenant), tmp_path, monkeypatch, capsys)
    assert (metrics["InventoryAge"], metrics["SnapshotsWritten"]) == ([1234.0], [0.0])


def test_a_snapshot_that_never_was_is_very_old(
    cloud_: MemberCloud,
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tenant.replies = [Reply(403), Reply(403)]
    _, metrics = handled(planned(tenant), tmp_path, monkeypatch, capsys)
    assert metrics["InventoryAge"] == [NEVER_S]
