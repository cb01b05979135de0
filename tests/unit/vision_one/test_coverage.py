"""Every verdict with every reason; and what no combination may ever be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import ACCOUNT, INSTANCE, NOW, resource
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
from hub_responder.vision_one.coverage import Coverage, Demand
from hub_responder.vision_one.endpoint import UNREADABLE, Endpoint
from hub_responder.vision_one.inventory import Inventory
from hub_responder.vision_one.modules import MODULES, OFF, ON
from hub_responder.vision_one.wording import REASONS

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
    found = verdicts.judge(endpoint, demand, NOW)
    assert (found.verdict, found.reasons) == (verdict, reasons)
    assert (found.checked_at, found.retry_after) == (NOW, None)


def test_the_evidence_is_what_was_read() -> None:
    assert verdicts.judge(PROTECTED, PLAIN, NOW).evidence == {
        "endpoint": "web-01",
        "agent_guid": "g-1",
        "matched_by": "cloud instance id and account",
        "agent_status": "on",
        "last_connected": "2026-11-21T23:55:00.000Z",
        "policy": "Linux",
    }
    bare = verdicts.judge(but(BARE, account_id=""), PLAIN, NOW).evidence
    assert (bare["matched_by"], bare["last_connected"], bare["policy"]) == ("instance id", "", "")


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
    found = verdicts.judge(endpoint, Demand(DAY, modules), NOW)
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


def inventory(*records: Endpoint, **more: Any) -> Inventory:
    marks = {mark: [record] for record in records for mark in record.marks}
    found = {INSTANCE: [record for record in records if record.instance_id == INSTANCE]}
    return Inventory(NOW, found if found[INSTANCE] else {}, 7, by_mark=marks, **more)


def missing(held: Inventory, **instance: Any) -> Coverage:
    found = verdicts.find(held, resource(**instance))
    assert isinstance(found, Coverage)
    assert found.checked_at == NOW
    return found


def test_an_instance_without_a_record_is_unprotected() -> None:
    found = missing(inventory())
    assert (found.verdict, found.reasons, found.retry_after) == (
        "UNPROTECTED",
        ["no_endpoint"],
        None,
    )
    assert found.evidence == {"matched_by": "cloud instance id and account", "servers_walked": 7}


@pytest.mark.parametrize(
    "more", [{"missing": 1}, {"unreadable": {"": 1}}, {"unreadable": {ACCOUNT: 1}}]
)
def test_what_was_not_seen_could_be_the_instance(more: dict[str, Any]) -> None:
    found = missing(inventory(**more))
    assert (found.verdict, found.reasons, found.retry_after) == ("UNKNOWN", ["incomplete"], 60.0)
    assert found.evidence["unreadable"] == 1


def test_what_was_not_seen_of_another_account_could_not() -> None:
    held = inventory(unreadable={"444455556666": 1})
    assert missing(held).verdict == "UNPROTECTED"
    assert missing(held, account="").verdict == "UNKNOWN"


def test_the_same_instance_id_in_another_account_is_no_answer() -> None:
    found = missing(inventory(but(account_id="444455556666")))
    assert (found.verdict, found.reasons) == ("UNKNOWN", ["account_mismatch"])
    assert found.evidence["other_account"] == "444455556666"


@pytest.mark.parametrize(
    ("told", "recorded"), [("", "444455556666"), (ACCOUNT, ""), (ACCOUNT, ACCOUNT)]
)
def test_an_account_that_one_side_does_not_tell_fits(told: str, recorded: str) -> None:
    record = but(account_id=recorded)
    assert verdicts.find(inventory(record), resource(account=told)) == record


def test_a_record_of_another_account_does_not_stand_for_the_own_one() -> None:
    own = but(epp_status="off")
    held = inventory(but(account_id="444455556666"), own)
    assert verdicts.find(held, resource()) == own


@pytest.mark.parametrize(
    "best_first",
    [
        [PROTECTED, but(guid="older", epp_contact=clock.iso(NOW - 900))],
        [PROTECTED, but(guid="off", epp_status="off", epp_contact=clock.iso(NOW))],
        [but(epp_status="off"), but(BARE, sensor_contact=clock.iso(NOW))],
        [but(epp_status="unknown"), BARE],
        # What may have an agent counts before what plainly has none.
        [but(BARE, epp_status=UNREADABLE), BARE],
        [but(BARE, sensor_status="enabled"), BARE],
        # The sensor's contact makes no agent's record the latest.
        [PROTECTED, but(guid="x", epp_contact="", sensor_contact=clock.iso(NOW + 60))],
    ],
)
def test_of_several_records_the_one_with_the_agent_counts(best_first: list[Endpoint]) -> None:
    for records in (best_first, best_first[::-1]):
        assert verdicts.find(inventory(*records), resource()) == best_first[0]


def test_a_server_that_could_be_the_instance_makes_it_unknown() -> None:
    other = Endpoint(guid="g-3", name="WEB-01.corp.example", marks=("web-01",))
    found = missing(inventory(other))
    assert (found.verdict, found.reasons, found.retry_after) == ("UNKNOWN", ["lookalike"], None)
    assert (found.evidence["endpoint"], found.evidence["agent_guid"]) == (other.name, "g-3")
    assert missing(inventory(other), tags={"Name": "db-01"}).verdict == "UNPROTECTED"
    assert verdicts.find(inventory(other, PROTECTED), resource()) == PROTECTED


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


def test_the_tables_above_have_every_reason_that_can_be_said() -> None:
    judged = {reason.partition(":")[0] for *_, reasons in JUDGED for reason in reasons}
    causes = {reason for _, reason, _ in TROUBLE}
    found = {"no_endpoint", "account_mismatch", "lookalike", "not_an_instance", "no_instance_id"}
    assert judged | causes | found | set(words.EN) == REASONS  # words: see test_together
    assert set(words.EN) == set(words.JA)
    assert all(isinstance(error, CallError | ConfigurationError) for error, *_ in TROUBLE)
