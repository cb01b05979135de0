"""Why an event does not match: told field by field, with what was found."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub_responder.patterns.pattern import Pattern
from hub_toolkit.sandbox.event_plane.explain import explain


def told(pattern: dict[str, Any], event: dict[str, Any]) -> list[str]:
    return [str(mismatch) for mismatch in explain(pattern, event)]


def test_an_event_that_matches_has_no_mismatch() -> None:
    assert told({"a": [1], "b": {"c": [{"prefix": "x"}]}}, {"a": 1, "b": {"c": "xy"}}) == []


def test_every_field_that_fails_is_told_with_what_it_holds() -> None:
    pattern = {"source": ["aws.securityhub"], "detail": {"label": ["HIGH", "CRITICAL"], "n": [1]}}
    event = {"source": "aws.securityhub", "detail": {"label": "LOW", "n": 2}}
    assert told(pattern, event) == [
        'detail.label is "LOW", wanted "HIGH" or "CRITICAL"',
        "detail.n is 2, wanted 1",
    ]


def test_a_missing_field_and_one_that_must_be_missing() -> None:
    assert told({"a": ["x"]}, {}) == ['a is absent, wanted "x"']
    assert told({"a": [{"exists": False}]}, {"a": 5}) == ['a is 5, wanted {"exists": false}']


def test_of_several_ways_the_nearest_is_told() -> None:
    one = {"kind": ["A"], "detail": {"x": [1], "y": [1]}}
    other = {"kind": ["B"], "detail": {"z": [1]}}
    pattern = {"source": ["s"], "$or": [one, other]}
    event = {"source": "s", "kind": "A", "detail": {"x": 1, "y": 2, "z": 0}}
    assert told(pattern, event) == ["detail.y is 2, wanted 1"]


def test_fields_that_match_only_in_different_elements_of_a_list() -> None:
    pattern = {"r": {"type": ["instance"], "tag": ["web"]}}
    event = {"r": [{"type": "instance", "tag": "db"}, {"type": "volume", "tag": "web"}]}
    assert told(pattern, event) == [
        'r.tag is "web" only in another element of its list than the rest'
    ]


def test_long_lists_and_long_texts_are_cut() -> None:
    (line,) = told({"a": ["x"]}, {"a": [f"value {n}" + "y" * 300 for n in range(9)]})
    assert "4 more" in line
    assert len(line) < 800


LEAVES = st.lists(
    st.sampled_from(["x", "y", 1, 2, {"exists": True}, {"exists": False}, {"prefix": "x"}]),
    min_size=1,
    max_size=2,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), LEAVES, min_size=1, max_size=3)
PATTERNS = st.one_of(
    st.dictionaries(st.sampled_from("abc"), st.one_of(LEAVES, OBJECTS), min_size=1, max_size=3),
    st.builds(
        lambda base, ways: {**base, "$or": ways},
        st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=2),
        st.lists(OBJECTS, min_size=2, max_size=3),
    ),
)
VALUES = st.sampled_from(["x", "y", "z", 1, 2, None])
INNER = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
EVENTS = st.dictionaries(
    st.sampled_from("abc"), st.one_of(VALUES, INNER, st.lists(INNER, max_size=3)), max_size=3
)


@given(PATTERNS, EVENTS)
def test_something_is_told_exactly_when_the_pattern_does_not_match(
    pattern: dict[str, Any], event: dict[str, Any]
) -> None:
    matches = Pattern.compile(pattern).matches_event(event)
    assert (explain(pattern, event) == []) == matches
