"""What a search may name, and how each field can be tested.

Source: the notes "Searchable as ..." on the properties of Computer, the VirtualMachineSummaries and
IntrusionPreventionRule in Trend's OpenAPI description. ``agentGUID`` is newer than the description
at hand: that it is searchable is a guess. What is not here cannot be searched: 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """How a field is tested."""

    BOOLEAN = "boolean"
    CHOICE = "choice"
    DATE = "date"
    ID = "ID"
    NUMERIC = "numeric"
    STRING = "string"


Fields = Mapping[str, frozenset[Kind]]

EC2 = "ec2VirtualMachineSummary"
NO_CONNECTOR = "noConnectorVirtualMachineSummary"


def _table(**names: str) -> Fields:
    return {
        name: frozenset({Kind[kind.upper()]})
        for kind, text in names.items()
        for name in text.split()
    }


def _below(parent: str, names: str) -> str:
    return " ".join(f"{parent}/{name}" for name in names.split())


COMPUTERS: Fields = _table(
    id="ID",
    string="hostName displayName description lastIPUsed platform agentFingerPrint agentVersion "
    "hostGUID agentGUID "
    + _below(
        EC2,
        "accountID operatingSystem privateIPAddress publicIPAddress availabilityZone instanceID "
        "type virtualizationType",
    ),
    numeric="groupID policyID assetImportanceID relayListID",
    date="lastAgentCommunication lastSendPolicyRequest lastSendPolicySuccess",
)

AGENT_REPORTED: Fields = _table(
    string=_below(NO_CONNECTOR, "accountID directoryID userName instanceID region")
)
"""What an agent reports of a machine that no connector knows."""

RULES: Fields = {
    **_table(
        id="ID",
        string="name description minimumAgentVersion identifier CVE",
        numeric="applicationTypeID scheduleID contextID",
        choice="priority severity type recommendationsMode",
        boolean="eventLoggingDisabled generateEventOnPacketDrop alwaysIncludePacketData "
        "debugModeEnabled alertEnabled",
        date="originalIssue lastUpdated",
    ),
    "CVSSScore": frozenset({Kind.STRING, Kind.NUMERIC}),
}
