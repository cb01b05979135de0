"""What a record or an instance is recognized by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import INSTANCE
from hub_responder.vision_one import marks


@pytest.mark.parametrize(
    ("names", "addresses", "held"),
    [
        (["WEB-01"], [], {"web-01"}),
        (["web-01.corp.example"], [], {"web-01.corp.example", "web-01"}),
        ([" web-01 ", "app"], [], {"web-01", "app"}),
        (["10.20.1.12"], [], {"10.20.1.12"}),
        (["web"], ["10.20.1.12", "FD00::1"], {"web", "10.20.1.12", "fd00::1"}),
        ([f"{INSTANCE}.ec2.internal"], [], {f"{INSTANCE}.ec2.internal", INSTANCE}),
        (["", "localhost", "localhost.localdomain"], ["", None, 7], set()),
        (
            [f"10.20.1.12 (web-01.corp) [{INSTANCE}]"],
            [],
            {f"10.20.1.12 (web-01.corp) [{INSTANCE}]", "10.20.1.12", "web-01.corp", "web-01"}
            | {INSTANCE},
        ),
        (
            [f"web-01 [{INSTANCE.upper()}]"],
            [],
            {f"web-01 [{INSTANCE}]", "web-01", INSTANCE},
        ),
    ],
)
def test_a_record_is_recognized_by_its_names_their_parts_and_its_addresses(
    names: list[str], addresses: list[Any], held: set[str]
) -> None:
    assert set(marks.of_endpoint(names, addresses)) == held


@pytest.mark.parametrize(
    ("name", "is_made"),
    [
        ("ip-10-20-1-12", True),
        ("ip-10-20-1-12.eu-central-1.compute.internal", True),
        ("ip-0a14010c", True),
        (f"{INSTANCE}.ec2.internal", True),
        ("web-01", False),
        ("ip-10-20-1", False),
        ("vip-10-20-1-12", False),
        ("ip-address", False),
    ],
)
def test_names_that_ec2_makes_of_an_address_or_id_are_no_names_of_their_own(
    name: str, is_made: bool
) -> None:
    assert marks.is_of_address(name) is is_made


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("00:1C:42:be:22:5f", "001c42be225f"),
        ("00-1c-42-be-22-5f", "001c42be225f"),
        ("001c.42be.225f", "001c42be225f"),
        ("00:00:00:00:00:00", ""),
        ("", ""),
        ("00:1c:42", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_mac_address_is_read_however_it_is_parted(text: Any, digits: str) -> None:
    assert marks.mac(text) == digits


_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3)
)


@given(st.text(max_size=30), _json)
@settings(max_examples=200, deadline=None)
def test_nothing_breaks_it_and_nothing_is_recognized_by_nothing(name: str, addresses: Any) -> None:
    assert "" not in marks.of_endpoint([name, ""], list(marks.texts(addresses)))
    marks.mac(name)
    marks.is_of_address(name)
