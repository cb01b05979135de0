"""Which CVEs a computer is shielded from, and that nothing is called so that may not be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import NOW
from hub_responder import clock
from hub_responder.workload_security import computer as computers
from hub_responder.workload_security import shields as module
from hub_responder.workload_security.client import Client
from hub_responder.workload_security.computer import NO_VERSION, Computer
from hub_responder.workload_security.shields import Shield, asked, shields
from loopback import Reply
from workload import Workload, bare, computer, ips, rule

CVE, OTHER, NONE = "CVE-2026-1111", "CVE-2026-2222", "CVE-2026-3333"
RULES = [rule(11, CVE), rule(12, CVE, OTHER), rule(13, OTHER), rule(14, "CVE-2026-11112")]
OFFLINE = {"agentStatus": "inactive", "agentStatusMessages": ["Managed (Offline)"]}
ONLINE = {"agentStatus": "active", "agentStatusMessages": ["Managed (Online)"]}


def as_read(item: dict[str, Any]) -> Computer:
    found = computers.read(json.dumps(item).encode())
    assert found is not None
    return found


def told(
    workload: Workload, client: Client, item: dict[str, Any], *cves: str, **more: Any
) -> list[tuple[str, tuple[int, ...]]]:
    """State and rules for each CVE; the tenant holds the computer and `RULES`."""
    workload.holds(item, rules=RULES)
    found = shields(client, as_read(item), cves or (CVE,), **more)
    assert [each.cve for each in found] == list(cves or (CVE,))
    return [(each.state, each.rules) for each in found]


def test_every_state(workload: Workload, client: Client) -> None:
    assert told(workload, client, computer(), CVE, OTHER, NONE) == [
        ("shielded", (11, 12)),
        ("shieldable", (13,)),
        ("not_shieldable", ()),
    ]


@pytest.mark.parametrize(
    ("overrides", "state", "rules"),
    [
        (ips("detect"), "detect_only", (11, 12)),
        (ips("off", "inactive"), "shieldable", (11, 12)),
        (ips("prevent", "inactive"), "shieldable", (11, 12)),
        (ips("prevent", "warning"), "unknown", (11, 12)),
        (ips("prevent", "error"), "unknown", (11, 12)),
        (ips(""), "unknown", (11, 12)),
        (ips(rules=[11]), "shieldable", (12,)),
        (ips(rules=[]), "shieldable", (11, 12)),
        (ips(rules=None), "unknown", (11, 12)),
        (ips("prevent", "error", [12]), "shieldable", (11,)),
        ({"intrusionPrevention": None}, "unknown", (11, 12)),
        ({"computerStatus": OFFLINE}, "unknown", (11, 12)),
        (
            {"computerStatus": {"agentStatus": "active", "agentStatusMessages": ["Offline"]}},
            "unknown",
            (11, 12),
        ),
        ({"computerStatus": None}, "unknown", (11, 12)),
        ({"agentFingerPrint": 7}, "unknown", (11, 12)),
        ({"lastAgentCommunication": None}, "unknown", (11, 12)),
        ({"lastAgentCommunication": (NOW - 90_000) * 1000}, "unknown", (11, 12)),
    ],
)
def test_nothing_is_shielded_that_may_not_be(
    workload: Workload,
    client: Client,
    overrides: dict[str, Any],
    state: str,
    rules: tuple[int, ...],
) -> None:
    assert told(workload, client, computer(**overrides)) == [(state, rules)]


def test_without_an_agent_rules_could_help(workload: Workload, client: Client) -> None:
    assert told(workload, client, bare(), CVE, NONE) == [
        ("shieldable", (11, 12)),
        ("not_shieldable", ()),
    ]
    assert shields(client, None, [CVE, NONE]) == [
        Shield(CVE, "shieldable", (11, 12)),
        Shield(NONE, "not_shieldable"),
    ]


def test_what_else_is_known_of_the_agent_counts(workload: Workload, client: Client) -> None:
    assert told(workload, client, computer(), CVE, NONE, in_contact=False) == [
        ("unknown", (11, 12)),
        ("not_shieldable", ()),
    ]
    assert told(workload, client, computer(**ips("off")), in_contact=False) == [
        ("shieldable", (11, 12))
    ]
    assert told(workload, client, computer(), stale_after=200) == [("unknown", (11, 12))]


def test_a_rule_that_only_tells_on_this_computer_shields_nothing(
    workload: Workload, client: Client
) -> None:
    item = computer(_rules={"12": {"detectOnly": True}})
    assert told(workload, client, item) == [("detect_only", (12,))]


def test_a_rule_that_cannot_be_seen_on_this_computer_shields_nothing(
    workload: Workload, client: Client
) -> None:
    workload.replies = [None, None, Reply(404)]
    assert told(workload, client, computer()) == [("unknown", (11, 12))]


@pytest.mark.parametrize(
    ("needed", "there", "state"),
    [
        ("20.0.2.1234", "20.0.2.1234", "shielded"),
        ("20.0.2.1235", "20.0.2.1234", "shieldable"),
        ("20.0.10", "20.0.9.1", "shieldable"),
        ("", "20.0.2.1234", "shielded"),
        ("next", "20.0.2.1234", "shielded"),
    ],
)
def test_a_rule_for_a_newer_agent_is_not_in_force(
    workload: Workload,
    client: Client,
    needed: str,
    there: str,
    state: str,
) -> None:
    item = computer(agentVersion=there)
    workload.holds(item, rules=[rule(11, CVE, minimumAgentVersion=needed)])
    assert shields(client, as_read(item), [CVE]) == [Shield(CVE, state, (11,))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trouble", "states", "searches"),
    [
        (Reply(403), ["unknown", "unknown"], 1),
        (Reply(429), ["unknown", "unknown"], 1),
        (Reply(400), ["unknown", "unknown"], 1),
        (Reply(200, {"intrusionPreventionRules": [{"ID": "x"}]}), ["unknown", "shieldable"], 3),
    ],
    ids=["denied", "too many", "refused", "unreadable"],
)
def test_trouble_makes_unknown_and_is_not_repeated_for_each(
    workload: Workload,
    client: Client,
    slept: list[float],
    *,
    trouble: Reply,
    states: list[str],
    searches: int,
) -> None:
    workload.replies = [trouble, trouble] if searches > 1 else [trouble]
    assert [state for state, _ in told(workload, client, computer(), CVE, OTHER)] == states
    assert len(workload.asked("/intrusionpreventionrules/search")) == searches


def test_answers_about_rules_are_kept_for_an_hour(
    workload: Workload, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = computer(lastAgentCommunication=NOW * 1000)
    for _ in range(3):
        assert told(workload, client, item, CVE, NONE)[0][0] == "shielded"
    assert len(workload.server.requests) == 4  # two searches, two rules
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: NOW + 3601))
    told(workload, client, item, CVE, NONE)
    assert len(workload.server.requests) == 8


def test_trouble_is_not_kept(workload: Workload, client: Client, slept: list[float]) -> None:
    workload.replies = [Reply(503), Reply(503)]
    assert told(workload, client, computer()) == [("unknown", ())]
    assert told(workload, client, computer()) == [("shielded", (11, 12))]


def test_few_are_looked_up_and_the_rest_is_counted(workload: Workload, client: Client) -> None:
    many = [f"CVE-2026-{number}" for number in range(4000, 4025)]
    named, left_out = asked([*many, "%", "cve-2026-4000", "GHSA-1"])
    assert (list(named), left_out) == (many[:20], 5)
    assert len(shields(client, as_read(computer()), many)) == 20


def test_without_cves_nothing_is_asked(workload: Workload, client: Client) -> None:
    assert shields(client, as_read(computer()), ["%", ""]) == []
    assert workload.server.requests == []


@contextmanager
def fresh() -> Iterator[None]:
    module.forget()
    yield
    module.forget()


assigned = st.lists(st.sampled_from([11, 12, 13]), max_size=3)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    state=st.sampled_from(["prevent", "detect", "off", "", "inherited"]),
    running=st.sampled_from(["active", "inactive", "warning", "error", ""]),
    rules=st.none() | assigned,
    agent=st.sampled_from([ONLINE, OFFLINE, None]),
    version=st.sampled_from(["20.0.2.1", NO_VERSION, None]),
    contact=st.sampled_from([NOW, NOW - 86_399, NOW - 86_401, None]),
    telling=st.sets(st.sampled_from([11, 12])),
    in_contact=st.booleans(),
)
def test_shielded_means_that_all_is_in_force(
    workload: Workload,
    client: Client,
    *,
    state: str,
    running: str,
    rules: list[int] | None,
    agent: dict[str, Any] | None,
    version: str | None,
    contact: float | None,
    telling: set[int],
    in_contact: bool,
) -> None:
    item = computer(
        computerStatus=agent,
        agentVersion=version,
        agentFingerPrint=None if version == NO_VERSION else "F9",
        lastAgentCommunication=None if contact is None else int(contact * 1000),
        _rules={str(number): {"detectOnly": True} for number in telling},
        **ips(state, running, rules),
    )
    with fresh():
        ((found, _),) = told(workload, client, item, in_contact=in_contact)
    in_force = (
        (state, running) == ("prevent", "active")
        and {11, 12} <= set(rules or ())
        and agent == ONLINE
        and version != NO_VERSION
        and contact is not None
        and contact >= NOW - 86_400
        and not telling
        and in_contact
    )
    assert (found == "shielded") == in_force
