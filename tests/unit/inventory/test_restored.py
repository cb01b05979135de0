"""Which incidents the walk takes for restored: of instances that were not protected before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from factories import ACCOUNT, NOW, REGION
from hub_responder import clock
from hub_responder.finding import INSTANCE, Resource
from hub_responder.inventory import restored
from hub_responder.inventory.plan import Watch
from hub_responder.ledger import keys
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.inventory import Inventory
from hub_responder.vision_one.snapshot import Snapshot

ONE, TWO = (f"i-000000000000000{number}" for number in (1, 2))
GROUP = ("finding.account.id", "finding.region", "finding.resource.id")


def machine(name: str) -> Resource:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{name}"
    return Resource(INSTANCE, arn, instance_id=name, account=ACCOUNT, region=REGION)


def snapshot(*names: str, off: bool = False) -> Snapshot:
    endpoints = {
        name: [
            Endpoint(
                guid=f"guid-{name}",
                instance_id=name,
                account_id=ACCOUNT,
                epp_status="off" if off else "on",
                epp_installed=True,
                epp_contact=clock.iso(NOW),
            )
        ]
        for name in names
    }
    known = Inventory(NOW, endpoints, walked=len(names))
    return Snapshot("https://api.example.com", known, computers_complete=True)


def watch(**fields: Any) -> Watch:
    return Watch(**{"playbook": "p", "connection": "vision-one", "group_by": GROUP} | fields)


def fresh(before: Snapshot | None, after: Snapshot, **fields: Any) -> list[str]:
    found = restored._fresh(watch(**fields), [machine(ONE), machine(TWO)], before, after)
    return [one.instance_id for one in found]


def test_what_is_protected_and_was_not_is_fresh() -> None:
    assert fresh(snapshot(), snapshot(ONE, TWO)) == [ONE, TWO]
    assert fresh(snapshot(ONE), snapshot(ONE, TWO)) == [TWO]
    assert fresh(snapshot(ONE, off=True), snapshot(ONE)) == [ONE]
    assert fresh(snapshot(ONE, TWO), snapshot(ONE, TWO)) == []
    assert fresh(snapshot(ONE), snapshot()) == []


def test_without_a_snapshot_before_all_that_is_protected_is() -> None:
    assert fresh(None, snapshot(ONE)) == [ONE]


def test_the_first_walk_of_an_hour_looks_up_all_that_is_protected() -> None:
    before, soon, next_hour = (
        replace(snapshot(ONE), inventory=replace(snapshot(ONE).inventory, read_at=NOW + later))
        for later in (0, 900, 3600)
    )
    assert restored.since(before, soon) is before
    assert restored.since(before, next_hour) is None
    assert restored.since(None, soon) is None


def test_the_playbooks_own_demand_decides() -> None:
    assert fresh(snapshot(), snapshot(ONE), modules=("anti_malware",)) == []


def test_the_partition_is_the_incidents() -> None:
    values = (ACCOUNT, REGION, machine(ONE).id)
    assert restored.partition(watch(), machine(ONE)) == keys.partition("p", values)
    assert restored.partition(watch(mode="observe"), machine(ONE)) == keys.partition(
        "p", values, "observe"
    )


@pytest.mark.parametrize("expression", ["finding.nothing", "incident.key", "1 / 0"])
def test_what_the_instance_alone_does_not_decide_is_no_partition(expression: str) -> None:
    assert restored.partition(watch(group_by=(expression,)), machine(ONE)) == ""
