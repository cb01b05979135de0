"""OpsItems through boto3: limits, the dedup string, filters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hub_toolkit.sandbox.aws_effects import OpsItems
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.opscenter import OpsCenter

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_795_000_000.0
ITEM = {"Title": "web-01 に保護なし", "Description": "No agent", "Source": "hub-responder"}


def dedup(text: str) -> dict[str, Any]:
    value = json.dumps({"dedupString": text})
    return {"OperationalData": {"/aws/dedup": {"Value": value, "Type": "SearchableString"}}}


@pytest.fixture
def center() -> OpsCenter:
    return OpsCenter(lambda: NOW, "ap-northeast-1", "111122223333")


@pytest.fixture
def client(center: OpsCenter, aws_client: Callable[..., Any]) -> Any:
    return aws_client("ssm", center.app)


def test_an_item_can_be_created_and_read(client: Any, center: OpsCenter) -> None:
    made = client.create_ops_item(**ITEM, Priority=1, Severity="1", Category="Security")
    item = client.get_ops_item(OpsItemId=made["OpsItemId"])["OpsItem"]
    assert {name: item[name] for name in ITEM} == ITEM
    assert (item["Status"], item["Priority"], item["Version"]) == ("Open", 1, "1")
    assert item["CreatedTime"].timestamp() == NOW
    assert item["OpsItemArn"] == made["OpsItemArn"]
    assert [one["OpsItemId"] for one in center.items()] == [made["OpsItemId"]]


def test_a_dedup_string_opens_one_item_until_it_is_resolved(client: Any) -> None:
    first = client.create_ops_item(**ITEM, **dedup("a"))["OpsItemId"]
    client.create_ops_item(**ITEM, **dedup("b"))
    client.create_ops_item(**ITEM)
    with pytest.raises(client.exceptions.OpsItemAlreadyExistsException) as refused:
        client.create_ops_item(**ITEM, **dedup("a"))
    assert refused.value.response["OpsItemId"] == first
    client.update_ops_item(OpsItemId=first, Status="Resolved")
    assert client.create_ops_item(**ITEM, **dedup("a"))["OpsItemId"] != first


def test_an_update_changes_what_it_names(client: Any) -> None:
    data = {"a": {"Value": "1", "Type": "String"}, "b": {"Value": "2", "Type": "String"}}
    item_id = client.create_ops_item(**ITEM, OperationalData=data)["OpsItemId"]
    client.update_ops_item(
        OpsItemId=item_id,
        Title="new",
        Status="InProgress",
        OperationalData={"c": {"Value": "3", "Type": "String"}},
        OperationalDataToDelete=["a"],
    )
    item = client.get_ops_item(OpsItemId=item_id)["OpsItem"]
    assert (item["Title"], item["Status"], item["Version"]) == ("new", "InProgress", "2")
    assert item["Description"] == ITEM["Description"]
    assert sorted(item["OperationalData"]) == ["b", "c"]


def test_people_decide_what_becomes_of_an_item(client: Any, center: OpsCenter) -> None:
    item_id = client.create_ops_item(**ITEM, **dedup("a"))["OpsItemId"]
    shown = OpsItems(center)

    def state() -> tuple[str, str]:
        (ticket,) = shown.tickets()
        return ticket["state"], ticket["status"]

    assert state() == ("open", "Open")
    for decision, status in (("declined", "Resolved"), ("done", "Resolved"), ("open", "Open")):
        shown.decide(item_id, decision)
        assert state() == (decision, status)
    with pytest.raises(KeyError):
        shown.decide("oi-000000000000", "done")
    with pytest.raises(KeyError):
        shown.decide(item_id, "lost")


def test_an_item_is_not_opened_again_beside_another_with_its_dedup_string(client: Any) -> None:
    first = client.create_ops_item(**ITEM, **dedup("a"))["OpsItemId"]
    client.update_ops_item(OpsItemId=first, Status="Resolved")
    second = client.create_ops_item(**ITEM, **dedup("a"))["OpsItemId"]
    client.update_ops_item(OpsItemId=second, Status="InProgress")
    with pytest.raises(client.exceptions.OpsItemAlreadyExistsException):
        client.update_ops_item(OpsItemId=first, Status="Open")
    client.update_ops_item(OpsItemId=second, Status="Resolved")
    client.update_ops_item(OpsItemId=first, Status="Open")


@pytest.mark.parametrize(
    "wrong",
    [
        {"Title": "x" * 1025},
        {"Title": " "},
        {"Description": "x" * 2049},
        {"Description": ""},
        {"Source": "x" * 129},
        {"Priority": 6},
        {"Priority": True},
        {"OperationalData": []},
        {"OperationalData": {"/aws/other": {"Value": "x"}}},
        {"OperationalData": {"ssm-x": {"Value": "x"}}},
        {"OperationalData": {"k" * 129: {"Value": "x"}}},
        {"RelatedOpsItems": [{"OpsItemId": "x"}]},
        {"OperationalData": {"a": {"Value": 1}}},
        {"OperationalData": {"a": {"Value": "x" * 20_481}}},
        {"OperationalData": {"a": {"Value": "x", "Type": "Number"}}},
        {"OperationalData": {"/aws/dedup": {"Value": "x"}}},
    ],
)
def test_limits(center: OpsCenter, wrong: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="OpsItemInvalidParameterException"):
        center.handle("CreateOpsItem", {**ITEM, **wrong})
    assert center.items() == []


def test_the_longest_texts_are_taken(center: OpsCenter) -> None:
    longest = {"Title": "題" * 1024, "Description": "x" * 2048}
    center.handle("CreateOpsItem", {**ITEM, **longest})
    for name in ITEM:
        with pytest.raises(AwsError, match=f"{name} is required"):
            center.handle("CreateOpsItem", {k: v for k, v in ITEM.items() if k != name})


def test_filters_and_pages(client: Any) -> None:
    ids = [
        client.create_ops_item(**{**ITEM, "Title": f"host {number}"}, **dedup(str(number)))[
            "OpsItemId"
        ]
        for number in range(3)
    ]
    client.update_ops_item(OpsItemId=ids[1], Status="Resolved")

    def found(*filters: tuple[str, str, str]) -> list[str]:
        asked = [{"Key": key, "Values": [value], "Operator": how} for key, how, value in filters]
        summaries = client.describe_ops_items(OpsItemFilters=asked)["OpsItemSummaries"]
        return [summary["OpsItemId"] for summary in summaries]

    assert found(("Status", "Equal", "Open")) == [ids[0], ids[2]]
    assert found(("OpsItemId", "Equal", ids[1])) == [ids[1]]
    assert found(("Title", "Contains", "host"), ("Status", "Equal", "Resolved")) == [ids[1]]
    assert found(("Source", "Equal", "other")) == []
    assert found(("OperationalDataValue", "Contains", '"2"')) == [ids[2]]
    pair = json.dumps({"key": "/aws/dedup", "value": '{"dedupString": "0"}'}, separators=(",", ":"))
    assert found(("OperationalData", "Equal", pair)) == [ids[0]]
    assert found(("CreatedTime", "GreaterThan", "2026-11-18T11:06:00Z")) == ids
    assert found(("CreatedTime", "LessThan", "2026-11-18T11:06:00Z")) == []
    pages = client.get_paginator("describe_ops_items").paginate(
        PaginationConfig={"PageSize": 2}, OpsItemFilters=[]
    )
    assert [len(page["OpsItemSummaries"]) for page in pages] == [2, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"OpsItemFilters": [{"Key": "Colour", "Values": ["x"], "Operator": "Equal"}]},
        {"OpsItemFilters": [{"Key": "Title", "Values": ["x"], "Operator": "Like"}]},
        {"OpsItemFilters": [{"Key": "Title", "Values": [], "Operator": "Equal"}]},
        {"MaxResults": 51},
        {"NextToken": "x"},
    ],
)
def test_questions_that_are_refused(center: OpsCenter, wrong: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="OpsItemInvalidParameterException"):
        center.handle("DescribeOpsItems", wrong)


def test_unknown_items_and_operations_are_refused(client: Any) -> None:
    for call in (client.get_ops_item, client.update_ops_item):
        with pytest.raises(client.exceptions.OpsItemNotFoundException):
            call(OpsItemId="oi-000000000000")
    with pytest.raises(client.exceptions.ClientError, match="has no ssm:GetParameter"):
        client.get_parameter(Name="x")
