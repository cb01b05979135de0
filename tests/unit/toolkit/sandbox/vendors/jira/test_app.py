"""The Jira simulator over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from hub_toolkit.sandbox.vendors.jira import Jira
from hub_toolkit.sandbox.vendors.jira.issues import Issue

EMAIL, API_TOKEN = "bot@example.test", "t0ken"


class Clock:
    """A clock that stands until it is moved."""

    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def doc(text: str = "body") -> dict[str, Any]:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


class Site:
    """A client of one simulator that authenticates unless told otherwise."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.jira = Jira(self.clock, email=EMAIL, api_token=API_TOKEN, **options)
        self.client = Client(self.jira.app)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"Authorization": basic(f"{EMAIL}:{API_TOKEN}")}
        return self.client.open(
            f"/rest/api/3/{path}", method=method, json=body, headers=headers, **options
        )

    def create(self, **fields: Any) -> TestResponse:
        standard = {
            "project": {"key": "SEC"},
            "issuetype": {"name": "Task"},
            "summary": "web-01 is not protected",
        }
        return self.call("POST", "issue", {"fields": {**standard, **fields}})

    def created(self, **fields: Any) -> str:
        answer = self.create(**fields)
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["key"])

    def search(self, jql: str, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", "search/jql", {"jql": jql, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())


@pytest.fixture
def site() -> Site:
    return Site()


def refused(answer: TestResponse, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.get_json()
    assert set(body) == {"errorMessages", "errors"}
    return dict(body)


def test_an_issue_is_created_and_shown(site: Site) -> None:
    answer = site.create(description=doc(), labels=["hr-abc"], priority={"name": "High"})
    assert answer.status_code == 201
    body = answer.get_json()
    assert (body["id"], body["key"]) == ("10000", "SEC-1")
    assert body["self"] == "http://localhost/rest/api/3/issue/10000"
    shown = site.call("GET", "issue/SEC-1").get_json()["fields"]
    assert shown["description"] == doc()
    assert shown["labels"] == ["hr-abc"]
    assert shown["status"]["statusCategory"]["key"] == "new"
    assert shown["created"] == "2026-11-18T11:06:40.000+0000"
    assert site.created() == "SEC-2"


def test_only_wanted_fields_are_shown(site: Site) -> None:
    key = site.created()
    answer = site.call("GET", f"issue/{key}", query_string={"fields": "summary"}).get_json()
    assert answer["fields"] == {"summary": "web-01 is not protected"}


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 401),
        ("Bearer t0ken", 401),
        ("Basic", 401),
        ("Basic !!", 401),
        (basic("bot@example.test:wrong"), 401),
        (basic(f"{EMAIL}:{API_TOKEN}"), 200),
    ],
)
def test_the_account_authenticates_by_basic(site: Site, header: str, status: int) -> None:
    headers = {"Authorization": header} if header else {}
    assert site.client.get("/rest/api/3/myself", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"summary": ""}, "summary"),
        ({"summary": "s" * 256}, "summary"),
        ({"summary": "two\nlines"}, "summary"),
        ({"summary": None}, "summary"),
        ({"project": {"key": "NONE"}}, "project"),
        ({"project": "SEC"}, "project"),
        ({"issuetype": {"name": "Epic"}}, "issuetype"),
        ({"labels": ["two words"]}, "labels"),
        ({"labels": ["l" * 256]}, "labels"),
        ({"labels": "hr-abc"}, "labels"),
        ({"description": "plain text"}, "description"),
        ({"description": doc("t" * 32_768)}, "description"),
        ({"priority": {"name": "Urgent"}}, "priority"),
        ({"assignee": {"name": "user"}}, "assignee"),
        ({"duedate": "29.11.2026"}, "duedate"),
        ({"duedate": 20261129}, "duedate"),
        ({"customfield_10010": "x"}, "customfield_10010"),
    ],
)
def test_a_field_that_jira_refuses_is_named(site: Site, fields: dict[str, Any], field: str) -> None:
    assert list(refused(site.create(**fields))["errors"]) == [field]
    assert site.jira.tickets() == []


def test_missing_fields_are_all_named(site: Site) -> None:
    answer = site.call("POST", "issue", {"fields": {}})
    assert set(refused(answer)["errors"]) == {"project", "issuetype", "summary"}


def test_values_at_the_limits_are_taken(site: Site) -> None:
    site.created(
        summary="s" * 255,
        description=doc("t" * 32_767),
        labels=["l" * 255],
        duedate="2026-11-29",
        assignee={"accountId": "a"},
    )


def test_an_invalid_document_is_invalid_input(site: Site) -> None:
    wrong = {"type": "doc", "version": 1, "content": [{"type": "text", "text": "x"}]}
    assert refused(site.create(description=wrong))["errorMessages"] == ["INVALID_INPUT"]
    for body in (b"{", b"[]"):
        headers = {"Authorization": basic(f"{EMAIL}:{API_TOKEN}")}
        answer = site.client.post("/rest/api/3/issue", data=body, headers=headers)
        assert refused(answer)["errorMessages"] == ["INVALID_INPUT"]


def test_unknown_issues_and_routes_are_404(site: Site) -> None:
    for method, path in (("GET", "issue/SEC-9"), ("POST", "issue/SEC-9/comment"), ("GET", "x")):
        refused(site.call(method, path, {"body": doc()} if method == "POST" else None), 404)


def test_a_comment_is_a_document(site: Site) -> None:
    key = site.created()
    answer = site.call("POST", f"issue/{key}/comment", {"body": doc("more")})
    assert answer.status_code == 201
    assert answer.get_json()["body"] == doc("more")
    for wrong in ("plain", None, {"type": "doc"}, doc("t" * 32_768)):
        assert (
            "comment"
            in refused(site.call("POST", f"issue/{key}/comment", {"body": wrong}))["errors"]
        )
    comments = site.call("GET", f"issue/{key}/comment").get_json()
    assert comments["total"] == 1


def test_the_status_category_tells_which_transition_closes(site: Site) -> None:
    key = site.created()
    offered = site.call("GET", f"issue/{key}/transitions").get_json()["transitions"]
    (done,) = (each for each in offered if each["to"]["statusCategory"]["key"] == "done")
    assert done["to"]["name"] != "Done"
    body = {"transition": {"id": done["id"]}}
    assert site.call("POST", f"issue/{key}/transitions", body).status_code == 204
    status = site.call("GET", f"issue/{key}").get_json()["fields"]["status"]
    assert status["statusCategory"]["key"] == "done"


@pytest.mark.parametrize(
    "body",
    [{}, {"transition": "31"}, {"transition": {"id": "99"}}, {"transition": {"name": "Done"}}],
)
def test_an_unknown_transition_is_refused(site: Site, body: dict[str, Any]) -> None:
    refused(site.call("POST", f"issue/{site.created()}/transitions", body))


def test_an_edit_changes_fields_and_labels(site: Site) -> None:
    key = site.created(labels=["a", "b"])
    body = {
        "fields": {"summary": "new"},
        "update": {"labels": [{"add": "c"}, {"remove": "a"}]},
    }
    assert site.call("PUT", f"issue/{key}", body).status_code == 204
    fields = site.call("GET", f"issue/{key}").get_json()["fields"]
    assert (fields["summary"], fields["labels"]) == ("new", ["b", "c"])


@pytest.mark.parametrize(
    "body",
    [
        {"fields": {"summary": ""}},
        {"fields": {"status": {"name": "Done"}}},
        {"update": {"labels": [{"add": "two words"}]}},
        {"update": {"labels": [{"grow": "x"}]}},
        {"update": {"labels": "x"}},
        {"update": {"summary": [{"set": "x"}]}},
    ],
)
def test_a_wrong_edit_changes_nothing(site: Site, body: dict[str, Any]) -> None:
    key = site.created(labels=["a"])
    before = site.call("GET", f"issue/{key}").get_json()
    refused(site.call("PUT", f"issue/{key}", body))
    assert site.call("GET", f"issue/{key}").get_json() == before


def test_search_returns_ids_only_unless_told_otherwise(site: Site) -> None:
    site.created(labels=["hr-abc"])
    site.created()
    jql = 'project = SEC AND labels = "hr-abc"'
    assert site.search(jql) == {"issues": [{"id": "10000"}], "isLast": True}
    (found,) = site.search(jql, fields=["key", "summary"])["issues"]
    assert (found["key"], found["fields"]) == ("SEC-1", {"summary": "web-01 is not protected"})
    assert "status" in site.search(jql, fields=["*all"])["issues"][0]["fields"]


def test_search_pages_by_token_and_tells_no_total(site: Site) -> None:
    for _ in range(5):
        site.created()
    query = {"jql": "project = SEC ORDER BY key ASC", "maxResults": 2}
    seen: list[str] = []
    token = None
    while True:
        page = site.search(**query, **({"nextPageToken": token} if token else {}))
        assert "total" not in page
        seen += [issue["id"] for issue in page["issues"]]
        token = page.get("nextPageToken")
        if page["isLast"]:
            break
    assert seen == ["10000", "10001", "10002", "10003", "10004"]
    assert token is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"jql": ""},
        {"jql": "ORDER BY created"},
        {"jql": 7},
        {"jql": "project = NONE"},
        {"jql": "key = SEC-99"},
        {"jql": "text ~ x"},
        {"jql": "project = SEC", "maxResults": 0},
        {"jql": "project = SEC", "maxResults": 5001},
        {"jql": "project = SEC", "maxResults": "50"},
        {"jql": "project = SEC", "nextPageToken": "forged"},
        {"jql": "project = SEC", "nextPageToken": 7},
        {"jql": "project = SEC", "fields": "summary"},
        {"jql": "project = SEC", "reconcileIssues": ["10000"]},
        {"jql": "project = SEC", "reconcileIssues": list(range(51))},
    ],
)
def test_a_search_that_jira_refuses(site: Site, body: dict[str, Any]) -> None:
    site.created()
    refused(site.call("POST", "search/jql", body))


def test_search_sees_a_change_after_the_lag_unless_it_is_reconciled() -> None:
    site = Site(index_lag_s=5.0)
    key = site.created(labels=["hr-abc"])
    jql = "project = SEC AND labels = hr-abc AND statusCategory != Done"
    assert site.search(jql)["issues"] == []
    assert site.search(jql, reconcileIssues=[10000])["issues"] == [{"id": "10000"}]
    site.clock.now += 5
    assert site.search(jql)["issues"] == [{"id": "10000"}]
    site.call("POST", f"issue/{key}/transitions", {"transition": {"id": "31"}})
    assert site.search(jql)["issues"] == [{"id": "10000"}]
    assert site.search(jql, reconcileIssues=[10000])["issues"] == []
    site.clock.now += 5
    assert site.search(jql)["issues"] == []


def test_a_page_with_fields_is_shorter_than_asked_for(site: Site) -> None:
    for _ in range(101):
        site.created()
    page = site.search("project = SEC", fields=["summary"], maxResults=5000)
    assert (len(page["issues"]), page["isLast"]) == (100, False)
    assert len(site.search("project = SEC", maxResults=5000)["issues"]) == 101


def test_what_no_search_can_see_any_more_is_forgotten() -> None:
    issue = Issue("10000", "SEC-1", "http://localhost", 0.0, 0.0, {"summary": "s"})
    for second in range(100):
        issue.touch(float(second), lag_s=5.0)
    assert len(issue.history) <= 7
    assert issue.indexed(94.0) is not None


def test_the_old_search_is_gone(site: Site) -> None:
    assert (
        "search/jql"
        in refused(site.call("POST", "search", {"jql": "project = SEC"}), 410)["errorMessages"][0]
    )


def test_tickets_are_texts(site: Site) -> None:
    key = site.created(description=doc("the body"), labels=["hr-abc"])
    site.call("POST", f"issue/{key}/comment", {"body": doc("a comment")})
    assert site.jira.tickets() == [
        {
            "id": "SEC-1",
            "url": "http://localhost/browse/SEC-1",
            "summary": "web-01 is not protected",
            "status": "Backlog",
            "state": "open",
            "labels": ["hr-abc"],
            "comments": ["a comment"],
            "body": "the body",
        }
    ]


def test_the_page_of_an_issue_is_plain_text(site: Site) -> None:
    key = site.created(summary="<script>alert(1)</script>", description=doc("the body"))
    answer = site.client.get(f"/browse/{key}")
    assert answer.mimetype == "text/plain"
    assert "the body" in answer.text


STRICT = {"demands_resolution": True}


def turned(site: Site, key: str, transition: str, **fields: Any) -> TestResponse:
    body = {"transition": {"id": transition}, **({"fields": fields} if fields else {})}
    return site.call("POST", f"issue/{key}/transitions", body)


def test_a_strict_workflow_closes_only_with_a_resolution_of_its_screen() -> None:
    site = Site(**STRICT)
    key = site.created()
    path = f"issue/{key}/transitions"
    plain = site.call("GET", path).get_json()["transitions"]
    assert not any("fields" in one for one in plain)
    query = {"expand": "transitions.fields"}
    ways = site.call("GET", path, query_string=query).get_json()["transitions"]
    screens = {one["id"]: one["fields"] for one in ways}
    assert screens["11"] == {}
    assert screens["31"]["resolution"]["required"]
    assert list(refused(turned(site, key, "31"))["errors"]) == ["resolution"]
    assert list(refused(turned(site, key, "31", resolution={"id": "7"}))["errors"]) == [
        "resolution"
    ]
    assert list(refused(turned(site, key, "11", resolution={"id": "10000"}))["errors"]) == [
        "resolution"
    ]
    assert turned(site, key, "31", resolution={"name": "Duplicate"}).status_code == 204
    shown = site.call("GET", f"issue/{key}").get_json()["fields"]
    assert shown["resolution"]["name"] == "Duplicate"
    assert shown["resolutiondate"] == "2026-11-18T11:06:40.000+0000"
    assert turned(site, key, "11").status_code == 204
    shown = site.call("GET", f"issue/{key}").get_json()["fields"]
    assert (shown["resolution"], shown["resolutiondate"]) == (None, None)


def test_a_person_decides_and_search_sees_it_later() -> None:
    site = Site(index_lag_s=5.0)
    key = site.created()
    site.clock.now += 10
    for state in ("done", "declined", "open"):
        site.jira.decide(key, state)
        assert site.jira.tickets()[0]["state"] == state
    site.jira.decide(key, "done")
    assert site.search("statusCategory = done")["issues"] == []
    site.clock.now += 5
    assert len(site.search("statusCategory = done")["issues"]) == 1
    for ticket, state in (("SEC-9", "done"), (key, "lost")):
        with pytest.raises(KeyError):
            site.jira.decide(ticket, state)


def test_a_deleted_issue_is_nowhere_and_its_key_is_not_given_again(site: Site) -> None:
    site.created()
    key = site.created()
    assert site.call("DELETE", f"issue/{key}").status_code == 204
    refused(site.call("GET", f"issue/{key}"), 404)
    refused(site.call("POST", "search/jql", {"jql": f"key in (SEC-1, {key})"}))
    assert [one["id"] for one in site.jira.tickets()] == ["SEC-1"]
    assert site.created() == "SEC-3"


def test_issues_are_fetched_by_key_or_id_without_those_that_are_not_there(site: Site) -> None:
    first, second = site.created(), site.created()
    wanted = {"issueIdsOrKeys": [second.lower(), "10000", first, "SEC-9"], "fields": ["status"]}
    fetched = site.call("POST", "issue/bulkfetch", wanted).get_json()
    assert [one["key"] for one in fetched["issues"]] == [first, second]
    assert set(fetched["issues"][0]["fields"]) == {"status"}
    assert fetched["issueErrors"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"issueIdsOrKeys": []},
        {"issueIdsOrKeys": "SEC-1"},
        {"issueIdsOrKeys": [1]},
        {"issueIdsOrKeys": ["SEC-1"] * 101},
        {"issueIdsOrKeys": ["SEC-1"], "fields": "status"},
    ],
)
def test_a_wrong_fetch_is_refused(site: Site, body: dict[str, Any]) -> None:
    refused(site.call("POST", "issue/bulkfetch", body))


def test_linked_issues_show_each_other(site: Site) -> None:
    first, second = site.created(), site.created()
    link = {
        "type": {"name": "Relates"},
        "inwardIssue": {"key": second},
        "outwardIssue": {"key": first},
    }
    answer = site.call("POST", "issueLink", link)
    assert (answer.status_code, answer.data) == (201, b"")
    (shown,) = site.call("GET", f"issue/{second}").get_json()["fields"]["issuelinks"]
    assert shown["outwardIssue"]["key"] == first
    refused(site.call("POST", "issueLink", {**link, "type": {"name": "Haunts"}}), 404)
    refused(site.call("POST", "issueLink", {**link, "inwardIssue": {"key": "SEC-9"}}), 404)
    refused(site.call("POST", "issueLink", {**link, "outwardIssue": None}), 404)


def test_components_and_custom_fields_are_those_of_the_site() -> None:
    site = Site(components=("Cloud",), further=("customfield_1",))
    site.created(components=[{"name": "Cloud"}], customfield_1={"value": "x"})
    for wrong in (
        {"components": [{"name": "Sea"}]},
        {"components": "Cloud"},
        {"components": ["Cloud"]},
        {"customfield_1": "x" * 256},
        {"customfield_2": "x"},
    ):
        assert list(refused(site.create(**wrong))["errors"]) == list(wrong)
    screen = site.call("GET", "issue/createmeta/SEC/issuetypes/10001").get_json()["fields"]
    assert {"components", "customfield_1"} <= {one["fieldId"] for one in screen}
