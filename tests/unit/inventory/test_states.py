"""Which modules are on: what is proved is said, what is not is left open."""

from __future__ import annotations

from typing import Any

import pytest

from estates import Tenant, endpoint
from factories import ACCOUNT
from hub_responder.inventory import states
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.inventory import walk
from hub_responder.vision_one.modules import identity
from hub_responder.workload_security.computer import Computer
from loopback import Reply

MALWARE, PREVENTION = "AntiMalwareScans", "IntrusionPreventionSystem"
ON = {MALWARE: "enabled", PREVENTION: "enabled"}
OF_SERVER = "AntiMalware"


def having(**features: str) -> dict[str, Any]:
    return {"_features": features}


def known(client: Client) -> dict[str, dict[str, str]]:
    """Endpoint's GUID -> its features, after asking the list."""
    told, left_out = states.of_list(client)
    assert not left_out
    found = states.with_states(walk(client), told)
    return {each.guid: dict(each.features) for each in found.endpoints()}


def test_modules_that_are_on_are_told_by_one_question_each(tenant: Tenant, client: Client) -> None:
    tenant.holds(
        endpoint("i-1", **having(**ON)),
        endpoint("i-2", **having(**{MALWARE: "enabled", PREVENTION: "disabled"})),
        endpoint("i-3", **having(**{MALWARE: "disabled", PREVENTION: "disabled"})),
        endpoint("i-4", **having(AntiMalware="enabled", VulnerabilityProtection="enabled")),
    )
    found = known(client)
    assert found == {
        "guid-i-1": ON,
        "guid-i-2": {MALWARE: "enabled"},  # that the other is off is not proved
        "guid-i-3": {},
        "guid-i-4": ON,  # by the other product's names of the same modules
    }
    assert len(tenant.lists) == 3


def test_an_endpoint_without_instance_gets_its_own_and_clones_get_nothing(
    tenant: Tenant, client: Client
) -> None:
    tenant.holds(
        endpoint("", agentGuid="a", virtualMachineDetails=None, **having(**ON)),
        endpoint("", agentGuid="c", virtualMachineDetails=None, **having(**ON)),
        endpoint("", agentGuid="c", virtualMachineDetails=None, endpointName="clone"),
    )
    assert known(client) == {"a": ON, "c": {}}


def test_a_filter_that_was_not_heeded_proves_nothing(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    everything = Reply(200, {"items": [endpoint("i-1"), endpoint("d-1", type="desktop")]})
    tenant.replies = [everything, everything]
    assert states.of_list(client) == ({}, [])


@pytest.mark.parametrize(
    ("trouble", "said"), [(Reply(400), "answered 400"), (Reply(429), "answered 429")]
)
def test_a_question_that_fails_costs_only_its_module(
    tenant: Tenant, client: Client, trouble: Reply, said: str
) -> None:
    tenant.holds(endpoint("i-1", **having(**ON)))
    tenant.replies = [trouble]
    told, (left_out,) = states.of_list(client)
    assert list(told.values()) == [{PREVENTION: "enabled"}]
    assert left_out.startswith("anti_malware: ")
    assert said in left_out


def test_an_answer_that_does_not_come_to_its_end_says_nothing(
    tenant: Tenant, client: Client
) -> None:
    link = f"{tenant.server.url}/v3.0/endpointSecurity/endpoints?skipToken=x"
    tenant.replies = [
        Reply(200, {"items": [endpoint("i-1")], "nextLink": link}),
        Reply(410),
        Reply(200, {"items": []}),
    ]
    told, left_out = states.of_list(client)
    assert told == {}
    assert len(left_out) == 1


# Of computers


def server(instance: str = "i-1", **overrides: Any) -> Endpoint:
    values = {"guid": f"guid-{instance}", "instance_id": instance, "account_id": ACCOUNT}
    return Endpoint(**values | overrides)


def computer(instance: str = "i-1", **overrides: Any) -> Computer:
    values: dict[str, Any] = {
        "id": 1,
        "guid": f"guid-{instance}",
        "instance_id": instance,
        "account_id": ACCOUNT,
        "has_agent": True,
        "ips_state": "prevent",
        "ips_active": True,
        "am_state": "on",
        "am_active": True,
    }
    return Computer(**values | overrides)


def told(*computers: Computer, of: Endpoint | None = None, shared: Any = ()) -> dict[str, str]:
    of = of or server()
    return states.of_computers([of], computers, frozenset(shared)).get(identity(of), {})


RUNS = {OF_SERVER: "enabled", PREVENTION: "enabled"}


@pytest.mark.parametrize(
    ("overrides", "states_"),
    [
        ({}, RUNS),
        ({"ips_state": "detect"}, RUNS),
        ({"ips_active": None}, {OF_SERVER: "enabled"}),
        ({"ips_active": False}, {OF_SERVER: "enabled"}),
        ({"ips_state": "off"}, {OF_SERVER: "enabled", PREVENTION: "disabled"}),
        ({"ips_state": ""}, {OF_SERVER: "enabled"}),
        ({"am_state": "off"}, {OF_SERVER: "disabled", PREVENTION: "enabled"}),
        ({"am_active": None}, {PREVENTION: "enabled"}),
        ({"am_state": ""}, {PREVENTION: "enabled"}),
        ({"has_agent": None}, RUNS),
        ({"has_agent": False}, {}),
    ],
)
def test_a_module_is_on_if_it_runs_and_off_if_it_is_switched_off(
    overrides: dict[str, Any], states_: dict[str, str]
) -> None:
    assert told(computer(**overrides)) == states_


def test_a_computer_is_an_endpoints_by_instance_and_account_or_by_its_agent() -> None:
    assert told(computer(account_id="444455556666")) == {}
    assert told(computer(instance_id="", account_id="")) == RUNS
    assert told(computer(instance_id=""), of=server(guid="GUID-i-1")) == RUNS
    assert told(computer(instance_id=""), shared=["guid-i-1"]) == {}
    assert told(computer(instance_id="", guid="")) == {}


def test_computers_that_do_not_agree_say_nothing() -> None:
    assert told(computer(), computer(id=2)) == RUNS
    assert told(computer(), computer(id=2, ips_state="off")) == {}
    assert told(computer(), computer(id=2, has_agent=False, ips_state="off")) == RUNS
