"""Months of the inventory's history with invented values, as the scheduled walk writes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from hub_responder import parquet
from hub_responder.inventory.history import COLUMNS, Row

CONNECTION = "vision-one"
ORDER = ("account", "region", "instance")


def moment(text: str) -> float:
    """Epoch seconds of ISO 8601 text, in UTC where it names no zone."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def row(instance: str, **told: Any) -> Row:
    """A protected instance that runs; what is ``told`` replaces that. Times are epoch seconds."""
    protected: dict[str, Any] = {
        "taken_at": 0,
        "connection": CONNECTION,
        "account": "111122223333",
        "region": "us-east-1",
        "instance": instance,
        "name": f"name-{instance[-4:]}",
        "running": True,
        "verdict": "PROTECTED",
        "reasons": [],
        "tier": "instance_id",
        "agent_guid": f"guid-{instance}",
        "endpoint": f"host-{instance[-4:]}.ec2.internal",
        "agent_status": "on",
        "agent_version": "20.0.2.1234",
        "components": "latestVersion",
        "policy": "Linux Server",
        "isolation": "off",
        "sensor_status": "enabled",
        "computer": 7,
        "ips_state": "prevent",
        "ips_rules": 214,
    }
    if told.get("last_contact") is not None:
        told["last_contact"] = int(told["last_contact"] * 1000)
    return Row(**protected | told)


def snapshot(at: float, rows: Iterable[Row]) -> bytes:
    """The file of a walk at ``at``; the agents were in contact five minutes before it."""
    contact = int((at - 300.0) * 1000)
    dated = [
        msgspec.structs.replace(
            one, taken_at=int(at * 1000), last_contact=one.last_contact or contact
        )
        for one in rows
    ]
    return parquet.written(dated, COLUMNS, ORDER)


# A fleet that grows and gets better, with an accident

_FLEET = """
COPY (
  SELECT {columns} FROM (
  WITH machine AS (
    SELECT n, n % $accounts AS a, hash(n) % 1000 AS h, hash(n * 7 + 1) % 1000 AS g
    FROM range($instances) t(n)
  ), state AS (
    SELECT *, CASE
        WHEN a = 1 AND $day BETWEEN 0.66 AND 0.72 AND g < 350 THEN 'offline'
        WHEN a = 2 AND $day > 0.93 AND g < 40 THEN 'stale'
        WHEN h < 5 THEN 'agent_status_unknown'
        WHEN h < 150 * (1 - $day) + 30 THEN CASE WHEN g < 700 THEN 'no_endpoint' ELSE 'no_agent' END
        WHEN g < 25 THEN CASE WHEN g < 12 THEN 'components_outdated' ELSE 'policy_missing' END
        ELSE '' END AS reason
    FROM machine WHERE a < $accounts - 1 OR $day > 0.33
  )
  SELECT $taken AS taken_at, 'vision-one' AS connection,
    ['111122223333', '444455556666', '333344445555', '555566667777', '777788889999',
     '222233334444', '666677778888', '888899990000'][a + 1] AS account,
    ['us-east-1', 'eu-central-1', 'ap-northeast-1'][1 + n % 3] AS region,
    'i-0' || left(md5(n::VARCHAR), 16) AS instance,
    ['web', 'app', 'batch', '決済'][1 + (n // 3) % 4] || '-' || n AS name,
    h % 50 <> 49 AS running,
    CASE WHEN reason = '' THEN 'PROTECTED' WHEN reason LIKE 'no_%' THEN 'UNPROTECTED'
      WHEN reason = 'agent_status_unknown' THEN 'UNKNOWN' ELSE 'DEGRADED' END AS verdict,
    CASE WHEN reason = '' THEN []::VARCHAR[] ELSE [reason] END AS reasons,
    CASE WHEN reason = 'no_endpoint' THEN '' ELSE 'instance_id' END AS tier,
    md5('guid' || n) AS agent_guid,
    'ip-10-' || (n // 65536) || '-' || (n // 256) % 256 || '-' || n % 256 || '.ec2.internal'
      AS endpoint,
    CASE WHEN reason LIKE 'no_%' THEN '' WHEN reason IN ('offline', 'stale') THEN 'off'
      ELSE 'on' END AS agent_status,
    CASE WHEN reason LIKE 'no_%' THEN NULL
      WHEN reason IN ('offline', 'stale') THEN $taken - INTERVAL 3 DAY
      ELSE $taken - to_seconds(n % 900) END::TIMESTAMP AS last_contact,
    '20.0.2.' || 1000 + n % 7 AS agent_version, 'latestVersion' AS components,
    ['Linux Server', 'Windows Server', 'Base Policy'][1 + n % 3] AS policy, 'off' AS isolation,
    'enabled' AS sensor_status, ['anti_malware', 'intrusion_prevention'] AS modules_on,
    []::VARCHAR[] AS modules_off, n::BIGINT AS computer, 'prevent' AS ips_state,
    (180 + n % 60)::INTEGER AS ips_rules
  FROM state ORDER BY account, region, instance
)) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def write_fleet(path: Path, at: float, *, day: float, accounts: int, instances: int) -> None:
    """A snapshot of a fleet at ``day``, from 0 (the beginning) to 1 (the end)."""
    taken = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    given = {"taken": taken, "day": day, "accounts": accounts, "instances": instances}
    with duckdb.connect() as database:
        database.execute(_FLEET.format(path=path, columns=", ".join(COLUMNS)), given)
