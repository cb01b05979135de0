"""Rows as a Parquet file: sorted, compressed with zstd, written by DuckDB.

DuckDB comes in a layer of its own for the functions that write Parquet, and is imported when they
do. It reads the rows from a file of JSON lines, which is its fastest way in without other packages,
and can neither fetch extensions nor look anywhere else.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

MEMORY = "400MB"
_CONFIG: Mapping[str, str | bool | int] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": MEMORY,
    "threads": 1,
}


def written(rows: Iterable[object], columns: Mapping[str, str], order: Sequence[str]) -> bytes:
    """The file.

    Args:
        rows: structs or mappings; their times are milliseconds since the epoch.
        columns: name -> DuckDB's type, in the order of the file's columns.
        order: the columns to sort by.
    """
    encoder = msgspec.json.Encoder()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.json")
        with source.open("wb") as file:
            file.writelines(encoder.encode(row) + b"\n" for row in rows)
        return of_lines(source, columns, order)


def of_lines(source: Path, columns: Mapping[str, str], order: Sequence[str]) -> bytes:
    """The file of the rows that ``source`` holds as JSON lines; see `written`."""
    import duckdb  # only whoever writes pays for it

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "rows.parquet")
        with duckdb.connect(config={**_CONFIG, "temp_directory": folder}) as database:
            database.execute(_copy(columns, order, target), [str(source)])
        return target.read_bytes()


def merged(sources: Sequence[bytes], order: Sequence[str]) -> bytes:
    """Several files of the same columns as one."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "rows.parquet")
        names = []
        for number, body in enumerate(sources):
            path = Path(folder, f"{number}.parquet")
            path.write_bytes(body)
            names.append(str(path))
        sorted_by = ", ".join(f'"{name}"' for name in order)
        with duckdb.connect(config={**_CONFIG, "temp_directory": folder}) as database:
            database.execute(
                "COPY (SELECT * FROM read_parquet($names, union_by_name = true)"  # noqa: S608 - ours
                f" ORDER BY {sorted_by}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)",
                {"names": names},
            )
        return target.read_bytes()


def rows(body: bytes, select: str) -> list[tuple[Any, ...]]:
    """What a query of our own selects from a file: the part after SELECT and before FROM."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows.parquet")
        file.write_bytes(body)
        with duckdb.connect(config={**_CONFIG, "temp_directory": folder}) as database:
            query = f"SELECT {select} FROM read_parquet(?)"  # noqa: S608 - it is ours
            return database.execute(query, [str(file)]).fetchall()


def _copy(columns: Mapping[str, str], order: Sequence[str], target: Path) -> str:
    times = [name for name, kind in columns.items() if kind == "TIMESTAMP"]
    read = {name: "BIGINT" if name in times else kind for name, kind in columns.items()}
    declared = ", ".join(f"'{name}': '{kind}'" for name, kind in read.items())
    chosen = ", ".join(f'epoch_ms("{n}") AS "{n}"' if n in times else f'"{n}"' for n in columns)
    sorted_by = ", ".join(f'"{name}"' for name in order)
    return (
        f"COPY (SELECT {chosen} FROM read_json(?, format = 'newline_delimited',"  # noqa: S608
        f" columns = {{{declared}}}) ORDER BY {sorted_by})"
        f" TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    )
