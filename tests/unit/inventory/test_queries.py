"""The queries that docs/operating.md gives for Athena, run over a history that was written here.

DuckDB stands for Athena: both take these queries as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from factories import ACCOUNT, INSTANCE, NOW, REGION, REPOSITORY
from hub_responder import parquet
from hub_responder.inventory import history
from hub_responder.inventory.history import COLUMNS, Row
from hub_responder.inventory.run import ORDER

HOUR = 3600.0
QUERIES = re.findall(
    r"```sql\n(.*?)```", (REPOSITORY / "docs" / "operating.md").read_text("utf-8"), re.DOTALL
)


def row(instance: str, verdict: str, at: float, **more: Any) -> Row:
    values: dict[str, Any] = {
        "taken_at": int(at * 1000),
        "connection": "vision-one",
        "account": ACCOUNT,
        "region": REGION,
        "instance": instance,
        "name": f"host-{instance}",
        "running": True,
        "verdict": verdict,
        "reasons": [] if verdict == "PROTECTED" else ["no_endpoint"],
        "tier": "",
    }
    return Row(**values | more)


@pytest.fixture
def athena(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Three walks: one the day before, and two on the day."""
    walks = {
        NOW - HOUR: [row(INSTANCE, "PROTECTED", NOW - HOUR), row("i-2", "UNPROTECTED", NOW - HOUR)],
        NOW + 8 * HOUR: [
            row(INSTANCE, "PROTECTED", NOW + 8 * HOUR, agent_status="on"),
            row("i-2", "DEGRADED", NOW + 8 * HOUR),
            row("i-3", "PROTECTED", NOW + 8 * HOUR, running=False),
        ],
        NOW + 10 * HOUR: [
            row(INSTANCE, "UNPROTECTED", NOW + 10 * HOUR),
            row("i-2", "UNPROTECTED", NOW + 10 * HOUR),
            row("i-4", "UNPROTECTED", NOW + 10 * HOUR),
        ],
    }
    for at, rows in walks.items():
        file = tmp_path / history.key("vision-one", at)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(parquet.written(rows, COLUMNS, ORDER))
    with duckdb.connect() as database:
        database.execute(
            f"CREATE VIEW coverage AS SELECT * FROM read_parquet('{tmp_path}/history/*/*.parquet',"
            " hive_partitioning = true, hive_types_autocast = false)"
        )
        yield database


def test_the_document_has_the_queries() -> None:
    assert len(QUERIES) == 3


def test_the_state_at_the_time_of_an_incident(athena: duckdb.DuckDBPyConnection) -> None:
    ((at, connection, verdict, reasons, status, *_),) = athena.execute(QUERIES[0]).fetchall()
    assert f"{at:%Y-%m-%d %H:%M}" == "2026-11-22 08:00"
    assert (connection, verdict, reasons, status) == ("vision-one", "PROTECTED", [], "on")


def test_coverage_by_day_and_account(athena: duckdb.DuckDBPyConnection) -> None:
    assert athena.execute(QUERIES[1]).fetchall() == [
        ("2026-11-21", ACCOUNT, 2, 50.0),
        ("2026-11-22", ACCOUNT, 3, 20.0),
    ]


def test_who_lost_its_agent_during_the_day(athena: duckdb.DuckDBPyConnection) -> None:
    found = athena.execute(QUERIES[2]).fetchall()
    assert [instance for _, _, instance, _ in found] == [INSTANCE, "i-2"]
