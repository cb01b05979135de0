"""Whoever changes the archive is found out, and what they did is named."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from factories import ACCOUNT, REGION
from hub_responder import clock
from hub_responder.archive.digest import Digest, open_envelope, seal, sha256
from hub_responder.archive.layout import Period
from hub_toolkit.archive.holdings import Copy
from hub_toolkit.archive.keys import Keys, of_files
from hub_toolkit.archive.verdicts import Report
from hub_toolkit.archive.verify import verify
from hub_toolkit.sandbox.moto_store import MotoStore
from member_cloud import MemberCloud
from trails import HOUR, Trail

BEGUN = 1_800_003_600.0
HOURS = 6
ATTEMPT = {"kind": "attempt", "uses": "ticket.open", "key": "k1", "findings": ["f-1"], "step": "t"}


class Archive:
    """A copy of an archive of six hours with records in the second and the fourth."""

    def __init__(self, folder: Path, objects: dict[str, bytes], keys: Keys) -> None:
        self.folder, self.keys = folder, keys
        for key, body in objects.items():
            self.write(key, body)

    def path(self, key: str) -> Path:
        return self.folder / key

    def write(self, key: str, body: bytes) -> None:
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def digest(self, number: int) -> str:
        return Period(BEGUN + number * HOUR).digest_key

    def data(self, number: int) -> str:
        (one,) = open_envelope(self.path(self.digest(number)).read_bytes()).digest.objects
        return one.key

    def verified(self, **only: Any) -> Report:
        return verify(Copy(self.folder), self.keys, "copy", **only)

    def wrong(self, **only: Any) -> dict[int, set[str]]:
        """Hour -> what was found wrong with it."""
        start = clock.iso(BEGUN)[:11]
        return {
            (int(one.start[11:13]) if one.start.startswith(start) else 99) - 9: {
                finding.verdict for finding in one.findings
            }
            for one in self.verified(**only).wrong
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], Path, str]:
    """The objects, the public key and the bucket's name: made once by the code that ships."""
    with pytest.MonkeyPatch.context() as patch:
        cloud = MemberCloud()
        moto = MotoStore(ACCOUNT, REGION)
        moto.load()
        cloud.other = moto.app
        for name, value in {
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            patch.setenv(name, value)
        from hub_responder import aws

        aws.forget_clients()
        trail = Trail(BEGUN, cloud)
        patch.setattr(clock, "time", SimpleNamespace(time=lambda: trail.now))
        trail.write("run-0", [ATTEMPT])
        trail.now += HOUR
        trail.write("run-1", [ATTEMPT], [{**ATTEMPT, "kind": "outcome", "status": "done"}])
        trail.now += 2 * HOUR
        trail.write("run-2", [ATTEMPT])
        trail.now = BEGUN + (HOURS + 0.4) * HOUR
        trail.archive()
        objects = {key: trail.body(key) for key in trail.keys("")}
        key = tmp_path_factory.mktemp("key") / "trail.der"
        key.write_bytes(trail.public)
        bucket = trail.digests()[0].bucket
        aws.forget_clients()
        moto.reset()
        cloud.close()
    return objects, key, bucket


@pytest.fixture
def archive(made: tuple[dict[str, bytes], Path, str], tmp_path: Path) -> Archive:
    objects, key, _ = made
    return Archive(tmp_path / "copy", objects, of_files([key]))


def test_what_nobody_touched_is_valid(archive: Archive) -> None:
    report = archive.verified()
    assert [one.verdict for one in report.periods] == ["valid"] * HOURS
    assert (report.records, report.first[:13], report.last[:13]) == (
        4,
        "2027-01-15T09",
        "2027-01-15T14",
    )
    assert report.deployment == f"{ACCOUNT}/{REGION}/prod"


def _flip(path: Path, place: int) -> None:
    body = bytearray(path.read_bytes())
    body[place] ^= 1
    path.write_bytes(bytes(body))


@pytest.mark.parametrize("place", [0, 4, 700, -1])
def test_a_changed_byte_of_records(archive: Archive, place: int) -> None:
    _flip(archive.path(archive.data(1)), place)
    assert archive.wrong() == {1: {"modified"}}


def test_records_that_were_replaced_by_those_of_another_hour(archive: Archive) -> None:
    archive.write(archive.data(1), archive.path(archive.data(3)).read_bytes())
    assert archive.wrong() == {1: {"modified"}}


def test_records_that_were_cut_off(archive: Archive) -> None:
    path = archive.path(archive.data(1))
    path.write_bytes(path.read_bytes()[:-10])
    assert archive.wrong() == {1: {"modified"}}


def test_an_object_that_was_deleted(archive: Archive) -> None:
    key = archive.data(1)
    archive.path(key).unlink()
    assert archive.wrong() == {1: {"missing"}}
    (finding,) = archive.verified().wrong[0].findings
    assert (finding.key, finding.detail) == (key, "2 records")


def test_an_object_that_was_added(archive: Archive) -> None:
    key = archive.data(1)
    archive.write(key.replace("10.parquet", "10-001.parquet"), b"PAR1")
    assert archive.wrong() == {1: {"extra"}}


@pytest.mark.parametrize(
    "key",
    [
        "ext/hub-responder-incident/region=x/accountId=1/eventDay=20260101/00.parquet",
        "ext/hub-responder-incident/anywhere.parquet",
        "content/eventDay=20270115/08.parquet",
    ],
)
def test_what_was_added_outside_of_all_hours(archive: Archive, key: str) -> None:
    archive.write(key, b"PAR1")
    (judged,) = archive.verified().wrong
    assert (judged.start, judged.verdict, judged.findings[0].key) == ("", "extra", key)


def test_what_waits_for_its_digest_is_not_extra(archive: Archive) -> None:
    archive.write("content/eventDay=20270115/15.parquet", b"PAR1")
    assert archive.wrong() == {}


@pytest.mark.parametrize("number", [1, 2, HOURS - 2])
def test_a_digest_that_was_deleted(archive: Archive, number: int) -> None:
    archive.path(archive.digest(number)).unlink()
    wrong = archive.wrong()
    assert "missing" in wrong[number]


def test_the_first_digests_that_were_deleted(archive: Archive) -> None:
    for number in range(2):
        archive.path(archive.digest(number)).unlink()
    assert archive.wrong()[2] == {"missing"}


def test_an_hour_that_was_removed_with_all_that_it_had(archive: Archive) -> None:
    archive.path(archive.data(1)).unlink()
    archive.path(archive.digest(1)).unlink()
    assert archive.wrong() == {1: {"missing"}}


def test_the_last_hours_that_were_removed(archive: Archive) -> None:
    archive.path(archive.digest(HOURS - 1)).unlink()
    last = Period(BEGUN + (HOURS - 1) * HOUR)
    assert archive.wrong(end=last) == {}
    assert archive.wrong(due=last) == {HOURS - 1: {"missing"}}
    assert archive.wrong() == {}  # nobody vouches for what comes after the last digest


def test_a_whole_day_that_was_removed(archive: Archive) -> None:
    for number in (1, 2, 3):
        archive.path(archive.digest(number)).unlink()
    wrong = archive.wrong()
    assert set(wrong) == {1, 2, 3}
    assert wrong[3] == {"missing"}  # the digest after it names it
    assert wrong[1] == wrong[2] == {"gap"}


def _edited(body: bytes, edit: Callable[[dict[str, Any]], None]) -> bytes:
    envelope = json.loads(body)
    payload = json.loads(base64.b64decode(envelope["payload"]))
    edit(payload)
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    return json.dumps(envelope).encode()


def test_a_digest_that_was_rewritten_for_changed_records(archive: Archive) -> None:
    _flip(archive.path(archive.data(1)), 700)
    body = archive.path(archive.data(1)).read_bytes()
    path = archive.path(archive.digest(1))

    def edit(payload: dict[str, Any]) -> None:
        payload["objects"][0]["sha256"] = sha256(body)

    path.write_bytes(_edited(path.read_bytes(), edit))
    assert archive.wrong() == {1: {"modified"}}


@pytest.mark.parametrize(
    "edit",
    [
        lambda payload: payload.update(written_at="never"),
        lambda payload: payload.update(sequence=77),
        lambda payload: payload.update(previous=None),
        lambda payload: payload["objects"].append(
            {"key": "../../etc/passwd", "sha256": "0", "size": 1, "records": 1}
        ),
    ],
)
def test_a_digest_of_which_a_field_was_changed(
    archive: Archive, edit: Callable[[dict[str, Any]], None]
) -> None:
    path = archive.path(archive.digest(3))
    path.write_bytes(_edited(path.read_bytes(), edit))
    assert "modified" in archive.wrong()[3]


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b'{"payload":1}', b"[" * 9000])
def test_a_digest_that_is_none(archive: Archive, body: bytes) -> None:
    archive.write(archive.digest(2), body)
    assert archive.wrong()[2] == {"modified"}


def _resealed(archive: Archive, number: int, **fields: Any) -> None:
    """Somebody with another key signs what they like."""
    path = archive.path(archive.digest(number))
    digest = open_envelope(path.read_bytes()).digest
    changed = msgspec.structs.replace(digest, **fields)
    archive.write(archive.digest(number), _signed(changed))


def _signed(digest: Digest) -> bytes:
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return seal(digest, sha256(public), lambda one: key.sign(one, ECDSA(Prehashed(SHA256()))))


def test_a_digest_that_was_signed_by_another_key(archive: Archive) -> None:
    _resealed(archive, 3, records=0)
    wrong = archive.wrong()
    assert "unsigned" in wrong[3]
    assert "modified" in wrong[3]  # the digest after it was sealed after another one


def test_the_last_digest_signed_by_another_key(archive: Archive) -> None:
    _resealed(archive, HOURS - 1, records=3)
    assert archive.wrong() == {HOURS - 1: {"unsigned"}}


def test_a_signature_that_claims_our_key(archive: Archive) -> None:
    path = archive.path(archive.digest(2))
    envelope = json.loads(path.read_bytes())
    envelope["signatures"][0]["sig"] = base64.b64encode(os.urandom(70)).decode()
    path.write_bytes(json.dumps(envelope).encode())
    assert "modified" in archive.wrong()[2]


def test_no_signature(archive: Archive) -> None:
    path = archive.path(archive.digest(2))
    envelope = json.loads(path.read_bytes())
    envelope["signatures"] = []
    path.write_bytes(json.dumps(envelope).encode())
    assert "unsigned" in archive.wrong()[2]


def test_digests_in_another_order(archive: Archive) -> None:
    second, third = (archive.path(archive.digest(number)) for number in (2, 4))
    bodies = second.read_bytes(), third.read_bytes()
    second.write_bytes(bodies[1])
    third.write_bytes(bodies[0])
    wrong = archive.wrong()
    assert "moved" in wrong[2]
    assert "moved" in wrong[4]


def test_an_archive_under_another_name(
    archive: Archive, made: tuple[dict[str, bytes], Path, str]
) -> None:
    copy = Copy(archive.folder)
    copy.bucket = made[2]
    assert not verify(copy, archive.keys, "bucket").wrong
    copy.bucket = "somebody-elses"
    report = verify(copy, archive.keys, "bucket")
    assert {one.verdict for one in report.periods} == {"moved"}


def test_only_the_hours_that_are_asked_for(archive: Archive) -> None:
    archive.path(archive.data(1)).unlink()
    start, end = Period(BEGUN + 2 * HOUR), Period(BEGUN + 4 * HOUR)
    report = archive.verified(start=start, end=end)
    assert [one.verdict for one in report.periods] == ["valid"] * 3
    archive.path(archive.digest(1)).unlink()
    assert archive.verified(start=start, end=end).wrong == []


def test_a_digest_before_the_range_that_does_not_fit(archive: Archive) -> None:
    _resealed(archive, 1, records=7)
    report = archive.verified(start=Period(BEGUN + 2 * HOUR))
    assert report.wrong == [] or report.wrong[0].start.startswith("2027-01-15T11")


def test_nothing_is_there(tmp_path: Path, archive: Archive) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    report = verify(Copy(empty), archive.keys, "copy")
    assert (report.periods, report.first, report.deployment) == ([], "", "")
