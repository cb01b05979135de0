"""The Server & Workload Protection simulator over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from hub_toolkit.sandbox.vendors.base import REASON_KEY, VERDICT_KEY, Verdict
from hub_toolkit.sandbox.vendors.estate import EstateError
from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity

KEY, AUDITOR = "1:secret", "2:auditor"
SEARCH, COMPUTER = "/api/computers/search", "/api/computers/7"
ASSIGNMENTS = f"{COMPUTER}/intrusionprevention/assignments"
NO_CONNECTOR = {
    "searchCriteria": [
        {"fieldName": "noConnectorVirtualMachineSummary/instanceID", "stringValue": "i-0b"}
    ]
}
RULES = [
    {"ID": 1, "name": "Base"},
    {"ID": 2, "name": "Example (CVE-2026-1)", "CVE": "CVE-2026-1", "dependsOnRuleIDs": [1]},
    {"ID": 3, "name": "Other"},
]


def computer(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "ID": number,
        "hostName": f"web-{number}",
        "policyID": 3,
        "computerStatus": {"agentStatus": "active"},
        "intrusionPrevention": {"state": "prevent", "ruleIDs": [3]},
        **changes,
    }


class Api:
    """A client of one simulator that sends what a request needs unless told otherwise."""

    def __init__(self, **options: Any) -> None:
        self.now = 1_795_000_000.0
        self.tenant = WorkloadSecurity(
            lambda: self.now, api_key=KEY, auditor_key=AUDITOR, **options
        )
        self.tenant.replace_rules(RULES)
        hidden = computer(9, intrusionPrevention=None)
        self.tenant.replace_computers([computer(7), computer(8, policyID=0), hidden])
        self._client = Client(self.tenant.app)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"Authorization": f"ApiKey {KEY}", "api-version": "v1"}
        headers |= options.pop("headers", {})
        return self._client.open(path, method=method, json=body, headers=headers, **options)

    def assigned(self, path: str = ASSIGNMENTS) -> list[int]:
        found: list[int] = self.call("GET", path).get_json()["assignedRuleIDs"]
        return found


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_rule_is_shown_as_it_is_on_a_computer(api: Api) -> None:
    path = "/intrusionprevention/rules"
    api.tenant.replace_computers([computer(7, _rules={"2": {"detectOnly": True}}), computer(8)])
    here = api.call("GET", f"/api/computers/7{path}/2").get_json()
    there = api.call("GET", f"/api/computers/8{path}/2").get_json()
    assert (here["ID"], here["detectOnly"]) == (2, True)
    assert "detectOnly" not in there
    assert "_rules" not in api.call("GET", COMPUTER).get_json()
    for missing in (f"/api/computers/7{path}/99", f"/api/computers/99{path}/2"):
        assert api.call("GET", missing).status_code == 404


def test_a_search_answers_the_groups_that_it_names(api: Api) -> None:
    query = {"expand": ["computerStatus", "none"]}
    found = api.call("POST", SEARCH, {"maxItems": 1}, query_string=query).get_json()
    assert found == {
        "computers": [
            {
                "ID": 7,
                "hostName": "web-7",
                "policyID": 3,
                "computerStatus": {"agentStatus": "active"},
            }
        ]
    }
    assert api.call("GET", COMPUTER, query_string=query).get_json() == found["computers"][0]
    bare = api.call("POST", SEARCH).get_json()["computers"]
    assert [one["ID"] for one in bare] == [7, 8, 9]
    assert "intrusionPrevention" in bare[0]


def test_what_cannot_be_searched_or_expanded_is_400(api: Api) -> None:
    wrong = {"searchCriteria": [{"fieldName": "ipAddress", "stringValue": "10.0.0.1"}]}
    answer = api.call("POST", SEARCH, wrong)
    assert answer.status_code == 400
    assert "ipAddress" in answer.get_json()["message"]
    for path in (f"{SEARCH}?expand=everything", f"{SEARCH}?overrides=true"):
        assert api.call("POST", path).status_code == 400
    assert api.call("GET", f"{COMPUTER}?expand=everything").status_code == 400
    assert api.call("POST", "/api/intrusionpreventionrules/search", wrong).status_code == 400


def test_agent_reported_fields_are_searched_only_where_switched_on() -> None:
    machine = {"noConnectorVirtualMachineSummary": {"instanceID": "i-0b"}}
    for switch, status in ((True, 200), (False, 400)):
        api = Api(agent_reported=switch)
        api.tenant.replace_computers([computer(7, **machine)])
        assert api.call("POST", SEARCH, NO_CONNECTOR).status_code == status


def test_rules_are_found_by_cve(api: Api) -> None:
    criterion = {"fieldName": "CVE", "stringTest": "equal", "stringValue": "%CVE-2026-1%"}
    answer = api.call(
        "POST", "/api/intrusionpreventionrules/search", {"searchCriteria": [criterion]}
    )
    (rule,) = answer.get_json()["intrusionPreventionRules"]
    assert (rule["ID"], rule["CVE"]) == (2, ["CVE-2026-1"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "ApiKey wrong"},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": "", "api-secret-key": KEY},
    ],
)
def test_a_wrong_key_is_401_with_the_documented_text(api: Api, headers: dict[str, str]) -> None:
    answer = api.call("POST", SEARCH, headers=headers)
    assert (answer.status_code, answer.get_json()) == (401, {"message": "Invalid API Key"})


def test_a_consoles_key_has_a_header_of_its_own() -> None:
    api = Api(key="console")
    assert api.call("POST", SEARCH).status_code == 401
    answer = api.call("POST", SEARCH, headers={"Authorization": "", "api-secret-key": KEY})
    assert answer.status_code == 200


@pytest.mark.parametrize("version", ["", "v2"])
def test_the_version_is_needed(api: Api, version: str) -> None:
    answer = api.call("POST", SEARCH, headers={"api-version": version})
    assert answer.status_code == 400
    assert "api-version" in answer.get_json()["message"]


def test_an_auditor_reads_and_changes_nothing(api: Api) -> None:
    headers = {"Authorization": f"ApiKey {AUDITOR}"}
    for method, path in (("POST", SEARCH), ("GET", COMPUTER), ("GET", ASSIGNMENTS)):
        assert api.call(method, path, headers=headers).status_code == 200
    changes = (("POST", ASSIGNMENTS), ("PUT", ASSIGNMENTS), ("DELETE", f"{ASSIGNMENTS}/3"))
    for method, path in changes:
        answer = api.call(method, path, {"ruleIDs": [2]}, headers=headers)
        assert answer.status_code == 403
        assert answer.get_json() == {"message": "Not authorized to edit computers"}
    assert api.assigned() == [3]


def test_a_rule_is_added_with_those_that_it_needs_and_twice_is_once(api: Api) -> None:
    for _ in range(2):
        answer = api.call("POST", ASSIGNMENTS, {"ruleIDs": [2]})
        assert answer.get_json()["assignedRuleIDs"] == [1, 2, 3]
    shown = api.call("GET", COMPUTER).get_json()["intrusionPrevention"]
    assert shown["ruleIDs"] == [1, 2, 3]
    assert shown["moduleStatus"]["agentStatusMessage"] == "On, Prevent, 3 rules"
    assert api.assigned(f"{ASSIGNMENTS}?overrides=true") == [1, 2]


def test_put_sets_the_computers_own_rules_and_leaves_the_policys(api: Api) -> None:
    api.call("POST", ASSIGNMENTS, {"ruleIDs": [2]})
    assert api.call("PUT", ASSIGNMENTS, {"ruleIDs": [1]}).get_json()["assignedRuleIDs"] == [1, 3]
    own = ASSIGNMENTS.replace("7", "8")
    assert api.call("PUT", own, {"ruleIDs": [1]}).get_json()["assignedRuleIDs"] == [1]


def test_delete_takes_one_rule_away(api: Api) -> None:
    own = ASSIGNMENTS.replace("7", "8")
    assert api.call("DELETE", f"{own}/3").get_json()["assignedRuleIDs"] == []
    assert api.call("DELETE", f"{own}/3").status_code == 404
    assert api.call("DELETE", f"{ASSIGNMENTS}/3").get_json()["assignedRuleIDs"] == [3]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (ASSIGNMENTS, {"ruleIDs": [2, 99]}, 404),
        ("/api/computers/70/intrusionprevention/assignments", {"ruleIDs": [2]}, 404),
        ("/api/computers/9/intrusionprevention/assignments", {"ruleIDs": [2]}, 400),
        (ASSIGNMENTS, {"ruleIDs": ["2"]}, 400),
        (ASSIGNMENTS, {"ruleIds": [2]}, 400),
        (ASSIGNMENTS, [2], 400),
        (ASSIGNMENTS, None, 400),
    ],
)
def test_a_wrong_assignment_changes_nothing(api: Api, path: str, body: Any, status: int) -> None:
    for method in ("POST", "PUT"):
        answer = api.call(method, path, body)
        assert answer.status_code == status
        assert answer.get_json()["message"]
    assert api.assigned() == [3]


def test_what_is_not_there_is_404_in_json(api: Api) -> None:
    for path in ("/api/computers/70", "/api/computers/web", "/api/computers/70/else", "/api/else"):
        answer = api.call("GET", path)
        assert answer.status_code == 404
        assert answer.get_json()["message"]
    assert api.call("GET", "/api/computers/70/intrusionprevention/assignments").status_code == 404
    assert api.call("DELETE", COMPUTER).status_code == 405


def test_the_limit_counts_the_last_60_seconds_and_not_what_it_refused() -> None:
    api = Api(requests_per_minute=2)
    assert [api.call("GET", COMPUTER).status_code for _ in range(2)] == [200, 200]
    refused = api.call("GET", COMPUTER)
    assert (refused.status_code, refused.get_json()) == (429, {"message": "Too many API requests"})
    assert "Retry-After" not in refused.headers
    other = {"Authorization": f"ApiKey {AUDITOR}"}
    assert api.call("GET", COMPUTER, headers=other).status_code == 200
    api.now += 60
    assert [api.call("GET", COMPUTER).status_code for _ in range(3)] == [200, 200, 429]


def test_a_wrong_item_leaves_the_estate_as_it_was(api: Api) -> None:
    with pytest.raises(EstateError):
        api.tenant.replace_computers([computer(1), {}])
    with pytest.raises(EstateError):
        api.tenant.replace_rules([{}])
    assert api.call("GET", COMPUTER).status_code == 200
    assert api.call("POST", ASSIGNMENTS, {"ruleIDs": [2]}).status_code == 200


def test_searches_are_reads_for_the_inbox(api: Api) -> None:
    seen: list[dict[str, Any]] = []

    def watching(environ: dict[str, Any], start: Any) -> Any:
        seen.append(environ)
        return api.tenant.app(environ, start)

    headers = {"Authorization": f"ApiKey {KEY}", "api-version": "v1"}
    client = Client(watching)
    client.post(SEARCH, json={"searchCriteria": [{}]}, headers=headers)
    client.post(ASSIGNMENTS, json={"ruleIDs": [2]}, headers=headers)
    assert [one.get(VERDICT_KEY) for one in seen] == [Verdict.READ, None]
    assert seen[0].get(REASON_KEY, "") == ""
