"""The archive: each hour is sealed once, in order, with all that was written in it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from hub_responder import parquet
from hub_responder.archive.digest import open_envelope, pae, sha256
from hub_responder.audit import try_of
from hub_responder.errors import CallError
from member_cloud import MemberCloud
from trails import BUCKET, HOUR, Trail

ATTEMPT = {"kind": "attempt", "uses": "ticket.open", "key": "k1", "findings": ["f-1"], "step": "t"}
OUTCOME = {**ATTEMPT, "kind": "outcome", "status": "done"}
SKIPPED = {"kind": "skipped", "findings": ["f-2"], "detail": "日本語\u2028もう一行"}


def sealed(trail: Trail, hours: float = 1.4) -> list[Any]:
    trail.now += hours * HOUR
    trail.archive()
    return trail.digests()


def lines(trail: Trail) -> list[str]:
    """The records of the archive as they were written, in order of their objects."""
    keys = trail.keys("ext/")
    return [row[0] for key in keys for row in parquet.rows(trail.body(key), "raw_data")]


def test_what_was_written_is_archived_by_class_and_day(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT, SKIPPED], [OUTCOME])
    (digest,) = sealed(trail)
    day = "region=eu-central-1/accountId=111122223333/eventDay=20270115"
    assert [one.key for one in digest.objects] == [
        f"ext/hub-responder-incident/{day}/09.parquet",
        f"ext/hub-responder-remediation/{day}/09.parquet",
    ]
    assert [(one.class_uid, one.records) for one in digest.objects] == [(2005, 1), (7001, 2)]
    assert (digest.items, digest.records, digest.runs, digest.incomplete) == (2, 3, 1, [])
    for one in digest.objects:
        body = trail.body(one.key)
        assert (sha256(body), len(body)) == (one.sha256, one.size)
        assert one.first == one.last == "2027-01-15T09:00:00.000Z"


def test_records_are_kept_as_they_were_written(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT, SKIPPED], [OUTCOME])
    written = [line for item in trail.items() for line in item["records"]["S"].split("\n")]
    sealed(trail)
    assert sorted(lines(trail)) == sorted(written)
    assert any("日本語\u2028もう一行" in line for line in written)


def test_what_a_second_try_wrote_late_is_archived_beside_what_the_first_wrote(
    trail: Trail,
) -> None:
    trail.write(try_of("run-1"), [SKIPPED])
    sealed(trail)
    trail.now -= 0.5 * HOUR  # its clock: the hour that is sealed already
    trail.write(try_of("run-1"), [{**SKIPPED, "detail": "again"}])
    digests = sealed(trail, 26)
    assert {json.loads(line)["detail"] for line in lines(trail)} == {SKIPPED["detail"], "again"}
    assert not any(digest.incomplete for digest in digests)


def test_a_digest_is_signed_and_says_where_it_lies(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT])
    (digest,) = sealed(trail)
    key = "digests/2027/01/15/09.json"
    assert (digest.bucket, digest.key, digest.sequence) == (BUCKET, key, 1)
    opened = open_envelope(trail.body(key))
    public = load_der_public_key(trail.public)
    assert isinstance(public, EllipticCurvePublicKey)
    (signature,) = opened.signatures
    assert signature.keyid == hashlib.sha256(trail.public).hexdigest()
    public.verify(base64.b64decode(signature.sig), pae(opened.payload), ECDSA(SHA256()))


def test_hours_without_records_are_sealed_too_and_each_names_the_one_before(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT])
    first, second, third = sealed(trail, 3.4)
    assert [one.sequence for one in (first, second, third)] == [1, 2, 3]
    assert [one.records for one in (first, second, third)] == [1, 0, 0]
    assert first.previous is None
    for before, after in ((first, second), (second, third)):
        assert after.previous is not None
        assert after.previous.key == before.key
        assert after.previous.sha256 == sha256(trail.body(before.key))


def test_an_hour_is_left_alone_until_nobody_can_write_in_it(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT])
    assert sealed(trail, 1.33) == []
    assert len(sealed(trail, 0.01)) == 1


def test_where_nothing_was_ever_written_the_newest_hour_is_the_first(trail: Trail) -> None:
    (digest,) = sealed(trail, 7.5)
    assert (digest.from_, digest.sequence) == ("2027-01-15T15:00:00.000Z", 1)
    assert (digest.objects, digest.previous) == ([], None)


def test_a_second_run_does_nothing(trail: Trail) -> None:
    before = sealed(trail)
    trail.write("run-1", [ATTEMPT])
    assert sealed(trail, 0.0) == before


def test_a_run_over_the_full_hour_is_whole(trail: Trail) -> None:
    trail.now += HOUR - 1
    trail.write("run-1", [ATTEMPT])
    audit_after = trail.items()
    trail.now += 2
    late = json.loads(json.dumps(audit_after[0]))
    late["pk"]["S"] = late["pk"]["S"].replace("T09", "T10")
    late["sk"]["S"] = f"{int(trail.now * 1000)}#run-1#0002"
    late["prev"] = {"S": sha256(audit_after[0]["records"]["S"].encode())}
    trail.put(late)
    first, second = sealed(trail, 1.4)
    assert (first.incomplete, second.incomplete) == ([], [])
    assert (first.items, second.items) == (1, 1)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_missing_item_shows(trail: Trail, lost: int) -> None:
    trail.write("run-1", [ATTEMPT], [OUTCOME], [SKIPPED])
    trail.write("run-2", [ATTEMPT], [OUTCOME])
    of_run = [item for item in trail.items() if "run-1" in item["sk"]["S"]]
    trail.remove(of_run[lost])
    (digest,) = sealed(trail)
    assert digest.incomplete == ["run-1"]


def test_a_changed_item_shows(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT], [OUTCOME])
    first = trail.items()[0]
    trail.put({**first, "records": {"S": first["records"]["S"].replace("f-1", "f-9")}})
    (digest,) = sealed(trail)
    assert digest.incomplete == ["run-1"]


def test_a_write_that_was_made_twice_counts_once(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT], [OUTCOME])
    first = trail.items()[0]
    again = {"S": f"{int(trail.now * 1000) + 5}#run-1#0001"}
    trail.put({**first, "sk": again})
    (digest,) = sealed(trail)
    assert (digest.records, digest.items, digest.incomplete) == (2, 2, [])


def test_what_comes_late_is_found_a_day_later(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT])
    sealed(trail)
    begun, trail.now = trail.now, trail.now - 1.2 * HOUR
    trail.write("late-1", [SKIPPED])
    trail.now = begun
    digests = sealed(trail, 24.0)
    assert [(one.late, one.records) for one in digests if one.records] == [(0, 1), (1, 1)]
    (part,) = digests[-1].objects
    assert part.key.endswith("-late.parquet")
    assert digests[-1].from_ == "2027-01-16T09:00:00.000Z"
    assert sealed(trail, 30.0)[-1].late == 0


def test_two_archivers_at_once_make_one_digest(trail: Trail, members: MemberCloud) -> None:
    trail.write("run-1", [ATTEMPT])
    (digest,) = sealed(trail)
    body = trail.body(digest.key)
    trail.s3.delete_object(Bucket=BUCKET, Key=digest.key)
    # the other's digest comes between our look and our writing
    seen = []
    rest = members.other

    def other(environ: Any, start: Any) -> Any:
        if environ["REQUEST_METHOD"] == "PUT" and "ext/" in environ["PATH_INFO"] and not seen:
            seen.append(1)
            trail.s3.put_object(Bucket=BUCKET, Key=digest.key, Body=body)
        return rest(environ, start)

    members.other = other
    trail.archive()
    assert seen
    assert trail.body(digest.key) == body


@pytest.mark.parametrize("broken", range(12))
def test_a_crash_anywhere_loses_and_hides_nothing(
    trail: Trail, members: MemberCloud, broken: int
) -> None:
    trail.write("run-1", [ATTEMPT, SKIPPED], [OUTCOME])
    trail.now += 2.4 * HOUR
    calls: list[str] = []
    rest = members.other

    def other(environ: Any, start: Any) -> Any:
        writes = environ["REQUEST_METHOD"] == "PUT" or "TrentService" in str(
            environ.get("HTTP_X_AMZ_TARGET")
        )
        if writes:
            calls.append(environ["PATH_INFO"])
            if len(calls) == broken + 1:
                start("400 Bad Request", [("Content-Type", "text/xml")])
                return [b"<Error><Code>InvalidRequest</Code><Message>no</Message></Error>"]
        return rest(environ, start)

    members.other = other
    crashed = False
    try:
        trail.archive()
    except CallError:
        crashed = True
    members.other = rest
    trail.archive()
    assert crashed == (len(calls) > broken)
    digests = trail.digests()
    assert [one.records for one in digests] == [3, 0]
    assert len(lines(trail)) == 3
    for one in digests[0].objects:
        assert sha256(trail.body(one.key)) == one.sha256


def test_what_there_is_no_time_for_is_taken_up_by_the_next_run(trail: Trail) -> None:
    trail.write("run-1", [ATTEMPT])
    trail.now += 5.5 * HOUR
    done = trail.archive(left=59.0)
    assert (done.periods, done.behind_s > 4 * HOUR) == (0, True)
    assert trail.archive().behind_s == 0.0
    assert [one.sequence for one in trail.digests()] == [1, 2, 3, 4, 5]


def test_a_day_is_sealed_once_more_as_a_whole_with_its_last_hour(trail: Trail) -> None:
    for number in range(3):
        trail.write(f"run-{number}", [ATTEMPT, SKIPPED])
        trail.now += HOUR
    digests = sealed(trail, 13.5)
    (last,) = [one for one in digests if one.objects and not one.records]
    assert last.from_ == "2027-01-15T23:00:00.000Z"
    assert [(one.key, one.records) for one in last.objects] == [
        ("days/hub-responder-remediation/20270115.parquet", 3),
        ("days/hub-responder-incident/20270115.parquet", 3),
    ]
    for one in last.objects:
        body = trail.body(one.key)
        assert sha256(body) == one.sha256
        times = [row[0] for row in parquet.rows(body, "time")]
        assert times == sorted(times)
        assert len(times) == 3
    assert last.objects[0].first == "2027-01-15T09:00:00.000Z"
    assert last.objects[0].last == "2027-01-15T11:00:00.000Z"
