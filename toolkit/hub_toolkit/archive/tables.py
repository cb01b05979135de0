"""The archive's events as tables that can be asked: DuckDB over its objects, fetched once.

Objects are small and many, so they are fetched whole, many at a time, and asked from a folder that
goes when the question was answered. A copy is asked where it lies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from hub_responder.archive.layout import CONTENT, DAYS, SOURCES, Period, day_of, period_of_data
from hub_toolkit.archive.holdings import Copy
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.archive.holdings import Held, Holdings

FETCHERS = 16
LATE_HOURS = 26
"""What came late lies with the hour that found it, a day later."""
MEMORY = "500MB"
_COMMON = "time, class_uid, message, metadata, actor, cloud, raw_data, unmapped"
"""The columns that every class of events has and questions need."""


class Tables:
    """Asks the events of some hours.

    The view ``events`` has what all classes share, ``contents`` the kept findings and texts.
    """

    def __init__(self, events: Sequence[Path], contents: Sequence[Path], folder: Path) -> None:
        self._database = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": MEMORY,
                "temp_directory": str(folder),
            }
        )
        self._view("events", _COMMON, events, _NO_EVENTS)
        self._view("contents", "digest, content", contents, _NO_CONTENTS)

    def close(self) -> None:
        """Nothing more is asked."""
        self._database.close()

    def ask(self, question: str, **given: Any) -> list[tuple[Any, ...]]:
        """The rows of a question of ours; ``$name`` is ``given``.

        Raises:
            DeploymentError: an object is no Parquet file, or not one of ours.
        """
        try:
            return self._database.execute(question, given or None).fetchall()
        except duckdb.Error as error:
            line = str(error).partition("\n")[0][:200]
            raise DeploymentError(f"the archive cannot be read: {line}") from error

    def make(self, name: str, question: str, **given: Any) -> None:
        """Keep the rows of a question of ours as a table.

        Raises:
            DeploymentError: as `ask`.
        """
        self.ask(f"CREATE OR REPLACE TEMP TABLE {name} AS {question}", **given)

    def _view(self, name: str, columns: str, files: Sequence[Path], empty: str) -> None:
        if not files:
            self._database.execute(f"CREATE VIEW {name} AS {empty}")
            return
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
        source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
        self._database.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM {source}")  # noqa: S608


_NO_EVENTS = (
    "SELECT 0::BIGINT AS time, 0 AS class_uid, '' AS message,"
    " {'uid': '', 'sequence': 0} AS metadata, {'app_name': ''} AS actor, {'region': ''} AS cloud,"
    " '' AS raw_data, {'kind': ''} AS unmapped WHERE false"
)
_NO_CONTENTS = "SELECT '' AS digest, '' AS content WHERE false"


@contextmanager
def tables(
    holdings: Holdings, first: Period, last: Period, *, kept: bool = False
) -> Iterator[Tables]:
    """The events of the hours from ``first`` to ``last``, and those of them that came late; with
    ``kept`` also findings and texts.

    Raises:
        DeploymentError: the archive cannot be read.
    """
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        events = _files(holdings, folder, _events(holdings, first, last))
        contents = _files(holdings, folder, _contents(holdings, first, last)) if kept else []
        made = Tables(events, contents, folder)
        closing.callback(made.close)
        yield made


def _events(holdings: Holdings, first: Period, last: Period) -> Iterator[Held]:
    """Whole days where there are such objects, hours elsewhere; what came late is a day later."""
    end = last.before(-LATE_HOURS)
    for name in SOURCES.values():
        days = {day_of(held.key): held for held in holdings.listed(f"{DAYS}/{name}/")}
        whole = {day.day: held for day, held in days.items() if day is not None}
        seen = set()
        for held in holdings.listed(f"ext/{name}/"):
            period = period_of_data(held.key)
            if period is None or not first <= period <= (end if _late(held) else last):
                continue
            if period.day not in whole:
                yield held
            elif period.day not in seen:
                seen.add(period.day)
                yield whole[period.day]


def _contents(holdings: Holdings, first: Period, last: Period) -> Iterator[Held]:
    for held in holdings.listed(f"{CONTENT}/"):
        period = period_of_data(held.key)
        if period is not None and first <= period <= last:
            yield held


def _late(held: Held) -> bool:
    return "-late" in held.key


def _files(holdings: Holdings, folder: Path, wanted: Iterator[Held]) -> list[Path]:
    if isinstance(holdings, Copy):
        return [holdings.path(held.key) for held in wanted]

    def fetch(held: Held) -> Path | None:
        body = holdings.body(held.key)
        if body is None:
            return None  # it went meanwhile
        path = folder / held.key.replace("/", "_")
        path.write_bytes(body)
        return path

    with ThreadPoolExecutor(FETCHERS) as pool:
        return [path for path in pool.map(fetch, wanted) if path is not None]
