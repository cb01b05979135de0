"""Endpoints by address, and by agent."""

from __future__ import annotations

from typing import Any

import pytest

from estates import LIST, Tenant, endpoint
from factories import ACCOUNT
from hub_responder.errors import DeniedError, IncompleteError, PermanentError, TransientError
from hub_responder.vision_one import search
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.clues import Clues
from hub_responder.vision_one.filters import MAX_CHARACTERS
from loopback import Reply, Request

SEARCH = "/v3.0/eiqs/endpoints"


def clues(instance: str, *addresses: str) -> Clues:
    return Clues(instance_id=instance, account=ACCOUNT, addresses=addresses)


def hit(guid: str, *addresses: str, name: str = "app") -> dict[str, Any]:
    at = "2026-11-21T23:55:00Z"
    return {
        "agentGuid": guid,
        "endpointName": {"value": name, "updatedDateTime": at},
        "ip": {"value": list(addresses), "updatedDateTime": at},
        "productCode": "xns",
    }


class Searching:
    """The simulator, and a search whose answers the test scripts; the last one again and again."""

    def __init__(self, tenant: Tenant) -> None:
        self.asked: list[Request] = []
        self.replies: list[Reply] = [Reply(200, {"items": []})]
        answer = tenant.server.answer

        def answered(request: Request) -> Reply:
            if not request.path.startswith(SEARCH):
                return answer(request)
            self.asked.append(request)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

        tenant.server.answer = answered

    @property
    def queries(self) -> list[str]:
        return [request.headers["tmv1-query"] for request in self.asked]

    def finds(self, *items: object) -> None:
        self.replies = [Reply(200, {"items": list(items)})]


@pytest.fixture
def searching(tenant: Tenant) -> Searching:
    return Searching(tenant)


def test_private_addresses_of_several_instances_are_one_question(
    searching: Searching, client: Client
) -> None:
    sought = [
        clues("i-1", "52.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"),
        clues("i-2", "fd00::1"),
        clues("i-3", "52.0.0.3"),  # a public one, which no agent sees
        clues("i-4", "10.0.0.1' or ip eq '10.9.9.9"),
        clues("i-5"),
    ]
    assert search.by_address(client, sought, frozenset()) == {"i-1": [], "i-2": []}
    assert searching.queries == ["ip eq '10.0.0.1' or ip eq '10.0.0.2' or ip eq 'fd00::1'"]


def test_no_question_is_longer_than_a_header_may_be(searching: Searching, client: Client) -> None:
    sought = [clues(f"i-{n}", f"10.200.100.{n}") for n in range(100)]
    assert len(search.by_address(client, sought, frozenset())) == 100
    assert len(searching.queries) == 3
    assert all(len(query) <= MAX_CHARACTERS for query in searching.queries)


def test_what_is_found_is_read_from_the_inventory(
    searching: Searching, tenant: Tenant, client: Client
) -> None:
    tenant.holds(endpoint("", agentGuid="G-1", endpointName="app", virtualMachineDetails=None))
    searching.finds(hit("g-1", "10.0.0.1"), hit("known", "10.0.0.1"), hit("g-2", "10.0.0.2"))
    sought = [clues("i-1", "10.0.0.1"), clues("i-2", "10.0.0.3")]
    tenant.replies = [Reply(200, {"items": [endpoint("", agentGuid="g-1", endpointName="app")]})]
    found = search.by_address(client, sought, {"known"})
    assert not isinstance(found["i-1"], Exception)
    assert [each.guid for each in found["i-1"]] == ["g-1"]
    assert found["i-2"] == []
    assert tenant.lists[0].headers["tmv1-filter"] == "agentGuid eq 'g-1' or agentGuid eq 'g-2'"


def test_an_agent_that_the_inventory_does_not_know_is_one_nothing_is_known_of(
    searching: Searching, client: Client
) -> None:
    searching.finds(hit("g' or type eq 'server", "10.0.0.1", name="App"))
    found = search.by_address(client, [clues("i-1", "10.0.0.1")], frozenset())["i-1"]
    assert not isinstance(found, Exception)
    (one,) = found
    assert (one.name, one.bare, one.has_agent) == ("App", False, False)
    assert one.marks == ("app", "10.0.0.1")


def test_a_tenant_that_does_not_offer_the_search_is_passed_over(
    searching: Searching, client: Client
) -> None:
    searching.replies = [Reply(404, {"error": {"code": "NotFound"}})]
    sought = [clues(f"i-{n}", f"10.200.100.{n}") for n in range(100)]
    assert search.by_address(client, sought, frozenset()) == {}
    assert len(searching.asked) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429), TransientError),
        (Reply(403), DeniedError),
        (Reply(400), PermanentError),
        (Reply(200, b"<html>"), IncompleteError),
        (Reply(200, {"items": [7]}), IncompleteError),
        (Reply(200, {"items": [{"ip": {"value": ["10.0.0.1"]}}]}), IncompleteError),
        (Reply(200, {"items": [], "nextLink": "https://x.example/"}), IncompleteError),
    ],
)
def test_trouble_is_that_of_whoever_was_not_answered(
    searching: Searching, client: Client, slept: list[float], reply: Reply, kind: type[Exception]
) -> None:
    sought = [clues(f"i-{n}", f"10.200.100.{n}") for n in range(100)]
    searching.replies = [Reply(200, {"items": []}), reply]
    found = search.by_address(client, sought, frozenset())
    troubled = [name for name, told in found.items() if isinstance(told, kind)]
    assert found["i-0"] == []
    assert 50 < len(troubled) < 100
    assert found["i-99"] in [found[name] for name in troubled]


def test_the_query_goes_with_every_page(
    searching: Searching, tenant: Tenant, client: Client
) -> None:
    link = f"{tenant.server.url}{SEARCH}?skipToken=2"
    first, second = hit("g-1", "10.0.0.1"), hit("g-2", "10.0.0.1")
    searching.replies = [
        Reply(200, {"items": [first], "nextLink": link}),
        Reply(200, {"items": [second]}),
    ]
    found = search.by_address(client, [clues("i-1", "10.0.0.1")], frozenset())["i-1"]
    assert not isinstance(found, Exception)
    assert [each.guid for each in found] == ["g-1", "g-2"]
    assert len(set(searching.queries)) == 1


@pytest.mark.parametrize("stranger", [endpoint("i-9"), None, endpoint(agentGuid="")])
def test_a_list_with_others_than_were_asked_for_proves_nothing(
    tenant: Tenant, client: Client, slept: list[float], stranger: object
) -> None:
    tenant.replies = [Reply(200, {"items": [endpoint("i-1"), stranger]})]
    with pytest.raises(IncompleteError, match="not heeded"):
        search.listed(client, ["guid-i-1"])


def test_agents_are_listed_by_guid_and_clones_are_several(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1", agentGuid="a"), endpoint("i-2", agentGuid="a"), endpoint("i-3"))
    found = search.listed(client, ["a", "o'brien", "none"])
    assert {guid: len(held) for guid, held in found.items()} == {"a": 2}
    assert tenant.lists[0].path.startswith(f"{LIST}?top=100")
