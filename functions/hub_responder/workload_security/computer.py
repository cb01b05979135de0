"""One computer of Server & Workload Protection, read tolerantly.

Three situations look alike at first (the recording of a real tenant in JupiterOne's
graph-trend-micro shows all of them):

- with an AWS connector every instance of the account is a computer, with or without an agent:
  ``ec2VirtualMachineSummary``. That a computer is there is no protection.
- without one, the agent itself tells the instance: ``noConnectorVirtualMachineSummary``.
- a computer without an agent has the version 0.0.0.0 and no fingerprint, and is Unmanaged.

Only what is needed is decoded. Fields and their meaning: the reference of the Workload Security
API; ``agentGUID``, which equals Vision One's ``agentGuid``, is not in it but in what tenants show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hub_responder import values

NO_VERSION = "0.0.0.0"  # noqa: S104 - an agent's version, not an address
IPS_STATES = ("prevent", "detect", "off")
_MAX_TEXT = 256
_MAX_MESSAGES = 10
_MAX_MESSAGE = 80
_WITHOUT_AGENT = ("unmanaged", "no agent")
_MANAGED = "managed"


class Computer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What matching, verdicts and shields need; texts are at most 256 characters.

    Attributes:
        id: the computer's in its tenant. guid: its agent's, in lower case, or empty.
        host, shown: host name and display name, as they are written.
        account_id, instance_id: of the cloud instance; the instance id in lower case.
        has_agent: None where it cannot be told.
        agent_status: active, inactive, ... in lower case. messages: what stands beside it, as
            ``Managed (Online)``.
        last_contact: of the agent (epoch seconds). policy_sent: when it last took its policy.
        policy_id: None: no policy.
        ips_state: prevent, detect, off, or empty where it is not told. ips_active: whether
            intrusion prevention runs; None where that is not told.
        rules: ids of the intrusion prevention rules that are assigned; None: not told.
        am_state: anti-malware, on or off. am_active: as ``ips_active``.
        power: of the instance, as ``POWER ON``.
        connector: an AWS connector tells of the instance, so it is listed even without an agent.
    """

    id: int
    guid: str = ""
    host: str = ""
    shown: str = ""
    account_id: str = ""
    instance_id: str = ""
    has_agent: bool | None = None
    agent_status: str = ""
    messages: tuple[str, ...] = ()
    last_contact: float | None = None
    policy_sent: float | None = None
    agent_version: str = ""
    policy_id: int | None = None
    ips_state: str = ""
    ips_active: bool | None = None
    rules: tuple[int, ...] | None = None
    am_state: str = ""
    am_active: bool | None = None
    power: str = ""
    connector: bool = False


class _Status(msgspec.Struct, gc=False):
    agentStatus: Any = None  # noqa: N815 - the API's names
    agentStatusMessages: Any = None  # noqa: N815


class _Module(msgspec.Struct, gc=False):
    state: Any = None
    moduleStatus: _Status | None = None  # noqa: N815
    ruleIDs: Any = None  # noqa: N815


class _Machine(msgspec.Struct, gc=False):
    accountID: Any = None  # noqa: N815
    instanceID: Any = None  # noqa: N815
    state: Any = None


class _Item(msgspec.Struct, gc=False):
    ID: int
    agentGUID: Any = None  # noqa: N815
    hostName: Any = None  # noqa: N815
    displayName: Any = None  # noqa: N815
    agentVersion: Any = None  # noqa: N815
    agentFingerPrint: Any = None  # noqa: N815
    lastAgentCommunication: Any = None  # noqa: N815
    lastSendPolicySuccess: Any = None  # noqa: N815
    policyID: Any = None  # noqa: N815
    computerStatus: _Status | None = None  # noqa: N815
    ec2VirtualMachineSummary: _Machine | None = None  # noqa: N815
    noConnectorVirtualMachineSummary: _Machine | None = None  # noqa: N815
    intrusionPrevention: _Module | None = None  # noqa: N815
    antiMalware: _Module | None = None  # noqa: N815


class _Page(msgspec.Struct, gc=False):
    computers: list[msgspec.Raw]


class _Numbered(msgspec.Struct, gc=False):
    ID: int


class Page(msgspec.Struct, frozen=True):
    """Computers of one answer, None for each that cannot be read; and the highest id among them.

    ``last_id`` is None where not even an id can be read.
    """

    computers: list[Computer | None]
    last_id: int | None = None


_DECODER = msgspec.json.Decoder(_Item)
_PAGES = msgspec.json.Decoder(_Page)
_NUMBERED = msgspec.json.Decoder(_Numbered)


def read(raw: bytes | msgspec.Raw) -> Computer | None:
    """The computer that ``raw`` (its JSON) is; None where it is none, or could be any instance."""
    try:
        return _computer(_DECODER.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read_page(body: bytes) -> Page:
    """An answer's ``computers``; one of another shape costs itself alone.

    Raises:
        msgspec.DecodeError: it is no JSON object with ``computers``.
    """
    raws = _PAGES.decode(body).computers
    numbers = [number for raw in raws if (number := _number(raw)) is not None]
    return Page([read(raw) for raw in raws], max(numbers, default=None))


def _number(raw: msgspec.Raw) -> int | None:
    try:
        return _NUMBERED.decode(raw).ID
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _computer(item: _Item) -> Computer:
    """The computer.

    Raises:
        msgspec.ValidationError: it is an instance, but which one cannot be read.
    """
    status = item.computerStatus or _Status()
    ips, malware = item.intrusionPrevention or _Module(), item.antiMalware or _Module()
    machine = item.ec2VirtualMachineSummary or item.noConnectorVirtualMachineSummary or _Machine()
    if not isinstance(machine.instanceID, str | None):
        raise msgspec.ValidationError("the instance's id is no text")
    messages, said = _messages(status.agentStatusMessages), _text(status.agentStatus).lower()
    state = _text(ips.state).lower()
    return Computer(
        id=item.ID,
        guid=_text(item.agentGUID).lower(),
        host=_text(item.hostName),
        shown=_text(item.displayName),
        account_id=_text(machine.accountID),
        instance_id=_text(machine.instanceID).lower(),
        has_agent=_has_agent(item.agentVersion, item.agentFingerPrint, messages, said),
        agent_status=said,
        messages=messages,
        last_contact=values.seconds(item.lastAgentCommunication) or None,
        policy_sent=values.seconds(item.lastSendPolicySuccess) or None,
        agent_version=_text(item.agentVersion),
        policy_id=_whole(item.policyID),
        ips_state=state if state in IPS_STATES else "",
        ips_active=_active(ips.moduleStatus),
        rules=_rules(ips.ruleIDs),
        am_state=_text(malware.state).lower(),
        am_active=_active(malware.moduleStatus),
        power=_text(machine.state),
        connector=item.ec2VirtualMachineSummary is not None,
    )


def _text(value: object) -> str:
    return value.strip()[:_MAX_TEXT] if type(value) is str else ""


def _whole(value: object) -> int | None:
    """A number that names something; 0 is how the API writes that there is none."""
    return value if type(value) is int and value > 0 else None


def _messages(raw: object) -> tuple[str, ...]:
    found: Sequence[object] = raw if isinstance(raw, list) else ()
    return tuple(one.strip()[:_MAX_MESSAGE] for one in found[:_MAX_MESSAGES] if type(one) is str)


def _has_agent(
    version: object, fingerprint: object, messages: Sequence[str], status: str
) -> bool | None:
    """Version and fingerprint tell; where they disagree, the status does, or nobody.

    "To search for computers without an agent, search for computers that have no agent fingerprint"
    (the reference, ``agentVersion``).
    """
    if not isinstance(version, str | None) or not isinstance(fingerprint, str | None):
        return None
    written, marked = _text(version), bool(_text(fingerprint))
    said = [message.lower() for message in messages]
    without = any(one.startswith(_WITHOUT_AGENT) for one in said)
    managed = status == "active" or any(one.startswith(_MANAGED) for one in said)
    if without == managed:  # neither is said, or both
        if written not in ("", NO_VERSION) and marked:
            return None if without else True
        return False if written == NO_VERSION and not marked and not managed else None
    if without:
        return None if written not in ("", NO_VERSION) and marked else False
    return None if written == NO_VERSION and not marked else True


def _active(status: _Status | None) -> bool | None:
    said = _text(status.agentStatus).lower() if status is not None else ""
    return {"active": True, "inactive": False}.get(said)


def _rules(raw: object) -> tuple[int, ...] | None:
    if not isinstance(raw, list) or not all(type(one) is int for one in raw):
        return None
    return tuple(raw)
