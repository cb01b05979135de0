from __future__ import annotations

from typing import Any

import pytest

from estate_history import moment, row
from history_bucket import BUCKET, NOON, STACK, Deployed
from hub_toolkit.inventory.history import BUCKET as LOGICAL_ID
from hub_toolkit.inventory.history import History
from hub_toolkit.stack import DeploymentError, Stack
from loopback import Loopback, Reply

ONE = row("i-0aaaaaaaaaaaaaaa1")


def test_the_stacks_bucket_is_found_by_its_name(deployed: Deployed) -> None:
    assert deployed.stack.bucket(LOGICAL_ID) == BUCKET


def test_a_stack_without_an_inventory_says_so(deployed: Deployed) -> None:
    deployed.stack.stack = "hub-responder"  # whose name begins like the other stack's
    with pytest.raises(DeploymentError, match="InventoryBucket of stack hub-responder"):
        deployed.stack.bucket(LOGICAL_ID)


def test_the_newest_of_buckets_that_outlived_their_stacks_counts(server: Loopback) -> None:
    held = "".join(
        f"<Bucket><Name>{STACK}-inventorybucket-{end}</Name><CreationDate>{day}T00:00:00Z"
        "</CreationDate></Bucket>"
        for end, day in (("a", "2026-01-01"), ("b", "2026-03-01"), ("c", "2026-02-01"))
    )
    body = f"<ListAllMyBucketsResult><Buckets>{held}</Buckets></ListAllMyBucketsResult>"
    server.replies(Reply(200, body.encode(), {"Content-Type": "application/xml"}))
    stack = Stack(server.url, STACK)
    assert stack.bucket(LOGICAL_ID) == f"{STACK}-inventorybucket-b"
    stack.close()


def test_snapshots_are_found_before_and_after_a_moment(deployed: Deployed) -> None:
    times = [moment(f"2026-11-{text}") for text in ("18T23:45", "20T10:00", "20T10:15")]
    for at in times:
        deployed.walked(at, ONE)
    first, second, third = times
    history = deployed.history

    def around(at: float) -> list[float | None]:
        before, after = (side(at, "vision-one") for side in (history.before, history.after))
        return [before.at if before else None, after.at if after else None]

    assert around(second + 60) == [second, third]
    assert around(second) == [second, third]
    assert around(second - 1) == [first, second]
    assert around(first - 1) == [None, first]
    assert around(third) == [third, None]


def test_other_connections_and_other_objects_are_no_snapshots(deployed: Deployed) -> None:
    at = moment("2026-11-20T10:00")
    deployed.walked(at, ONE)
    deployed.walked(at + 60, ONE, connection="vision-one-2")
    for name in ("day=2026-11-20/vision-one-100200Z.parquet.tmp", "day=2026-11-20/readme",
                 "day=2026-11-20/vision-one-999999Z.parquet", "vision-one-100300Z.parquet",
                 "day=2026-13-40/vision-one-100200Z.parquet"):  # fmt: skip
        deployed.holds(f"history/{name}", b"")
    history = deployed.history
    assert history.after(at, "vision-one") is None
    other = history.after(at, "vision-one-2")
    assert other is not None
    assert other.at == at + 60
    found = sorted(history.between(at, at + 900))
    assert [one.connection for one in found] == ["vision-one", "vision-one-2"]


def test_the_last_day_tells_which_connections_there_are(deployed: Deployed) -> None:
    at = moment("2026-11-20T10:00")
    for later in (-86_400.0, 0.0, 900.0):
        deployed.walked(at + later, ONE)
    deployed.walked(at, ONE, connection="other")
    found = {one.connection: one.at for one in deployed.history.latest()}
    assert found == {"vision-one": at + 900, "other": at}


def test_a_range_holds_its_beginning_and_not_its_end(deployed: Deployed) -> None:
    times = [moment("2026-11-20T00:00") + 6 * 3600 * step for step in range(12)]
    for at in times:
        deployed.walked(at, ONE)
    found = [one.at for one in deployed.history.between(times[2], times[9])]
    assert found == times[2:9]
    assert list(deployed.history.between(times[2] + 1, times[3] - 1)) == []


class InSmallPages(Stack):
    """A stack whose buckets are listed two names at a time."""

    def call(self, service: str, operation: str, **request: Any) -> Any:
        if operation == "list_objects_v2":
            request["MaxKeys"] = 2
        return super().call(service, operation, **request)


def test_many_snapshots_are_listed_page_by_page(deployed: Deployed) -> None:
    times = [moment("2026-11-18T10:00") + 86_400.0 * day for day in range(5)]
    for at in times:
        deployed.walked(at, ONE)
    stack = InSmallPages(deployed.endpoint, STACK)
    history = History(stack, BUCKET)
    assert [one.at for one in history.between(times[0], times[-1] + 1)] == times
    last, first = history.before(NOON, "vision-one"), history.after(0.0, "vision-one")
    assert (first and first.at, last and last.at) == (times[0], times[-1])
    stack.close()
