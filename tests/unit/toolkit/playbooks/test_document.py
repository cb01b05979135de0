"""The YAML that is read, and all that is not."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.playbooks.document import MAX_BYTES, Mapping, parse, plain, read
from hub_toolkit.playbooks.problems import PlaybookErrors


def test_yaml_1_2_core_schema_reads_on_as_text_and_leading_zeros_as_decimal() -> None:
    text = "on: yes\nn: 010\no: 0o17\nh: 0x1F\nt: true\nd: 2026-01-01\nu: 1_000\nz: ~\nf: 1.5e1\n"
    assert plain(parse(text, "f")) == {
        "on": "yes",
        "n": 10,
        "o": 15,
        "h": 31,
        "t": True,
        "d": "2026-01-01",
        "u": "1_000",
        "z": None,
        "f": 15.0,
    }


def test_quoted_text_stays_text() -> None:
    assert plain(parse("a: \"010\"\nb: 'true'\nc: |\n  12\n", "f")) == {
        "a": "010",
        "b": "true",
        "c": "12\n",
    }


def test_keys_and_values_know_their_place() -> None:
    node = parse("a: 1\nlist:\n  - b: x\n", "f")
    assert isinstance(node, Mapping)
    assert str(node.keys["list"]) == "f:2:1"
    assert str(node.entries["list"].place) == "f:3:3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\nb: *x\n", "f:1:4: anchors and aliases (& and *) are not allowed: write it out"),
        (
            "a: !!python/name:os x\n",
            "f:1:4: tags are not allowed: tag:yaml.org,2002:python/name:os",
        ),
        ("a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key `a`, first in line 1"),
        ("1: x\n", "f:1:1: a key is text: put 1 in quotes"),
        ("a: 1\n---\nb: 1\n", "f:2:1: a file holds one YAML document"),
        ("a: 111122223333\n", 'f:1:4: an account id is text: write "111122223333", in quotes'),
        ("to: {012345678901: x}", 'f:1:6: an account id is text: write "012345678901", in quotes'),
        ("a: [1\n", "f:2:1: is not YAML: expected ',' or ']', but got '<stream end>'"),
        ("", "f: is empty"),
        ("a: 1e999\n", "f:1:4: the number 1e999 is too large"),
        ('a: "\\ud800"\n', "f:1:4: half a surrogate pair is no character"),
        ("[" * 100, "f:1:26: is too large: at most 20,000 values, 24 levels deep"),
    ],
)
def test_what_is_refused_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(PlaybookErrors) as caught:
        parse(text, "f")
    assert str(caught.value) == message


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a" * (MAX_BYTES + 1))
    with pytest.raises(PlaybookErrors, match=r"a\.yaml: is over 262,144 bytes"):
        read(path, "a.yaml")
    path.write_bytes(b"a: \xff")
    with pytest.raises(PlaybookErrors, match=r"a\.yaml: is not UTF-8 \(byte 3\)"):
        read(path, "a.yaml")
    with pytest.raises(PlaybookErrors, match=r"b\.yaml: cannot be read: No such file"):
        read(tmp_path / "b.yaml", "b.yaml")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%? \n\t0.1é\x00"), max_size=60))
def test_any_text_is_read_or_refused_with_its_reasons(text: str) -> None:
    with contextlib.suppress(PlaybookErrors):
        json.dumps(plain(parse(text, "f")), allow_nan=False)
