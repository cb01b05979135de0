"""Alerts and notes in the Vision One simulator."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from estates import Api
from hub_toolkit.sandbox.vendors.estate import EstateError

PATH = "/v3.0/workbench/alerts"
ONE = f"{PATH}/WB-1"


def alert(name: str, **changes: Any) -> dict[str, Any]:
    host = {"guid": "g-a", "name": "web-01", "ips": ["10.0.0.9"]}
    return {
        "id": name,
        "status": "Open",
        "investigationResult": "No Findings",
        "model": "Possible Credential Dumping",
        "severity": "high",
        "score": 64,
        "createdDateTime": "-PT2H",
        "impactScope": {"entities": [{"entityType": "host", "entityValue": host}]},
        "indicators": [{"type": "command_line", "value": "reg save"}],
        **changes,
    }


@pytest.fixture
def api() -> Api:
    api = Api()
    api.tenant.replace_alerts(
        [
            alert("WB-1"),
            alert("WB-2", severity="low", score=9, createdDateTime="-PT1H", status="Closed"),
            alert("WB-3", createdDateTime="-P2D"),
        ]
    )
    return api


def ids(api: Api, text: str = "", **query: str) -> list[str]:
    headers = {"TMV1-Filter": text} if text else {}
    answer = api.get(PATH, headers=headers, query_string=query)
    assert answer.status_code == 200, answer.text
    listed = answer.get_json()
    assert listed["count"] == len(listed["items"])
    return [item["id"] for item in listed["items"]]


def test_alerts_of_the_last_24_hours_are_listed_the_newest_first(api: Api) -> None:
    assert ids(api) == ["WB-2", "WB-1"]
    assert ids(api, startDateTime="2026-11-01T00:00:00Z") == ["WB-2", "WB-1", "WB-3"]
    assert ids(api, endDateTime="2026-11-18T09:30:00Z") == ["WB-1"]
    assert ids(api, dateTimeTarget="updatedDateTime") == ["WB-2", "WB-1"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("createdDateTime asc", ["WB-1", "WB-2"]),
        ("score desc", ["WB-1", "WB-2"]),
        ("score asc", ["WB-2", "WB-1"]),
        ("model,id", ["WB-2", "WB-1"]),
    ],
)
def test_alerts_are_sorted_by_several_fields(api: Api, order: str, expected: list[str]) -> None:
    assert ids(api, orderBy=order) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity eq 'high'", ["WB-1"]),
        ("not (status eq 'Closed') and severity eq 'high'", ["WB-1"]),
        ("impactScopeEntityValue eq 'web-01'", ["WB-2", "WB-1"]),
        ("contains(impactScopeEntityValue,'web')", ["WB-2", "WB-1"]),
        ("impactScopeEntityValue eq 'web'", []),
        ("contains(indicatorValue, 'save')", ["WB-2", "WB-1"]),
    ],
)
def test_alerts_are_filtered(api: Api, text: str, expected: list[str]) -> None:
    assert ids(api, text) == expected


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"top": "10"}, ""),
        ({"orderBy": "colour"}, ""),
        ({"startDateTime": "yesterday"}, ""),
        ({"startDateTime": "2026-11-18T11:06:40"}, ""),
        ({"dateTimeTarget": "lastSeen"}, ""),
        ({}, "severity eq 'huge'"),
        ({}, "host eq 'web-01'"),
        ({}, "model eq '" + "x" * 5000 + "'"),
    ],
)
def test_what_the_list_does_not_take_is_400(api: Api, query: dict[str, str], text: str) -> None:
    headers = {"TMV1-Filter": text} if text else {}
    assert api.get(PATH, headers=headers, query_string=query).status_code == 400


def test_the_next_page_keeps_the_parameters_of_the_first(api: Api) -> None:
    api.tenant.replace_alerts([alert(f"WB-{number:03}") for number in range(60)])
    first = api.get(PATH, query_string={"orderBy": "id asc"}).get_json()
    assert (first["totalCount"], first["count"]) == (60, 50)
    following = api.get(PATH, query_string=urlsplit(first["nextLink"]).query).get_json()
    assert [item["id"] for item in following["items"]] == [f"WB-{n:03}" for n in range(50, 60)]


def test_an_alert_is_changed_by_who_knows_its_state(api: Api) -> None:
    found = api.get(ONE)
    tag = found.headers["ETag"]
    assert found.get_json()["createdDateTime"] == "2026-11-18T09:06:40Z"
    change = {"status": "In Progress", "investigationResult": "Noteworthy"}
    answer = api.call("PATCH", ONE, change, headers={"If-Match": tag})
    assert (answer.status_code, answer.data) == (204, b"")
    changed = api.get(ONE)
    assert changed.get_json()["status"] == "In Progress"
    assert changed.get_json()["updatedDateTime"] == "2026-11-18T11:06:40Z"
    late = api.call("PATCH", ONE, {"status": "Closed"}, headers={"If-Match": tag})
    assert (late.status_code, late.get_json()["error"]["code"]) == (412, "ConditionNotMet")
    bare = {"If-Match": changed.headers["ETag"].strip('"')}
    assert api.call("PATCH", ONE, {"status": "Closed"}, headers=bare).status_code == 204


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"status": "Closed"}, {}, 400),
        ({"status": "Done"}, {"If-Match": "x"}, 400),
        ({"colour": "red"}, {"If-Match": "x"}, 400),
        ({}, {"If-Match": "x"}, 400),
        (None, {"If-Match": "x"}, 400),
    ],
)
def test_a_wrong_change_is_refused(
    api: Api, body: Any, headers: dict[str, str], status: int
) -> None:
    assert api.call("PATCH", ONE, body, headers=headers).status_code == status
    assert api.get(ONE).get_json()["status"] == "Open"


def test_notes_are_added_read_changed_and_deleted(api: Api) -> None:
    places = []
    for text in ("first", "受付サーバー"):
        answer = api.call("POST", f"{ONE}/notes", {"content": text})
        assert (answer.status_code, answer.data) == (201, b"")
        places.append(answer.headers["Location"].removeprefix("http://localhost"))
    assert places == [f"{ONE}/notes/1", f"{ONE}/notes/2"]
    listed = api.get(f"{ONE}/notes").get_json()["items"]
    assert [(note["id"], note["content"]) for note in listed] == [(2, "受付サーバー"), (1, "first")]
    note = api.get(places[0])
    assert note.get_json()["lastUpdatedBy"] is None
    tag = {"If-Match": note.headers["ETag"]}
    assert api.call("PATCH", places[0], {"content": "1st"}, headers=tag).status_code == 204
    assert api.call("PATCH", places[0], {"content": "2nd"}, headers=tag).status_code == 412
    assert api.get(places[0]).get_json()["content"] == "1st"
    assert api.filtered("id eq '1'", f"{ONE}/notes").get_json()["items"][0]["id"] == 1
    assert api.call("POST", f"{ONE}/notes/delete", [{"id": "2"}]).status_code == 204
    assert api.get(places[1]).status_code == 404
    api.call("POST", f"{ONE}/notes", {"content": "third"})
    assert [one["id"] for one in api.get(f"{ONE}/notes").get_json()["items"]] == [3, 1]


@pytest.mark.parametrize("body", [None, {}, {"content": " "}, {"content": 7}, {"text": "a"}])
def test_a_note_is_a_text(api: Api, body: Any) -> None:
    assert api.call("POST", f"{ONE}/notes", body).status_code == 400
    assert api.get(f"{ONE}/notes").get_json() == {"items": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"status": "Open"}),
        ("GET", "/notes", None),
        ("POST", "/notes", {"content": "a"}),
        ("GET", "/notes/1", None),
        ("PATCH", "/notes/1", {"content": "a"}),
        ("POST", "/notes/delete", [{"id": 1}]),
    ],
)
def test_what_is_not_there_is_404(api: Api, method: str, path: str, body: Any) -> None:
    answer = api.call(method, f"{PATH}/WB-9{path}", body, headers={"If-Match": "x"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "NotFound")


@pytest.mark.parametrize("wrong", [["text"], [{}], [{"id": 7}], [alert("WB-1"), alert("WB-1")]])
def test_an_item_that_is_no_alert_leaves_the_alerts_as_they_were(api: Api, wrong: Any) -> None:
    with pytest.raises(EstateError, match="alert"):
        api.tenant.replace_alerts(wrong)
    assert ids(api) == ["WB-2", "WB-1"]
