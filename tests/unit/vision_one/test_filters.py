"""Filter expressions, read by the simulator's own parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.errors import ConfigurationError
from hub_responder.vision_one import filters
from hub_toolkit.sandbox.vendors.vision_one.filter_fields import ENDPOINTS
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import Equal, Or, parse


@pytest.mark.parametrize("text", [filters.SERVERS, filters.DESKTOPS, filters.CLOUD_DESKTOPS])
def test_the_fixed_expressions_are_ones_that_the_api_takes(text: str) -> None:
    parse(text, ENDPOINTS)


@pytest.mark.parametrize(
    "value",
    ["", "o'brien", "x' or type eq 'server", "a b", "a\n", "\na", "a\\", 'a"', "é", "x" * 256],
)
def test_a_value_that_could_end_the_literal_is_refused_and_cut_in_the_error(value: str) -> None:
    assert not filters.is_safe(value)
    with pytest.raises(ConfigurationError, match="cannot be used") as raised:
        filters.equals("agentGuid", value)
    assert len(str(raised.value)) < 160


@given(st.text(max_size=20) | st.from_regex(r"[A-Za-z0-9._:-]{1,30}", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_a_value_stays_one_literal_or_is_refused(value: str) -> None:
    try:
        text = filters.equals("agentGuid", value)
    except ConfigurationError:
        return
    assert parse(text, ENDPOINTS) == Equal("agentGuid", value)
    text.encode("ascii")  # a header carries it


def test_any_of_is_one_expression_beside_others() -> None:
    terms = [filters.equals("agentGuid", name) for name in ("a", "b")]
    text = f"{filters.any_of(terms)} and type eq 'server'"
    assert parse(filters.any_of(terms), ENDPOINTS) == Or(
        (Equal("agentGuid", "a"), Equal("agentGuid", "b"))
    )
    assert parse(text, ENDPOINTS) != parse(f"{' or '.join(terms)} and type eq 'server'", ENDPOINTS)
