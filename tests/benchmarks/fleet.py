"""A fleet of 10,000: the walk's questions, and what its snapshot costs whoever reads it.

Run as a program, with a snapshot's file, it is the process that reads: nothing else is in it then.
"""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import tempfile
import time
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

ENDPOINTS = 10_000
ROUNDS = 9
LOOK_UPS = 20_000
RULE_SETS = 40
RULES = 300
"""Of a rule set: what recommendation scans assign to a server."""


class Reading(msgspec.Struct, frozen=True):
    """What reading a snapshot costs: milliseconds of the processor, MB that it holds, and
    microseconds of a look-up."""

    load_ms: float
    held_mb: float
    look_up_us: float


class Walking(msgspec.Struct, frozen=True):
    """What a walk takes: requests by what they are for, seconds, and bytes of the snapshot."""

    requests: Mapping[str, int]
    stored: int


def _items(chance: random.Random) -> list[dict[str, Any]]:
    """Endpoints as the list call returns them, their computers beside them."""
    from estates import endpoint

    found = []
    for _ in range(ENDPOINTS):
        instance = f"i-{chance.getrandbits(68):017x}"
        address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
        host = f"ip-{address.replace('.', '-')}.eu-central-1.compute.internal"
        item = endpoint(
            instance,
            f"{chance.randrange(40):012}",
            agentGuid=str(uuid.UUID(int=chance.getrandbits(128))),
            endpointName=host,
            ipAddresses=[address],
            lastConnectedDateTime=f"2026-11-21T{chance.randrange(24):02}:{chance.randrange(60):02}:07",
            policyName=f"Linux {chance.randrange(20)}",
            _features={"AntiMalwareScans": "enabled", "IntrusionPreventionSystem": "enabled"},
        )
        found.append(item)
    return found


def _computers(items: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    from workload import computer

    sets = [sorted(chance.sample(range(4000, 9999), RULES)) for _ in range(RULE_SETS)]
    found = []
    for number, item in enumerate(items, 1):
        machine = item["eppAgent"]["virtualMachineDetails"]
        module = {"agentStatus": "active"}
        rules = chance.choice(sets)
        found.append(
            computer(
                machine["cloudInstanceId"],
                machine["cloudAccountId"],
                ID=number,
                agentGUID=item["agentGuid"].upper(),
                hostName=item["endpointName"],
                displayName=f"web-{number}",
                intrusionPrevention={"state": "prevent", "moduleStatus": module, "ruleIDs": rules},
                antiMalware={"state": "on", "moduleStatus": module},
            )
        )
    return found


def walking(target: Path) -> Walking:
    """Walk a tenant of 10,000 endpoints, with and without their computers; the larger snapshot goes
    to ``target``."""
    from estates import TOKEN, Tenant
    from factories import NOW
    from hub_responder.deadline import Deadline
    from hub_responder.inventory.walk import walk
    from hub_responder.vision_one import snapshot
    from hub_responder.vision_one.client import Client
    from hub_responder.vision_one.filters import SERVERS
    from hub_responder.workload_security.client import Client as SecurityClient
    from loopback import Loopback
    from workload import KEY, Workload

    chance = random.Random(1)
    one, two = Loopback(), Loopback()
    try:
        tenant, workload = Tenant(one, NOW), Workload(two)
        items = _items(chance)
        tenant.holds(*items)
        workload.holds(*_computers(items, chance))
        deadline = Deadline.after(600)
        client = Client("vision-one", one.url, lambda call: call(TOKEN), deadline)
        headers = {"Authorization": f"ApiKey {KEY}"}
        security = SecurityClient("workload", two.url, lambda call: call(headers), deadline)
        running = [item["eppAgent"]["virtualMachineDetails"]["cloudInstanceId"] for item in items]
        walk(client, None, running)
        asked = Counter(
            "endpoints" if request.headers["tmv1-filter"] == SERVERS else "modules"
            for request in tenant.lists
        )
        body = snapshot.encode(walk(client, security, running).snapshot)
        asked["computers"] = len(two.requests)
        target.write_bytes(body)
    finally:
        one.close()
        two.close()
    return Walking(asked, len(body))


def reading(stored: Path) -> Reading:
    """Read the snapshot in fresh processes: once for time, once for memory."""
    timed, measured = (
        msgspec.json.decode(_run(stored, how), type=dict[str, float]) for how in ("time", "memory")
    )
    return Reading(timed["load_ms"], measured["held_mb"], timed["look_up_us"])


def _run(stored: Path, how: str) -> bytes:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "benchmarks.fleet", str(stored), how]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=120)
    return done.stdout


def measure() -> tuple[Walking, Reading]:
    """Both."""
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder, "snapshot")
        return walking(stored), reading(stored)


def _main(stored: str, how: str) -> None:
    from hub_responder.vision_one.snapshot import decode

    body = Path(stored).read_bytes()
    if how == "memory":
        decode(body)  # what is made once stays out of it
        gc.collect()
        tracemalloc.start()
        held = decode(body)
        gc.collect()
        told = {"held_mb": tracemalloc.get_traced_memory()[0] / 1e6}
    else:
        times = []
        for _ in range(ROUNDS):
            began = time.process_time()
            held = decode(body)
            times.append(time.process_time() - began)
        known = list(held.inventory.by_instance)
        asked = random.Random(2).choices(known, k=LOOK_UPS)
        began = time.process_time()
        for instance in asked:
            assert held.inventory.find(instance)
            assert held.computers.get(instance)
        took = time.process_time() - began
        told = {"load_ms": median(times) * 1000, "look_up_us": took / LOOK_UPS * 1e6}
    assert len(held.inventory.by_instance) == ENDPOINTS
    print(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
