"""Which endpoints have their modules on: one question for many, details for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from estates import Tenant, endpoint
from hub_responder.errors import (
    DeniedError,
    HubResponderError,
    PermanentError,
    TransientError,
)
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.filters import MAX_CHARACTERS
from hub_responder.vision_one.inventory import walk
from hub_responder.vision_one.modules import MODULES, _expressions, identity, with_modules
from hub_toolkit.sandbox.vendors.vision_one.filter_fields import ENDPOINTS, FIELDS
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import parse
from loopback import Reply

BOTH = ("anti_malware", "intrusion_prevention")
IPS = "IntrusionPreventionSystem"


def with_ips(state: str) -> dict[str, Any]:
    return {"_features": {"AntiMalwareScans": "enabled", IPS: state}}


def held(tenant: Tenant, client: Client, *items: dict[str, Any]) -> list[Endpoint]:
    """The endpoints as the walk found them; what was asked for that is forgotten."""
    tenant.holds(*items)
    found = walk(client).by_instance
    tenant.server.requests.clear()
    return [each for item in items for each in found[_instance(item)][:1]]


def _instance(item: dict[str, Any]) -> str:
    return str(item["eppAgent"]["virtualMachineDetails"]["cloudInstanceId"])


def states(
    found: Mapping[Any, Endpoint | HubResponderError], each: Endpoint
) -> Mapping[str, str] | HubResponderError:
    one = found[identity(each)]
    return one if isinstance(one, HubResponderError) else one.features


def test_every_field_that_is_filtered_on_is_published() -> None:
    assert {f"eppAgent{name}" for names in MODULES.values() for name in names} <= set(FIELDS)


def test_modules_that_are_on_take_one_question_for_many(tenant: Tenant, client: Client) -> None:
    endpoints = held(tenant, client, *(endpoint(f"i-{n}") for n in range(12)))
    found = with_modules(client, endpoints, BOTH)
    assert (len(tenant.lists), len(tenant.details)) == (1, 0)
    for each in endpoints:
        assert states(found, each) == {"AntiMalwareScans": "enabled", IPS: "enabled"}
    text = tenant.lists[0].headers["tmv1-filter"]
    assert "(eppAgentAntiMalwareScans eq 'enabled' or eppAgentAntiMalware eq 'enabled')" in text
    assert " and (eppAgentIntrusionPreventionSystem eq 'enabled'" in text


def test_only_those_that_are_not_confirmed_are_looked_at(tenant: Tenant, client: Client) -> None:
    on, off = held(tenant, client, endpoint("i-1"), endpoint("i-2", **with_ips("disabled")))
    found = with_modules(client, [on, off, off], BOTH)
    assert states(found, off) == {"AntiMalwareScans": "enabled", IPS: "disabled"}
    assert [request.path.rpartition("/")[2] for request in tenant.details] == ["guid-i-2"]


def test_what_is_confirmed_is_as_it_is_now(tenant: Tenant, client: Client) -> None:
    (each,) = held(tenant, client, endpoint("i-1"))
    tenant.holds(endpoint("i-1", isolationStatus="on"))
    now = with_modules(client, [each], BOTH)[identity(each)]
    assert isinstance(now, Endpoint)
    assert now.isolation == "on"


@pytest.mark.parametrize("modules", [["anti_malware"], BOTH, sorted(MODULES), ["firewall"] * 40])
def test_no_question_is_longer_than_a_header_may_be(
    tenant: Tenant, client: Client, modules: Sequence[str]
) -> None:
    features = {name: "enabled" for names in MODULES.values() for name in names}
    items = [endpoint(f"i-{n}", _features=features, agentGuid=f"{n:036}") for n in range(40)]
    items += [endpoint("i-99", _features=features, agentGuid="g" * 255)]
    endpoints = held(tenant, client, *items)
    found = with_modules(client, endpoints, modules)
    assert len(found) == 41
    for each in endpoints:
        assert not isinstance(states(found, each), HubResponderError)
    texts = [request.headers["tmv1-filter"] for request in tenant.lists]
    assert all(len(text) <= MAX_CHARACTERS for text in texts)
    for text in texts:
        parse(text, ENDPOINTS)
    named = sum(text.count("agentGuid eq") for text in texts)
    assert named + len(tenant.details) >= 41


def test_a_guid_is_named_wherever_it_fits() -> None:
    for length in range(1, 256):
        guids = [f"{number:0{length}}" for number in range(10 if length == 1 else 20)]
        texts = list(_expressions([Endpoint(guid=guid) for guid in guids], BOTH))
        assert all(len(text) <= MAX_CHARACTERS for text in texts)
        assert all(f"'{guid}'" in "".join(texts) for guid in guids)
    demands = [*BOTH, *sorted(MODULES)]
    (bare,) = _expressions([Endpoint(guid="g")], demands)
    most = MAX_CHARACTERS - len(bare) + 1
    assert most < 255
    (full,) = _expressions([Endpoint(guid="g" * most)], demands)
    assert len(full) == MAX_CHARACTERS
    assert list(_expressions([Endpoint(guid="g" * (most + 1))], demands)) == []


@pytest.mark.parametrize("guid", ["o'brien", "a' or type eq 'server", "a b"])
def test_a_guid_that_no_filter_can_carry_is_looked_at_by_itself(
    tenant: Tenant, client: Client, guid: str
) -> None:
    (each,) = held(tenant, client, endpoint("i-1", agentGuid=guid, **with_ips("disabled")))
    assert states(with_modules(client, [each], BOTH), each) == {
        "AntiMalwareScans": "enabled",
        IPS: "disabled",
    }
    assert tenant.lists == []


def test_without_a_guid_nothing_can_be_asked(tenant: Tenant, client: Client) -> None:
    each = Endpoint(instance_id="i-1", epp_status="on")
    assert with_modules(client, [each], BOTH) == {identity(each): each}
    assert tenant.server.requests == []


def test_clones_do_not_lend_each_other_their_modules(tenant: Tenant, client: Client) -> None:
    first = endpoint("i-1", agentGuid="g", **with_ips("enabled"))
    second = endpoint("i-2", agentGuid="g", **with_ips("disabled"))
    one, two = held(tenant, client, first, second)
    found = with_modules(client, [one, two], BOTH, frozenset("g"))
    assert states(found, one) == {"AntiMalwareScans": "enabled", IPS: "enabled"}
    assert states(found, two) == {}  # the detail call shows the other
    tenant.holds(second, first)
    assert states(with_modules(client, [two], BOTH, frozenset("g")), two) == {
        "AntiMalwareScans": "enabled",
        IPS: "disabled",
    }


def test_a_detail_that_names_no_instance_does_for_one_and_not_for_clones(
    tenant: Tenant, client: Client
) -> None:
    (each,) = held(tenant, client, endpoint("i-1", **with_ips("disabled")))
    on = {"name": IPS, "status": "enabled"}
    unnamed = Reply(200, {"agentGuid": "guid-i-1", "eppAgent": {"status": "on", "features": [on]}})
    tenant.replies = [None, unnamed]
    assert states(with_modules(client, [each], BOTH), each) == {IPS: "enabled"}
    tenant.replies = [None, unnamed]
    assert states(with_modules(client, [each], BOTH, {"guid-i-1"}), each) == {}


@pytest.mark.parametrize("stranger", [endpoint("i-9"), None, 7])
def test_an_answer_with_what_was_not_asked_for_proves_nothing(
    tenant: Tenant, client: Client, stranger: object
) -> None:
    (each,) = held(tenant, client, endpoint("i-1", **with_ips("disabled")))
    tenant.replies = [Reply(200, {"items": [endpoint("i-1"), stranger]})]
    found = with_modules(client, [each], BOTH)
    assert states(found, each) == {"AntiMalwareScans": "enabled", IPS: "disabled"}


def test_a_question_that_is_refused_leaves_the_details(tenant: Tenant, client: Client) -> None:
    (each,) = held(tenant, client, endpoint("i-1"))
    tenant.replies = [Reply(400, {"error": {"code": "BadRequest"}})]
    found = states(with_modules(client, [each], BOTH), each)
    assert not isinstance(found, HubResponderError)
    assert found[IPS] == "enabled"
    assert len(tenant.details) == 1


@pytest.mark.parametrize(
    ("trouble", "kind"), [(Reply(429), TransientError), (Reply(403), DeniedError)]
)
def test_trouble_with_the_question_is_that_of_all(
    tenant: Tenant, client: Client, trouble: Reply, kind: type[Exception]
) -> None:
    endpoints = held(tenant, client, endpoint("i-1"), endpoint("i-2"))
    tenant.replies = [trouble]
    found = with_modules(client, endpoints, BOTH)
    assert [type(states(found, each)) for each in endpoints] == [kind, kind]
    assert tenant.details == []


def test_trouble_with_a_detail_stays_its_own(tenant: Tenant, client: Client) -> None:
    off = with_ips("disabled")
    items = [endpoint(f"i-{n:02}", **off) for n in range(25)]
    endpoints = held(tenant, client, *items)
    tenant.holds(*items[:7], *items[8:])
    found = with_modules(client, endpoints, BOTH)
    gone = states(found, endpoints[7])
    assert isinstance(gone, PermanentError)
    assert gone.status == 404
    others = [states(found, each) for each in endpoints if each is not endpoints[7]]
    assert others == [{"AntiMalwareScans": "enabled", IPS: "disabled"}] * 24
