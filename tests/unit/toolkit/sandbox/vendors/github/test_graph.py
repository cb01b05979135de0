"""The simulator's GraphQL and labels, as GitHub documents them."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox.vendors.github import GitHub

AUTH = {"Authorization": "Bearer t", "User-Agent": "u"}
ISSUES = "/repos/a/b/issues"


@pytest.fixture
def github() -> GitHub:
    made = GitHub(lambda: 1_795_000_000.0, token="t", repository="a/b")
    made_issue = Client(made.app).post(ISSUES, json={"title": "T", "labels": ["x"]}, headers=AUTH)
    assert made_issue.status_code == 201
    return made


def ask(github: GitHub, query: str, **variables: Any) -> dict[str, Any]:
    body = {"query": query, "variables": variables}
    answer = Client(github.app).post("/graphql", json=body, headers=AUTH)
    assert answer.status_code == 200
    return dict(answer.get_json())


def test_an_issue_is_told_with_the_reason_and_who_closed_it(github: GitHub) -> None:
    query = """{ repository(owner: "A", name: "b") { one: issue(number: 1) {
      state stateReason(enableDuplicate: true) closedAt labels(first: 1) { nodes { name } }
      timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {
        nodes { __typename ... on ClosedEvent { actor { login } } } } } } }"""
    one = ask(github, query)["data"]["repository"]["one"]
    assert (one["state"], one["stateReason"], one["closedAt"]) == ("OPEN", None, None)
    assert one["labels"] == {"nodes": [{"name": "x"}]}
    github.decide("a/b#1", "declined")
    one = ask(github, query)["data"]["repository"]["one"]
    assert (one["state"], one["stateReason"]) == ("CLOSED", "NOT_PLANNED")
    (event,) = one["timelineItems"]["nodes"]
    assert event == {"__typename": "ClosedEvent", "actor": {"login": "analyst"}}


def test_what_is_not_there_is_an_error_beside_the_rest(github: GitHub) -> None:
    query = """query($n: Int!) { repository(owner: "a", name: "b") {
      one: issue(number: 1) { number } two: issue(number: $n) { number } } }"""
    told = ask(github, query, n=2)
    assert told["data"]["repository"] == {"one": {"number": 1}, "two": None}
    (error,) = told["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["repository", "two"])
    assert error["message"] == "Could not resolve to an Issue with the number of 2."


@pytest.mark.parametrize("query", ["{", "", "{ viewer { login } }"])
def test_a_query_that_the_schema_refuses_is_refused_with_200(github: GitHub, query: str) -> None:
    told = ask(github, query)
    assert told["errors"]
    assert "data" not in told


def test_a_query_needs_the_token(github: GitHub) -> None:
    answer = Client(github.app).post(
        "/api/graphql", json={"query": "{ __typename }"}, headers={"User-Agent": "u"}
    )
    assert answer.status_code == 401


def test_labels_are_added_and_dropped_one_by_one(github: GitHub) -> None:
    client = Client(github.app)
    added = client.post(f"{ISSUES}/1/labels", json={"labels": ["p: 1", "X"]}, headers=AUTH)
    assert [one["name"] for one in added.get_json()] == ["x", "p: 1"]
    assert client.delete(f"{ISSUES}/1/labels/P%3A%201", headers=AUTH).status_code == 200
    assert client.delete(f"{ISSUES}/1/labels/p%3A%201", headers=AUTH).status_code == 404
    assert github.tickets()[0]["labels"] == ["x"]


def test_a_person_decides_only_what_there_is(github: GitHub) -> None:
    for ticket, state in (("a/b#2", "done"), ("a/b#1", "lost")):
        with pytest.raises(KeyError):
            github.decide(ticket, state)
