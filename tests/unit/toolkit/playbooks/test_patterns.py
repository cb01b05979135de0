"""Which EventBridge patterns are taken."""

from __future__ import annotations

import json

import pytest

from hub_toolkit.playbooks.document import parse
from hub_toolkit.playbooks.patterns import check, resource_types
from hub_toolkit.playbooks.problems import Problem


def _problems(text: str, schema: str = "ASFF") -> list[str]:
    problems: list[Problem] = []
    check(parse(text, "f"), schema, problems)
    return [str(problem) for problem in sorted(problems)]


@pytest.mark.parametrize(
    "leaf",
    [
        "CRITICAL",
        "",
        3,
        2.5,
        True,
        None,
        {"prefix": "a"},
        {"prefix": {"equals-ignore-case": "a"}},
        {"suffix": "z"},
        {"equals-ignore-case": "a"},
        {"wildcard": "a*b*"},
        {"anything-but": "a"},
        {"anything-but": 3},
        {"anything-but": ["a", "b"]},
        {"anything-but": [1, 2]},
        {"anything-but": {"prefix": "a"}},
        {"anything-but": {"wildcard": ["a*", "*b"]}},
        {"numeric": ["=", 5]},
        {"numeric": [">", 0, "<=", 5]},
        {"exists": False},
        {"cidr": "10.0.0.0/24"},
        {"cidr": "2001:db8::/32"},
    ],
)
def test_eventbridge_operators_are_taken(leaf: object) -> None:
    assert _problems(json.dumps({"unmapped": [leaf]}), "OCSF") == []


@pytest.mark.parametrize(
    "leaf",
    [
        ["a"],
        {},
        {"prefix": "a", "suffix": "b"},
        {"prefix": 3},
        {"prefix": ""},
        {"wildcard": "a**"},
        {"anything-but": []},
        {"anything-but": [1, "a"]},
        {"anything-but": {"cidr": "10.0.0.0/8"}},
        {"numeric": [">"]},
        {"numeric": [">", True]},
        {"numeric": ["<", 5, ">", 0]},
        {"numeric": [">", 5, "<", 0]},
        {"numeric": ["=>", 5]},
        {"exists": "yes"},
        {"cidr": "10.0.0.0"},
        {"cidr": "10.0.0.999/24"},
        {"regex": "a"},
    ],
)
def test_anything_else_is_refused(leaf: object) -> None:
    assert len(_problems(json.dumps({"unmapped": [leaf]}), "OCSF")) == 1


def test_or_takes_two_alternatives_or_more() -> None:
    assert _problems("{$or: [{Title: [a]}, {Severity: {Label: [HIGH]}}]}") == []
    assert _problems("{$or: [{Title: [a]}]}") == [
        "f:1:7: match.$or must be a list of two or more mappings"
    ]


def test_guarded_and_unknown_fields_are_found_inside_or() -> None:
    assert _problems("{$or: [{Titel: [a]}, {Workflow: {Status: [NEW]}}]}") == [
        "f:1:9: `Titel` is no field of an ASFF finding; did you mean `Title`?",
        "f:1:23: `Workflow` cannot be matched: the rules do it (live findings act, others close)",
    ]


def test_what_would_match_everything_or_nothing_is_refused() -> None:
    assert _problems("{}") == ["f:1:1: `match` is empty: it would match every finding"]
    assert _problems("[a]") == ["f:1:1: `match` must be a mapping of fields, not a list"]
    assert _problems("{Title: []}") == [
        "f:1:9: match.Title is an empty list: it would match nothing"
    ]
    assert _problems("{Severity: {}}") == ["f:1:12: match.Severity is an empty mapping"]


def test_resource_types_are_in_asff_spelling_once_and_in_order() -> None:
    asff = {"$or": [{"Resources": {"Type": ["AwsEc2Instance"]}}, {"Title": ["x"]}]}
    ocsf = {"resources": {"type": ["AWS::EC2::Instance", "AWS::S3::Bucket"]}}
    assert resource_types(asff, ocsf) == ("AwsEc2Instance", "AwsS3Bucket")


def test_an_operator_on_the_type_means_any_resource() -> None:
    assert resource_types({"Resources": {"Type": [{"prefix": "Aws"}]}}, None) == ()
    assert resource_types({"Title": ["x"]}, None) == ()
