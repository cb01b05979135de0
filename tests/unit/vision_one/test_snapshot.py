"""The fleet in S3: what is read is what was written, or there is none."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estates import Tenant, endpoint
from factories import ACCOUNT, NOW, REGION, resource
from hub_responder import clock
from hub_responder.columns import DamagedError
from hub_responder.deadline import Deadline
from hub_responder.errors import PermanentError, TransientError
from hub_responder.vision_one import clues, snapshot, tiers
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import Demand
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.inventory import Inventory, walk
from hub_responder.vision_one.snapshot import (
    MAX_AGE_S,
    REVALIDATE_S,
    Snapshot,
    decode,
    encode,
    load,
    save,
)
from hub_responder.workload_security.computer import Computer
from hub_toolkit.sandbox.moto_store import MotoStore
from loopback import Cloud, Reply
from member_cloud import MemberCloud

BUCKET = "inventory-1"
TENANT = "https://api.example.com"
NAME = "vision-one"
RULES = (4783, 5892)


def computer(instance: str, **overrides: Any) -> Computer:
    values: dict[str, Any] = {
        "id": 1,
        "guid": f"guid-{instance}",
        "instance_id": instance,
        "account_id": ACCOUNT,
        "has_agent": True,
        "rules": RULES,
    }
    return Computer(**values | overrides)


def taken(*names: str, **overrides: Any) -> Snapshot:
    """Of a fleet of protected instances."""
    endpoints = [
        Endpoint(guid=f"guid-{n}", instance_id=n, account_id=ACCOUNT, epp_status="on")
        for n in names
    ]
    known = Inventory(NOW, {each.instance_id: [each] for each in endpoints}, walked=len(names))
    return Snapshot(TENANT, replace(known, **overrides))


def verdict(known: Inventory, instance: str) -> tuple[str, list[str]]:
    clue = clues.of(resource(instance_id=instance, details={}, tags={}))
    held = tiers.of_snapshot(Snapshot(TENANT, known, computers_complete=True))
    (found,) = held.find([clue])
    judged = tiers.judged(held, clue, found, Demand(86_400), known.read_at)
    return judged.verdict, judged.reasons


# What is in it


def test_a_snapshot_answers_as_the_walk_that_it_was_made_of(tenant: Tenant, client: Client) -> None:
    tenant.holds(
        endpoint("i-1"),
        endpoint("i-1", agentGuid="again", status="off"),
        endpoint("i-2", agentGuid="clone", componentVersion="outdatedVersion"),
        endpoint("i-3", agentGuid="clone", account="444455556666"),
        endpoint("", endpointName="web-05", virtualMachineDetails=None),
        endpoint(virtualMachineDetails={"cloudAccountId": "777788889999"}),
        endpoint("i-4", type="desktop", _securityDeployment=["workloadProtection"]),
    )
    walked = walk(client, ["i-9"])
    read = decode(encode(Snapshot(TENANT, walked))).inventory
    assert read.by_instance == walked.by_instance
    assert read.by_mark == walked.by_mark
    assert replace(read, by_instance={}, by_mark={}) == replace(walked, by_instance={}, by_mark={})
    for instance in ("i-1", "i-2", "i-3", "i-4", "i-5"):
        assert verdict(read, instance) == verdict(walked, instance)
    (found,) = read.find("I-2")
    assert (found.agent_version, found.guid in read.shared) == ("20.0.2.1234", True)
    named = clues.of(resource(instance_id="i-5", details={}, tags={"Name": "web-05"}))
    assert read.resembling(named) == walked.resembling(named) != []
    assert [read.unseen(each) for each in ("777788889999", ACCOUNT, "")] == [1, 0, 1]


@pytest.mark.parametrize(
    "told", [{"missing": 3}, {"complete": False}, {"unreadable": {"": 2, ACCOUNT: 1}}]
)
def test_what_a_walk_could_not_see_stays_known(told: dict[str, Any]) -> None:
    written = taken("i-1", **told)
    assert decode(encode(written)).inventory == written.inventory


def test_modules_and_computers_come_back() -> None:
    states = {"IntrusionPreventionSystem": "enabled"}
    known = taken("i-1", "i-2").inventory
    on = [msgspec.structs.replace(each, features=states) for each in known.find("i-1")]
    written = Snapshot(
        TENANT,
        known.with_endpoints([*on, *known.find("i-2")]),
        {"i-1": [computer("i-1"), computer("i-1", id=2)], "i-2": [computer("i-2", rules=None)]},
        computers_complete=True,
        modules={"intrusion_prevention"},
    )
    read = decode(encode(written))
    assert read == written
    assert [each.features for each in read.inventory.find("i-1")] == [states]


def test_rule_sets_that_are_alike_are_held_once() -> None:
    held = {f"i-{n}": [computer(f"i-{n}", rules=tuple(range(300)))] for n in range(50)}
    read = decode(encode(replace(taken("i-1"), computers=held)))
    assert len({id(one.rules) for found in read.computers.values() for one in found}) == 1


def test_a_fleet_that_no_function_could_hold_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot, "MAX_RAW", 200)
    with pytest.raises(PermanentError, match="snapshot of 1 endpoints is too large"):
        encode(taken("i-1"))


# Damage


@given(st.data())
def test_a_snapshot_that_was_changed_on_its_way_is_none_or_says_the_same(
    data: st.DataObject,
) -> None:
    """A few bits of what is packed mean nothing, and another packing may mean the same."""
    body = bytearray(encode(taken("i-1", "i-2")))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    try:
        read = decode(bytes(body))
    except DamagedError:
        return
    assert read == taken("i-1", "i-2")


@given(st.data())
def test_a_snapshot_that_is_cut_off_is_none(data: st.DataObject) -> None:
    body = encode(taken("i-1", "i-2"))
    with pytest.raises(DamagedError):
        decode(body[: data.draw(st.integers(0, len(body) - 1))])


@given(st.binary(max_size=200))
def test_whatever_else_lies_there_is_none(content: bytes) -> None:
    for body in (content, snapshot._MAGIC + content, snapshot._MAGIC + zlib.compress(content)):
        with pytest.raises(DamagedError):
            decode(body)


def test_a_snapshot_that_would_fill_the_memory_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = snapshot._MAGIC + zlib.compress(bytes(10_000_000))
    monkeypatch.setattr(snapshot, "MAX_RAW", 1_000_000)
    with pytest.raises(DamagedError, match="too large"):
        decode(bomb)


def test_a_snapshot_of_other_fields_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(msgspec.Struct, frozen=True):
        guid: str = ""
        instance_id: str = ""
        marks: tuple[str, ...] = ()

    monkeypatch.setattr(snapshot, "Endpoint", Other)
    body = encode(Snapshot(TENANT, Inventory(NOW, {})))
    monkeypatch.undo()
    with pytest.raises(DamagedError, match="other fields than those of Endpoint"):
        decode(body)


# In S3


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    time = SimpleNamespace(now=NOW)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: time.now))
    return time


@pytest.fixture
def bucket(
    members: MemberCloud, now: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MemberCloud]:
    """S3 as moto has it, with requests counted and faults scripted."""
    moto = MotoStore(ACCOUNT, REGION)
    moto.create_bucket(BUCKET)
    moto.load()
    members.other = moto.app
    monkeypatch.setenv("INVENTORY_BUCKET", BUCKET)
    yield members
    moto.reset()


def loaded(*, name: str = NAME, tenant: str = TENANT, left: float = 60.0) -> Snapshot | None:
    return load(name, tenant, Deadline.after(left))


def put(key: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def test_what_was_saved_is_loaded(bucket: MemberCloud) -> None:
    written = taken("i-1")
    size = save(NAME, written, Deadline.after(60))
    assert loaded() == written
    head = boto3.client("s3").head_object(Bucket=BUCKET, Key="current/vision-one.snapshot")
    assert (head["ContentLength"], head["ContentType"]) == (size, snapshot.CONTENT_TYPE)


def test_it_is_asked_for_once_a_minute_and_read_again_when_it_changed(
    bucket: MemberCloud, now: SimpleNamespace
) -> None:
    save(NAME, taken("i-1"), Deadline.after(60))
    first = loaded()
    now.now += REVALIDATE_S - 1
    assert loaded() is first
    assert bucket.count("s3.GetObject") == 1
    now.now += 2
    assert loaded() is first  # asked, and answered that it is the same
    assert bucket.count("s3.GetObject") == 2
    save(NAME, taken("i-1", "i-2"), Deadline.after(60))
    now.now += REVALIDATE_S + 1
    again = loaded()
    assert again is not None
    assert again.inventory.find("i-2")


def test_a_snapshot_is_none_once_two_walks_have_failed(
    bucket: MemberCloud, now: SimpleNamespace
) -> None:
    save(NAME, taken("i-1"), Deadline.after(60))
    assert loaded()
    now.now += MAX_AGE_S - 1
    assert loaded()
    now.now += 2
    assert loaded() is None


def test_a_snapshot_of_times_to_come_is_none(bucket: MemberCloud, now: SimpleNamespace) -> None:
    save(NAME, taken("i-1", read_at=NOW + 3600), Deadline.after(60))
    assert loaded() is None


def test_a_snapshot_of_another_tenant_is_none(bucket: MemberCloud) -> None:
    save(NAME, taken("i-1"), Deadline.after(60))
    assert loaded(tenant="https://api.eu.example.com") is None
    assert loaded(name="other") is None
    assert loaded()


def test_without_a_bucket_nothing_is_asked_for(
    bucket: MemberCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INVENTORY_BUCKET")
    assert loaded() is None
    assert bucket.count("s3.GetObject") == 0


def test_where_none_was_written_yet_there_is_none_until_there_is(
    bucket: MemberCloud, now: SimpleNamespace
) -> None:
    assert loaded() is None
    assert loaded() is None
    assert bucket.count("s3.GetObject") == 1
    save(NAME, taken("i-1"), Deadline.after(60))
    now.now += REVALIDATE_S + 1
    assert loaded()


def test_one_that_cannot_be_read_is_none_until_another_is_there(
    bucket: MemberCloud, now: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    save(NAME, taken("i-1"), Deadline.after(60))
    assert loaded()
    put("current/vision-one.snapshot", b"something else")
    now.now += REVALIDATE_S + 1
    assert loaded() is None
    now.now += REVALIDATE_S + 1
    assert loaded() is None
    save(NAME, taken("i-1", read_at=now.now), Deadline.after(60))
    now.now += REVALIDATE_S + 1
    assert loaded()


@pytest.mark.parametrize(("status", "usable"), [(500, True), (503, True), (403, False)])
def test_trouble_with_s3_costs_nothing_that_is_known_and_denial_everything(
    bucket: MemberCloud, now: SimpleNamespace, status: int, usable: bool
) -> None:
    save(NAME, taken("i-1"), Deadline.after(60))
    assert loaded()
    bucket.faults.add([{"target": "s3.GetObject", "status": status, "times": 1}])
    now.now += REVALIDATE_S + 1
    assert (loaded() is not None) is usable
    assert bucket.count("s3.GetObject") == 2  # and no second try


def test_with_no_time_left_nothing_is_asked_for(bucket: MemberCloud, now: SimpleNamespace) -> None:
    save(NAME, taken("i-1"), Deadline.after(60))
    assert loaded(left=1.0) is None
    assert bucket.count("s3.GetObject") == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"x", {"ETag": '"1"', "Content-Length": str(1 << 40)}),
        Reply(200, b"cut", {"ETag": '"1"', "Content-Length": "400"}),
        Reply(200, b"not a snapshot", {"ETag": '"1"'}),
        Reply(hang_up=True),
    ],
)
def test_an_answer_of_s3_that_is_odd_is_none(
    cloud: Cloud, now: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setenv("INVENTORY_BUCKET", BUCKET)
    cloud.answer = lambda _request: reply
    assert loaded() is None
    assert len(cloud.requests) == 1


def test_one_that_is_not_stored_says_so(bucket: MemberCloud) -> None:
    bucket.faults.add([{"target": "s3.PutObject", "status": 503, "times": 9}])
    with pytest.raises(TransientError, match=r"s3.PutObject"):
        save(NAME, taken("i-1"), Deadline.after(60))
    assert loaded() is None
