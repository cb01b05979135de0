"""Many structs of one type as columns, each distinct value of a column once.

A fleet's endpoints say much the same: account, status, policy, rule sets. So they take a fraction
of the room, and what is read back shares its values in memory too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

_Place = Annotated[int, msgspec.Meta(ge=0)]


class Columns(msgspec.Struct, frozen=True, array_like=True):
    """The rows, ready to be encoded as MessagePack.

    Attributes:
        names: the struct's fields.
        values: of each field its distinct values, as a list in MessagePack.
        places: of each field and row, where in ``values`` its value is.
    """

    names: tuple[str, ...]
    values: tuple[msgspec.Raw, ...]
    places: tuple[list[_Place], ...]


class DamagedError(ValueError):
    """What is to be read is not what was written, or was written of another type."""


def pack(rows: Sequence[S], kind: type[S]) -> Columns:
    """The ``rows``, all of them of ``kind``."""
    packed = [_column([getattr(row, name) for row in rows]) for name in kind.__struct_fields__]
    return Columns(
        names=kind.__struct_fields__,
        values=tuple(values for values, _ in packed),
        places=tuple(places for _, places in packed),
    )


def _column(column: Sequence[Any]) -> tuple[msgspec.Raw, list[int]]:
    known: dict[bytes, int] = {}
    places = [known.setdefault(msgspec.msgpack.encode(value), len(known)) for value in column]
    return msgspec.Raw(msgspec.msgpack.encode(list(map(msgspec.Raw, known)))), places


def unpack(columns: Columns, kind: type[S], texts: dict[str, str]) -> list[S]:
    """The rows. Equal values of a field are one object: whoever changes one changes all.

    Args:
        texts: texts that are in memory already, each by itself; those of the rows join them.

    Raises:
        DamagedError: the columns are not those of ``kind``, or contradict each other.
    """
    if columns.names != kind.__struct_fields__:
        raise DamagedError(f"other fields than those of {kind.__name__}")
    try:
        made = [
            _cells(decoder, raw, places, texts)
            for decoder, raw, places in zip(
                _decoders(kind), columns.values, columns.places, strict=True
            )
        ]
        names = columns.names
        return [kind(**dict(zip(names, row, strict=True))) for row in zip(*made, strict=True)]
    except (msgspec.MsgspecError, IndexError, ValueError, UnicodeError) as error:
        raise DamagedError(f"columns of {kind.__name__}: {error}") from error


def _cells(
    decoder: msgspec.msgpack.Decoder[list[Any]],
    raw: msgspec.Raw,
    places: Sequence[int],
    texts: dict[str, str],
) -> list[Any]:
    values = decoder.decode(raw)
    if values and type(values[0]) is str:
        values = [texts.setdefault(value, value) for value in values]
    return [values[place] for place in places]


@lru_cache(maxsize=16)
def _decoders(kind: type[msgspec.Struct]) -> list[msgspec.msgpack.Decoder[list[Any]]]:
    """A decoder for the distinct values of each field: they are checked once, not per row."""
    decoder: Any = msgspec.msgpack.Decoder
    lists: Any = list
    return [decoder(lists[field.type]) for field in msgspec.structs.fields(kind)]
