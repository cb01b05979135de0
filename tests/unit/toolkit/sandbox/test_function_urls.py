"""Function URLs: what a function gets of a request, and what becomes of its answer."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox.function_urls import MAX_REQUEST, NEEDED, FunctionUrls
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.template import Plan, plan

PLACE = Place("stack", "111122223333", "us-east-1", "http://127.0.0.1:1")


class Function:
    """A function that keeps its events and answers as it is told."""

    def __init__(self, *, allowed: frozenset[str] = NEEDED) -> None:
        self.events: list[Any] = []
        self.payload: Any = {"statusCode": 204}
        self.error: dict[str, str] | None = None
        self.client = Client(FunctionUrls("f", allowed, self._invoke, lambda: 1_795_305_600.0))

    def _invoke(self, name: str, event: Any) -> Any:
        assert name == "f"
        self.events.append(event)
        return SimpleNamespace(payload=self.payload, error=self.error)

    def got(self, body: bytes, **headers: str) -> dict[str, Any]:
        """The event of a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.client.post("/desk?a=1", data=body, headers=named)
        event = self.events[-1]
        assert isinstance(event, dict)
        return event


def test_an_event_has_the_request_in_version_2_of_the_payload() -> None:
    event = Function().got(b'{"a": 1}', Content_Type="application/json", X_GitHub_Event="ping")
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/desk", "a=1")
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert event["headers"]["x-github-event"] == "ping"
    assert event["headers"]["content-type"] == "application/json"
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["time"] == "22/Nov/2026:00:00:00 +0000"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xff\xfe", {"Content_Type": "application/json"}),
        (b"a=1", {"Content_Type": "application/x-www-form-urlencoded"}),
        (b"text", {}),
        (b"{}", {"Content_Type": "application/json", "Content_Encoding": "gzip"}),
    ],
)
def test_what_is_no_text_comes_in_base64(body: bytes, headers: dict[str, str]) -> None:
    event = Function().got(body, **headers)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_a_request_without_a_body_has_none() -> None:
    assert "body" not in Function().got(b"")


def test_an_answer_is_a_response_or_its_body() -> None:
    function = Function()
    assert function.client.post("/").status_code == 204
    function.payload = {"statusCode": 418, "headers": {"X-A": "b"}, "body": "tea"}
    told = function.client.post("/")
    assert (told.status_code, told.headers["X-A"], told.data) == (418, "b", b"tea")
    function.payload = {"any": "thing"}
    assert function.client.post("/").json == {"any": "thing"}
    function.error = {"errorType": "KeyError"}
    assert function.client.post("/").status_code == 502


def test_a_request_over_the_limit_of_an_invocation_reaches_no_function() -> None:
    function = Function()
    assert function.client.post("/", data=b" " * (MAX_REQUEST + 1)).status_code == 413
    assert function.events == []


@pytest.mark.parametrize("left_out", sorted(NEEDED))
def test_without_both_permissions_nobody_reaches_the_function(left_out: str) -> None:
    function = Function(allowed=NEEDED - {left_out})
    assert function.client.post("/").status_code == 403
    assert function.events == []


def planned(*permissions: dict[str, Any]) -> Plan:
    resources = {
        "F": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"FunctionName": "f", "Handler": "a.b", "Layers": []},
        },
        "Url": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"TargetFunctionArn": {"Fn::GetAtt": ["F", "Arn"]}, "AuthType": "NONE"},
        },
    }
    for number, one in enumerate(permissions):
        given = {"FunctionName": {"Ref": "F"}, **one}
        resources[f"P{number}"] = {"Type": "AWS::Lambda::Permission", "Properties": given}
    return plan({"Resources": resources}, PLACE, {})


def test_the_template_says_which_functions_have_a_url_and_who_may_call_it() -> None:
    made = planned(
        {"Principal": "*", "Action": "lambda:InvokeFunctionUrl"},
        {"Principal": "events.amazonaws.com", "Action": "lambda:InvokeFunction"},
    )
    assert made.urls == {"f"}
    assert made.public == {"f": {"lambda:InvokeFunctionUrl"}}
