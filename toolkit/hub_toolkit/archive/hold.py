"""Legal holds on what the archive has of some hours: nobody removes it until the hold is taken off.

Beside the retention that every object has (Object Lock): a hold has no end, and is for the one case
that somebody must answer for (Amazon S3 user guide, "Legal holds"). It takes
``s3:PutObjectLegalHold``, which none of the stack's roles has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from hub_responder.archive.digest import open_envelope
from hub_responder.archive.layout import DIGESTS, period_of
from hub_toolkit.archive.verify import READERS
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.archive.holdings import Holdings
    from hub_toolkit.archive.hours import Hours
    from hub_toolkit.stack import Stack


def objects_of(holdings: Holdings, hours: Hours) -> list[str]:
    """The keys of the digests of ``hours`` and of all that they name.

    Raises:
        DeploymentError: the archive cannot be read, a digest is none, or there is none at all.
    """
    digests = list(_digests(holdings, hours))
    if not digests:
        raise DeploymentError("nothing is sealed in that time")
    with ThreadPoolExecutor(READERS) as pool:
        named = pool.map(lambda key: _named(holdings, key), digests)
        return sorted({*digests, *(key for keys in named for key in keys)})


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


def _digests(holdings: Holdings, hours: Hours) -> Iterator[str]:
    for held in holdings.listed(f"{DIGESTS}/"):
        period = period_of(held.key)
        if period is None or (hours.first is not None and period < hours.first):
            continue
        if hours.last is not None and period > hours.last:
            return
        yield held.key


def _named(holdings: Holdings, key: str) -> list[str]:
    try:
        return [one.key for one in open_envelope(holdings.body(key) or b"").digest.objects]
    except (msgspec.MsgspecError, ValueError) as error:
        text = f"{key} is no digest: `hub-responder audit verify` says what is wrong"
        raise DeploymentError(text) from error
