"""Page sizes, sort order and the cursor of the endpoint list.

``top`` is one of a closed list (third-party programs agree on it); that it is 100 where left out,
and that the cursor lives for five minutes, are guesses. The cursor holds a position, the page size
and the order, not the filter: the documents want ``TMV1-Filter`` with every request, and a client
that forgets it gets the next items of another, unfiltered list.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass

import msgspec

PAGE_SIZES = (10, 50, 100, 200, 500, 1000)
DEFAULT_PAGE_SIZE = 100
CURSOR_LIFE_S = 300.0

ORDER_PATHS: dict[str, tuple[str, ...]] = {
    "agentGuid": ("agentGuid",),
    "eppAgentLastConnectedDateTime": ("eppAgent", "lastConnectedDateTime"),
    "eppAgentLastScannedDateTime": ("eppAgent", "lastScannedDateTime"),
    "edrSensorLastConnectedDateTime": ("edrSensor", "lastConnectedDateTime"),
}
"""What ``orderBy`` may name, and where the value stands in the item."""


class PagingError(Exception):
    """A parameter or cursor that the API does not take: 400."""


def page_size(text: str | None) -> int:
    """The value of ``top``."""
    if text is None:
        return DEFAULT_PAGE_SIZE
    if text not in map(str, PAGE_SIZES):
        raise PagingError(f"top is {text[:20]!r}, not one of {PAGE_SIZES}")
    return int(text)


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: path of the value in the item, and direction."""

    path: tuple[str, ...]
    descending: bool


def order(text: str | None) -> Order | None:
    """The value of ``orderBy``: ``FIELD``, ``FIELD asc`` or ``FIELD desc``."""
    if text is None:
        return None
    name, _, direction = text.partition(" ")
    if name not in ORDER_PATHS or direction not in ("", "asc", "desc"):
        raise PagingError(f"cannot order by {text[:80]!r}")
    return Order(ORDER_PATHS[name], direction == "desc")


class Cursor(msgspec.Struct, array_like=True):
    """Where the next page begins."""

    position: int
    size: int
    order_by: str | None
    expires: float


class Cursors:
    """Makes cursors that cannot be read or forged from outside."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def write(self, cursor: Cursor) -> str:
        """The opaque text for ``cursor``."""
        content = msgspec.json.encode(cursor)
        sealed = hmac.digest(self._key, content, "sha256")[:16] + content
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, text: str, now: float) -> Cursor:
        """The cursor that ``write`` made into ``text``.

        Raises:
            PagingError: it is not one of ours, or has expired.
        """
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            raise PagingError("skipToken cannot be read") from None
        seal, content = sealed[:16], sealed[16:]
        if not hmac.compare_digest(seal, hmac.digest(self._key, content, "sha256")[:16]):
            raise PagingError("skipToken is not one that was handed out")
        cursor = msgspec.json.decode(content, type=Cursor)
        if cursor.expires < now:
            raise PagingError("skipToken has expired")
        return cursor
