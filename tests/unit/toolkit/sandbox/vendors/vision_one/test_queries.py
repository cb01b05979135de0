"""Endpoints found by name or address, as the Vision One simulator answers it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from estates import Api, endpoint

PATH = "/v3.0/eiqs/endpoints"
CARD = "0a:00:00:00:00:01"


@pytest.fixture
def api() -> Api:
    api = Api()
    api.tenant.replace_endpoints(
        [
            endpoint(
                "i-0a", agentGuid="g-a", endpointName="web-01", _macAddresses=["0a:00:00:00:00:01"]
            ),
            endpoint("i-0b", agentGuid="g-b", endpointName="web-02", ipAddresses=["10.0.0.9"]),
            {
                "agentGuid": "g-c",
                "endpointName": "web-03",
                "osPlatform": "windows",
                "ipAddresses": ["10.0.0.9", "10.0.0.10"],
                "lastUsedIp": "192.0.2.1",
                "eppAgent": {},
                "edrSensor": {"status": "enabled", "lastConnectedDateTime": "-PT2M"},
            },
        ]
    )
    return api


def asked(api: Api, query: str, **options: Any) -> TestResponse:
    return api.get(PATH, headers={"TMV1-Query": query}, **options)


def guids(api: Api, query: str) -> list[str]:
    answer = asked(api, query)
    assert answer.status_code == 200, answer.text
    return [item["agentGuid"] for item in answer.get_json()["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ip eq '10.0.0.9'", ["g-b", "g-c"]),
        ("ip eq '192.0.2.1'", []),
        ("endpointName eq 'web-01'", ["g-a"]),
        ("endpointName eq 'WEB-01'", []),
        ("agentGuid eq 'g-b'", ["g-b"]),
        (f"macAddress eq '{CARD}'", ["g-a"]),
        ("ip eq '10.0.0.9' and not endpointName eq 'web-02'", ["g-c"]),
        ("ip eq '10.0.0.10' or endpointName eq 'web-01'", ["g-a", "g-c"]),
        ("productCode eq 'sds'", ["g-a", "g-b"]),
        ("osName eq 'Windows'", ["g-c"]),
        ("installedProductCodes eq 'xes'", ["g-a", "g-b", "g-c"]),
    ],
)
def test_a_query_finds_by_name_address_and_agent(api: Api, query: str, found: list[str]) -> None:
    assert guids(api, query) == found


@pytest.mark.parametrize("query", ["10.0.0.9", "ip:'10.0.0.9'", "endpointName", "*", "web-01"])
def test_a_query_without_an_operator_finds_nothing_and_is_no_error(api: Api, query: str) -> None:
    answer = asked(api, query)
    assert (answer.status_code, answer.get_json()) == (200, {"items": []})


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "host eq 'web-01'",
        "cloudInstanceId eq 'i-0a'",
        "ip eq 10.0.0.9",
        "ip eq '10.0.0.9",
        "productCode eq 'xns'",
        "ip eq '" + "1" * 1024 + "'",
    ],
)
def test_a_query_that_is_none_is_400(api: Api, query: str) -> None:
    assert asked(api, query).status_code == 400


def test_the_query_is_needed(api: Api) -> None:
    assert api.get(PATH).status_code == 400


def test_an_item_holds_values_with_the_time_when_they_were_seen(api: Api) -> None:
    (item,) = asked(api, "endpointName eq 'web-03'").get_json()["items"]
    seen = "2026-11-18T11:04:40Z"
    assert item == {
        "agentGuid": "g-c",
        "endpointName": {"value": "web-03", "updatedDateTime": seen},
        "loginAccount": {"value": [], "updatedDateTime": seen},
        "macAddress": {"value": [], "updatedDateTime": seen},
        "ip": {"value": ["10.0.0.9", "10.0.0.10"], "updatedDateTime": seen},
        "osName": "Windows",
        "osVersion": "",
        "osDescription": "",
        "productCode": "xes",
        "installedProductCodes": ["xes"],
        "policyName": "",
        "protectionManager": "",
        "componentVersion": "",
        "componentUpdatePolicy": "",
        "componentUpdateStatus": "",
    }


def test_pages_are_of_50_and_follow_links_with_the_query_sent_again() -> None:
    api = Api()
    api.tenant.replace_endpoints(
        [{"agentGuid": f"g-{number:03}", "endpointName": "web"} for number in range(120)]
    )
    seen: list[str] = []
    answer = asked(api, "endpointName eq 'web'").get_json()
    while True:
        seen += [item["agentGuid"] for item in answer["items"]]
        if "nextLink" not in answer:
            break
        query = urlsplit(answer["nextLink"]).query
        assert api.get(f"{PATH}?{query}").status_code == 400
        answer = asked(api, "endpointName eq 'web'", query_string=query).get_json()
    assert seen == [f"g-{number:03}" for number in range(120)]
    assert asked(api, "ip eq '1'", query_string={"top": "10"}).status_code == 400
