"""The Vision One simulator over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client, TestResponse

from estates import TOKEN, Api
from hub_toolkit.sandbox.vendors.estate import EstateError
from hub_toolkit.sandbox.vendors.vision_one import Permission

ENDPOINTS = "/v3.0/endpointSecurity/endpoints"


def fleet(count: int) -> list[dict[str, Any]]:
    return [
        {
            "agentGuid": f"guid-{number:04}",
            "endpointName": f"web-{number:04}",
            "type": "desktop" if number % 2 else "server",
            "eppAgent": {"status": "on", "lastConnectedDateTime": f"-PT{count - number}M"},
        }
        for number in range(count)
    ]


@pytest.fixture
def api() -> Api:
    api = Api()
    api.tenant.replace_endpoints(fleet(25))
    return api


def names(response: TestResponse) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["endpointName"] for item in response.get_json()["items"]]


def assert_bad_request(response: TestResponse) -> None:
    assert response.status_code == 400
    error = response.get_json()["error"]
    assert (error["code"], error["number"]) == ("BadRequest", 3090003)


def test_connectivity_answers_available(api: Api) -> None:
    assert api.get("/v3.0/healthcheck/connectivity").get_json() == {"status": "available"}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic dDBrZW4=", TOKEN])
def test_a_missing_or_wrong_token_is_401_in_the_documented_body(api: Api, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = Client(api.tenant.app).get(ENDPOINTS, headers=headers)
    assert answer.status_code == 401
    assert answer.get_json() == {
        "error": {
            "code": "InvalidCredentials",
            "message": "Invalid token, Authorization token invaild for header",
            "innererror": {"code": "InvalidToken", "service": "svp"},
        }
    }


@pytest.mark.parametrize(
    ("held", "method", "path"),
    [
        (Permission.ENDPOINTS, "GET", ENDPOINTS),
        (Permission.ENDPOINTS, "GET", "/v3.0/eiqs/endpoints"),
        (Permission.ENDPOINTS, "GET", "/v3.0/endpointSecurity/tasks"),
        (Permission.ISOLATE, "POST", "/v3.0/response/endpoints/isolate"),
        (Permission.ISOLATE, "POST", "/v3.0/response/endpoints/restore"),
        (Permission.TASKS, "GET", "/v3.0/response/tasks/1"),
        (Permission.ALERTS, "GET", "/v3.0/workbench/alerts"),
        (Permission.EDIT_ALERTS, "PATCH", "/v3.0/workbench/alerts/1"),
        (Permission.EDIT_ALERTS, "POST", "/v3.0/workbench/alerts/1/notes"),
    ],
)
def test_a_route_is_for_keys_whose_role_has_its_permission(
    held: Permission, method: str, path: str
) -> None:
    api = Api(limited={"able": [held], "weak": set(Permission) - {held}})
    denied = api.call(method, path, token="weak")
    assert denied.status_code == 403
    assert denied.get_json()["error"] == {
        "code": "AccessDenied",
        "message": "Insufficient permissions.",
    }
    assert api.call(method, path, token="able").status_code != 403
    assert api.get("/v3.0/healthcheck/connectivity", token="weak").status_code == 200


def test_unknown_paths_methods_and_endpoints_are_refused_in_json(api: Api) -> None:
    assert api.get("/v3.0/else").get_json()["error"]["code"] == "NotFound"
    assert api.get(f"{ENDPOINTS}/no-such-guid").get_json()["error"]["code"] == "NotFound"
    answer = Client(api.tenant.app).post(ENDPOINTS)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (405, "MethodNotAllowed")


def test_a_list_tells_its_counts_and_the_last_page_has_no_next_link(api: Api) -> None:
    answer = api.get().get_json()
    assert (answer["totalCount"], answer["count"], len(answer["items"])) == (25, 25, 25)
    assert "nextLink" not in answer


def test_an_empty_estate_is_an_empty_list() -> None:
    assert Api().get().get_json() == {"totalCount": 0, "count": 0, "items": []}


@pytest.mark.parametrize("top", ["0", "1", "99", "1001", "-10", "ten", "", "010", "10.0"])
def test_top_is_one_of_a_closed_list(api: Api, top: str) -> None:
    assert_bad_request(api.get(query_string={"top": top}))


def test_pages_follow_absolute_links_to_the_host_that_was_asked(api: Api) -> None:
    base = "https://api.example.test:8443/_vendors/vision_one"
    answer = api.get(query_string={"top": "10"}, base_url=base)
    seen = names(answer)
    link = answer.get_json()["nextLink"]
    assert link.startswith(f"{base}{ENDPOINTS}?skipToken=")
    while link:
        url = urlsplit(link)
        answer = api.get(ENDPOINTS, query_string=url.query, base_url=base)
        seen += names(answer)
        link = answer.get_json().get("nextLink")
    assert seen == [f"web-{number:04}" for number in range(25)]


def token_of(answer: TestResponse) -> dict[str, str]:
    return {"skipToken": parse_qs(urlsplit(answer.get_json()["nextLink"]).query)["skipToken"][0]}


def test_the_filter_counts_for_every_page_and_a_forgotten_one_gives_other_data(api: Api) -> None:
    first = api.filtered("type eq 'server'", query_string={"top": "10"})
    assert first.get_json()["totalCount"] == 13
    following = token_of(first)
    with_filter = names(api.filtered("type eq 'server'", query_string=following))
    assert with_filter == ["web-0020", "web-0022", "web-0024"]
    without = api.get(query_string=following)
    assert names(without) == [f"web-{number:04}" for number in range(10, 20)]
    assert without.get_json()["totalCount"] == 25


def test_a_cursor_expires(api: Api) -> None:
    following = token_of(api.get(query_string={"top": "10"}))
    api.now += 300
    assert api.get(query_string=following).status_code == 200
    api.now += 1
    assert_bad_request(api.get(query_string=following))


@pytest.mark.parametrize("forged", ["", "1", "!!!", "日本", "AAAA" * 20])
def test_a_forged_cursor_is_refused(api: Api, forged: str) -> None:
    assert_bad_request(api.get(query_string={"skipToken": forged}))


def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    following = token_of(api.get(query_string={"top": "10"}))
    headers = {"TMV1-Query": "not endpointName eq 'x'"}
    assert_bad_request(api.get("/v3.0/eiqs/endpoints", query_string=following, headers=headers))


def test_a_cursor_of_another_tenant_is_refused(api: Api) -> None:
    other = Api()
    other.tenant.replace_endpoints(fleet(25))
    following = token_of(other.get(query_string={"top": "10"}))
    assert_bad_request(api.get(query_string=following))


def test_order_by_sorts_all_pages(api: Api) -> None:
    order = {"orderBy": "eppAgentLastConnectedDateTime desc", "top": "10"}
    first = api.get(query_string=order)
    assert names(first)[0] == "web-0024"
    assert names(api.get(query_string=token_of(first)))[0] == "web-0014"
    assert names(api.get(query_string={"orderBy": "agentGuid"}))[0] == "web-0000"


@pytest.mark.parametrize("order", ["endpointName", "agentGuid up", "agentGuid desc x", ""])
def test_order_by_takes_four_fields(api: Api, order: str) -> None:
    assert_bad_request(api.get(query_string={"orderBy": order}))


@pytest.mark.parametrize(
    "text",
    ["", "cloudInstanceId eq 'i-0123456789abcdef0'", "endpointName eq web-01", "type eq 'x'"],
)
def test_a_bad_filter_is_400_in_the_documented_body(api: Api, text: str) -> None:
    assert_bad_request(api.filtered(text))


def test_a_filter_over_1024_characters_is_400(api: Api) -> None:
    assert_bad_request(api.filtered(f"endpointName eq '{'x' * 1024}'"))


def test_a_filter_in_utf8_finds_a_japanese_name(api: Api) -> None:
    api.tenant.replace_endpoints([{"agentGuid": "g", "endpointName": "東京01"}])
    header = "endpointName eq '東京01'".encode().decode("latin-1")
    environ = {"HTTP_TMV1_FILTER": header, "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
    answer = Client(api.tenant.app).get(ENDPOINTS, environ_overrides=environ)
    assert names(answer) == ["東京01"]


def test_select_limits_the_keys(api: Api) -> None:
    answer = api.get(query_string={"select": "endpointName,agentGuid", "top": "10"})
    assert answer.get_json()["items"][0] == {"agentGuid": "guid-0000", "endpointName": "web-0000"}


def test_the_detail_is_found_by_guid(api: Api) -> None:
    detail = api.get(f"{ENDPOINTS}/guid-0003").get_json()
    assert detail["endpointName"] == "web-0003"
    assert detail["os"] == {}


def test_a_wrong_item_leaves_the_estate_as_it_was(api: Api) -> None:
    with pytest.raises(EstateError, match="endpoint 1"):
        api.tenant.replace_endpoints([{"agentGuid": "g"}, {}])
    assert api.get().get_json()["totalCount"] == 25


def test_the_limit_counts_the_last_60_seconds_and_not_what_it_refused() -> None:
    api = Api(requests_per_minute=2, limited={"other": []})
    assert api.get().status_code == 200
    api.now += 30
    assert api.get().status_code == 200
    refused = api.get()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    api.now += 30
    assert api.get().status_code == 200
    assert api.get().status_code == 429
    connectivity = "/v3.0/healthcheck/connectivity"
    assert api.get(connectivity, token="other").status_code == 200  # a limit per key


def test_429_comes_in_both_shapes_with_and_without_retry_after() -> None:
    api = Api(requests_per_minute=0)
    answers = [api.get() for _ in range(4)]
    assert {answer.status_code for answer in answers} == {429}
    seen = {("error" in answer.get_json(), "Retry-After" in answer.headers) for answer in answers}
    assert seen == {(True, True), (False, True), (True, False), (False, False)}
