"""Parquet files as DuckDB writes and reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import NOW
from hub_responder import parquet

COLUMNS = {
    "at": "TIMESTAMP",
    "name": "VARCHAR",
    "on": "BOOLEAN",
    "rules": "INTEGER",
    "reasons": "VARCHAR[]",
}


class Row(msgspec.Struct, frozen=True):
    name: str
    at: int | None = int(NOW * 1000) + 123
    on: bool | None = None
    rules: int | None = None
    reasons: Sequence[str] = ()


def read(body: bytes, tmp_path: Path, select: str = "*") -> list[tuple[Any, ...]]:
    file = tmp_path / "rows.parquet"
    file.write_bytes(body)
    with duckdb.connect() as database:
        return database.execute(f"SELECT {select} FROM '{file}'").fetchall()


def test_rows_are_sorted_typed_and_compressed(tmp_path: Path) -> None:
    rows = [Row("b", rules=3, reasons=("offline", "stale")), Row("a", at=None, on=True)]
    body = parquet.written(rows, COLUMNS, ["name"])
    assert read(body, tmp_path) == [
        (None, "a", True, None, []),
        (datetime(2026, 11, 22, 0, 0, 0, 123_000), "b", None, 3, ["offline", "stale"]),  # noqa: DTZ001
    ]
    asked = ", ".join(f'typeof("{name}")' for name in COLUMNS)
    assert read(body, tmp_path, asked)[0] == tuple(COLUMNS.values())
    file = tmp_path / "rows.parquet"
    with duckdb.connect() as database:
        told = database.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{file}')")
        assert told.fetchall() == [("ZSTD",)]


def test_no_rows_are_a_file_with_columns(tmp_path: Path) -> None:
    body = parquet.written([], COLUMNS, ["name"])
    assert read(body, tmp_path) == []
    assert [row[0] for row in read(body, tmp_path, "count(name)")] == [0]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(st.text(st.characters(exclude_categories=("Cs",))), max_size=6))
def test_whatever_a_machine_is_called_comes_back(tmp_path: Path, names: list[str]) -> None:
    """Quotes, separators, nulls: text is data."""
    body = parquet.written([Row(name, reasons=[name]) for name in names], COLUMNS, ["name"])
    found = read(body, tmp_path, "name, reasons")
    assert sorted(found) == sorted((name, [name]) for name in names)


@pytest.mark.parametrize("order", [["name", "rules"], ["rules", "name"]])
def test_the_order_is_the_one_that_is_asked_for(tmp_path: Path, order: list[str]) -> None:
    rows = [Row("b", rules=1), Row("a", rules=2), Row("a", rules=1)]
    found = read(parquet.written(rows, COLUMNS, order), tmp_path, ", ".join(order))
    assert found == sorted(found)


def test_nothing_of_it_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    parquet.written([Row("a")], COLUMNS, ["name"])
    assert list(tmp_path.iterdir()) == []
