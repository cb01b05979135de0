"""The TMV1-Filter language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.vendors.vision_one.filter_fields import ENDPOINTS, FIELDS
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import (
    And,
    Contains,
    Equal,
    Expression,
    Field,
    FilterError,
    HasSubset,
    Language,
    Not,
    Or,
    comparisons,
    matches,
)
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import parse as parse_as
from hub_toolkit.sandbox.vendors.vision_one.inventory import endpoint

LICENSE = "Advanced Server & Workload Protection"


def parse(text: str) -> Expression:
    return parse_as(text, ENDPOINTS)


def test_the_vendors_example_parses() -> None:
    assert parse("not (osName eq 'Windows') and eppAgentAntiMalwareScans eq 'enabled'") == And(
        (Not(Equal("osName", "Windows")), Equal("eppAgentAntiMalwareScans", "enabled"))
    )


def test_and_binds_tighter_than_or_and_parentheses_tighter_than_both() -> None:
    a, b, c = (Equal("endpointName", name) for name in "abc")
    text = "endpointName eq 'a' or endpointName eq 'b' and endpointName eq 'c'"
    assert parse(text) == Or((a, And((b, c))))
    text = "(endpointName eq 'a' or endpointName eq 'b') and endpointName eq 'c'"
    assert parse(text) == And((Or((a, b)), c))


def test_hassubset_is_for_licenses_and_licenses_are_for_hassubset() -> None:
    found = parse(f"hassubset(creditAllocatedLicenses, ['{LICENSE}'])")
    assert found == HasSubset("creditAllocatedLicenses", (LICENSE,))
    with pytest.raises(FilterError, match="not for"):
        parse("hassubset(endpointName, ['a'])")
    with pytest.raises(FilterError, match="hassubset"):
        parse(f"creditAllocatedLicenses eq '{LICENSE}'")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "endpointName",
        "endpointName eq",
        "endpointName eq web-01",
        'endpointName eq "web-01"',
        "endpointName = 'web-01'",
        "endpointName eq 'web-01' and",
        "endpointName eq 'web-01' or or endpointName eq 'b'",
        "(endpointName eq 'web-01'",
        "endpointName eq 'web-01')",
        "endpointName eq 'a' endpointName eq 'b'",
        "endpointName eq 'o'brien'",
        "endpointName eq 'o''brien'",
        "endpointName EQ 'a'",
        "contains(endpointName, 'a')",
        "not",
        "eq eq 'a'",
        "and",
        "endpointName eq 'open",
        "cloudInstanceId eq 'i-0123456789abcdef0'",
        "ip eq '10.0.0.1'",
        "displayName eq 'web-01'",
        "lastUsedIp eq '10.0.0.1'",
        "type eq 'laptop'",
        "eppAgentStatus eq 'enabled'",
        "eppAgentComponentUpdatePolicy eq 'newest'",
        "hassubset(creditAllocatedLicenses, 'a')",
        f"hassubset(creditAllocatedLicenses, ['{LICENSE}'",
        "hassubset(creditAllocatedLicenses, [])",
        "hassubset(creditAllocatedLicenses, ['No such licence'])",
        "availableActions eq 'unmanaged' and securityDeployment eq 'managed'",
        "availableActions eq 'immediateActionRequired' and type eq 'server'",
        "not " * 60 + "type eq 'server'",
        "(" * 500 + "type eq 'server'" + ")" * 500,
    ],
)
def test_what_the_language_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)


def test_a_filter_has_at_most_1024_characters() -> None:
    room = 1024 - len("endpointName eq ''")
    parse(f"endpointName eq '{'x' * room}'")
    with pytest.raises(FilterError, match="1025"):
        parse(f"endpointName eq '{'x' * (room + 1)}'")


def test_immediate_action_alone_is_taken() -> None:
    expected = Equal("availableActions", "immediateActionRequired")
    assert parse("availableActions eq 'immediateActionRequired'") == expected


def test_component_policies_are_n_or_n_minus_a_number() -> None:
    parse("edrSensorComponentUpdatePolicy eq 'n' or eppAgentComponentUpdatePolicy eq 'n - 2'")


WEB = endpoint(
    {
        "agentGuid": "g",
        "endpointName": "web-01",
        "type": "server",
        "osPlatform": "linux",
        "creditAllocatedLicenses": [LICENSE],
        "eppAgent": {"status": "on", "version": "20.0", "protectionManager": "SWP"},
        "edrSensor": {"status": "enabled", "connectivity": "connected"},
        "_features": {"AntiMalwareScans": "enabled", "IntrusionPreventionSystem": "disabled"},
    },
    0,
)
BARE = endpoint({"agentGuid": "b", "endpointName": "db-01", "type": "server", "eppAgent": {}}, 1)


@pytest.mark.parametrize(
    ("text", "web", "bare"),
    [
        ("endpointName eq 'web-01'", True, False),
        ("endpointName eq 'WEB-01'", False, False),
        ("not (endpointName eq 'web-01')", False, True),
        ("type eq 'server' and eppAgentStatus eq 'on'", True, False),
        ("eppAgentStatus eq 'on' or endpointName eq 'db-01'", True, True),
        ("edrSensorConnectivity eq 'connected'", True, False),
        ("eppAgentIntrusionPreventionSystem eq 'disabled'", True, False),
        ("eppAgentIntrusionPreventionSystem eq 'notSupported'", False, True),
        (f"hassubset(creditAllocatedLicenses, ['{LICENSE}'])", True, False),
        ("securityDeployment eq 'workloadProtection'", True, False),
        ("availableActions eq 'unmanaged'", False, True),
        ("availableActions eq 'immediateActionRequired'", False, False),
    ],
)
def test_a_filter_chooses_by_what_the_item_holds(text: str, *, web: bool, bare: bool) -> None:
    assert matches(parse(text), WEB.holding(0.0)) is web
    assert matches(parse(text), BARE.holding(0.0)) is bare


def test_our_keys_say_what_no_answer_holds() -> None:
    item = {
        "agentGuid": "g",
        "_availableActions": ["immediateActionRequired"],
        "_securityDeployment": ["connectedEndpointProtection"],
    }
    known = endpoint(item, 0)
    assert matches(parse("availableActions eq 'immediateActionRequired'"), known.holding(0.0))
    assert matches(parse("securityDeployment eq 'connectedEndpointProtection'"), known.holding(0.0))


def test_contains_is_for_the_languages_that_have_it() -> None:
    alerts = Language({"model": Field(), "ips": Field()}, 60, contains=True)
    expression = parse_as("contains(model,'dump') and not contains(ips, '10.')", alerts)
    assert expression == And((Contains("model", "dump"), Not(Contains("ips", "10."))))
    for held, expected in (({"model": "a dump", "ips": ["192.0.2.1"]}, True), ({}, False)):
        assert matches(expression, held.get) is expected
    for text in ("contains(model, dump)", "contains(host, 'a')", "contains(model)", "x" * 61):
        with pytest.raises(FilterError):
            parse_as(text, alerts)


WORDS = st.sampled_from(
    [
        *["eq", "and", "or", "not", "(", ")", "hassubset", "[", "]", ",", "'", "''", " "],
        *["endpointName", "type", "'server'", "'web-01'", "cloudInstanceId", "日本", "\x00", "\n"],
        *["creditAllocatedLicenses", f"'{LICENSE}'", "availableActions", "'unmanaged'"],
    ]
)


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(WORDS, max_size=200).map(" ".join),
        st.lists(WORDS, max_size=40).map("".join),
    )
)
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        expression = parse(text)
    except FilterError:
        return
    assert {found.field for found in comparisons(expression)} <= set(FIELDS)
    assert matches(expression, WEB.holding(0.0)) in (True, False)
    assert matches(Not(expression), WEB.holding(0.0)) is not matches(expression, WEB.holding(0.0))
