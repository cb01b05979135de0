"""Legal holds on what the archive has of some hours: nobody removes it until the hold is taken off.

Beside the retention that every object has (Object Lock): a hold has no end, and is for the one case
that somebody must answer for (Amazon S3 user guide, "Legal holds"). It takes
``s3:PutObjectLegalHold``, which none of the stack's roles has.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from hub_responder.archive.digest import open_envelope
from hub_responder.archive.layout import is_late
from hub_responder.archive.sealing import LATE_HOURS
from hub_toolkit.archive.verify import READERS, digests
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.archive.holdings import Holdings
    from hub_toolkit.archive.hours import Hours
    from hub_toolkit.stack import Stack


def objects_of(holdings: Holdings, hours: Hours) -> list[str]:
    """The keys of the digests of ``hours``, of all that they name, and of what came late.

    What came late for an hour is named by the digest of the hour `LATE_HOURS` after it, which is
    then held as well.

    Raises:
        DeploymentError: the archive cannot be read, a digest is none, or there is none at all.
    """
    end = None if hours.last is None else hours.last.before(-LATE_HOURS)
    found = list(digests(holdings, hours.first, end))
    with ThreadPoolExecutor(READERS) as pool:
        named = list(pool.map(lambda one: _named(holdings, one[1].key), found))
    meant: set[str] = set()
    for (period, digest), keys in zip(found, named, strict=True):
        if hours.last is None or period <= hours.last:
            meant |= {digest.key, *keys}
        elif hours.first is None or period.before(LATE_HOURS) >= hours.first:
            late = [key for key in keys if is_late(key)]
            meant |= {digest.key, *late} if late else set()
    if not meant:
        raise DeploymentError("nothing is sealed in that time")
    return sorted(meant)


def hold(stack: Stack, bucket: str, keys: Sequence[str], *, on: bool) -> None:
    """Put a hold on objects, or take it off; what is so already stays so.

    Raises:
        DeploymentError: S3 refuses it, or one is not there; some may have been changed.
    """
    status = {"Status": "ON" if on else "OFF"}

    def change(key: str) -> None:
        stack.call("s3", "put_object_legal_hold", Bucket=bucket, Key=key, LegalHold=status)

    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(change, keys))


def _named(holdings: Holdings, key: str) -> list[str]:
    try:
        return [one.key for one in open_envelope(holdings.body(key) or b"").digest.objects]
    except (msgspec.MsgspecError, ValueError) as error:
        text = f"{key} is no digest: `hub-responder audit verify` says what is wrong"
        raise DeploymentError(text) from error
