"""Assigning the rules that shield a computer from CVEs, and what came of it.

Rules are added to the computer itself, beside those of its policy, and only those that it lacks;
the computer is read again to prove it. The agent takes them with its policy, within seconds where
it is online: until the manager tells that it did, they are on their way and block nothing yet.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from hub_responder import clock
from hub_responder.errors import HubResponderError, PermanentError, TransientError
from hub_responder.workload_security import shields
from hub_responder.workload_security.client import TARGET, Client
from hub_responder.workload_security.computer import Computer
from hub_responder.workload_security.shields import Shield

Why = Literal["off", "detect", "rule", ""]


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules were assigned to which computer, and what becomes of each CVE.

    ``assigned`` were assigned now, ``there`` were before (rule ids). Of the CVEs, rules block
    ``shielded``; those of ``sent`` were assigned and sent to the agent, and block when it has taken
    them; those of ``not_enforced`` are assigned and do not block, ``why``: ``off`` (intrusion
    prevention does not run), ``detect`` (it only detects), ``rule`` (the rule only detects, or
    needs a newer agent); of ``untold`` nobody can tell, as where the agent is offline. ``to_patch``
    have no rule. ``left`` are rules beyond `most`, for the CVEs of ``waiting``; ``left_out`` counts
    CVEs beyond 20. ``summary`` says it in the playbook's language.
    """

    computer: int
    name: str
    assigned: tuple[int, ...] = ()
    there: tuple[int, ...] = ()
    shielded: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    not_enforced: tuple[str, ...] = ()
    why: Why = ""
    untold: tuple[str, ...] = ()
    to_patch: tuple[str, ...] = ()
    left: tuple[int, ...] = ()
    waiting: tuple[str, ...] = ()
    left_out: int = 0
    summary: str = ""


def apply(
    client: Client, computer: Computer, cves: Sequence[str], most: int, since: float | None
) -> Applied:
    """Assign the rules of ``cves`` that ``computer`` lacks, ``most`` at a time.

    Args:
        since: when an earlier attempt began that may have assigned some (epoch seconds), or None.

    Raises:
        TransientError: it cannot be done now; in doubt where ``sent``.
        PermanentError: it is refused, or what was assigned does not stay.
    """
    rules = _rules(client, cves)
    if computer.rules is None:
        raise PermanentError(
            f"{TARGET} does not tell which rules computer {computer.id} has", target=TARGET
        )
    needed = tuple(dict.fromkeys(rule for found in rules.values() for rule in found))
    missing = tuple(rule for rule in needed if rule not in computer.rules)
    assigned, left = missing[:most], missing[most:]
    before, began = computer.policy_sent or 0.0, clock.now()
    if assigned:
        client.assign(computer.id, assigned)
        computer = _proven(client, computer, assigned, again=since is not None)
    fresh = needed if since is not None else assigned
    sent = computer.policy_sent or 0.0
    # The manager's clock may not be ours: a policy that was there before is none of now.
    taken = sent >= (began if since is None else since) and (sent > before or not assigned)
    return Applied(
        computer=computer.id,
        name=computer.shown or computer.host,
        assigned=assigned,
        there=tuple(rule for rule in needed if rule not in missing),
        left=left,
        **_becomes_of(client, computer, cves, left, () if taken else fresh),
    )


def _rules(client: Client, cves: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    """The ids of every CVE's rules.

    Raises:
        TransientError, PermanentError: those of one cannot be told: nothing is assigned then.
    """
    found: dict[str, tuple[int, ...]] = {}
    for cve, told in shields.rules_of(client, cves).items():
        if isinstance(told, HubResponderError):
            raise told
        found[cve] = tuple(rule.id for rule in told)
    return found


def _proven(
    client: Client, computer: Computer, assigned: Collection[int], *, again: bool
) -> Computer:
    """The computer as it is after rules were assigned.

    Raises:
        TransientError: it does not show them yet, or cannot be read; they may be there.
        PermanentError: it did not show them the time before either.
    """
    try:
        now = client.get(computer.id)
    except TransientError as error:
        said = f"rules were assigned, but not read back: {error}"
        raise TransientError(
            said, target=TARGET, status=error.status, sent=True, retry_after=error.retry_after
        ) from error
    if set(assigned) <= set(now.rules or ()):
        return now
    said = f"{TARGET} took rules for computer {computer.id}, which does not show them"
    if again:
        raise PermanentError(said, target=TARGET, sent=True)
    raise TransientError(said, target=TARGET, sent=True)


def _becomes_of(
    client: Client,
    computer: Computer,
    cves: Sequence[str],
    left: Collection[int],
    fresh: Collection[int],
) -> dict[str, Any]:
    """The fields of `Applied` that say what becomes of each CVE.

    ``fresh`` are rules that the agent may not have taken yet.
    """
    found: dict[str, tuple[str, ...]] = {}
    for shield in shields.shields(client, computer, cves):
        field = _becomes(shield, computer, left, fresh)
        found[field] = (*found.get(field, ()), shield.cve)
    if "not_enforced" not in found:
        return found
    mode = shields.enforcement(computer, -math.inf)
    return {**found, "why": mode if mode in ("off", "detect") else "rule"}


def _becomes(
    shield: Shield, computer: Computer, left: Collection[int], fresh: Collection[int]
) -> str:
    new = any(rule in fresh for rule in shield.rules)
    match shield.state:
        case "not_shieldable":
            return "to_patch"
        case "unknown":
            return "untold"
        case "shielded":
            return "sent" if new else "shielded"
        case "shieldable" if any(rule in left for rule in shield.rules):
            return "waiting"
        case "shieldable" if new and _may_begin(computer):
            return "untold"
    return "not_enforced"


def _may_begin(computer: Computer) -> bool:
    """Whether the module may only stand still for it had no rule until now."""
    on = computer.ips_state == "prevent" and computer.ips_active is False
    return on and computer.has_agent is not False
