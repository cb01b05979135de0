"""Which objects a legal hold on some hours is put on."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_responder import clock
from hub_responder.archive.digest import Deployment, Digest, Sealed, seal
from hub_responder.archive.layout import Period
from hub_toolkit.archive.hold import objects_of
from hub_toolkit.archive.holdings import Copy
from hub_toolkit.archive.hours import Hours
from hub_toolkit.stack import DeploymentError

TEN = Period(1_800_003_600.0)
DAY = 24


def sealed(folder: Path, period: Period, *keys: str) -> str:
    """An hour is sealed that names these objects; the key of its digest."""
    objects = [Sealed(key=key, sha256="0" * 64, size=1, records=1) for key in keys]
    digest = Digest(
        deployment=Deployment("111122223333", "us-east-1", "prod"),
        bucket="archive",
        key=period.digest_key,
        sequence=1,
        from_=clock.iso(period.start),
        to=clock.iso(period.end),
        written_at=clock.iso(period.end),
        previous=None,
        objects=objects,
    )
    path = folder / period.digest_key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(seal(digest, "key", lambda _told: b"signature"))
    return period.digest_key


def test_all_of_the_hours_is_meant_and_what_came_late_for_them(tmp_path: Path) -> None:
    sealed(tmp_path, TEN.before(1), "before.parquet")
    first = sealed(tmp_path, TEN, "a.parquet", "old-late.parquet")
    second = sealed(tmp_path, TEN.next, "b.parquet")
    sealed(tmp_path, TEN.next.next, "after.parquet", "older-late.parquet")
    sealed(tmp_path, TEN.before(1 - DAY), "c.parquet", "of-the-hour-before-late.parquet")
    later = sealed(tmp_path, TEN.before(-DAY), "d.parquet", "of-ten-late.parquet")
    sealed(tmp_path, TEN.next.before(-DAY), "nothing-late-here.parquet.txt")
    meant = objects_of(Copy(tmp_path), Hours(TEN, TEN.next))
    own = {first, second, "a.parquet", "b.parquet", "old-late.parquet"}
    assert set(meant) == own | {later, "of-ten-late.parquet"}


def test_hours_without_a_digest_are_said(tmp_path: Path) -> None:
    sealed(tmp_path, TEN, "a.parquet")
    with pytest.raises(DeploymentError, match="nothing is sealed"):
        objects_of(Copy(tmp_path), Hours(TEN.before(9), TEN.before(8)))
