"""The search filter of the Server & Workload Protection API."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_toolkit.sandbox.vendors.workload_security import fields
from hub_toolkit.sandbox.vendors.workload_security.computers import computers
from hub_toolkit.sandbox.vendors.workload_security.rules import rules
from hub_toolkit.sandbox.vendors.workload_security.search import SearchError, read, search

NOW = 1_795_000_000.0
BOTH = {**fields.COMPUTERS, **fields.AGENT_REPORTED}
WEB = {
    "ID": 7,
    "hostName": "web_01.example.com",
    "displayName": "web-01",
    "policyID": 3,
    "agentFingerPrint": "AA:BB",
    "lastAgentCommunication": "-PT5M",
    "ec2VirtualMachineSummary": {"accountID": "111122223333", "instanceID": "i-0a"},
}
BARE = {
    "ID": 3,
    "hostName": "webx01.example.com",
    "displayName": "",
    "noConnectorVirtualMachineSummary": {"instanceID": "i-0b"},
}
RULES = [
    {"ID": 1, "name": "One", "CVE": ["CVE-2026-1", "CVE-2026-2"], "severity": "high"},
    {"ID": 2, "name": "Two", "CVE": "CVE-2026-11, CVE-2026-3", "alertEnabled": True},
    {"ID": 3, "name": "Three", "CVSSScore": "9.8"},
]


def found(*criteria: dict[str, Any], **options: Any) -> list[int]:
    """IDs of the computers that satisfy the criteria."""
    body = json.dumps({"searchCriteria": criteria, **options}).encode()
    items = computers([WEB, BARE]).values()
    return [each.id for each in search(read(body), BOTH, items, NOW)]


def found_rules(*criteria: dict[str, Any]) -> list[int]:
    body = json.dumps({"searchCriteria": criteria}).encode()
    return [each.id for each in search(read(body), fields.RULES, rules(RULES).values(), NOW)]


def test_no_body_and_no_criterion_find_everything_in_the_order_given() -> None:
    assert [each.id for each in search(read(b""), BOTH, computers([WEB, BARE]).values(), NOW)] == [
        7,
        3,
    ]
    assert found() == [7, 3]
    assert found(sortByObjectID=True) == [3, 7]
    assert found(maxItems=1) == [7]


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"fieldName": "displayName", "stringTest": "equal", "stringValue": "web-01"}, [7]),
        ({"fieldName": "displayName", "stringValue": "WEB-01"}, []),
        ({"fieldName": "displayName", "stringTest": "not-equal", "stringValue": "web-01"}, [3]),
        ({"fieldName": "hostName", "stringValue": "web%"}, [7, 3]),
        ({"fieldName": "hostName", "stringValue": "%01.example%"}, [7, 3]),
        ({"fieldName": "hostName", "stringValue": "web_01.example.com"}, [7, 3]),
        (
            {
                "fieldName": "hostName",
                "stringValue": "web_01.example.com",
                "stringWildcards": False,
            },
            [7],
        ),
        ({"fieldName": "hostName", "stringValue": "web.01.example.com"}, []),
        ({"fieldName": "ec2VirtualMachineSummary/instanceID", "stringValue": "i-0a"}, [7]),
        ({"fieldName": "ec2VirtualMachineSummary/accountID", "stringValue": "1111%"}, [7]),
        ({"fieldName": "noConnectorVirtualMachineSummary/instanceID", "stringValue": "i-0b"}, [3]),
        ({"fieldName": "agentFingerPrint", "nullTest": True}, [3]),
        ({"fieldName": "agentFingerPrint", "nullTest": False}, [7]),
        ({"fieldName": "policyID", "numericTest": "equal", "numericValue": 3}, [7]),
        ({"fieldName": "policyID", "numericTest": "less-than", "numericValue": 9}, [7]),
        ({"fieldName": "policyID", "numericTest": "not-equal", "numericValue": 3}, []),
        ({"idTest": "greater-than", "idValue": 3}, [7]),
        ({"fieldName": "ID", "idTest": "greater-than-or-equal", "idValue": 3}, [3, 7]),
        ({"idValue": 3}, [3]),
        (
            {"fieldName": "lastAgentCommunication", "firstDateValue": int(NOW - 301) * 1000},
            [7],
        ),
        (
            {"fieldName": "lastAgentCommunication", "lastDateValue": int(NOW - 301) * 1000},
            [],
        ),
    ],
)
def test_each_test_finds_what_it_says(criterion: dict[str, Any], expected: list[int]) -> None:
    assert found(criterion) == expected


def test_a_dates_end_can_be_excluded() -> None:
    at = int(NOW - 300) * 1000
    criterion = {"fieldName": "lastAgentCommunication", "firstDateValue": at, "lastDateValue": at}
    assert found(criterion) == [7]
    assert found({**criterion, "lastDateInclusive": False}) == []


def test_all_criteria_must_hold() -> None:
    host = {"fieldName": "hostName", "stringValue": "web%"}
    assert found(host, {"idTest": "less-than", "idValue": 7}) == [3]


def test_pages_follow_the_last_id() -> None:
    seen, last = [], 0
    while page := found({"idTest": "greater-than", "idValue": last}, maxItems=1):
        seen += page
        last = page[-1]
    assert seen == [3, 7]


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"fieldName": "CVE", "stringTest": "equal", "stringValue": "%CVE-2026-2%"}, [1]),
        ({"fieldName": "CVE", "stringValue": "%CVE-2026-1%"}, [1, 2]),
        ({"fieldName": "CVE", "stringValue": "CVE-2026-1"}, []),
        ({"fieldName": "name", "stringValue": "T%"}, [2, 3]),
        ({"fieldName": "severity", "choiceTest": "equal", "choiceValue": "high"}, [1]),
        ({"fieldName": "alertEnabled", "booleanTest": True}, [2]),
        ({"fieldName": "CVSSScore", "numericTest": "greater-than", "numericValue": 9}, [3]),
        ({"fieldName": "CVSSScore", "stringValue": "9%"}, [3]),
    ],
)
def test_rules_are_searched_alike(criterion: dict[str, Any], expected: list[int]) -> None:
    assert found_rules(criterion) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"maxItems": 0}',
        b'{"maxItems": 5001}',
        b'{"maxItem": 1}',
        b'{"searchCriteria": [{"fieldname": "hostName", "stringValue": "a"}]}',
        b'{"searchCriteria": [{"stringValue": "a"}]}',
        b'{"searchCriteria": [{"fieldName": "hostName"}]}',
        b'{"searchCriteria": [{"fieldName": "hostName", "stringTest": "equal"}]}',
        b'{"searchCriteria": [{"fieldName": "hostName", "stringTest": "like", "stringValue": ""}]}',
        b'{"searchCriteria": [{"fieldName": "hostName", "stringValue": "a", "nullTest": true}]}',
        b'{"searchCriteria": [{"fieldName": "hostname", "stringValue": "a"}]}',
        b'{"searchCriteria": [{"fieldName": "instanceID", "stringValue": "a"}]}',
        b'{"searchCriteria": [{"fieldName": "hostName", "numericValue": 1}]}',
        b'{"searchCriteria": [{"fieldName": "policyID", "stringValue": "3"}]}',
        b'{"searchCriteria": [{"fieldName": "ID", "numericValue": 3}]}',
        b'{"searchCriteria": [{"fieldName": "hostName", "idValue": 3}]}',
        b'{"searchCriteria": [{"fieldName": "agentVersion", "versionValue": "20.0"}]}',
        b'{"searchCriteria": [{"fieldName": "computerStatus/agentStatus", "choiceValue": "a"}]}',
    ],
)
def test_what_the_api_does_not_take_is_refused(body: bytes) -> None:
    with pytest.raises(SearchError):
        search(read(body), BOTH, computers([WEB]).values(), NOW)


@given(text=st.text(), wildcards=st.booleans())
def test_any_text_is_a_value(text: str, wildcards: bool) -> None:
    criterion = {"fieldName": "name", "stringValue": text, "stringWildcards": wildcards}
    body = json.dumps({"searchCriteria": [criterion]}).encode()
    item = {"ID": 1, "name": text or "x"}
    found = search(read(body), fields.RULES, rules([item]).values(), NOW)
    assert [each.id for each in found] == ([1] if text else [])


@given(body=st.binary())
def test_hostile_bodies_are_refused_or_searched(body: bytes) -> None:
    with contextlib.suppress(SearchError):
        search(read(body), BOTH, computers([WEB]).values(), NOW)
