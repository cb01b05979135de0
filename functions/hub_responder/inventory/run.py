"""One round of the scheduled walk, tenant by tenant; one's trouble stays its own."""

from __future__ import annotations

import os
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from hub_responder import aws, clock, fleet, observability, parquet
from hub_responder.deadline import Deadline
from hub_responder.errors import CallError, HubResponderError
from hub_responder.inventory import history, restored
from hub_responder.inventory.walk import Walked, walk
from hub_responder.retry import Patience
from hub_responder.vision_one import snapshot
from hub_responder.vision_one.connect import connect
from hub_responder.workload_security import client as workload_security

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.fleet import Fleet
    from hub_responder.inventory.plan import Plan, Watch
    from hub_responder.vision_one.snapshot import Snapshot

WRITE_S = 20.0
"""What is left of a tenant's time to write down what was found."""
PATIENCE_S = 120.0
"""What is waited for a turn in the pace, and for second tries: nobody waits for this function."""
NEVER_S = 30 * 86_400.0
"""The age that a snapshot has which is not there."""
ORDER = ("account", "region", "instance")


class Taken(msgspec.Struct):
    """What became of one tenant.

    Attributes:
        endpoints, rows: how many were read, and how many rows the history got.
        read_at: when its new snapshot was begun (epoch seconds); None: there is none.
        left_out: what could not be read beside the endpoints, and why.
        restored: incidents that were told unprotected and are to be looked at again.
        error: why there is no new snapshot, or no history of this walk, or why what is restored
            was not told; or empty.
    """

    endpoints: int = 0
    rows: int = 0
    restored: int = 0
    read_at: float | None = None
    left_out: list[str] = []
    error: str = ""


def run(plan: Plan, stage: str, deadline: Deadline) -> dict[str, Taken]:
    """Walk every tenant of the plan and write down what was found; by connection.

    Nothing is raised on purpose: what fails is in the result, in the log and in the metrics.
    """
    found, whole = _running(plan, _share(deadline, 3))
    round_ = _Round(plan, stage, found, whole)
    tenants = list(plan.tenants())
    told: dict[str, Taken] = {}
    oldest = 0.0
    for number, tenant in enumerate(tenants):
        taken = Taken(left_out=list(found.left_out))
        try:
            round_.take(tenant, taken, _share(deadline, len(tenants) - number))
        except HubResponderError as error:
            taken.error = str(error)
        except Exception as error:  # noqa: BLE001 - the other tenants are walked all the same
            observability.log_bug(error)
            taken.error = f"internal error: {type(error).__name__}"
        oldest = max(oldest, clock.now() - (taken.read_at or _last_written(tenant.name, deadline)))
        told[tenant.name] = taken
        _tell(tenant.name, taken)
    observability.measure("InventoryAge", oldest)
    return told


def _share(deadline: Deadline, parts: int) -> Deadline:
    """One of ``parts`` of the time that is left."""
    rest = deadline.left() * (parts - 1) / parts
    return Deadline(lambda: deadline.left() - rest)


def _running(plan: Plan, deadline: Deadline) -> tuple[Fleet, Set[str]]:
    """What runs in EC2, and the accounts of which all is known that runs there."""
    try:
        places = fleet.places(plan.accounts, plan.regions, deadline)
    except CallError as error:
        return fleet.Fleet([], [f"EC2: {error}"], error), frozenset()
    found = fleet.running(places, plan.member_role, deadline)
    unread = {account for account, _ in found.unread}
    return found, {account for account, _ in places} - unread


@dataclass(frozen=True, slots=True)
class _Round:
    """What all tenants have in common: the plan, and what runs in EC2."""

    plan: Plan
    stage: str
    fleet: Fleet
    whole: Set[str]

    def take(self, tenant: Connection, taken: Taken, deadline: Deadline) -> None:
        """Walk one tenant, write its snapshot and the history of it.

        Raises:
            HubResponderError: what is not in ``taken`` was not done.
        """
        name = tenant.name
        found = self._walked(tenant, Deadline(lambda: deadline.left() - WRITE_S))
        taken.endpoints = found.snapshot.inventory.walked
        taken.left_out += found.left_out
        watches = [one for one in self.plan.watches if one.connection == name]
        before = snapshot.load(name, found.snapshot.tenant, deadline) if watches else None
        snapshot.save(name, found.snapshot, deadline)
        taken.read_at = found.snapshot.read_at
        rows = list(history.rows(name, found.snapshot, self.fleet, self.whole))
        body = parquet.written(rows, history.COLUMNS, ORDER)
        _put(history.key(name, taken.read_at), body, deadline)
        taken.rows = len(rows)
        if watches:  # last, so that nobody goes without a snapshot because of it
            self._tell_restored(watches, before, found.snapshot, taken, deadline)

    def _tell_restored(
        self,
        watches: Sequence[Watch],
        before: Snapshot | None,
        after: Snapshot,
        taken: Taken,
        deadline: Deadline,
    ) -> None:
        known = [resource for resource, _ in history.instances(after, self.fleet, self.whole)]
        before = restored.since(before, after)
        taken.restored = restored.tell(watches, known, before, after, deadline)
        observability.count("Restored", taken.restored)

    def _walked(self, tenant: Connection, deadline: Deadline) -> Walked:
        made = connect(tenant, self.stage, deadline)
        client = replace(made, patience=Patience(PATIENCE_S))
        linked = self.plan.security_of(tenant)
        security = None
        if linked:
            second = workload_security.connect(self.plan.connections, linked, self.stage, deadline)
            security = replace(second, patience=Patience(PATIENCE_S))
        running = [machine.resource.instance_id for machine in self.fleet.machines]
        return walk(client, security, running)


def _put(key: str, body: bytes, deadline: Deadline) -> None:
    target = "s3.PutObject"
    deadline.timeout(10.0, target=target)
    try:
        aws.client("s3").put_object(
            Bucket=os.environ[snapshot.BUCKET],
            Key=key,
            Body=body,
            ContentType="application/vnd.apache.parquet",
        )
    except aws.ERRORS as error:
        raise aws.translate(error, target) from error


def _last_written(name: str, deadline: Deadline) -> float:
    """When the snapshot that stands was written (epoch seconds), as far as S3 tells."""
    try:
        deadline.timeout(10.0, target="s3.HeadObject")
        held = aws.client("s3").head_object(
            Bucket=os.environ[snapshot.BUCKET], Key=snapshot.key(name)
        )
    except (*aws.ERRORS, HubResponderError):
        return clock.now() - NEVER_S
    return float(held["LastModified"].timestamp())


def _tell(name: str, taken: Taken) -> None:
    observability.count("Endpoints", taken.endpoints)
    observability.count("SnapshotsWritten", 0 if taken.read_at is None else 1)
    log = observability.logger()
    (log.error if taken.error else log.info)(
        "inventory", extra={"connection": name, **msgspec.to_builtins(taken)}
    )
