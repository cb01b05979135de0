"""The ServiceNow simulator over HTTP: traps, refusals and limits as documented."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from hub_toolkit.sandbox.vendors.servicenow import ServiceNow

NOW = 1_795_000_000.0
KEY = {"x-sn-apikey": "k"}
SECRET = {"client_id": "c", "client_secret": "s"}


class Site:
    """A client of one simulator that authenticates by key."""

    def __init__(self, **options: Any) -> None:
        self.at = NOW
        chosen = {"auth": "api_key", "secret": {"api_key": "k"}, **options}
        self.now = ServiceNow(lambda: self.at, **chosen)
        self.client = Client(self.now.app)

    def call(self, method: str, path: str = "", body: Any = None, **query: str) -> TestResponse:
        url = f"/api/now/table/{path or 'incident'}"
        return self.client.open(url, method=method, json=body, query_string=query, headers=KEY)

    def made(self, **values: str) -> dict[str, Any]:
        answer = self.call("POST", body={"short_description": "s", **values})
        assert answer.status_code == 201
        return dict(answer.get_json()["result"])

    def numbers(self, query: str) -> list[str]:
        answer = self.call("GET", sysparm_query=query, sysparm_fields="number")
        return [one["number"][-1] for one in answer.get_json()["result"]]


def refused(answer: TestResponse, status: int) -> str:
    assert answer.status_code == status
    body = answer.get_json()
    assert body["status"] == "failure"
    return f"{body['error']['message']}: {body['error']['detail']}"


def test_a_record_is_made_with_what_the_table_has_and_a_computed_priority() -> None:
    site = Site()
    made = site.made(impact="1", urgency="2", priority="5", nonsense="x", correlation_id="c" * 200)
    assert (made["number"], made["state"], made["priority"]) == ("INC0010001", "1", "2")
    assert "nonsense" not in made
    assert made["correlation_id"] == "c" * 100
    assert made["sys_created_on"] == "2026-11-18 11:06:40"
    assert site.call("POST", "sn_si_incident", {}).get_json()["result"]["number"] == "SIR0010001"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "123"),
        ("correlation_id=b", "2"),
        ("correlation_id=B", "2"),
        ("correlation_id!=b", "13"),
        ("correlation_idINa,c", "13"),
        ("correlation_idNOT INa,c", "2"),
        ("correlation_idLIKEb", "2"),
        ("correlation_idSTARTSWITHa^ORcorrelation_id=c", "13"),
        ("correlation_id=a^correlation_id=b", ""),
        ("parentISEMPTY^ORDERBYDESCnumber", "321"),
        ("nonsense=b", "123"),
        ("correlation_id~b", "123"),
        ("correlation_id=a^nonsense=b", "1"),
        ("^^", "123"),
    ],
)
def test_what_a_query_does_not_understand_is_left_out(query: str, found: str) -> None:
    site = Site()
    for name in "abc":
        site.made(correlation_id=name)
    assert "".join(site.numbers(query)) == found


def test_with_the_property_an_invalid_query_finds_nothing() -> None:
    site = Site(no_rows=True)
    site.made(correlation_id="a")
    assert site.numbers("correlation_id=a") == ["1"]
    assert site.numbers("correlation_id=a^nonsense=b") == []


def test_pages_tell_how_many_there_are() -> None:
    site = Site()
    for _ in range(3):
        site.made()
    answer = site.call("GET", sysparm_limit="2", sysparm_offset="2")
    assert len(answer.get_json()["result"]) == 1
    assert answer.headers["X-Total-Count"] == "3"


def test_a_journal_has_a_display_value_only() -> None:
    site = Site()
    path = f"incident/{site.made()['sys_id']}"
    site.call("PATCH", path, {"work_notes": "one"})
    assert site.call("GET", path).get_json()["result"]["work_notes"] == ""
    told = site.call("GET", path, sysparm_display_value="all", sysparm_fields="work_notes,state")
    assert told.get_json()["result"] == {
        "work_notes": {
            "display_value": "2026-11-18 11:06:40 - hub-responder (Work notes)\none\n\n",
            "value": "",
        },
        "state": {"display_value": "New", "value": "1"},
    }


def test_resolving_needs_a_code_and_notes_and_a_closed_one_is_read_only() -> None:
    site = Site()
    path = f"incident/{site.made()['sys_id']}"
    why = refused(site.call("PATCH", path, {"state": "6", "work_notes": "n"}), 403)
    assert "Data Policy Exception" in why
    assert "Resolution code, Resolution notes" in why
    assert site.now.tickets()[0]["comments"] == []
    ending = {"close_code": "c", "close_notes": "n"}
    resolved = site.call("PATCH", path, {"state": "6", **ending}).get_json()["result"]
    assert (resolved["active"], resolved["resolved_by"]) == ("true", "hub-responder")
    closed = site.call("PATCH", path, {"state": "7"}).get_json()["result"]
    assert (closed["active"], closed["closed_at"]) == ("false", "2026-11-18 11:06:40")
    assert "security constraints" in refused(site.call("PATCH", path, {"state": "2"}), 403)


def test_what_is_not_there_is_told_as_documented() -> None:
    site = Site()
    assert "No Record found" in refused(site.call("GET", "incident/" + "0" * 32), 404)
    assert "Invalid table" in refused(site.call("GET", "nonsense"), 400)
    refused(site.client.get("/api/now/nonsense", headers=KEY), 400)
    refused(site.call("POST", body=[1]), 400)
    refused(site.client.get("/api/now/table/incident"), 401)


def test_a_token_is_given_again_until_its_end() -> None:
    site = Site(auth="oauth", secret=SECRET)

    def token(**form: str) -> TestResponse:
        return site.client.post("/oauth_token.do", data=form)

    right = {"grant_type": "client_credentials", **SECRET}
    first = token(**right).get_json()
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 1800)
    site.at += 1000
    again = token(**right).get_json()
    assert (again["access_token"], again["expires_in"]) == (first["access_token"], 800)
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    assert site.client.get("/api/now/table/incident", headers=bearer).status_code == 200
    site.at += 800
    assert site.client.get("/api/now/table/incident", headers=bearer).status_code == 401
    assert token(**right).get_json()["access_token"] != first["access_token"]
    assert token(**{**right, "client_secret": "x"}).status_code == 401
    assert token(**{**right, "grant_type": "password"}).status_code == 401


def test_a_rule_counts_the_hour() -> None:
    site = Site(per_hour=2)
    assert [site.call("GET").status_code for _ in range(3)] == [200, 200, 429]
    limited = site.call("GET")
    assert limited.headers["Retry-After"] == str(round(3600 - NOW % 3600))
    site.at += float(limited.headers["Retry-After"])
    assert site.call("GET").status_code == 200


def test_while_it_sleeps_it_answers_with_a_page() -> None:
    site = Site()
    site.now.asleep = True
    answer = site.call("POST", body={"short_description": "s"})
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert site.now.tickets() == []


def test_a_person_decides_and_the_page_shows_it() -> None:
    site = Site()
    site.made(description="body")
    for state, status in (("done", "Resolved"), ("open", "In Progress"), ("declined", "Canceled")):
        site.now.decide("INC0010001", state)
        one = site.now.tickets()[0]
        assert (one["state"], one["status"]) == (state, status)
    page = site.client.get(one["url"])
    assert page.text.startswith("INC0010001 [Canceled] s\n\nbody")
    for ticket, state in (("INC0010002", "done"), ("INC0010001", "lost")):
        with pytest.raises(KeyError):
            site.now.decide(ticket, state)
