"""Copies for Security Lake: all that was sealed comes, once it can, and the archive never waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_responder import parquet
from hub_responder.archive import lake
from hub_responder.archive.delivery import below, deliver, placed
from hub_responder.archive.layout import SOURCES, data_key, period_named
from hub_responder.deadline import Deadline
from hub_responder.errors import CallError
from lakes import LEDGER, Lake
from member_cloud import MemberCloud
from trails import HOUR, Trail

ATTEMPT = {"kind": "attempt", "uses": "ticket.open", "key": "k1", "findings": ["f-1"], "step": "t"}
SKIPPED = {"kind": "skipped", "findings": ["f-2"], "detail": "no"}
PLACE = "region=eu-central-1/accountId=111122223333"
REMEDIATION = f"ext/hub-responder-7001/{PLACE}"


@pytest.fixture
def made(trail: Trail, members: MemberCloud) -> Lake:
    return Lake(trail, members)


def test_what_is_sealed_comes_to_its_source_as_it_is(trail: Trail, made: Lake) -> None:
    made.register(7001)
    made.register(2005)
    trail.write("run-1", [ATTEMPT, SKIPPED])
    assert made.hours(1.4) == 2
    day = "eventDay=20270115"
    archived = {key: trail.body(key) for key in trail.keys("ext/")}
    assert made.objects() == {
        f"{REMEDIATION}/{day}/09.parquet": archived[
            f"ext/hub-responder-remediation/{PLACE}/{day}/09.parquet"
        ],
        f"ext/hub-responder-2005/{PLACE}/{day}/09.parquet": archived[
            f"ext/hub-responder-incident/{PLACE}/{day}/09.parquet"
        ],
    }
    source = made.sources()["7001"]
    assert source.last_key == f"s3://{made.security_lake.bucket}/{REMEDIATION}/{day}/09.parquet"
    assert source.delivered_at == "2027-01-15T10:24:00.000Z"
    assert (source.next_hour, source.failure) == ("2027-01-15T10", "")
    assert made.hours(0.1) == 0


def test_late_records_come_into_the_day_that_they_are_of(trail: Trail, made: Lake) -> None:
    made.register(7001)
    trail.write("run-1", [ATTEMPT])
    assert made.hours(1.4) == 1
    trail.write("run-2", [ATTEMPT])
    late = trail.items()[-1]
    trail.remove(late)
    late["pk"]["S"] = late["pk"]["S"].replace("T10", "T09")
    trail.put(late)
    made.hours(24)
    found = made.objects()
    key = f"{REMEDIATION}/eventDay=20270115/09-late.parquet"
    assert [row[0] for row in parquet.rows(found[key], "metadata.uid")] == ["run-2.1"]
    assert not any("eventDay=20270116" in one for one in found)


def test_what_fails_is_kept_with_its_reason_and_comes_with_a_later_run(
    trail: Trail, made: Lake, members: MemberCloud
) -> None:
    made.register(7001)
    trail.write("run-1", [ATTEMPT])
    members.faults.add([{"target": "sts.AssumeRole", "status": 403, "times": 2}])
    assert made.hours(1.4) == 0
    trail.write("run-2", [ATTEMPT])
    first = made.sources()["7001"]
    assert "AssumeRole" in first.failure
    assert made.hours(1.0) == 0
    assert len(trail.digests()) == 2
    second = made.sources()["7001"]
    assert (second.failing_since, second.next_hour) == (first.failing_since, "2027-01-15T09")
    assert made.hours(0.01) == 2
    third = made.sources()["7001"]
    assert (third.failure, third.failing_since) == ("", "")
    names = [key.rpartition("/")[2] for key in made.objects()]
    assert names == ["09.parquet", "10.parquet"]


def test_one_source_that_fails_keeps_no_other_up(trail: Trail, made: Lake) -> None:
    made.register(2005)
    made.register(7001)
    made.change(2005, location=f"s3://{made.security_lake.bucket}/ext/somebody-else/")
    trail.write("run-1", [ATTEMPT, SKIPPED])
    assert made.hours(1.4) == 1
    assert [*made.objects()] == [f"{REMEDIATION}/eventDay=20270115/09.parquet"]
    assert "AccessDenied" in made.sources()["2005"].failure


def test_a_run_that_ends_halfway_is_gone_on_with(
    trail: Trail, made: Lake, members: MemberCloud
) -> None:
    made.register(7001)
    trail.write("run-1", [ATTEMPT])
    made.hours(1.4)
    before = made.objects()
    made.change(7001, next_hour="2027-01-15T09")  # it died before it was noted
    assert made.hours(0.0) == 1
    assert made.objects() == before


def test_a_source_begins_with_the_hours_of_its_first_run(trail: Trail, made: Lake) -> None:
    trail.write("run-1", [ATTEMPT])
    made.hours(1.4)
    made.register(7001)
    trail.write("run-2", [ATTEMPT])
    trail.now += HOUR
    trail.write("run-3", [ATTEMPT])
    assert made.hours(1.0) == 2
    names = [key.rpartition("/")[2] for key in made.objects()]
    assert names == ["10.parquet", "11.parquet"]


def test_what_is_not_as_it_was_sealed_is_not_delivered(trail: Trail, made: Lake) -> None:
    made.register(7001)
    trail.write("run-1", [ATTEMPT])
    trail.now += 1.4 * HOUR
    trail.archive()
    (key,) = trail.keys("ext/")
    trail.s3.put_object(Bucket=trail.bucket, Key=key, Body=b"other")
    assert made.hours(0.0) == 0
    assert "is not as it was sealed" in made.sources()["7001"].failure
    assert made.objects() == {}


@pytest.mark.parametrize("phase", [lake.WANTED, lake.ENDING])
def test_nothing_comes_to_a_source_that_is_begun_or_ending(
    trail: Trail, made: Lake, phase: str
) -> None:
    made.register(7001)
    made.change(7001, phase=phase)
    trail.write("run-1", [ATTEMPT])
    assert made.hours(1.4) == 0
    assert made.objects() == {}


def test_a_source_that_was_unregistered_meanwhile_is_not_kept_again(made: Lake) -> None:
    source = replace(made.register(7001), next_hour="2027-01-15T10")
    made.remove(7001)
    lake.note(LEDGER, source)
    assert made.sources() == {}


def test_a_ledger_that_does_not_answer_is_no_reason_to_fail(
    trail: Trail, made: Lake, members: MemberCloud
) -> None:
    made.register(7001)
    trail.write("run-1", [ATTEMPT])
    members.faults.add([{"target": "dynamodb.UpdateItem", "status": 400, "times": 1}])
    assert made.hours(1.4) == 1  # written; it is only not noted
    assert len(trail.digests()) == 1
    missing = {"LEDGER_TABLE": "none", "ARCHIVE_BUCKET": trail.bucket}
    assert deliver(missing, Deadline.after(60), None) == 0
    made.hours(0.1)
    assert made.sources()["7001"].delivered_at


def test_what_cannot_be_noted_of_one_source_keeps_no_other_up(
    trail: Trail, made: Lake, members: MemberCloud
) -> None:
    made.register(2005)
    made.register(7001)
    trail.write("run-1", [ATTEMPT, SKIPPED])
    members.faults.add([{"target": "dynamodb.UpdateItem", "status": 400, "times": 1}])
    made.hours(1.4)
    assert len(made.objects()) == 2
    assert made.sources()["7001"].delivered_at


def test_without_time_nothing_is_begun(trail: Trail, made: Lake) -> None:
    made.register(7001)
    trail.write("run-1", [ATTEMPT])
    trail.now += 1.4 * HOUR
    trail.archive()
    environment: dict[str, Any] = {"LEDGER_TABLE": LEDGER, "ARCHIVE_BUCKET": trail.bucket}
    assert deliver(environment, Deadline.after(29), None) == 0
    assert made.objects() == {}
    assert made.hours(0.0) == 1


@pytest.mark.parametrize(
    "location",
    ["", "https://example.com/x", "s3://lake", "s3://lake/", "s3://lake//", "s3://UPPER/ext/x"],
)
def test_a_location_that_is_none_is_refused(location: str) -> None:
    with pytest.raises(CallError, match="no location in S3"):
        placed(location)


@pytest.mark.parametrize("form", ["s3://lake-1/ext/x", "s3://lake-1/ext/x/", "s3a://lake-1/ext/x/"])
def test_a_location_is_a_bucket_and_a_prefix(form: str) -> None:
    assert placed(form) == ("lake-1", "ext/x")


@given(
    st.sampled_from([*SOURCES]),
    st.integers(0, 200_000),
    st.sampled_from(["", "-001", "-late", "-002-late"]),
)
def test_each_object_has_one_place_in_the_lake(uid: int, hour: int, part: str) -> None:
    period = period_named("2026-01-01T00").before(-hour)
    told = below(data_key(uid, "us-east-1", "111122223333", period, part), period)
    day = (period.before(24) if part.endswith("late") else period).day
    assert told == (
        f"region=us-east-1/accountId=111122223333/eventDay={day}/{period.name}{part}.parquet"
    )
