"""Which CVEs intrusion prevention shields a computer from.

What is said to be shielded is not patched next, so it is said only where everything is known to be
in force: every rule that names the CVE is assigned, and blocks on this very computer; its module
runs and prevents; its agent is managed and in contact. An agent that is offline may go on blocking,
but nobody can tell: that is unknown.

Every rule counts, not one: the rules of a CVE guard different ways to it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal, TypeVar, cast

import msgspec

from hub_responder import clock, identifiers
from hub_responder.errors import HubResponderError, IncompleteError
from hub_responder.workload_security.client import Client
from hub_responder.workload_security.computer import Computer
from hub_responder.workload_security.rule import Rule

MAX_CVES = 20
"""CVEs that are looked up for one computer."""
KEPT_S = 3600.0
"""How long an answer about a rule is kept in the process: rules come and change a few times a
month."""
MAX_KEPT = 5000
STALE_S = 86_400.0
THREADS = 10

State = Literal["shielded", "detect_only", "shieldable", "not_shieldable", "unknown"]
Mode = Literal["prevent", "detect", "off", "unknown"]
T = TypeVar("T")
Found = tuple[Rule, ...] | HubResponderError


class Shield(msgspec.Struct, frozen=True):
    """What intrusion prevention does against one CVE on one computer.

    ``shielded``: ``rules`` block it. ``detect_only``: they only tell of it. ``shieldable``: they
    are not in force here (not assigned, the module off, no agent, or one that is too old for them).
    ``not_shieldable``: there is no rule. ``unknown``: it could not be told.
    """

    cve: str
    state: State
    rules: tuple[int, ...] = ()


def asked(cves: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """The CVEs that are looked up, 20 at most, and how many are left out.

    What is no CVE id is neither: ids come from findings, and nothing else of them is sent.
    """
    named = identifiers.cve_ids(*cves)
    return named[:MAX_CVES], max(0, len(named) - MAX_CVES)


def shields(
    client: Client,
    computer: Computer | None,
    cves: Iterable[str],
    *,
    in_contact: bool = True,
    stale_after: float = STALE_S,
) -> list[Shield]:
    """One for each of the CVEs that are `asked` about, in their order; trouble makes it unknown.

    Args:
        client: of the computer's tenant.
        computer: None: there is none, so that a rule could help but none is in force.
        cves: ids from findings, the most urgent first.
        in_contact: False where it is known elsewhere that the agent is offline or stale: nothing
            is shielded then. What ``computer`` itself says counts in any case.
        stale_after: seconds without contact that are too long.
    """
    named, _ = asked(cves)
    mode = enforcement(computer, clock.now() - stale_after if in_contact else math.inf)
    known = rules_of(client, named)
    return [_shield(client, computer, mode, cve, known[cve]) for cve in named]


def rules_of(client: Client, cves: Sequence[str]) -> Mapping[str, Found]:
    """The rules of each CVE, or why they cannot be told.

    The first is asked for alone: where there is no answer at all, the others are not asked for.
    """
    if not cves:
        return {}
    first, *rest = dict.fromkeys(cves)
    found = {first: _rules(client, first)}
    trouble = found[first]
    if isinstance(trouble, HubResponderError) and not isinstance(trouble, IncompleteError):
        return dict.fromkeys(cves, trouble)
    if rest:
        with ThreadPoolExecutor(max_workers=min(THREADS, len(rest))) as pool:
            found |= zip(rest, pool.map(lambda cve: _rules(client, cve), rest), strict=True)
    return found


def enforcement(computer: Computer | None, since: float) -> Mode:
    """What intrusion prevention does on a computer with the rules that it has.

    ``since``: the agent must have been in contact after this moment (epoch seconds).
    """
    if computer is None or computer.has_agent is False:
        return "off"
    if computer.ips_state == "off" or computer.ips_active is False:
        return "off"
    if computer.ips_state == "detect":
        return "detect"
    runs = computer.ips_state == "prevent" and computer.ips_active is True
    return "prevent" if runs and is_in_contact(computer, since) else "unknown"


def is_in_contact(computer: Computer, since: float) -> bool:
    """Whether the agent is managed, and was in contact after ``since`` (epoch seconds)."""
    offline = any("offline" in message.lower() for message in computer.messages)
    online = computer.has_agent is True and computer.agent_status == "active" and not offline
    return online and computer.last_contact is not None and computer.last_contact >= since


def is_too_new(rule: Rule, computer: Computer) -> bool:
    """Whether the rule needs a newer agent than the computer's."""
    needed, there = _version(rule.minimum_agent), _version(computer.agent_version)
    return bool(needed) and bool(there) and needed > there


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


def _shield(
    client: Client, computer: Computer | None, mode: Mode, cve: str, found: Found
) -> Shield:
    if isinstance(found, HubResponderError):
        return Shield(cve, "unknown")
    state, rules = _told(client, computer, mode, found)
    return Shield(cve, state, tuple(rule.id for rule in rules))


Told = tuple[State, tuple[Rule, ...]]


def _told(client: Client, computer: Computer | None, mode: Mode, found: tuple[Rule, ...]) -> Told:
    """The state, and the rules that make it."""
    if not found:
        return "not_shieldable", ()
    if computer is None or mode == "off":
        return "shieldable", found
    if computer.rules is None:
        return "unknown", found
    idle = not_in_force(computer, found)
    return ("shieldable", idle) if idle else _in_force(client, computer, mode, found)


def _in_force(client: Client, computer: Computer, mode: Mode, found: tuple[Rule, ...]) -> Told:
    """What rules do that are all assigned."""
    if mode != "prevent":
        return "detect_only" if mode == "detect" else "unknown", found
    telling = detecting(client, computer, found)
    if telling is None:
        return "unknown", found
    return ("detect_only", telling) if telling else ("shielded", found)


def not_in_force(computer: Computer, found: Iterable[Rule]) -> tuple[Rule, ...]:
    """Those of the rules that are not assigned, or need a newer agent."""
    assigned = computer.rules or ()
    return tuple(r for r in found if r.id not in assigned or is_too_new(r, computer))


def detecting(client: Client, computer: Computer, found: Iterable[Rule]) -> tuple[Rule, ...] | None:
    """Those of the rules that only tell on this computer; None where that cannot be told.

    A policy or the computer itself can set a rule to detect, which the rule's own record does not
    show.
    """
    telling = []
    for rule in found:
        try:
            here = _kept(
                (client.name, client.base_url, computer.id, rule.id),
                partial(client.rule_on, computer.id, rule.id),
            )
        except HubResponderError:
            return None
        if here.detect_only:
            telling.append(rule)
    return tuple(telling)


def _rules(client: Client, cve: str) -> Found:
    try:
        return _kept((client.name, client.base_url, cve), partial(client.rules_for, cve))
    except HubResponderError as error:
        return error


_KEPT: dict[tuple[str | int, ...], tuple[float, object]] = {}
_LOCK = threading.Lock()


def _kept(key: tuple[str | int, ...], ask: Callable[[], T]) -> T:
    """What ``ask`` returned within the last hour, else what it returns now; errors are not kept."""
    with _LOCK:
        at, held = _KEPT.get(key, (float("-inf"), None))
    if 0 <= clock.now() - at < KEPT_S:
        return cast("T", held)
    now = clock.now()
    answer = ask()
    with _LOCK:
        if len(_KEPT) >= MAX_KEPT:
            _KEPT.clear()
        _KEPT[key] = (now, answer)
    return answer


def forget() -> None:
    """Drop what is kept in the process."""
    with _LOCK:
        _KEPT.clear()
