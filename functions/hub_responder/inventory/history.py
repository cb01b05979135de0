"""What is kept of each walk: a row for each instance, in a file of its own below its day.

So that people can ask later: was it protected at the time, since when not, which agent had it. The
verdicts are those that a coverage check would have given by what the walk saw, and nothing is asked
once more before they are written: a row tells of its moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from hub_responder.finding import INSTANCE, Resource
from hub_responder.identifiers import instance_arn
from hub_responder.vision_one import clues, tiers
from hub_responder.vision_one.coverage import Demand
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.matching import Absent, Match
from hub_responder.vision_one.modules import MODULES, OFF, ON

if TYPE_CHECKING:
    from hub_responder.fleet import Fleet
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.snapshot import Snapshot
    from hub_responder.vision_one.tiers import Answer, Tiers

PREFIX = "history"
DEMAND = Demand(stale_after=86_400.0)
"""What the verdicts go by: contact within a day. Modules are told and not demanded, for which of
them must be on is each playbook's matter."""
COLUMNS: Mapping[str, str] = {
    "taken_at": "TIMESTAMP",
    "connection": "VARCHAR",
    "account": "VARCHAR",
    "region": "VARCHAR",
    "instance": "VARCHAR",
    "name": "VARCHAR",
    "running": "BOOLEAN",
    "verdict": "VARCHAR",
    "reasons": "VARCHAR[]",
    "tier": "VARCHAR",
    "agent_guid": "VARCHAR",
    "endpoint": "VARCHAR",
    "agent_status": "VARCHAR",
    "last_contact": "TIMESTAMP",
    "agent_version": "VARCHAR",
    "components": "VARCHAR",
    "policy": "VARCHAR",
    "isolation": "VARCHAR",
    "sensor_status": "VARCHAR",
    "modules_on": "VARCHAR[]",
    "modules_off": "VARCHAR[]",
    "computer": "BIGINT",
    "ips_state": "VARCHAR",
    "ips_rules": "INTEGER",
}
"""Name -> DuckDB's type. The day is in the path and in no column."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An instance at one moment. Texts are empty where nothing is known.

    Attributes:
        taken_at: when the walk was begun (milliseconds since the epoch); last_contact likewise.
        running: as EC2 tells; None: EC2 was not asked, or did not answer, for its account. False
            is every instance that Vision One knows and EC2 does not in the plan's regions.
        computer: its id in Server & Workload Protection. ips_rules: how many are assigned.
    """

    taken_at: int
    connection: str
    account: str
    region: str
    instance: str
    name: str
    running: bool | None
    verdict: str
    reasons: Sequence[str]
    tier: str
    agent_guid: str = ""
    endpoint: str = ""
    agent_status: str = ""
    last_contact: int | None = None
    agent_version: str = ""
    components: str = ""
    policy: str = ""
    isolation: str = ""
    sensor_status: str = ""
    modules_on: Sequence[str] = ()
    modules_off: Sequence[str] = ()
    computer: int | None = None
    ips_state: str = ""
    ips_rules: int | None = None


def key(connection: str, taken_at: float) -> str:
    """The object that holds the rows of one walk: below its day in UTC, named by its time."""
    at = datetime.fromtimestamp(taken_at, UTC)
    return f"{PREFIX}/day={at:%Y-%m-%d}/{connection}-{at:%H%M%S}Z.parquet"


def rows(
    connection: str, snapshot: Snapshot, fleet: Fleet, whole: Collection[str]
) -> Iterator[Row]:
    """A row for each instance that runs, and for each that Vision One knows.

    Args:
        fleet: what runs. whole: the accounts of which all is known that runs.
    """
    known_instances = list(instances(snapshot, fleet, whole))
    known = tiers.of_snapshot(snapshot)
    sought = [clues.of(resource) for resource, _ in known_instances]
    answers = known.find(sought)
    for (resource, running), clue, answer in zip(known_instances, sought, answers, strict=True):
        yield _row(connection, known, (resource, running), clue, answer)


Known = tuple[Resource, bool | None]
"""An instance, and whether it runs."""


def instances(snapshot: Snapshot, fleet: Fleet, whole: Collection[str]) -> Iterator[Known]:
    """What runs, and what Vision One knows beside it."""
    seen = set()
    for machine in fleet.machines:
        seen.add(machine.resource.instance_id.lower())
        yield machine.resource, True
    for instance, records in snapshot.inventory.by_instance.items():
        if instance not in seen:
            account = next((one.account_id for one in records if one.account_id), "")
            arn = instance_arn("aws", "", account, instance)
            resource = Resource(type=INSTANCE, id=arn, instance_id=instance, account=account)
            yield resource, False if account in whole else None


def _row(connection: str, known: Tiers, one: Known, clue: Clues, found: Answer) -> Row:
    resource, running = one
    read_at = known.inventory.read_at
    computer = known.computer(clue, found)
    judged = tiers.judged(known, clue, found, DEMAND, read_at)
    row = Row(
        taken_at=_ms(read_at),
        connection=connection,
        account=resource.account,
        region=resource.region,
        instance=resource.instance_id,
        name=resource.name,
        running=running,
        verdict=judged.verdict,
        reasons=judged.reasons,
        tier=judged.tier,
        computer=computer.id if computer else None,
        ips_state=computer.ips_state if computer else "",
        ips_rules=len(computer.rules) if computer and computer.rules is not None else None,
    )
    match = found.bare if isinstance(found, Absent) else found
    if not isinstance(match, Match):
        return row
    return msgspec.structs.replace(row, **_of_endpoint(match.endpoint))


def _of_endpoint(endpoint: Endpoint) -> dict[str, object]:
    contact = endpoint.epp_last_connected
    on, off = _modules(endpoint)
    return {
        "agent_guid": endpoint.guid,
        "endpoint": endpoint.name,
        "agent_status": endpoint.epp_status,
        "last_contact": _ms(contact) if contact is not None else None,
        "agent_version": endpoint.agent_version,
        "components": endpoint.component_version,
        "policy": endpoint.policy or "",
        "isolation": endpoint.isolation,
        "sensor_status": endpoint.sensor_status,
        "modules_on": on,
        "modules_off": off,
    }


def _modules(endpoint: Endpoint) -> tuple[list[str], list[str]]:
    """The modules that are known to be on, and those that are known to be off."""
    on, off = [], []
    for module, names in MODULES.items():
        states = [endpoint.features[name] for name in names if name in endpoint.features]
        if any(state in ON for state in states):
            on.append(module)
        elif states and all(state in OFF for state in states):
            off.append(module)
    return on, off


def _ms(at: float) -> int:
    return int(at * 1000)
