"""The archive's events as tables that can be asked: DuckDB over its objects, fetched once.

Objects are small and many, so they are fetched whole, many at a time, and asked from a folder that
goes when the question was answered. A copy is asked where it lies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from hub_responder.archive.layout import CONTENT, DAYS, SOURCES, Period, day_of, period_of_data
from hub_responder.archive.ocsf import COLUMNS, REMEDIATION
from hub_toolkit.archive.holdings import Copy, Fetched
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.archive.holdings import Held, Holdings

FETCHERS = 16
LATE_HOURS = 26
"""What came late lies with the hour that found it, a day later."""
MEMORY = "500MB"
_COMMON = ("time", "class_uid", "message", "cloud", "raw_data", "unmapped")
"""The columns that every class of events has and questions need."""
_KEPT = ("digest", "content")


class Tables:
    """Asks the events of some hours.

    The view ``events`` has what all classes share, ``contents`` the kept findings and texts.

    Attributes:
        keys: of the objects that hold the events. holdings: the archive, without fetching them
            again.
    """

    def __init__(
        self,
        events: Sequence[Path],
        contents: Sequence[Path],
        folder: Path,
        keys: Set[str],
        holdings: Holdings,
    ) -> None:
        self.keys, self.holdings = keys, holdings
        self._database = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": MEMORY,
                "temp_directory": str(folder),
            }
        )
        self._view("events", COLUMNS[REMEDIATION], _COMMON, events)
        self._view("contents", dict.fromkeys(_KEPT, "VARCHAR"), _KEPT, contents)

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

    def _view(
        self, name: str, kinds: Mapping[str, str], columns: Sequence[str], files: Sequence[Path]
    ) -> None:
        if not files:
            empty = ", ".join(f"NULL::{kinds[column]} AS {column}" for column in columns)
            self._database.execute(f"CREATE VIEW {name} AS SELECT {empty} WHERE false")
            return
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
        source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
        chosen = ", ".join(columns)
        self._database.execute(f"CREATE VIEW {name} AS SELECT {chosen} FROM {source}")  # noqa: S608


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
        fetched = Fetched(holdings, folder)
        events = list(_events(holdings, first, last))
        contents = list(_contents(holdings, first, last)) if kept else []
        made = Tables(
            _fetch(fetched, holdings, events),
            _fetch(fetched, holdings, contents),
            folder,
            {held.key for held in events},
            fetched,
        )
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


def _fetch(fetched: Fetched, holdings: Holdings, wanted: Sequence[Held]) -> list[Path]:
    """Where the objects lie now; one that went meanwhile is left out."""
    if isinstance(holdings, Copy):
        return [holdings.path(held.key) for held in wanted]

    def fetch(held: Held) -> Path | None:
        body = holdings.body(held.key)
        if body is None:
            return None
        path = fetched.path(held.key)
        path.write_bytes(body)
        return path

    with ThreadPoolExecutor(FETCHERS) as pool:
        return [path for path in pool.map(fetch, wanted) if path is not None]
