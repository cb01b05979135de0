from __future__ import annotations

from typing import Any

import pytest

from hub_toolkit.about import words


@pytest.mark.parametrize(
    ("match", "lines"),
    [
        ({"A": {"B": ["x", 1, None, True]}}, ["A.B: x or 1 or null or true"]),
        ({"A": [{"anything-but": ["x", "y"]}]}, ["A: anything-but x y"]),
        ({"A": [{"numeric": [">", 0]}, {"exists": False}]}, ["A: numeric > 0 or exists false"]),
        ({"A": [{"prefix": {"equals-ignore-case": "x"}}]}, ["A: prefix equals-ignore-case x"]),
        (
            {"A": ["x"], "$or": [{"B": ["y"], "C": ["z"]}, {"D": ["w"]}]},
            ["A: x", "(B: y, C: z) or (D: w)"],
        ),
    ],
)
def test_patterns_in_words(match: dict[str, Any], lines: list[str]) -> None:
    assert words.pattern(match) == lines


def test_statements_in_words() -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["a:B", "a:C"],
        "Resource": [{"Fn::GetAtt": ["Table", "Arn"]}, {"Ref": "Topic"}, {"Fn::Sub": "arn:x"}, "*"],
        "Condition": {"StringLike": {"dynamodb:LeadingKeys": ["me#*"]}},
    }
    assert words.statement(statement) == (
        "a:B, a:C",
        "Table.Arn, Topic, arn:x, *, where dynamodb:LeadingKeys is me#*",
    )
