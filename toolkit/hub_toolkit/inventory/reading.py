"""Questions to snapshots where they lie: DuckDB over the bucket's objects."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import duckdb

from hub_toolkit.inventory.objects import PROTOCOL, Objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub_toolkit.inventory.history import History, Taken

_SETTINGS: Mapping[str, str | int] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # A question has one small file; several are asked at once, each in a thread of ours.
    "threads": 1,
}
SNAPSHOT = "{snapshot}"
"""Where a question has the table."""
_MISSING = "NoSuchKey"


class DamagedError(Exception):
    """A snapshot that cannot be read: it is no Parquet file, is cut off, gone, or lacks a column.

    Args:
        taken: which. why: in one line.
    """

    def __init__(self, taken: Taken, why: str) -> None:
        super().__init__(f"{taken.key} cannot be read, so it is left out: {why}")
        self.taken = taken


class Reader:
    """Asks snapshots; may be used by several threads.

    Questions are SQL of ours over ``{snapshot}``; what people wrote is bound as parameters.

    Args:
        snapshots: those that are to be asked.
    """

    def __init__(self, history: History, snapshots: Iterable[Taken]) -> None:
        sizes = {taken.key: taken.size for taken in snapshots}
        self._objects = Objects(history.stack, history.bucket, sizes)
        self._database = duckdb.connect(config=dict(_SETTINGS))
        self._database.register_filesystem(self._objects)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def ask(self, taken: Taken, question: str, **given: Any) -> list[dict[str, Any]]:
        """The rows that ``question`` has for a snapshot, by column; times in epoch seconds.

        Args:
            question: a query with ``{snapshot}`` where the table stands; ``$name`` is ``given``.

        Raises:
            DamagedError: this snapshot cannot be read.
            DeploymentError: nor could another: the bucket refuses, or does not answer.
        """
        query = question.replace(SNAPSHOT, "read_parquet($file, hive_partitioning = false)")
        file = f"{PROTOCOL}://{taken.key}"
        with closing(self._database.cursor()) as cursor:
            try:
                cursor.execute(query, {"file": file, **given})
                names = [column[0] for column in cursor.description or ()]
                rows = cursor.fetchall()
            except duckdb.Error as error:
                refused = self._objects.failed.get(taken.key)
                if refused is not None and _MISSING not in str(refused):
                    raise refused from error
                raise DamagedError(taken, str(refused or _line(error))) from error
        return [dict(zip(names, map(_plain, row), strict=True)) for row in rows]


def _plain(value: object) -> object:
    """Times of snapshots are in UTC, without a zone."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).timestamp()
    return value


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
