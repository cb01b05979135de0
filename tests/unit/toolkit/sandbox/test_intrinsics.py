from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hub_toolkit.sandbox.intrinsics import Resolver, TemplateError

PSEUDO = {"AWS::Region": "us-east-1", "AWS::StackName": "stack"}


def identify(logical_id: str, kind: str, properties: Mapping[str, Any]) -> Mapping[str, str]:
    name = str(properties.get("QueueName", logical_id))
    return {"Ref": f"url/{name}", "Arn": f"arn:{kind}:{name}"}


def resolver(
    resources: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    **sections: Any,
) -> Resolver:
    return Resolver({"Resources": resources or {}, **sections}, parameters or {}, PSEUDO, identify)


QUEUE = {"Type": "Q", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-q"}}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "Queue"}, "url/stack-q"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:Q:stack-q"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:Q:stack-q"),
        (
            {"Fn::Sub": "${AWS::Region}/${Queue}/${Queue.Arn}"},
            "us-east-1/url/stack-q/arn:Q:stack-q",
        ),
        ({"Fn::Sub": "${!literal}"}, "${literal}"),
        (
            {"Fn::Sub": ["${mine}-${AWS::Region}", {"mine": {"Ref": "Queue"}}]},
            "url/stack-q-us-east-1",
        ),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-us-east-1"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::FindInMap": ["Map", "a", "b"]}, "c"),
        ({"Fn::If": ["Yes", "then", "else"]}, "then"),
        ({"Fn::If": ["No", "then", "else"]}, "else"),
        ({"a": [{"Ref": "AWS::NoValue"}, 1], "b": {"Ref": "AWS::NoValue"}}, {"a": [1]}),
        ({"Ref": "AWS::NoValue"}, None),
        ({"plain": True, "n": 3}, {"plain": True, "n": 3}),
    ],
)
def test_an_intrinsic_is_replaced_by_its_value(expression: Any, value: Any) -> None:
    made = resolver(
        {"Queue": QUEUE},
        Mappings={"Map": {"a": {"b": "c"}}},
        Conditions={
            "Yes": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
        },
    )
    assert made.resolve(expression) == value


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"Fn::And": [{"Condition": "Yes"}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Fn::Equals": ["a", "b"]}]}, True),
    ],
)
def test_conditions_combine(expression: Any, holds: bool) -> None:
    made = resolver(Conditions={"Yes": {"Fn::Equals": ["a", "a"]}})
    assert made.condition(expression) is holds


def test_a_resource_whose_condition_fails_is_not_active() -> None:
    made = resolver(
        {"A": {"Type": "Q", "Condition": "No"}, "B": {"Type": "Q"}},
        Conditions={"No": {"Fn::Equals": ["a", "b"]}},
    )
    assert [made.active("A"), made.active("B")] == [False, True]


def test_parameters_have_defaults_and_lists_are_split() -> None:
    parameters = {
        "Stage": {"Type": "String", "Default": "prod"},
        "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
    }
    assert resolver(Parameters=parameters).resolve([{"Ref": "Stage"}, {"Ref": "Names"}]) == [
        "prod",
        ["a", "b"],
    ]
    given = resolver(parameters={"Stage": "dev"}, Parameters=parameters)
    assert given.resolve({"Ref": "Stage"}) == "dev"


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ({"Ref": "Nothing"}, "there is no parameter or resource Nothing"),
        ({"Fn::GetAtt": ["Queue", "Colour"]}, "no attribute Colour of Q"),
        ({"Fn::ImportValue": "x"}, "does not know Fn::ImportValue"),
        ({"Fn::If": ["Maybe", 1, 2]}, "there is no condition Maybe"),
        ({"Fn::FindInMap": ["Map", "a", "b"]}, r"no mapping Map\.a\.b"),
    ],
)
def test_what_is_not_known_is_an_error_that_names_it(expression: Any, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        resolver({"Queue": QUEUE}).resolve(expression, "here")


def test_a_parameter_without_a_value_is_an_error() -> None:
    with pytest.raises(TemplateError, match="Token has neither"):
        resolver(Parameters={"Token": {"Type": "String"}})
    with pytest.raises(TemplateError, match="no parameter Other"):
        resolver(parameters={"Other": "x"})


def test_a_name_that_depends_on_itself_is_an_error() -> None:
    circle = {"A": {"Type": "Q", "Properties": {"QueueName": {"Ref": "A"}}}}
    with pytest.raises(TemplateError, match="depends on itself"):
        resolver(circle).properties("A")
