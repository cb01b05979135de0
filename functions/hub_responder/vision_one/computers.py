"""Server & Workload Protection as a second opinion: which computer an instance is, what it says.

It knows instances by their id, with its AWS connector or by what agents tell, and the GUID of their
agent, which is Vision One's. Of one agent the worse of what both say counts. What it says of a
computer without an agent counts against no agent that Vision One knows: that may be another
product's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hub_responder.clock import iso
from hub_responder.errors import HubResponderError, IncompleteError
from hub_responder.values import clean
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.modules import MODULES, OFF, ON
from hub_responder.workload_security.client import TARGET, Client

if TYPE_CHECKING:
    from hub_responder.workload_security.computer import Computer

THREADS = 10
WALK_FROM = 20
"""Instances from which on it is cheaper to read all computers: each takes two searches, and a page
has 1,000."""
_MAX_SAID = 160

Known = Mapping[str, "Sequence[Computer] | HubResponderError"]
"""Instance id -> its computers, or why they cannot be told."""


def look_up(client: Client, instance_ids: Iterable[str]) -> Known:
    """The computers of instances, as they are now."""
    wanted = list(dict.fromkeys(instance_ids))
    if not wanted:
        return {}
    if len(wanted) >= WALK_FROM:
        return _walked(client, wanted)
    first, *rest = wanted
    found = {first: _of(client, first)}
    trouble = found[first]
    if isinstance(trouble, HubResponderError) and not isinstance(trouble, IncompleteError):
        return dict.fromkeys(wanted, trouble)
    if rest:
        with ThreadPoolExecutor(max_workers=min(THREADS, len(rest))) as pool:
            found |= zip(rest, pool.map(lambda one: _of(client, one), rest), strict=True)
    return found


def _of(client: Client, instance_id: str) -> Sequence[Computer] | HubResponderError:
    try:
        return client.by_instance(instance_id)
    except HubResponderError as error:
        return error


def _walked(client: Client, wanted: Sequence[str]) -> Known:
    """From a walk through all computers; one that cannot be read could be any that is not found."""
    found: dict[str, list[Computer]] = {}
    unreadable = 0
    try:
        for page in client.pages():
            for each in page:
                if each is None:
                    unreadable += 1
                elif each.instance_id:
                    found.setdefault(each.instance_id, []).append(each)
    except HubResponderError as error:
        return dict.fromkeys(wanted, error)
    absent: Sequence[Computer] | HubResponderError = ()
    if unreadable:
        absent = IncompleteError(f"{unreadable} computers cannot be read", target=TARGET)
    return {one: found.get(one, absent) for one in wanted}


def best(computers: Sequence[Computer], account: str, guid: str = "") -> Computer | None:
    """The one that counts: that of the agent ``guid`` first, with an agent before without, then
    the latest contact.

    A connector's record and the one that the agent made are often both there. An account that
    either side does not tell is taken to fit.
    """
    own = [one for one in computers if not account or one.account_id in (account, "")]
    mine = [one for one in own if one.guid and one.guid == guid.lower()]
    return max(mine or own, key=_standing, default=None)


def _standing(one: Computer) -> tuple[bool, bool, bool, float]:
    there, active = one.has_agent is True, one.agent_status == "active"
    return there and active, there, one.has_agent is None, one.last_contact or 0.0


def as_endpoint(computer: Computer) -> Endpoint:
    """A computer whose agent Vision One does not know, as far as a verdict can be told of it."""
    return Endpoint(
        guid=computer.guid,
        name=computer.host or computer.shown,
        type="server",
        account_id=computer.account_id,
        instance_id=computer.instance_id,
        epp_status=_status(computer),
        epp_installed=computer.has_agent is True,
        epp_contact=iso(computer.last_contact) if computer.last_contact else "",
        agent_version=computer.agent_version,
    )


def _status(computer: Computer) -> str:
    if computer.has_agent is None:
        return "unknown"
    if _is_offline(computer):
        return "off"
    return "on" if computer.agent_status == "active" else "unknown"


def _is_offline(computer: Computer) -> bool:
    offline = any("offline" in message.lower() for message in computer.messages)
    return offline or computer.agent_status == "inactive"


def is_of(computer: Computer, endpoint: Endpoint) -> bool:
    """Whether both are about one agent; a computer that tells no GUID is taken to be, if it has
    an agent: the instance has led to both."""
    if computer.guid:
        return computer.guid == endpoint.guid.lower()
    return computer.has_agent is True


def objections(
    computer: Computer, stale_after: float, modules: Sequence[str], now: float
) -> list[str]:
    """What it says against the agent being in full protection, as reasons."""
    if computer.has_agent is False:
        return ["unmanaged"]
    reasons = ["offline"] if _is_offline(computer) else []
    if computer.last_contact is not None and now - computer.last_contact > stale_after:
        reasons.append("stale")
    reasons += [f"module_off:{one}" for one in modules if state(computer, one) == OFF[0]]
    said = [message.lower() for message in computer.messages]
    required = [message for message in said if "required" in message]
    for word, reason in _REQUIRED.items():
        if any(word in message for message in required):
            reasons.append(reason)
    if computer.agent_status == "error" or any("multiple errors" in message for message in said):
        reasons.append("agent_error")
    return reasons


_REQUIRED = {
    "reboot": "reboot_required",
    "restart": "reboot_required",
    "upgrade": "upgrade_required",
    "update": "upgrade_required",
    "activation": "activation_required",
}
"""Words of the status messages that say what is required (cloudone.trendmicro.com, "Agent
status"). What is recommended only ("Upgrade Recommended") is no weakness."""


def state(computer: Computer, module: str) -> str:
    """Whether a module is on, in words of Vision One; empty where it is not told for sure.

    On is what runs: a module can be meant to be on and not be activated.
    """
    told = {
        "anti_malware": (computer.am_state, computer.am_active),
        "intrusion_prevention": (computer.ips_state, computer.ips_active),
    }
    said, active = told.get(module, ("", None))
    if said == "off" or active is False:
        return OFF[0]
    return ON[0] if said and active else ""


def features(computer: Computer, modules: Sequence[str]) -> Mapping[str, str]:
    """The states that it tells, by the names of Vision One's features."""
    told = {module: state(computer, module) for module in modules}
    return {MODULES[module][0]: said for module, said in told.items() if said}


def said(computer: Computer) -> str:
    """What it says, in one line: ``active: Managed (Online); intrusion prevention prevent``."""
    status = computer.agent_status or "not told"
    text = f"{status}: {', '.join(computer.messages)}" if computer.messages else status
    mode = f"; intrusion prevention {computer.ips_state}" if computer.ips_state else ""
    return clean(text + mode, _MAX_SAID)
