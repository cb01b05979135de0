"""A character of a text is found where it stands in the file, however the text was written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_toolkit.playbooks.document import Mapping, Scalar, parse


def _scalar(text: str) -> Scalar:
    node = parse(text, "f")
    assert isinstance(node, Mapping)
    scalar = node.entries["a"]
    assert isinstance(scalar, Scalar)
    return scalar


@pytest.mark.parametrize(
    "text",
    [
        "a: one X two",
        "a: 'one ''X two'",
        'a: "one \\"X\\" two"',
        'a: "\\u65e5\\n\\x41\\t\\\n  X two"',
        "a: one\n  two X\n\n  three",
        "a: |\n  one\n    two X\n",
        "a: |2-  # a comment with an X-like y\n    one\n  two X",
        "a: >-\n  one\n  two\n\n  X\n",
        "b: 1\na:\n    plain X",
    ],
)
def test_the_place_is_that_of_the_character_in_the_file(text: str) -> None:
    scalar = _scalar(text)
    assert isinstance(scalar.value, str)
    place = scalar.at(scalar.value.index("X"))
    index = text.rindex("X")
    before = text[:index]
    assert (place.line, place.column) == (before.count("\n") + 1, index - before.rfind("\n"))


def test_white_space_and_the_end_are_right_behind_the_character_before() -> None:
    scalar = _scalar("a: 'one\n   two'")
    assert [(scalar.at(n).line, scalar.at(n).column) for n in (0, 3, 4, 7)] == [
        (1, 5),
        (1, 8),
        (2, 4),
        (2, 7),
    ]


_IN_ONE_ESCAPE = st.characters(
    codec="utf-8", max_codepoint=0xFFFF, exclude_characters="\x85\u2028\u2029\ufeff"
)


@given(st.text(_IN_ONE_ESCAPE))
def test_every_character_of_any_quoted_text_has_its_place(value: str) -> None:
    written = "a: " + json.dumps(value)
    scalar = _scalar(written)
    assert scalar.value == value
    columns = [scalar.at(n).column for n, one in enumerate(value) if not one.isspace()]
    assert columns == sorted(set(columns))
    for column, character in zip(columns, (c for c in value if not c.isspace()), strict=True):
        escaped = json.dumps(character)[1:-1]
        assert written[column - 1 :].startswith(escaped)
