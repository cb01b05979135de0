"""Structs as columns: what comes back is what went in, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_responder.columns import Columns, DamagedError, pack, unpack


class Row(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    number: int | None = None
    share: float | None = None
    on: bool = False
    rules: tuple[int, ...] | None = None
    states: Mapping[str, str] = {}


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
rows = st.builds(
    Row,
    name=texts,
    number=st.none() | st.integers(-(2**63), 2**64 - 1),
    share=st.none() | st.floats(allow_nan=False),
    on=st.booleans(),
    rules=st.none() | st.lists(st.integers(0, 9), max_size=4).map(tuple),
    states=st.dictionaries(texts, texts, max_size=2),
)


def stored(packed: Columns) -> Columns:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(packed), type=Columns)


@given(st.lists(rows, max_size=8))
def test_what_comes_back_is_what_went_in(held: list[Row]) -> None:
    assert unpack(stored(pack(held, Row)), Row, {}) == held


def test_a_value_that_many_rows_have_is_stored_and_held_once() -> None:
    rules = tuple(range(500))
    many = [Row(name=f"host-{number}", rules=tuple(rules)) for number in range(200)]
    packed = msgspec.msgpack.encode(pack(many, Row))
    assert len(packed) < 2 * len(msgspec.msgpack.encode(many[0])) + 200 * 20
    first, *others = unpack(msgspec.msgpack.decode(packed, type=Columns), Row, {})
    assert first.rules == rules
    assert all(one.rules is first.rules for one in others)


def test_texts_that_are_in_memory_are_not_held_again() -> None:
    known = "".join(["host", "-1"])
    (row,) = unpack(stored(pack([Row(name="host-1")], Row)), Row, {known: known})
    assert row.name is known


@pytest.mark.parametrize(
    "change",
    [
        {"names": ("name", "number", "share", "on", "rules", "other")},
        {"names": ()},
        {"values": ()},
        {"places": ()},
        {"places": ([2, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0])},
        {"places": ([0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0])},
        {"values": (msgspec.Raw(msgspec.msgpack.encode([1, 2])),) * 6},
        {"values": (msgspec.Raw(b"\xc1"),) * 6},
    ],
)
def test_columns_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    packed = pack([Row(name="a"), Row(name="b")], Row)
    with pytest.raises(DamagedError):
        unpack(msgspec.structs.replace(packed, **change), Row, {})


def test_a_negative_place_is_refused_where_it_is_read() -> None:
    packed = pack([Row(name="a")], Row)
    odd = msgspec.structs.replace(packed, places=([-1], *packed.places[1:]))
    with pytest.raises(msgspec.ValidationError):
        stored(odd)
