"""Shapes of real data that fool a careless reader of Vision One or Server & Workload Protection.

Each is a list of items as the vendor's list or search call returns them; `ENDPOINTS` and
`COMPUTERS` hold them by name. Where a trap is about one instance, it is `INSTANCE` of `ACCOUNT`.
"""

from __future__ import annotations

from typing import Any

from estates import endpoint
from factories import ACCOUNT, INSTANCE
from hub_responder.workload_security.computer import NO_VERSION
from workload import bare, by_agent, computer

Items = list[dict[str, Any]]

OTHER, ELSEWHERE = "i-0fedcba9876543210", "444455556666"
"""Another instance, and another account."""
SHARED_ADDRESS = "10.20.1.12"


def _without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    """``item`` without these keys, which may be ``PARENT.KEY``."""
    copy = {key: dict(held) if isinstance(held, dict) else held for key, held in item.items()}
    for name in names:
        parent, _, key = name.rpartition(".")
        del (copy[parent] if parent else copy)[key]
    return copy


def _machine(details: Any) -> dict[str, Any]:
    return endpoint(INSTANCE, virtualMachineDetails=details)


_PAIRS = [
    {"key": "cloudProvider", "value": "AWS"},
    {"key": "cloudAccountId", "value": ACCOUNT},
    {"key": "cloudInstanceId", "value": INSTANCE},
]

ENDPOINTS: dict[str, Items] = {
    "time_without_zone": [endpoint(lastConnectedDateTime="2026-02-14T09:19:11")],
    "time_with_zone": [endpoint(lastConnectedDateTime="2026-02-14T09:19:11Z")],
    "empty_strings": [
        endpoint(
            lastConnectedDateTime="",
            lastScannedDateTime="",
            version="",
            policyName="",
            protectionManager="",
        )
    ],
    "no_sensor": [_without(endpoint(), "edrSensor")],
    "sensor_only": [
        endpoint(
            eppAgent={},
            endpointName=f"web-01 [{INSTANCE}]",
            edrSensor={"status": "enabled", "connectivity": "connected"},
        )
    ],
    "nothing_installed": [_without(endpoint(eppAgent={}), "edrSensor")],
    "machine_as_pairs": [_machine(_PAIRS)],
    "machine_missing": [_without(endpoint(), "eppAgent.virtualMachineDetails")],
    "machine_null": [_machine(None)],
    "same_short_name": [
        endpoint(INSTANCE, endpointName="pay-02"),
        endpoint(OTHER, agentGuid="guid-other", endpointName="pay-02.example.com"),
    ],
    "same_address_in_two_accounts": [
        endpoint(OTHER, ELSEWHERE, ipAddresses=[SHARED_ADDRESS]),
        endpoint(INSTANCE, ipAddresses=[SHARED_ADDRESS]),
    ],
    "cloned_agent": [
        endpoint(INSTANCE, agentGuid="guid-image"),
        endpoint(OTHER, agentGuid="guid-image", endpointName="web-02"),
    ],
    "terminated_instance": [
        endpoint(
            OTHER,
            agentGuid="guid-gone",
            status="off",
            lastConnectedDateTime="-P40D",
            edrSensor={"status": "enabled", "lastConnectedDateTime": "-P40D"},
        ),
        endpoint(INSTANCE),
    ],
    "unmanaged": [
        endpoint(
            status="unknown",
            version=NO_VERSION,
            policyName="",
            lastConnectedDateTime="",
            edrSensor={"status": "unknown"},
        )
    ],
    "status_unknown": [endpoint(status="unknown", componentVersion="unknownVersions")],
    "shared_egress_address": [endpoint(ipAddresses=[]) | {"lastUsedIp": "192.0.2.1"}],
}
"""What Vision One shows."""

COMPUTERS: dict[str, Items] = {
    "unmanaged": [bare()],
    "no_connector": [by_agent()],
    "both_kinds": [bare(ID=1), by_agent(ID=2)],
    "same_host_name": [computer(ID=1), computer(OTHER, ID=2)],
    "wildcard_in_host_name": [
        computer(ID=1, hostName="web_01"),
        computer(OTHER, ID=2, hostName="web-01"),
    ],
    "hidden_module": [computer(intrusionPrevention=None)],
    "no_guid": [_without(computer(), "agentGUID")],
    "offline": [
        computer(
            computerStatus={"agentStatus": "error", "agentStatusMessages": ["Managed (Offline)"]},
            lastAgentCommunication="-P3D",
        )
    ],
}
"""What Server & Workload Protection shows."""
