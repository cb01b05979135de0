"""GetFindings through boto3: filters that filter, order, and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub.attributes import ATTRIBUTES, Kind
from hub_toolkit.sandbox.security_hub.filters import compile_filters

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub_toolkit.sandbox.security_hub.hub import SecurityHub

    Make = Callable[..., dict[str, Any]]

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z


def string(comparison: str, *values: str) -> list[dict[str, str]]:
    return [{"Comparison": comparison, "Value": value} for value in values]


def tag(comparison: str, key: str, value: str) -> list[dict[str, str]]:
    return [{"Comparison": comparison, "Key": key, "Value": value}]


@pytest.fixture
def three(hub: SecurityHub, finding: Make) -> None:
    bucket = {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b", "Region": "us-east-1"}
    hub.seed(finding(Id="one", Confidence=90, Sample=True))
    hub.seed(
        finding(
            Id="two",
            Title="Open port",
            Types=["TTPs", "Effects"],
            UpdatedAt="2026-11-18T10:00:00Z",
            Severity={"Label": "LOW"},
            Resources=[bucket],
            Network={"SourceIpV4": "198.51.100.7", "SourcePort": 443},
        )
    )
    hub.seed(
        finding(
            Id="three",
            Types=["Effects"],
            Severity={"Label": "HIGH"},
            Workflow={"Status": "NOTIFIED"},
            UpdatedAt="2026-11-18T02:00:00+09:00",
            Resources=[bucket, {"Type": "AwsEc2Instance", "Id": "i-9", "Tags": {"env": "dev"}}],
            Note={"Text": "Ticket SEC-9", "UpdatedBy": "me", "UpdatedAt": "2026-11-17T00:00:00Z"},
        )
    )


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, "one two three"),
        ({"Id": string("EQUALS", "one", "two")}, "one two"),
        ({"Id": string("PREFIX", "t")}, "two three"),
        ({"Title": string("CONTAINS", "port", "none")}, "two"),
        ({"Title": string("NOT_CONTAINS", "port")}, "one three"),
        ({"Id": string("NOT_EQUALS", "one", "two")}, "three"),
        ({"Id": string("PREFIX_NOT_EQUALS", "o", "th")}, "two"),
        ({"Id": [*string("PREFIX", "t"), *string("NOT_EQUALS", "two")]}, "three"),
        ({"Type": string("EQUALS", "TTPs")}, "two"),
        ({"Type": string("NOT_EQUALS", "TTPs")}, "one three"),
        ({"ResourceType": string("EQUALS", "AwsEc2Instance")}, "one three"),
        ({"ResourceType": string("NOT_EQUALS", "AwsS3Bucket")}, "one"),
        (
            {
                "ResourceType": string("EQUALS", "AwsEc2Instance"),
                "SeverityLabel": string("EQUALS", "HIGH"),
            },
            "three",
        ),
        ({"WorkflowStatus": string("EQUALS", "NOTIFIED")}, "three"),
        ({"NoteText": string("NOT_CONTAINS", "SEC-9")}, "one two"),
        ({"VulnerabilitiesExploitAvailable": string("EQUALS", "YES")}, "one two three"),
        ({"SeverityNormalized": [{"Gte": 40}]}, "one three"),
        ({"SeverityNormalized": [{"Gt": 1, "Lt": 90}]}, "three"),
        ({"SeverityNormalized": [{"Eq": 1}, {"Eq": 90}]}, "one two"),
        ({"Confidence": [{"Lte": 100}]}, "one"),
        ({"NetworkSourcePort": [{"Eq": 443}]}, "two"),
        ({"UpdatedAt": [{"DateRange": {"Value": 1, "Unit": "DAYS"}}]}, "two three"),
        (
            {
                "UpdatedAt": [
                    {"DateRange": {"Value": 1, "Unit": "DAYS", "Comparison": "OLDER_THAN"}}
                ]
            },
            "one",
        ),
        (
            {"UpdatedAt": [{"Start": "2026-11-10T00:00:00Z", "End": "2026-11-17T17:00:00Z"}]},
            "one three",
        ),
        ({"NetworkSourceIpV4": [{"Cidr": "198.51.100.0/24"}]}, "two"),
        ({"ResourceAwsEc2InstanceIpV4Addresses": [{"Cidr": "203.0.113.9/32"}]}, "one"),
        ({"ResourceTags": tag("EQUALS", "env", "prod")}, "one"),
        (
            {"ResourceTags": [*tag("EQUALS", "env", "prod"), *tag("EQUALS", "env", "dev")]},
            "one three",
        ),
        ({"ResourceTags": tag("NOT_EQUALS", "env", "prod")}, "two three"),
        (
            {"ProductFields": tag("EQUALS", "aws/securityhub/ProductName", "Inspector")},
            "one two three",
        ),
        ({"Keyword": [{"Value": "sec-9"}]}, "three"),
        ({"Sample": [{"Value": True}]}, "one"),
        ({"Sample": [{"Value": False}]}, "two three"),
    ],
)
def test_filters(client: Any, filters: dict[str, Any], ids: str) -> None:
    found = client.get_findings(Filters=filters)["Findings"]
    assert [one["Id"] for one in found] == ids.split()


@pytest.mark.parametrize(
    "filters",
    [
        {"Colour": string("EQUALS", "red")},
        {"Id": []},
        {"Id": string("EQUALS", *map(str, range(21)))},
        {"Id": [{"Value": "x"}]},
        {"Id": string("CONTAINS_WORD", "x")},
        {"Id": [*string("EQUALS", "a"), *string("NOT_EQUALS", "b")]},
        {"Id": [*string("CONTAINS", "a"), *string("PREFIX", "b")]},
        {"ResourceTags": tag("PREFIX", "a", "b")},
        {"Confidence": [{}]},
        {"Confidence": [{"Gte": "1"}]},
        {"UpdatedAt": [{"Start": "now"}]},
        {"UpdatedAt": [{}]},
        {"UpdatedAt": [{"DateRange": {"Value": 1, "Unit": "HOURS"}}]},
        {"NetworkSourceIpV4": [{"Cidr": "x"}]},
        {"Sample": [{"Value": "yes"}]},
        {name: string("EQUALS", "x") for name in list(ATTRIBUTES)[:11]},
        [],
    ],
)
def test_filters_that_aws_refuses(filters: Any) -> None:
    with pytest.raises(AwsError, match="InvalidInputException"):
        compile_filters(filters, NOW)


def test_every_attribute_of_the_api_is_known_with_its_kind() -> None:
    shape = get_session().get_service_model("securityhub").shape_for("AwsSecurityFindingFilters")
    documented = {name: member.member.name for name, member in shape.members.items()}
    assert {name: kind.value for name, (kind, _) in ATTRIBUTES.items()} == documented


def test_every_path_leads_through_the_finding_format() -> None:
    service = get_session().get_service_model("securityhub")
    for name, (kind, path) in ATTRIBUTES.items():
        shape = service.shape_for("AwsSecurityFinding")
        for step in path:
            while shape.type_name == "list":
                shape = shape.member
            assert step in shape.members, f"{name}: {step}"
            shape = shape.members[step]
        while shape.type_name == "list":
            shape = shape.member
        assert (shape.type_name == "map") == (kind is Kind.MAP), name


@pytest.mark.usefixtures("three")
def test_sorted_by_attributes(client: Any) -> None:
    def ids(*criteria: tuple[str, str]) -> list[str]:
        asked = [{"Field": field, "SortOrder": order} for field, order in criteria]
        return [one["Id"] for one in client.get_findings(SortCriteria=asked)["Findings"]]

    assert ids(("SeverityNormalized", "desc")) == ["one", "three", "two"]
    assert ids(("Confidence", "asc"), ("Id", "desc")) == ["one", "two", "three"]
    with pytest.raises(client.exceptions.InvalidInputException):
        ids(("Colour", "asc"))


def test_pages(client: Any, hub: SecurityHub, finding: Make) -> None:
    for number in range(23):
        hub.seed(finding(Id=f"{number:02}"))
    assert len(client.get_findings()["Findings"]) == 10
    pages = client.get_paginator("get_findings").paginate(MaxResults=9)
    ids = [[one["Id"] for one in page["Findings"]] for page in pages]
    assert [len(page) for page in ids] == [9, 9, 5]
    assert [name for page in ids for name in page] == [f"{number:02}" for number in range(23)]
    token = client.get_findings(MaxResults=9)["NextToken"]
    for filters, other in (({"Id": string("PREFIX", "0")}, token), ({}, "x"), ({}, "bm9uZQ==")):
        with pytest.raises(client.exceptions.InvalidInputException):
            client.get_findings(Filters=filters, NextToken=other)
    for wrong in (0, 101):
        with pytest.raises(AwsError, match="InvalidInputException"):
            hub.handle("GetFindings", {"MaxResults": wrong})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Value", "Comparison", "Key", "Gte", "Start"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(list(ATTRIBUTES)), VALUES, max_size=2), VALUES)
def test_any_filters_are_refused_or_answer(filters: Any, value: Any) -> None:
    finding = dict.fromkeys(("Id", "Types", "Resources", "Network", "UpdatedAt", "Severity"), value)
    try:
        test = compile_filters(filters, NOW)
    except AwsError as error:
        assert error.code == "InvalidInputException"  # noqa: PT017 - either way is right
        return
    assert isinstance(test(finding), bool)
