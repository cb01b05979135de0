"""Rules as tenants send them, and as they should not."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_responder.workload_security import rule as module
from hub_responder.workload_security.rule import Rule
from workload import rule


def read(*items: object) -> tuple[Rule, ...]:
    return module.read_all(json.dumps({"intrusionPreventionRules": items}).encode())


def test_a_rule_with_what_shields_need() -> None:
    (found,) = read(rule(11, "CVE-2026-1111", "CVE-2026-2222", detectOnly=True))
    assert found == Rule(
        id=11,
        name="Rule 11",
        identifier="1000011",
        cves=("CVE-2026-1111", "CVE-2026-2222"),
        detect_only=True,
        minimum_agent="9.0.0.0",
    )


@pytest.mark.parametrize(
    ("cves", "named"),
    [
        (["CVE-2024-1234, CVE-2024-12345"], ("CVE-2024-1234", "CVE-2024-12345")),
        ("cve-2024-1234", ("CVE-2024-1234",)),
        (["CVE-2024-1234", "CVE-2024-1234"], ("CVE-2024-1234",)),
        (["XCVE-2024-1234", "CVE-2024-1234-7", "CVE-2024-123"], ()),
        ([], ()),
        (None, ()),
    ],
)
def test_which_cves_it_names(cves: object, named: tuple[str, ...]) -> None:
    (found,) = read(rule(11, CVE=cves))
    assert found.cves == named


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"intrusionPreventionRules": null}',
        b'{"intrusionPreventionRules": [{"name": "no id"}]}',
        b'{"intrusionPreventionRules": [{"ID": 1, "CVE": [7]}]}',
        b'{"intrusionPreventionRules": [{"ID": 1, "CVE": {}}]}',
    ],
)
def test_one_that_cannot_be_read_could_be_the_one_that_counts(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        module.read_all(body)


@given(st.text(max_size=40))
def test_no_text_names_a_cve_that_it_does_not_hold(text: str) -> None:
    (found,) = read(rule(11, text))
    assert all(name in text.upper() for name in found.cves)
