"""Every verdict with every reason; and what no combination may ever be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import ACCOUNT, INSTANCE, NOW
from hub_responder import clock
from hub_responder.behind import words
from hub_responder.errors import (
    CallError,
    ConfigurationError,
    DeniedError,
    HubResponderError,
    IncompleteError,
    PermanentError,
    TransientError,
)
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one.computers import as_endpoint
from hub_responder.vision_one.coverage import Coverage, Demand
from hub_responder.vision_one.endpoint import UNREADABLE, Endpoint
from hub_responder.vision_one.matching import Absent, Doubt, Match, Tier
from hub_responder.vision_one.modules import MODULES, OFF, ON
from hub_responder.vision_one.wording import REASONS
from hub_responder.workload_security.computer import Computer

DAY = 86_400.0
IPS = "intrusion_prevention"
PLAIN, WITH_IPS = Demand(DAY), Demand(DAY, [IPS])
PROTECTED = Endpoint(
    guid="g-1",
    name="web-01",
    type="server",
    account_id=ACCOUNT,
    instance_id=INSTANCE,
    epp_status="on",
    epp_installed=True,
    epp_contact=clock.iso(NOW - 300),
    policy="Linux",
    component_version="latestVersion",
    sensor_status="enabled",
    sensor_contact=clock.iso(NOW - 60),
    isolation="off",
)
BARE = Endpoint(guid="g-2", account_id=ACCOUNT, instance_id=INSTANCE)
"""As a cloud connector lists an instance without any agent."""


def but(of: Endpoint = PROTECTED, **changes: Any) -> Endpoint:
    return msgspec.structs.replace(of, **changes)


def judged(
    endpoint: Endpoint,
    demand: Demand,
    computer: Computer | None = None,
    tier: Tier = "instance_id",
) -> Coverage:
    return verdicts.judge(Match(tier, endpoint, "instance id"), demand, NOW, computer)


def ips(state: str, **more: str) -> Endpoint:
    return but(features={"IntrusionPreventionSystem": state, **more})


JUDGED: list[tuple[Endpoint, Demand, str, list[str]]] = [
    (PROTECTED, PLAIN, "PROTECTED", []),
    (ips("enabled"), WITH_IPS, "PROTECTED", []),
    (ips("enabling"), WITH_IPS, "PROTECTED", []),
    (but(features={"VulnerabilityProtection": "enabled"}), WITH_IPS, "PROTECTED", []),
    # What is not said about sensor, policy, components or isolation takes nothing away.
    (
        but(policy=None, component_version="", sensor_status="", sensor_contact="", isolation=""),
        PLAIN,
        "PROTECTED",
        [],
    ),
    (but(epp_installed=False), PLAIN, "PROTECTED", []),
    # At the edges of time.
    (but(epp_contact=clock.iso(NOW - DAY)), PLAIN, "PROTECTED", []),
    (but(epp_contact=clock.iso(NOW - DAY - 1)), PLAIN, "DEGRADED", ["stale"]),
    (but(epp_contact=clock.iso(NOW + 300)), PLAIN, "PROTECTED", []),
    (but(epp_contact=clock.iso(NOW + 301)), PLAIN, "UNKNOWN", ["contact_unknown"]),
    # The sensor's contact is not the agent's.
    (but(epp_contact=""), PLAIN, "UNKNOWN", ["contact_unknown"]),
    (but(epp_contact="never"), PLAIN, "UNKNOWN", ["contact_unknown"]),
    (but(epp_status="off"), PLAIN, "DEGRADED", ["offline"]),
    (but(epp_status="off", epp_contact=""), PLAIN, "DEGRADED", ["offline", "never_connected"]),
    (but(epp_status="unknown"), PLAIN, "UNKNOWN", ["agent_status_unknown"]),
    (but(epp_status=""), PLAIN, "UNKNOWN", ["agent_status_unknown"]),
    (but(epp_status=UNREADABLE), PLAIN, "UNKNOWN", ["agent_status_unknown"]),
    (but(component_version="outdatedVersion"), PLAIN, "DEGRADED", ["components_outdated"]),
    (but(component_version="unknownVersions"), PLAIN, "PROTECTED", []),
    (but(policy=""), PLAIN, "DEGRADED", ["policy_missing"]),
    (but(isolation="on"), PLAIN, "DEGRADED", ["isolated"]),
    # Modules: off only where everything that is said is off, on where one is on.
    (ips("disabled"), WITH_IPS, "DEGRADED", [f"module_off:{IPS}"]),
    (ips("disabling"), WITH_IPS, "DEGRADED", [f"module_off:{IPS}"]),
    (ips("notsupported"), WITH_IPS, "DEGRADED", [f"module_off:{IPS}"]),
    (ips("unknown"), WITH_IPS, "UNKNOWN", [f"module_unknown:{IPS}"]),
    (PROTECTED, WITH_IPS, "UNKNOWN", [f"module_unknown:{IPS}"]),
    (ips("disabled"), PLAIN, "PROTECTED", []),
    (
        ips("enabled", VulnerabilityProtection="disabled"),
        WITH_IPS,
        "PROTECTED",
        [],
    ),
    (
        ips("unknown", VulnerabilityProtection="disabled"),
        WITH_IPS,
        "UNKNOWN",
        [f"module_unknown:{IPS}"],
    ),
    # What is known to be wrong outweighs what is not known, and both are said.
    (
        but(epp_status="unknown", policy="", isolation="on"),
        WITH_IPS,
        "DEGRADED",
        ["policy_missing", "isolated", "agent_status_unknown", f"module_unknown:{IPS}"],
    ),
    # What is required to be done counts, what is recommended does not.
    (but(actions=("sensorUpdateRequired",)), PLAIN, "DEGRADED", ["upgrade_required"]),
    (but(actions=("rebootRequired",)), PLAIN, "DEGRADED", ["reboot_required"]),
    (but(actions=("immediateActionRequired",)), PLAIN, "DEGRADED", ["action_required"]),
    (but(actions=("swpMaintenanceRecommended",)), PLAIN, "PROTECTED", []),
    # No agent.
    (BARE, PLAIN, "UNPROTECTED", ["no_agent"]),
    (but(BARE, epp_status="off", sensor_status="disabled"), PLAIN, "UNPROTECTED", ["no_agent"]),
    (but(BARE, policy="", isolation="on"), WITH_IPS, "UNPROTECTED", ["no_agent"]),
    (but(BARE, sensor_status="enabled"), PLAIN, "DEGRADED", ["sensor_only"]),
    (but(BARE, sensor_status="enabling"), PLAIN, "DEGRADED", ["sensor_only"]),
    (but(BARE, sensor_status="disabling"), PLAIN, "UNKNOWN", ["agent_status_unknown"]),
    (but(BARE, sensor_status=UNREADABLE), PLAIN, "UNKNOWN", ["agent_status_unknown"]),
    (but(BARE, epp_status="unknown"), PLAIN, "UNKNOWN", ["agent_status_unknown"]),
    (but(BARE, epp_status=UNREADABLE), PLAIN, "UNKNOWN", ["agent_status_unknown"]),
    (
        but(BARE, epp_status=UNREADABLE, sensor_status="enabled"),
        PLAIN,
        "UNKNOWN",
        ["agent_status_unknown"],
    ),
]


@pytest.mark.parametrize(("endpoint", "demand", "verdict", "reasons"), JUDGED)
def test_an_endpoint_is_judged(
    endpoint: Endpoint, demand: Demand, verdict: str, reasons: list[str]
) -> None:
    found = judged(endpoint, demand)
    assert (found.verdict, found.reasons) == (verdict, reasons)
    assert (found.checked_at, found.retry_after) == (NOW, None)


def test_the_evidence_is_what_was_read() -> None:
    assert judged(PROTECTED, PLAIN).evidence == {
        "endpoint": "web-01",
        "agent_guid": "g-1",
        "matched_by": "instance id",
        "agent_status": "on",
        "last_connected": "2026-11-21T23:55:00.000Z",
        "policy": "Linux",
    }
    bare = judged(but(BARE, account_id=""), PLAIN).evidence
    assert (bare["last_connected"], bare["policy"]) == ("", "")


_STATUSES = st.sampled_from(["", "on", "off", "unknown", UNREADABLE, "x"])
_STATES = st.sampled_from(["", *ON, *OFF, "unknown", UNREADABLE])
_CONTACTS = st.none() | st.floats(NOW - 3 * DAY, NOW + DAY)
_FEATURES = st.dictionaries(
    st.sampled_from([name for names in MODULES.values() for name in names]), _STATES
)


@given(
    st.builds(
        Endpoint,
        epp_status=_STATUSES,
        epp_installed=st.booleans(),
        epp_contact=_CONTACTS.map(lambda at: "" if at is None else clock.iso(at)),
        policy=st.sampled_from([None, "", "Linux"]),
        component_version=st.sampled_from(["", "latestVersion", "outdatedVersion"]),
        sensor_status=_STATES,
        isolation=st.sampled_from(["", "on", "off", "unknown"]),
        features=_FEATURES,
    ),
    st.lists(st.sampled_from(sorted(MODULES)), max_size=3, unique=True),
)
@settings(max_examples=500, deadline=None)
def test_protected_and_unprotected_need_proof(endpoint: Endpoint, modules: list[str]) -> None:
    found = judged(endpoint, Demand(DAY, modules))
    assert (found.verdict == "PROTECTED") == (not found.reasons)
    assert {reason.partition(":")[0] for reason in found.reasons} <= REASONS
    contact = endpoint.epp_last_connected
    if found.verdict == "PROTECTED":
        assert endpoint.epp_status == "on"
        assert contact is not None
        assert -300 <= NOW - contact <= DAY
        assert all(any(endpoint.features.get(n) in ON for n in MODULES[m]) for m in modules)
    if found.verdict == "UNPROTECTED":
        assert not endpoint.epp_installed
        assert endpoint.epp_status in ("", "off")
        assert endpoint.sensor_status in ("", "disabled")


V1 = "vision_one"
TROUBLE: list[tuple[HubResponderError, str, float | None]] = [
    (ConfigurationError("no secret"), "secret_missing", None),
    (TransientError("x", target="secretsmanager"), "secret_unreachable", 60.0),
    (TransientError("x", target=V1), "vision_one_unreachable", 60.0),
    (TransientError("x", target=V1, status=503), "vision_one_unreachable", 60.0),
    (TransientError("x", target=V1, status=429), "rate_limited", 60.0),
    (TransientError("x", target=V1, status=429, retry_after=7), "rate_limited", 7),
    (TransientError("x", target=V1, status=429, retry_after=0), "rate_limited", 60.0),
    (TransientError("x", target=V1, status=429, retry_after=1e9), "rate_limited", 900.0),
    (IncompleteError("x", target=V1), "incomplete", 60.0),
    (IncompleteError("x", target=V1, status=200), "incomplete", 60.0),
    (DeniedError("x", target=V1, status=401), "denied_401", None),
    (DeniedError("x", target=V1, status=403), "denied_403", None),
    (PermanentError("x", target=V1, status=404), "endpoint_gone", 60.0),
    (PermanentError("x", target=V1, status=400), "vision_one_refused", None),
    (PermanentError("x", target=V1), "configuration", None),
]


@pytest.mark.parametrize(("error", "reason", "retry_after"), TROUBLE)
def test_trouble_is_unknown_with_its_reason(
    error: HubResponderError, reason: str, retry_after: float | None
) -> None:
    found = verdicts.unknown(error)
    assert (found.verdict, found.reasons, found.retry_after) == ("UNKNOWN", [reason], retry_after)
    assert found.evidence == {"cause": str(error)}


def test_a_reason_that_is_known_is_kept_and_its_cause_bounded() -> None:
    found = verdicts.unknown(ConfigurationError("x" * 900), "configuration")
    assert found.reasons == ["configuration"]
    assert len(found.evidence["cause"]) == 300


def test_what_cannot_be_asked_for() -> None:
    bucket = verdicts.not_applicable("AwsS3Bucket" + "x" * 900)
    assert bucket.verdict == "NOT_APPLICABLE"
    assert bucket.reasons[0].startswith("not_an_instance:AwsS3Bucket")
    assert len(bucket.reasons[0]) == 80
    nameless = verdicts.no_instance_id()
    assert (nameless.verdict, nameless.reasons) == ("UNKNOWN", ["no_instance_id"])
    assert nameless.retry_after is None


COMPUTER = Computer(
    id=7,
    guid="g-1",
    instance_id=INSTANCE,
    has_agent=True,
    agent_status="active",
    messages=("Managed (Online)",),
    last_contact=NOW - 300,
    ips_state="prevent",
    ips_active=True,
    am_state="on",
)
BOTH = Demand(DAY, ["anti_malware", IPS])


def other(**changes: Any) -> Computer:
    return msgspec.structs.replace(COMPUTER, **changes)


SECOND: list[tuple[Endpoint, Computer, Demand, str, list[str]]] = [
    (PROTECTED, COMPUTER, PLAIN, "PROTECTED", []),
    (PROTECTED, other(agent_status="inactive"), PLAIN, "DEGRADED", ["offline"]),
    (PROTECTED, other(messages=("Managed (Offline)",)), PLAIN, "DEGRADED", ["offline"]),
    (but(epp_status="off"), other(agent_status="inactive"), PLAIN, "DEGRADED", ["offline"]),
    (PROTECTED, other(last_contact=NOW - DAY - 1), PLAIN, "DEGRADED", ["stale"]),
    (PROTECTED, other(last_contact=None), PLAIN, "PROTECTED", []),
    (PROTECTED, other(messages=("Reboot Required",)), PLAIN, "DEGRADED", ["reboot_required"]),
    (
        PROTECTED,
        other(messages=("Agent Upgrade Required",)),
        PLAIN,
        "DEGRADED",
        ["upgrade_required"],
    ),
    (PROTECTED, other(messages=("Upgrade Recommended",)), PLAIN, "PROTECTED", []),
    (
        PROTECTED,
        other(messages=("Reactivation Required",)),
        PLAIN,
        "DEGRADED",
        ["activation_required"],
    ),
    (PROTECTED, other(messages=("Multiple Errors",)), PLAIN, "DEGRADED", ["agent_error"]),
    (PROTECTED, other(agent_status="error"), PLAIN, "DEGRADED", ["agent_error"]),
    (PROTECTED, other(has_agent=False), PLAIN, "DEGRADED", ["unmanaged"]),
    # Of another agent, or of none that is told, it says nothing here.
    (PROTECTED, other(guid="g-2", agent_status="inactive"), PLAIN, "PROTECTED", []),
    (PROTECTED, other(guid="", has_agent=False), PLAIN, "PROTECTED", []),
    (PROTECTED, other(guid="", agent_status="inactive"), PLAIN, "DEGRADED", ["offline"]),
    (but(guid="G-1"), other(agent_status="inactive"), PLAIN, "DEGRADED", ["offline"]),
    # Modules: the worse counts, and what only one tells is told.
    (ips("enabled"), other(ips_state="off"), WITH_IPS, "DEGRADED", [f"module_off:{IPS}"]),
    (ips("enabled"), other(ips_active=False), WITH_IPS, "DEGRADED", [f"module_off:{IPS}"]),
    (ips("enabled"), other(ips_state="detect"), WITH_IPS, "PROTECTED", []),
    (ips("disabled"), COMPUTER, WITH_IPS, "DEGRADED", [f"module_off:{IPS}"]),
    (PROTECTED, COMPUTER, WITH_IPS, "PROTECTED", []),
    (PROTECTED, other(ips_active=None), WITH_IPS, "UNKNOWN", [f"module_unknown:{IPS}"]),
    (ips("unknown"), other(ips_state="off"), WITH_IPS, "DEGRADED", [f"module_off:{IPS}"]),
    (ips("enabled"), other(am_state="off"), BOTH, "DEGRADED", ["module_off:anti_malware"]),
    (ips("enabled"), COMPUTER, BOTH, "UNKNOWN", ["module_unknown:anti_malware"]),
    (PROTECTED, other(ips_state="off", am_state="off"), PLAIN, "PROTECTED", []),
    # It takes nothing from a record without an agent.
    (BARE, other(guid="g-2"), PLAIN, "UNPROTECTED", ["no_agent"]),
]


@pytest.mark.parametrize(("endpoint", "computer", "demand", "verdict", "reasons"), SECOND)
def test_of_two_opinions_on_one_agent_the_worse_counts(
    endpoint: Endpoint, computer: Computer, demand: Demand, verdict: str, reasons: list[str]
) -> None:
    found = judged(endpoint, demand, computer)
    assert (found.verdict, found.reasons) == (verdict, reasons)


def test_an_agent_that_only_server_and_workload_protection_knows_is_degraded() -> None:
    def alone(computer: Computer) -> tuple[str, list[str]]:
        made = as_endpoint(computer)
        found = judged(made, WITH_IPS, computer, "workload_instance_id")
        return found.verdict, found.reasons

    assert alone(COMPUTER) == ("DEGRADED", ["not_in_vision_one"])
    assert alone(other(agent_status="inactive")) == (
        "DEGRADED",
        ["not_in_vision_one", "offline"],
    )
    assert alone(other(has_agent=None)) == ("UNKNOWN", ["agent_status_unknown"])


def test_what_is_absent_is_unprotected_and_what_is_doubtful_unknown() -> None:
    absent = verdicts.of(Absent(), PLAIN, NOW, walked=7)
    assert (absent.verdict, absent.reasons, absent.retry_after) == (
        "UNPROTECTED",
        ["no_endpoint"],
        None,
    )
    assert absent.evidence == {"matched_by": "cloud instance id and account", "servers_walked": 7}
    bare = verdicts.of(Absent(Match("instance_id", BARE, "instance id")), PLAIN, NOW)
    assert (bare.verdict, bare.reasons, bare.tier) == ("UNPROTECTED", ["no_agent"], "instance_id")
    for passing, again in ((False, None), (True, 60.0)):
        doubt = verdicts.of(Doubt("ambiguous", {"candidates": 2}, passing=passing), PLAIN, NOW)
        assert (doubt.verdict, doubt.reasons) == ("UNKNOWN", ["ambiguous"])
        assert (doubt.retry_after, doubt.tier) == (again, "")
        assert doubt.evidence["candidates"] == 2


def test_the_tables_above_have_every_reason_that_can_be_said() -> None:
    told = [reason for *_, reasons in (*JUDGED, *SECOND) for reason in reasons]
    causes = {reason for _, reason, _ in TROUBLE}
    found = {"no_endpoint", "account_mismatch", "lookalike", "ambiguous", "not_in_vision_one"}
    plain = {"not_an_instance", "no_instance_id", "workload_security"}
    judged = {reason.partition(":")[0] for reason in told}
    assert judged | causes | found | plain | set(words.EN) == REASONS  # words: test_together
    assert set(words.EN) == set(words.JA)
    assert all(isinstance(error, CallError | ConfigurationError) for error, *_ in TROUBLE)
