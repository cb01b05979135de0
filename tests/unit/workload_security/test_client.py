"""The client's calls, and what a gateway or a hostile server may answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import INSTANCE, playbook
from hub_responder.deadline import Deadline
from hub_responder.errors import (
    ConfigurationError,
    DeniedError,
    IncompleteError,
    PermanentError,
    TransientError,
)
from hub_responder.workload_security import client as module
from hub_responder.workload_security.client import Client, connect
from loopback import Cloud, Loopback, Reply
from workload import KEY, Workload, bare, by_agent, computer, rule

CVE = "CVE-2024-1234"
SECRET = "hub-responder/test/workload"


def ids(found: list[Any]) -> list[int]:
    return [each.id for each in found]


def test_an_instance_is_found_whoever_tells_of_it(workload: Workload, client: Client) -> None:
    workload.holds(bare(INSTANCE, ID=1), by_agent(INSTANCE, ID=2), computer("i-0other", ID=3))
    assert ids(client.by_instance(INSTANCE)) == [1, 2]
    criteria = [r.json["searchCriteria"] for r in workload.server.requests]
    test = {"stringTest": "equal", "stringValue": INSTANCE, "stringWildcards": False}
    assert criteria == [
        [{"fieldName": "ec2VirtualMachineSummary/instanceID", **test}],
        [{"fieldName": "noConnectorVirtualMachineSummary/instanceID", **test}],
    ]


def test_the_calls_bear_the_key_and_the_version(workload: Workload, client: Client) -> None:
    client.by_instance(INSTANCE)
    request = workload.server.requests[0]
    assert (request.method, request.path.partition("?")[0]) == ("POST", "/api/computers/search")
    assert request.headers["authorization"] == f"ApiKey {KEY}"
    assert request.headers["api-version"] == "v1"
    assert "computerSettings" not in request.path
    for part in ("computerStatus", "noConnectorVirtualMachineSummary", "intrusionPrevention"):
        assert f"expand={part}" in request.path


def test_a_tenant_without_the_second_field_is_searched_by_the_first(
    workload: Workload, client: Client
) -> None:
    workload.holds(computer(ID=1))
    workload.replies = [None, Reply(400, {"message": "Unknown field"})]
    assert ids(client.by_instance(INSTANCE)) == [1]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_other_trouble_of_the_second_search_is_no_answer(
    workload: Workload, client: Client, slept: list[float], status: int
) -> None:
    workload.holds(computer(ID=1))
    workload.replies = [None, Reply(status), Reply(status)]
    with pytest.raises((PermanentError, TransientError)):
        client.by_instance(INSTANCE)


def test_computers_are_found_by_agent_and_by_host(workload: Workload, client: Client) -> None:
    capitals = computer("i-3", ID=3, agentGUID="GUID-I-3")
    workload.holds(computer(ID=1), computer("i-2", ID=2, hostName="web_01"), capitals)
    assert ids(client.by_guid(f"GUID-{INSTANCE}")) == [1]
    assert ids(client.by_guid("guid-i-3")) == [3]
    assert ids(client.by_host("web_01")) == [2]
    assert client.by_host("web%") == []


@pytest.mark.parametrize(
    "search",
    [
        lambda client: client.by_instance(INSTANCE),
        lambda client: client.by_guid("guid-1"),
        lambda client: client.by_host("web-01"),
    ],
)
@pytest.mark.parametrize("found", [[computer("i-0other", hostName="x")], ["no computer"]], ids=str)
def test_a_search_that_was_not_heeded_proves_nothing(
    workload: Workload,
    client: Client,
    slept: list[float],
    search: Callable[[Client], object],
    found: list[Any],
) -> None:
    workload.server.replies(Reply(200, {"computers": found}))
    with pytest.raises(IncompleteError):
        search(client)


def test_all_computers_are_walked_in_the_order_of_their_ids(
    workload: Workload, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    held = [computer(f"i-{n}", ID=n) for n in (1, 2, 5, 6, 9)]
    held[2]["computerStatus"] = "wrong"
    workload.holds(*held)
    pages = list(client.pages())
    assert [[each and each.id for each in page] for page in pages] == [[1, 2], [None, 6], [9]]
    asked = [r.json["searchCriteria"][0]["idValue"] for r in workload.server.requests]
    assert asked == [0, 2, 6, 9]
    assert all(r.json["sortByObjectID"] for r in workload.server.requests)


@pytest.mark.parametrize("computers", [[computer(ID=1)], [{"no": "id"}]], ids=["same", "no id"])
def test_paging_that_does_not_go_on_is_stopped(
    workload: Workload, client: Client, computers: list[Any]
) -> None:
    workload.server.replies(Reply(200, {"computers": computers}))
    with pytest.raises(IncompleteError, match="does not follow"):
        list(client.pages())
    assert len(workload.server.requests) <= 2


def test_paging_without_end_is_stopped(
    workload: Workload, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 3)
    numbers = iter(range(1, 100))
    workload.server.answer = lambda _: Reply(200, {"computers": [computer(ID=next(numbers))]})
    with pytest.raises(IncompleteError, match="does not end"):
        list(client.pages())


def test_only_rules_that_name_exactly_this_cve_count(workload: Workload, client: Client) -> None:
    rules = [
        rule(11, CVE, "CVE-2024-9999"),
        rule(12, "CVE-2024-12345"),
        rule(13, "CVE-2024-12345", CVE),
        rule(14, "CVE-2025-1234"),
    ]
    workload.holds(rules=rules)
    assert ids(list(client.rules_for(CVE))) == [11, 13]
    (request,) = workload.server.requests
    assert request.json["searchCriteria"] == [
        {"fieldName": "CVE", "stringTest": "equal", "stringValue": f"%{CVE}%"}
    ]


@pytest.mark.parametrize(
    "cve",
    [
        "",
        "%",
        f"{CVE}%",
        "CVE-2024-123",
        "cve-2024-1234",
        f"{CVE} ",
        "CVE-2024-\uff11\uff12\uff13\uff14",
    ],
)
def test_nothing_but_a_cve_id_is_ever_sent(workload: Workload, client: Client, cve: str) -> None:
    with pytest.raises(ConfigurationError):
        client.rules_for(cve)
    assert workload.server.requests == []


@given(st.text(max_size=30))
def test_no_text_but_a_cve_id_gets_out(cve: str) -> None:
    client = Client(
        "x", "https://nowhere.invalid", lambda _: pytest.fail("sent"), Deadline.after(60)
    )
    with pytest.raises(ConfigurationError):
        client.rules_for(cve)


def test_too_many_rules_are_no_answer(
    workload: Workload, client: Client, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RULES", 2)
    workload.holds(rules=[rule(11, CVE), rule(12, CVE)])
    with pytest.raises(IncompleteError, match="too many rules"):
        client.rules_for(CVE)


def test_a_rule_is_read_as_it_is_on_the_computer(workload: Workload, client: Client) -> None:
    workload.holds(computer(_rules={"11": {"detectOnly": True}}), rules=[rule(11, CVE)])
    assert client.rule_on(34, 11).detect_only
    assert workload.server.requests[0].path == "/api/computers/34/intrusionprevention/rules/11"


def test_rules_are_added_to_those_that_are_there(workload: Workload, client: Client) -> None:
    workload.holds(computer(), rules=[rule(12), rule(13)])
    client.assign(34, [12, 13])
    assert client.get(34).rules == (11, 12, 13)
    (request,) = workload.asked("/assignments")
    assert (request.method, request.json) == ("POST", {"ruleIDs": [12, 13]})


@pytest.mark.parametrize(
    "trouble", [Reply(503), Reply(429, None, {"Retry-After": "1"}), Reply(hang_up=True)], ids=repr
)
def test_assigning_is_not_repeated(
    workload: Workload, client: Client, slept: list[float], trouble: Reply
) -> None:
    workload.holds(computer(ID=34))
    workload.replies = [trouble]
    with pytest.raises(TransientError) as raised:
        client.assign(34, [13])
    assert (slept, len(workload.server.requests)) == ([], 1)
    assert raised.value.sent is (trouble.status != 429)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "Invalid\nrule ID: 13"}, "answered 400: Invalid rule ID: 13"),
        ({"message": "m" * 999}, "answered 400: " + "m" * 119 + "…"),
        ({"message": 7}, "answered 400"),
        (b"<html>", "answered 400"),
    ],
)
def test_a_refusal_says_why_in_one_line(
    workload: Workload, client: Client, body: object, said: str
) -> None:
    workload.server.replies(Reply(400, body))
    with pytest.raises(PermanentError) as raised:
        client.assign(34, [13])
    assert str(raised.value).endswith(said)


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
        Reply(200, b"<html>proxy</html>", {"Content-Type": "text/html"}),
        Reply(200, b'{"computers": ['),
        Reply(200, b'{"computers": []}', {"Content-Length": "900"}),
        Reply(200, {"computers": {}}),
        Reply(200, ["computers"]),
        Reply(200, b"[" * 100_000),
        Reply(hang_up=True),
        Reply(429, None, {"Retry-After": "1"}),
    ],
    ids=repr,
)
def test_passing_trouble_of_a_search_is_tried_once_more(
    workload: Workload, client: Client, slept: list[float], trouble: Reply
) -> None:
    workload.holds(computer())
    workload.replies = [trouble]
    assert len(client.by_instance(INSTANCE)) == 1
    assert len(slept) == 1
    workload.replies = [trouble, trouble]
    with pytest.raises(TransientError):
        client.by_instance(INSTANCE)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "30"}])
def test_a_long_wait_is_not_slept_but_handed_on(
    workload: Workload, client: Client, slept: list[float], headers: dict[str, str]
) -> None:
    workload.server.replies(Reply(429, {"message": "Too many API requests"}, headers))
    with pytest.raises(TransientError) as raised:
        client.by_instance(INSTANCE)
    assert (raised.value.status, slept, len(workload.server.requests)) == (429, [], 1)
    assert raised.value.retry_after == (30.0 if headers else None)


def test_an_endless_body_is_not_read(
    workload: Workload, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    workload.server.replies(Reply(200, {"computers": ["x" * 5000]}))
    with pytest.raises(PermanentError, match="more than 1,000 bytes"):
        client.by_instance(INSTANCE)


@pytest.mark.parametrize("item", [{}, [], {"ID": 35}, computer(ID=35)], ids=repr)
def test_another_computer_than_was_asked_for_is_no_answer(
    workload: Workload, client: Client, slept: list[float], item: object
) -> None:
    workload.server.replies(Reply(200, json.dumps(item).encode()))
    with pytest.raises(IncompleteError):
        client.get(34)


def test_a_refused_key_is_denied_and_not_in_the_error(workload: Workload, client: Client) -> None:
    workload.server.replies(Reply(403, {"message": KEY}))
    with pytest.raises(DeniedError) as raised:
        client.by_instance(INSTANCE)
    assert KEY not in str(raised.value)


def connections(server: Loopback, **settings: Any) -> dict[str, dict[str, Any]]:
    own = {"type": "workload_security", "base_url": server.url, **settings}
    linked = {"type": "vision_one", "workload_security": "workload"}
    return {"workload": own, "vision-one": linked, "alone": {"type": "vision_one"}}


@pytest.mark.parametrize(
    ("key", "header", "value"),
    [("cloud_one", "authorization", f"ApiKey {KEY}"), ("console", "api-secret-key", KEY)],
)
@pytest.mark.parametrize("name", ["workload", "vision-one"])
def test_a_connection_leads_to_a_client_with_its_secret(
    workload: Workload, cloud: Cloud, *, key: str, header: str, value: str, name: str
) -> None:
    cloud.secrets[SECRET] = {"api_key": KEY}
    held = playbook(connections=connections(workload.server, key=key))
    made = connect(held, name, "test", Deadline.after(60))
    workload.server.replies(Reply(200, {"computers": []}))
    made.by_instance(INSTANCE)
    assert made.name == "workload"
    assert workload.server.requests[0].headers[header] == value


def test_a_rotated_key_is_read_again(workload: Workload, cloud: Cloud) -> None:
    cloud.secrets[SECRET] = {"api_key": "0ld"}
    made = connect(connections(workload.server), "workload", "test", Deadline.after(60))
    with pytest.raises(DeniedError):
        made.by_instance(INSTANCE)
    cloud.secrets[SECRET] = {"api_key": KEY}
    workload.holds(computer())
    assert len(made.by_instance(INSTANCE)) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none", "no connection 'none'"),
        ("alone", "give it `workload_security`"),
        ("chat", "of type sns"),
    ],
)
def test_a_connection_that_leads_nowhere_is_refused(
    workload: Workload, name: str, said: str
) -> None:
    held = connections(workload.server) | {"chat": {"type": "sns"}}
    with pytest.raises(ConfigurationError, match=said):
        connect(held, name, "test", Deadline.after(60))


@pytest.mark.parametrize("key", ["", "two words", "k\u00e9y", "k\ny"])
def test_a_key_that_no_header_carries_is_refused(
    workload: Workload, cloud: Cloud, *, key: str
) -> None:
    cloud.secrets[SECRET] = {"api_key": key}
    made = connect(connections(workload.server), "workload", "test", Deadline.after(60))
    with pytest.raises(ConfigurationError):
        made.by_instance(INSTANCE)
    assert workload.server.requests == []


def test_no_call_is_made_without_time(workload: Workload, client: Client) -> None:
    with pytest.raises(TransientError, match="no time left"):
        replace(client, deadline=Deadline.after(1)).by_instance(INSTANCE)
    assert workload.server.requests == []
