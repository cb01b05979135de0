from __future__ import annotations

from typing import Any

import pytest

from estate_history import moment, row, write_fleet
from history_bucket import BUCKET, STACK, Deployed
from hub_toolkit.inventory.history import History, Taken
from hub_toolkit.inventory.objects import Objects
from hub_toolkit.inventory.reading import DamagedError, Reader
from hub_toolkit.stack import DeploymentError, Stack

AT = moment("2026-11-20T10:00")
ONE = row("i-0aaaaaaaaaaaaaaa1", reasons=["stale"], name="決済-1")


class Watched(Stack):
    """A stack that notes the ranges that were fetched."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint, STACK)
        self.fetched: list[int] = []

    def call(self, service: str, operation: str, **request: Any) -> Any:
        if operation == "get_object":
            start, _, end = request["Range"].removeprefix("bytes=").partition("-")
            self.fetched.append(int(end) - int(start) + 1)
        return super().call(service, operation, **request)


def taken(deployed: Deployed, key: str) -> Taken:
    size = deployed.s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"]
    return Taken(AT, "vision-one", key, size)


def test_rows_come_with_their_types_and_times_as_seconds(deployed: Deployed) -> None:
    one = taken(deployed, deployed.walked(AT, ONE))
    with Reader(deployed.history, [one]) as reader:
        (found,) = reader.ask(one, "SELECT * FROM {snapshot} WHERE name = $name", name="決済-1")
    assert found["taken_at"] == AT
    assert found["last_contact"] == AT - 300
    assert found["reasons"] == ["stale"]
    assert found["running"] is True
    assert "day" not in found


def test_what_people_write_is_a_value_and_no_sql(deployed: Deployed) -> None:
    one = taken(deployed, deployed.walked(AT, ONE))
    with Reader(deployed.history, [one]) as reader:
        for text in ("' OR 1=1 --", "{snapshot}", "$file", "\x00", "%"):
            question = "SELECT * FROM {snapshot} WHERE name = $name"
            assert reader.ask(one, question, name=text) == []


def test_only_the_columns_that_are_asked_for_are_fetched(deployed: Deployed, tmp_path: Any) -> None:
    write_fleet(tmp_path / "fleet.parquet", AT, day=0.5, accounts=4, instances=5000)
    body = (tmp_path / "fleet.parquet").read_bytes()
    one = taken(deployed, deployed.holds("history/day=2026-11-20/vision-one-100000Z.parquet", body))
    watched = Watched(deployed.endpoint)
    with Reader(History(watched, BUCKET), [one]) as reader:
        rows = reader.ask(
            one, "SELECT account, verdict, count(*) AS n FROM {snapshot} GROUP BY ALL"
        )
    watched.close()
    assert sum(row["n"] for row in rows) == 5000
    assert sum(watched.fetched) < len(body) / 4
    assert len(watched.fetched) <= 4


@pytest.mark.parametrize("body", [b"", b"PAR1", b"no parquet at all", "cut", "wrong"])
def test_a_damaged_snapshot_is_named(deployed: Deployed, body: bytes | str) -> None:
    key = deployed.walked(AT, ONE)
    if body == "cut":
        whole = deployed.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        body = whole[: len(whole) // 2] + whole[-8:]
    elif body == "wrong":
        whole = deployed.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        body = whole.replace(b"verdict", b"verdikt")
    assert isinstance(body, bytes)
    deployed.holds(key, body)
    one = taken(deployed, key)
    with (
        Reader(deployed.history, [one]) as reader,
        pytest.raises(DamagedError, match=f"{key} cannot be read") as caught,
    ):
        reader.ask(one, "SELECT verdict FROM {snapshot}")
    assert "\n" not in str(caught.value)


def test_a_snapshot_that_is_gone_meanwhile_costs_itself(deployed: Deployed) -> None:
    one = taken(deployed, deployed.walked(AT, ONE))
    deployed.s3.delete_object(Bucket=BUCKET, Key=one.key)
    with Reader(deployed.history, [one]) as reader, pytest.raises(DamagedError, match="NoSuchKey"):
        reader.ask(one, "SELECT verdict FROM {snapshot}")


def test_a_bucket_that_refuses_is_no_damaged_snapshot(deployed: Deployed) -> None:
    one = taken(deployed, deployed.walked(AT, ONE))
    elsewhere = History(deployed.stack, "no-such-bucket")
    with Reader(elsewhere, [one]) as reader, pytest.raises(DeploymentError, match="NoSuchBucket"):
        reader.ask(one, "SELECT verdict FROM {snapshot}")


def test_nothing_but_known_snapshots_is_read_and_nothing_is_written(deployed: Deployed) -> None:
    objects = Objects(deployed.stack, BUCKET, {"a": 3})
    with pytest.raises(FileNotFoundError):
        objects.open("inventory://b")
    with pytest.raises(PermissionError):
        objects.open("inventory://a", "wb")
