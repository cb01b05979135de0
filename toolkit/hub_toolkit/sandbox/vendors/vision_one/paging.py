"""Page sizes, sort order and the cursor of the lists.

``top`` is one of a closed list, which differs between lists. That a cursor lives for five minutes
is a guess. The cursor holds a position and the parameters of the first request, not the header: the
documents want ``TMV1-Filter`` with every request, and a client that forgets it gets the next items
of another, unfiltered list.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

import msgspec

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

CURSOR_LIFE_S = 300.0

Item = TypeVar("Item")


class PagingError(Exception):
    """A parameter or cursor that the API does not take: 400."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The values of ``top`` that a list takes, and the one where it is left out."""

    allowed: tuple[int, ...]
    default: int

    def read(self, text: str | None) -> int:
        """The value of ``top``.

        Raises:
            PagingError: it is none of those.
        """
        if text is None:
            return self.default
        if text not in map(str, self.allowed):
            raise PagingError(f"top is {text[:20]!r}, not one of {self.allowed}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: path of the value in the item, and direction."""

    path: tuple[str, ...]
    descending: bool


def order(
    text: str, paths: Mapping[str, tuple[str, ...]], *, descending: bool = False
) -> list[Order]:
    """The value of ``orderBy``: ``FIELD``, ``FIELD asc`` or ``FIELD desc``, commas between them.

    Args:
        paths: what may be named, and where the value stands in the item.
        descending: what a field without a direction means.

    Raises:
        PagingError: it names something else.
    """
    found = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        if name not in paths or direction not in ("", "asc", "desc"):
            raise PagingError(f"cannot order by {part[:80]!r}")
        found.append(Order(paths[name], direction == "desc" or (descending and not direction)))
    return found


class Cursor(msgspec.Struct, array_like=True):
    """Where the next page begins.

    Attributes:
        path: of the list. query: the parameters of its first request. size: items of a page.
    """

    position: int
    path: str
    query: dict[str, str]
    size: int
    expires: float

    def of(self, found: Sequence[Item]) -> Sequence[Item]:
        """The items of this page."""
        return found[self.position : self.position + self.size]


class Pages:
    """Cuts lists into pages, with cursors that cannot be read or forged from outside.

    Args:
        cursor_life_s: seconds that a cursor is good for.
    """

    def __init__(self, cursor_life_s: float = CURSOR_LIFE_S) -> None:
        self._key = secrets.token_bytes(32)
        self._life_s = cursor_life_s

    def start(self, request: Request, sizes: Sizes, now: float) -> Cursor:
        """What a ``skipToken`` says; without one, the first page of what the parameters say.

        Raises:
            PagingError: it is not one of ours, of another list, or has expired.
        """
        text = request.args.get("skipToken")
        if text is None:
            size = sizes.read(request.args.get("top"))
            return Cursor(0, request.path, request.args.to_dict(), size, now)
        cursor = self._read(text)
        if cursor.path != request.path:
            raise PagingError("skipToken is one of another list")
        if cursor.expires < now:
            raise PagingError("skipToken has expired")
        return cursor

    def link(self, request: Request, cursor: Cursor, total: int, now: float) -> dict[str, str]:
        """``nextLink``, an absolute address, where more follow; else nothing."""
        end = cursor.position + cursor.size
        if end >= total:
            return {}
        following = Cursor(end, cursor.path, cursor.query, cursor.size, now + self._life_s)
        query = urlencode({"skipToken": self._write(following)})
        return {"nextLink": f"{request.root_url.rstrip('/')}{cursor.path}?{query}"}

    def _write(self, cursor: Cursor) -> str:
        content = msgspec.json.encode(cursor)
        sealed = hmac.digest(self._key, content, "sha256")[:16] + content
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def _read(self, text: str) -> Cursor:
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            raise PagingError("skipToken cannot be read") from None
        seal, content = sealed[:16], sealed[16:]
        if not hmac.compare_digest(seal, hmac.digest(self._key, content, "sha256")[:16]):
            raise PagingError("skipToken is not one that was handed out")
        return msgspec.json.decode(content, type=Cursor)
