"""Rows as a Parquet file: sorted, compressed with zstd, written by DuckDB.

DuckDB comes in a layer of its own for the functions that write Parquet, and is imported when they
do. It reads the rows from a file of JSON lines, which is its fastest way in without other packages,
and can neither fetch extensions nor look anywhere else.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

MEMORY = "400MB"
_CONFIG: Mapping[str, str | bool | int] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": MEMORY,
    "threads": 2,
}


def written(
    rows: Iterable[msgspec.Struct], columns: Mapping[str, str], order: Sequence[str]
) -> bytes:
    """The file.

    Args:
        rows: their times are milliseconds since the epoch.
        columns: name -> DuckDB's type, in the order of the file's columns.
        order: the columns to sort by.
    """
    import duckdb  # only whoever writes pays for it

    encoder = msgspec.json.Encoder()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "rows.json"), Path(folder, "rows.parquet")
        with source.open("wb") as file:
            file.writelines(encoder.encode(row) + b"\n" for row in rows)
        with duckdb.connect(config={**_CONFIG, "temp_directory": folder}) as database:
            database.execute(_copy(columns, order, target), [str(source)])
        return target.read_bytes()


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
