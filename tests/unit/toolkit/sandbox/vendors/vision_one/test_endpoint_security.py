"""The rest of ``/v3.0/endpointSecurity`` in the Vision One simulator."""

from __future__ import annotations

import pytest

from estates import Api

BASE = "/v3.0/endpointSecurity"


@pytest.fixture
def api() -> Api:
    api = Api()
    api.tenant.replace_endpoints(
        [
            {"agentGuid": "a", "versionControlPolicy": "Servers", "agentUpdatePolicy": "n"},
            {"agentGuid": "b", "versionControlPolicy": "Default", "agentUpdatePolicy": "n - 1"},
            {"agentGuid": "c", "versionControlPolicy": "Servers", "agentUpdatePolicy": ""},
        ]
    )
    return api


def test_there_are_no_tasks_of_what_is_not_simulated(api: Api) -> None:
    found = api.filtered("status eq 'failed' and action eq 'export'", f"{BASE}/tasks")
    assert found.get_json() == {"totalCount": 0, "count": 0, "items": []}
    assert api.get(f"{BASE}/tasks/1").status_code == 404


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("status eq 'queued'", ""),
        ("endpointName eq 'a'", ""),
        ("status eq 'failed'", "?orderBy=agentGuid"),
        ("status eq 'failed'", "?top=10"),
    ],
)
def test_a_wrong_question_for_tasks_is_400(api: Api, text: str, query: str) -> None:
    assert api.filtered(text, f"{BASE}/tasks{query}").status_code == 400


def test_policies_are_those_that_endpoints_have(api: Api) -> None:
    path = f"{BASE}/versionControlPolicies"
    found = api.get(path).get_json()
    assert found["totalCount"] == 2
    assert [item["policyName"] for item in found["items"]] == ["Default", "Servers"]
    turned = api.get(path, query_string={"orderBy": "policyName desc"}).get_json()
    assert [item["policyName"] for item in turned["items"]] == ["Servers", "Default"]
    assert api.get(path, query_string={"orderBy": "name"}).status_code == 400
    agents = api.get(f"{path}/agentUpdatePolicies").get_json()["items"]
    assert [item["agentUpdatePolicy"] for item in agents] == ["n", "n - 1"]
