"""What CloudTrail's events become in the trail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder import api_calls
from hub_responder.errors import UnreadableEvent

ADA = "arn:aws:sts::111122223333:assumed-role/Admin/ada"


def call(operation: str, parameters: Any, **detail: Any) -> dict[str, Any]:
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventID": "e-1",
            "eventTime": "2026-11-20T01:02:03Z",
            "eventName": operation,
            "eventSource": "lambda.amazonaws.com",
            "awsRegion": "us-east-1",
            "recipientAccountId": "111122223333",
            "sourceIPAddress": "203.0.113.7",
            "userIdentity": {"type": "AssumedRole", "arn": ADA},
            "requestParameters": parameters,
            "readOnly": False,
            **detail,
        },
    }


def told(*events: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(api_calls.records(events))


def test_a_change_names_who_did_what_to_what_from_where_and_keeps_the_event() -> None:
    event = call("UpdateFunctionCode20150331v2", {"functionName": "hub-responder-prod-guard"})
    ((kind, fields),) = told(event)
    assert kind == "cloudtrail"
    assert (fields["actor"], fields["uses"]) == (ADA, "UpdateFunctionCode20150331v2")
    assert fields["detail"] == "UpdateFunctionCode20150331v2 on hub-responder-prod-guard"
    assert fields["source"] == {
        "operation": "UpdateFunctionCode20150331v2",
        "service": "lambda",
        "endpoint": "203.0.113.7",
        "ip": "203.0.113.7",
    }
    assert fields["status"] == "done"
    assert fields["trigger"]["event_id"] == "e-1"
    assert json.loads(fields["texts"]["records"]["e-1"]) == event["detail"]


def test_what_was_refused_has_failed_and_a_service_is_called_by_its_name() -> None:
    event = call(
        "DeleteRule",
        {"name": "hub-responder-prod-x"},
        errorCode="AccessDenied",
        sourceIPAddress="cloudformation.amazonaws.com",
        userIdentity={"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"},
    )
    ((_, fields),) = told(event)
    assert (fields["status"], fields["error"]) == ("failed", "AccessDenied")
    assert fields["detail"] == "DeleteRule on hub-responder-prod-x: AccessDenied"
    assert fields["actor"] == "cloudformation.amazonaws.com"
    assert fields["source"]["endpoint"] == "cloudformation.amazonaws.com"
    assert "ip" not in fields["source"]


def test_reads_of_one_principal_are_one_record_that_counts_them() -> None:
    reads = [
        call(
            "GetObject",
            {"bucketName": "archive", "key": f"digests/{n}.json"},
            readOnly=True,
            userIdentity={"arn": who},
        )
        for n, who in enumerate([ADA, ADA, "arn:aws:iam::111122223333:user/eve", ADA])
    ]
    found = {fields["actor"]: (kind, fields) for kind, fields in told(*reads)}
    assert {who: (kind, fields["count"]) for who, (kind, fields) in found.items()} == {
        ADA: ("read", 3),
        "arn:aws:iam::111122223333:user/eve": ("read", 1),
    }
    assert found[ADA][1]["detail"] == (
        "GetObject 3 times on archive: digests/0.json, digests/1.json, digests/3.json"
    )


def test_a_key_that_no_parameter_names_is_named_by_the_resources() -> None:
    arn = "arn:aws:kms:us-east-1:111122223333:key/1"
    event = call("DisableKey", {}, eventSource="kms.amazonaws.com", resources=[{"ARN": arn}])
    assert told(event)[0][1]["detail"] == f"DisableKey on {arn}"


@pytest.mark.parametrize("name", ["uUID", "uuid", "UUID"])
def test_a_source_that_is_stopped_is_named_however_its_uuid_is_spelled(name: str) -> None:
    event = call("UpdateEventSourceMapping20150331", {name: "b0b0-1", "enabled": False})
    assert told(event)[0][1]["detail"] == "UpdateEventSourceMapping20150331 on b0b0-1"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"detail": 7}', "[" * 5000, "\ud800"])
def test_what_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(UnreadableEvent):
        api_calls.read(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(
            ["userIdentity", "requestParameters", "resources", "readOnly", "eventName", "errorCode"]
        ),
        _JSON,
    )
)
def test_whatever_an_event_says_there_is_a_record_of_bounded_size(detail: dict[str, Any]) -> None:
    ((_, fields),) = told({"detail": detail})
    assert fields["actor"]
    assert len(fields["detail"]) <= 300
    bounded = {name: value for name, value in fields.items() if name != "texts"}
    assert len(json.dumps(bounded)) < 4000
