"""YAML that every version reads alike."""

from __future__ import annotations

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from hub_toolkit.synth.emit import emit

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4))
def test_yaml_1_1_and_1_2_read_back_what_was_written(value: dict[str, object]) -> None:
    text = emit(value)
    assert yaml.safe_load(text) == value
    assert YAML(typ="safe", pure=True).load(text) == value


def test_words_that_yaml_1_1_takes_for_booleans_and_dates_are_quoted() -> None:
    value = {"on": ["yes", "No", "2010-09-09", "1e3", "0x1f", "null", "AWS::SQS::Queue", "a: b"]}
    text = emit(value)
    assert yaml.safe_load(text) == value
    assert "- AWS::SQS::Queue\n" in text
    assert json.dumps("2010-09-09") in text
