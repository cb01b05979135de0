"""The client against the simulator, and against what a gateway or a hostile server may answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from estates import Tenant, endpoint
from factories import NOW
from hub_responder.deadline import Deadline
from hub_responder.errors import DeniedError, IncompleteError, PermanentError, TransientError
from hub_responder.pace import Pace, Rate
from hub_responder.vision_one import client as module
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.filters import SERVERS
from loopback import Cloud, Reply, error

BAD_GATEWAY = Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})
LINK = "/v3.0/endpointSecurity/endpoints?skipToken=x"


def fleet(count: int) -> list[dict[str, Any]]:
    return [endpoint(f"i-{number:017x}") for number in range(count)]


def read(client: Client) -> list[str]:
    return [
        each.instance_id
        for page in client.pages(SERVERS, top=10)
        for each in page.items
        if each is not None
    ]


def test_every_page_is_read_with_token_and_filter(tenant: Tenant, client: Client) -> None:
    desktops = [endpoint(f"d-{n}", type="desktop") for n in range(15)]
    tenant.holds(*fleet(25), *desktops)
    assert sorted(read(client)) == [f"i-{number:017x}" for number in range(25)]
    assert len(tenant.lists) == 3
    assert {r.headers["tmv1-filter"] for r in tenant.lists} == {SERVERS}
    assert {r.headers["authorization"] for r in tenant.lists} == {"Bearer t0ken"}


def test_the_order_does_not_move_with_what_agents_report(tenant: Tenant, client: Client) -> None:
    read(client)
    assert "orderBy=agentGuid%20asc" in tenant.lists[0].path


def test_an_endpoint_without_a_type_is_read_too(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1", type=None))
    assert read(client) == ["i-1"]


@pytest.mark.parametrize(
    "trouble",
    [
        BAD_GATEWAY,
        Reply(503),
        Reply(200, b"<html>proxy</html>", {"Content-Type": "text/html"}),
        Reply(200, b'{"items": [', {}),
        Reply(200, b'{"items": []}', {"Content-Length": "900"}),
        Reply(200, ["items"]),
        Reply(200, {"totalCount": 0}),
        Reply(200, {"items": {}}),
        Reply(200, b"[" * 100_000),
        Reply(hang_up=True),
        Reply(429, None, {"Retry-After": "1"}),
        Reply(429, None, {"Retry-After": "0"}),
    ],
    ids=repr,
)
def test_passing_trouble_is_tried_once_more(
    tenant: Tenant, client: Client, slept: list[float], trouble: Reply
) -> None:
    tenant.holds(endpoint("i-1"))
    tenant.replies = [trouble]
    assert read(client) == ["i-1"]
    assert len(slept) == 1

    tenant.replies = [trouble, trouble]
    with pytest.raises(TransientError):
        read(client)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "3"}, {"Retry-After": "999999999"}])
def test_a_long_wait_is_not_slept_but_handed_on(
    tenant: Tenant, client: Client, slept: list[float], headers: dict[str, str]
) -> None:
    tenant.replies = [Reply(429, {"code": "TooManyRequests"}, headers)]
    with pytest.raises(TransientError) as raised:
        read(client)
    assert slept == []
    assert (raised.value.status, len(tenant.lists)) == (429, 1)


def test_all_pauses_of_a_run_together_are_bounded(
    tenant: Tenant, client: Client, slept: list[float]
) -> None:
    tenant.holds(*fleet(35))
    slow = Reply(429, None, {"Retry-After": "0.9"})
    tenant.replies = [slow, None, slow, None, slow, None]
    with pytest.raises(TransientError):
        read(client)
    assert slept == [0.9, 0.9]


def test_nothing_is_slept_beyond_the_deadline(
    tenant: Tenant, client: Client, slept: list[float]
) -> None:
    tenant.replies = [Reply(429, None, {"Retry-After": "1.5"})]
    with pytest.raises(TransientError):
        read(replace(client, deadline=Deadline.after(3.0)))
    assert slept == []


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v3.0/endpointSecurity/endpoints?skipToken=x",
        "http://127.0.0.1:9/v3.0/endpointSecurity/endpoints?skipToken=x",
        "http://localhost:{port}/v3.0/endpointSecurity/endpoints?skipToken=x",
        "http://127.0.0.1:{port}@evil.example/",
        "//evil.example/",
        LINK,
        "http://[",
        7,
        {"href": LINK},
    ],
)
def test_the_token_goes_to_no_other_host(tenant: Tenant, client: Client, link: object) -> None:
    if isinstance(link, str):
        link = link.replace("{port}", tenant.server.url.rpartition(":")[2])
    tenant.replies = [Reply(200, {"items": [], "nextLink": link})]
    with pytest.raises(IncompleteError, match="another host"):
        read(client)
    assert len(tenant.server.requests) == 1


@pytest.mark.parametrize(("scheme", "port"), [("https", 443), ("http", 80)])
def test_the_usual_port_may_be_written_or_not(client: Client, scheme: str, port: int) -> None:
    bare, written = f"{scheme}://api.example.com", f"{scheme}://api.example.com:{port}"
    for base, link in ((bare, written), (written, bare)):
        assert replace(client, base_url=base)._next(link + LINK) == link + LINK
    with pytest.raises(IncompleteError, match="another host"):
        replace(client, base_url=bare)._next(f"{scheme}://api.example.com:8443{LINK}")


def test_a_host_is_the_same_whatever_its_case(tenant: Tenant, client: Client) -> None:
    tenant.replies = [Reply(200, {"items": [], "nextLink": tenant.server.url.upper() + LINK})]
    with pytest.raises(IncompleteError, match="refused a next page"):
        read(client)


def test_paging_that_repeats_is_stopped(tenant: Tenant, client: Client) -> None:
    tenant.server.replies(Reply(200, {"items": [], "nextLink": tenant.server.url + LINK}))
    with pytest.raises(IncompleteError, match="does not end"):
        read(client)
    assert len(tenant.server.requests) == 2


def test_paging_without_end_is_stopped(
    tenant: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 5)
    links = (f"{tenant.server.url}{LINK}{number}" for number in range(100))
    tenant.server.answer = lambda _: Reply(200, {"items": [], "nextLink": next(links)})
    with pytest.raises(IncompleteError, match="does not end"):
        read(client)
    assert len(tenant.server.requests) == 5


def test_an_expired_cursor_is_a_walk_to_begin_anew(tenant: Tenant, client: Client) -> None:
    tenant.holds(*fleet(25))
    pages = client.pages(SERVERS, top=10)
    next(pages)
    tenant.now += 400
    with pytest.raises(IncompleteError, match="400"):
        next(pages)


def test_a_token_that_is_revoked_on_the_way_is_denied(tenant: Tenant, client: Client) -> None:
    tenant.holds(*fleet(25))
    tenant.replies = [None, Reply(403)]
    with pytest.raises(DeniedError):
        read(client)


def test_a_refused_first_page_is_for_good(tenant: Tenant, client: Client) -> None:
    tenant.replies = [Reply(400, {"error": {"code": "BadRequest"}})]
    with pytest.raises(PermanentError) as raised:
        read(client)
    assert not isinstance(raised.value, DeniedError)
    assert len(tenant.lists) == 1


def test_a_refused_token_is_denied_and_not_in_the_error(tenant: Tenant, client: Client) -> None:
    with pytest.raises(DeniedError) as raised:
        read(replace(client, with_token=lambda call: call("wr0ng")))
    assert raised.value.status == 401
    assert "wr0ng" not in str(raised.value)


def test_a_detail_is_read_in_its_own_shape(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint("i-1"))
    detail = client.detail("guid-i-1")
    assert (detail.instance_id, detail.features["IntrusionPreventionSystem"]) == ("i-1", "enabled")


def test_a_guid_cannot_lead_to_another_path(tenant: Tenant, client: Client) -> None:
    with pytest.raises(PermanentError):
        client.detail("../../healthcheck?x=1")
    assert tenant.server.requests[0].path.endswith("/..%2F..%2Fhealthcheck%3Fx%3D1")


@pytest.mark.parametrize("body", [{}, [], {"agentGuid": ""}, {"agentGuid": "g", "eppAgent": 7}])
def test_a_detail_of_another_shape_is_no_answer(
    tenant: Tenant, client: Client, slept: list[float], body: object
) -> None:
    tenant.server.replies(Reply(200, json.dumps(body).encode()))
    with pytest.raises(IncompleteError):
        client.detail("guid")


def test_each_request_takes_its_place_in_the_pace(
    tenant: Tenant, client: Client, cloud: Cloud
) -> None:
    metered = Reply(200, {"Attributes": {"meter": {"N": "1"}}})
    cloud.script["UpdateItem"] = [metered]
    paced = replace(client, pace=Pace("ledger", "vision-one", Rate.per_minute(300)))
    tenant.holds(*fleet(25))
    tenant.replies = [BAD_GATEWAY]
    assert len(read(paced)) == 25
    assert len(cloud.called("UpdateItem")) == len(tenant.lists) == 4


def test_what_is_too_fast_is_not_sent(tenant: Tenant, client: Client, cloud: Cloud) -> None:
    ahead = {"meter": {"N": str(int(NOW * 1000) + 30_000)}}
    cloud.script["UpdateItem"] = [error("ConditionalCheckFailedException", Item=ahead)]
    paced = replace(client, pace=Pace("ledger", "vision-one", Rate.per_minute(300)))
    with pytest.raises(TransientError, match="asked 300 times a minute") as told:
        read(paced)
    assert (told.value.status, told.value.target, told.value.sent) == (429, "vision_one", False)
    assert told.value.retry_after == pytest.approx(30.0 - 14.75 + 7.375)
    assert not tenant.lists
