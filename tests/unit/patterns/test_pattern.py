"""Event patterns have the meaning that AWS's own matcher gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.patterns.flat_event import FlatEvent, Paths
from hub_responder.patterns.pattern import MAX_LENGTH, InvalidPattern, Pattern

CASES_FILE = Path(__file__).parents[3].parent / "shared" / "facts" / "pattern-cases.json"
CASES = json.loads(CASES_FILE.read_text()) if CASES_FILE.exists() else []

FINDING = {
    "Title": "Fenster offen",
    "Severity": {"Label": "HIGH", "Normalized": 70},
    "Types": ["Software/Vulnerabilities/CVE", "Effects/Data Exposure"],
    "Sample": False,
    "Note": None,
    "Empty": [],
    "Resources": [
        {"Type": "AwsEc2Instance", "Id": "i-1", "Tags": {"env": "prod", "team.name": "blue"}},
        {"Type": "AwsS3Bucket", "Id": "b-2", "Tags": {"env": "dev"}},
    ],
    "Vulnerabilities": [
        {"Id": "CVE-2026-1", "Cvss": [{"BaseScore": 9.8}, {"BaseScore": 7.5}], "EpssScore": 0.93},
        {"Id": "CVE-2026-2", "Cvss": [{"BaseScore": 5.0}]},
    ],
    "Network": {"SourceIpV4": "10.0.0.77", "SourceIpV6": "2001:DB8:0:0:0:0:0:1"},
    "Path": "dir/a/b.png",
}
EVENT = {
    "source": "aws.securityhub",
    "detail-type": "Security Hub Findings - Imported",
    "account": "111122223333",
    "resources": ["arn:aws:securityhub:::x"],
    "detail": {"findings": [FINDING]},
}


def of_finding(**fields: Any) -> dict[str, Any]:
    return {"detail": {"findings": fields}}


def matches(pattern: dict[str, Any], event: dict[str, Any] = EVENT) -> bool:
    return Pattern.compile(pattern).matches_event(event)


@pytest.mark.skipif(not CASES, reason="the cases with AWS's verdict are not here")
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_aws_verdicts(case: dict[str, Any]) -> None:
    assert matches(case["pattern"], case["event"]) is case["matches"]


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [
        ({"source": ["aws.securityhub"]}, True),
        ({"source": ["AWS.securityhub"]}, False),
        ({"resources": [{"prefix": "arn:aws:securityhub"}]}, True),
        (of_finding(Severity={"Label": ["CRITICAL", "HIGH"]}), True),
        (of_finding(Types=["Effects/Data Exposure"]), True),
        (of_finding(Sample=[False]), True),
        (of_finding(Sample=[0]), False),
        (of_finding(Note=[None]), True),
        (of_finding(Note=["null"]), False),
        (of_finding(Title=[{"prefix": "Fens"}]), True),
        (of_finding(Title=[{"prefix": {"equals-ignore-case": "FENS"}}]), True),
        (of_finding(Title=[{"suffix": "OFFEN"}]), False),
        (of_finding(Title=[{"suffix": {"equals-ignore-case": "OFFEN"}}]), True),
        (of_finding(Title=[{"equals-ignore-case": "fenster OFFEN"}]), True),
        (of_finding(Severity={"Normalized": [{"prefix": "7"}]}), False),
        (of_finding(Severity={"Normalized": [70]}), True),
        (of_finding(Severity={"Normalized": [70.0]}), True),
        (of_finding(Severity={"Normalized": ["70"]}), False),
        (of_finding(Severity={"Normalized": [{"numeric": ["<", 70]}]}), False),
        (of_finding(Severity={"Normalized": [{"numeric": [">=", 70, "<", 90]}]}), True),
        (of_finding(Severity={"Label": [{"numeric": [">", 0]}]}), False),
        (of_finding(Vulnerabilities={"Cvss": {"BaseScore": [{"numeric": [">", 9]}]}}), True),
        (of_finding(Title=[{"anything-but": "other"}]), True),
        (of_finding(Title=[{"anything-but": ["Fenster offen"]}]), False),
        (of_finding(Severity={"Normalized": [{"anything-but": [70, 1]}]}), False),
        (of_finding(Severity={"Normalized": [{"anything-but": "70"}]}), True),
        (of_finding(Note=[{"anything-but": "x"}]), True),
        (of_finding(Absent=[{"anything-but": "x"}]), False),
        (of_finding(Path=[{"anything-but": {"prefix": ["dir/", "x"]}}]), False),
        (of_finding(Path=[{"anything-but": {"wildcard": "*/c/*"}}]), True),
        (of_finding(Title=[{"anything-but": {"equals-ignore-case": "FENSTER OFFEN"}}]), False),
        (of_finding(Path=[{"wildcard": "dir/*/b.png"}]), True),
        (of_finding(Path=[{"wildcard": "*"}]), True),
        (of_finding(Path=[{"wildcard": "dir/*/*/b.png"}]), False),
        (of_finding(Path=[{"wildcard": "dir/a/b.png*"}]), True),
        (of_finding(Severity={"Normalized": [{"wildcard": "*"}]}), False),
        (of_finding(Network={"SourceIpV4": [{"cidr": "10.0.0.0/24"}]}), True),
        (of_finding(Network={"SourceIpV4": [{"cidr": "10.0.1.0/24"}]}), False),
        (of_finding(Network={"SourceIpV6": [{"cidr": "2001:db8::/32"}]}), True),
        (of_finding(Network={"SourceIpV6": [{"cidr": "10.0.0.0/8"}]}), False),
        (of_finding(Network={"SourceIpV6": ["2001:db8::1"]}), True),
        (of_finding(Note=[{"exists": True}]), True),
        (of_finding(Empty=[{"exists": True}]), False),
        (of_finding(Empty=[{"exists": False}]), True),
        (of_finding(Severity=[{"exists": True}]), False),
        (of_finding(Severity=[{"exists": False}]), True),
        (of_finding(Title=["other", {"exists": False}]), False),
        (of_finding(Absent=["other", {"exists": False}]), True),
        (of_finding(**{"Severity.Label": ["HIGH"]}), True),
        (of_finding(Resources={"Tags": {"team.name": ["blue"]}}), True),
        (of_finding(Resources={"Tags": {"team": {"name": ["blue"]}}}), True),
    ],
)
def test_operators(pattern: dict[str, Any], verdict: bool) -> None:
    assert matches(pattern) is verdict


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"Type": ["AwsEc2Instance"], "Tags": {"env": ["prod"]}}, True),
        ({"Type": ["AwsEc2Instance"], "Tags": {"env": ["dev"]}}, False),
        ({"Type": [{"prefix": "Aws"}], "Tags": {"env": ["dev"]}}, True),
        ({"Type": ["AwsS3Bucket"], "Tags": {"team.name": [{"exists": False}]}}, False),
        ({"Id": ["b-2"], "Tags": {"team.name": [{"exists": False}]}}, True),
        ({"Id": ["i-1"], "Tags": {"team.name": [{"exists": False}]}}, False),
        ({"Id": ["b-2"], "Tags": {"x": [{"exists": False}]}, "Type": ["AwsEc2Instance"]}, False),
        (
            {"Id": ["b-2"], "Tags": {"team.name": [{"exists": False}]}, "Type": ["AwsEc2Instance"]},
            False,
        ),
    ],
)
def test_values_of_one_array_come_from_the_same_element(
    fields: dict[str, Any],
    verdict: bool,
) -> None:
    # "Tags" sorts before "Type", after "Id": only there has exists an element to look at.
    assert matches(of_finding(Resources=fields)) is verdict


def test_inner_and_outer_arrays_are_kept_apart() -> None:
    def vulnerability(**fields: Any) -> bool:
        return matches(of_finding(Vulnerabilities=fields))

    assert vulnerability(Id=["CVE-2026-1"], Cvss={"BaseScore": [7.5]})
    assert not vulnerability(Id=["CVE-2026-2"], Cvss={"BaseScore": [7.5]})
    independent = of_finding(
        Resources={"Type": ["AwsS3Bucket"]}, Vulnerabilities={"Id": ["CVE-2026-1"]}
    )
    assert matches(independent)


def test_or_joins_alternatives_at_any_level() -> None:
    low, high = {"Severity": {"Label": ["LOW"]}}, {"Severity": {"Label": ["HIGH"]}}
    either = {"$or": [low, high]}
    assert matches(of_finding(**either))
    assert matches({"$or": [{"source": ["other"]}, of_finding(**either)]})
    assert not matches({"source": ["other"], **of_finding(**either)})
    assert not matches(of_finding(**{"$or": [low, {"Absent": [{"exists": True}]}]}))


def test_numbers_beyond_the_limit_equal_only_themselves() -> None:
    event = {"detail": {"n": 111122223333, "small": 0.0000001}}
    assert matches({"detail": {"n": [111122223333]}}, event)
    assert not matches({"detail": {"n": [{"numeric": [">", 0]}]}}, event)
    assert not matches({"detail": {"small": [{"numeric": ["<", 1]}]}}, event)
    assert matches({"detail": {"n": [{"anything-but": 5}]}}, event)


REFUSED: list[tuple[Any, str, str]] = [
    ([], "", "Filter is not an object"),
    ({}, "", "Empty objects are not allowed"),
    ({"detail": {}}, "detail", "Empty objects are not allowed"),
    ({"source": "aws"}, "source", '"source" must be an object or an array'),
    ({"source": []}, "source", "Empty arrays are not allowed"),
    ({"source": [["a"]]}, "source", "Match value must be String, number, true, false, or null"),
    ({"a": [{"EXISTS": True}]}, "a", "Unrecognized match type EXISTS"),
    ({"a": [{"exists": "yes"}]}, "a", "exists match pattern must be either true or false."),
    ({"a": [{"exists": 0}]}, "a", "exists match pattern must be either true or false."),
    ({"a": [{}]}, "a", "Match expression name not found"),
    ({"a": [{"prefix": "a", "suffix": "b"}]}, "a", "Only one key allowed in match expression"),
    ({"a": [{"prefix": 1}]}, "a", "prefix match pattern must be a string"),
    ({"a": [{"prefix": {"wildcard": "x"}}]}, "a", "Unsupported prefix pattern: wildcard"),
    ({"a": [{"suffix": ["x"]}]}, "a", "suffix match pattern must be a string"),
    ({"a": [{"wildcard": "a**b"}]}, "a", "Consecutive wildcard characters at pos 2"),
    ({"a": [{"wildcard": "a\\b"}]}, "a", "Invalid escape character at pos 2"),
    ({"a": [{"wildcard": 1}]}, "a", "wildcard match pattern must be a string"),
    ({"a": [{"numeric": []}]}, "a", "Invalid member in numeric match: ]"),
    ({"a": [{"numeric": 5}]}, "a", "Value of numeric must be an array."),
    ({"a": [{"numeric": ["!", 5]}]}, "a", "Unrecognized numeric range operator: !"),
    ({"a": [{"numeric": ["=", "5"]}]}, "a", "Value of equals must be numeric"),
    ({"a": [{"numeric": ["=", True]}]}, "a", "Value of equals must be numeric"),
    ({"a": [{"numeric": [">", 0, ">", 0]}]}, "a", "Bad numeric range operator: >"),
    ({"a": [{"numeric": [">", 0, "<"]}]}, "a", "Value of < must be numeric"),
    ({"a": [{"numeric": ["<", 0, ">", 5]}]}, "a", "Too many elements in numeric expression"),
    ({"a": [{"numeric": [">", 5, "<", 5]}]}, "a", "Bottom must be less than top"),
    ({"a": [{"cidr": "10.0.0.0"}]}, "a", "Malformed CIDR, one '/' required"),
    ({"a": [{"cidr": "10.0.0.0/x"}]}, "a", "Malformed CIDR, mask bits must be an integer"),
    ({"a": [{"cidr": "10.0.0.0/32"}]}, "a", "IPv4 mask bits must be < 32"),
    ({"a": [{"cidr": "::/128"}]}, "a", "IPv6 mask bits must be < 128"),
    ({"a": [{"cidr": "10.0.0.300/8"}]}, "a", "Nonstandard IP address: 10.0.0.300"),
    ({"a": [{"anything-but": None}]}, "a", "Value of anything-but must be an array"),
    ({"a": [{"anything-but": ["a", 1]}]}, "a", "mixed type is not supported"),
    ({"a": [{"anything-but": [True]}]}, "a", "start|null|boolean is not supported"),
    ({"a": [{"anything-but": {"prefix": ""}}]}, "a", "Null prefix/suffix not allowed"),
    ({"a": [{"anything-but": {"cidr": "::/1"}}]}, "a", "Unsupported anything-but pattern: cidr"),
    ({"a": [{"equals-ignore-case": ["x"]}]}, "a", "equals-ignore-case match pattern must be"),
    ({"$or": [{"a": [1]}]}, "$or", "There must have at least 2 Objects"),
    ({"$or": {"a": [1]}}, "$or", "It must be an Array followed with $or."),
    ({"$or": [{"a": [1]}, "b"]}, "$or", "Only JSON object is allowed in array of $or"),
    ({"$or": [{"a": [1]}, {"prefix": [1]}]}, "prefix", "prefix is Ruler reserved fieldName"),
]


@pytest.mark.parametrize(("pattern", "path", "reason"), REFUSED)
def test_what_eventbridge_refuses_is_refused_with_place_and_reason(
    pattern: Any, path: str, reason: str
) -> None:
    with pytest.raises(InvalidPattern) as refused:
        Pattern.compile(pattern)
    assert refused.value.path == path
    assert reason in refused.value.reason


def test_text_that_is_no_json_is_refused() -> None:
    for text in ("{'a': 1}", '{"a": [NaN]}', "", '{"a":' * 300):
        with pytest.raises(InvalidPattern):
            Pattern.compile(text)


def test_length_ends_at_the_limit() -> None:
    longest = json.dumps({"a": ["x" * (MAX_LENGTH - 11)]})
    assert len(longest) == MAX_LENGTH
    Pattern.compile(longest)
    with pytest.raises(InvalidPattern, match="2049 characters"):
        Pattern.compile(longest + " ")
    with pytest.raises(InvalidPattern, match="characters"):
        Pattern.compile({"a": ["x" * MAX_LENGTH]})


def test_combinations_of_or_are_bounded() -> None:
    two = [{"a": [1]}, {"b": [1]}]
    Pattern.compile({str(level): {"$or": two} for level in range(9)})
    with pytest.raises(InvalidPattern, match="over 1000 combinations"):
        Pattern.compile({str(level): {"$or": two} for level in range(10)})


def test_a_hostile_event_does_not_make_matching_slow() -> None:
    many = [{"a": i, "b": i} for i in range(400)]
    event = {"x": many, "y": many, "z": [{"c": 1}, {"c": 2}]}
    pattern = {
        "x": {"a": [{"numeric": [">=", 0]}], "b": [{"anything-but": 0}]},
        "y": {"a": [{"numeric": [">=", 0]}], "b": [{"anything-but": 0}]},
        "z": {"c": [1], "d": [{"exists": True}]},
    }
    assert not matches(pattern, event)
    assert matches({**pattern, "z": {"c": [2]}}, event)


NAMES = st.sampled_from(["a", "b", "c.d", "d", "$or", ""])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from(["10.0.0.1", "::1", "a*b"]),
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
EVENTS = st.dictionaries(NAMES, JSON_VALUES, min_size=1, max_size=4)
OPERATORS = st.sampled_from(
    ["prefix", "suffix", "wildcard", "numeric", "cidr", "exists", "anything-but"]
)
RANDOM_PATTERNS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | OPERATORS, inner, max_size=2)
    ),
    max_leaves=10,
)


def pattern_from(event: Any) -> Any:
    """A pattern that names, for one way through the event, each value as it is."""
    if isinstance(event, dict):
        parts = {name: pattern_from(value) for name, value in event.items() if name != "$or"}
        return {name: part for name, part in parts.items() if part} or None
    if isinstance(event, list):
        return pattern_from(event[0]) if event else None
    return [event]


def flat_paths(pattern: Any, path: str | None = None) -> list[str]:
    if isinstance(pattern, list):
        return [path or ""]
    return [
        found
        for name, part in pattern.items()
        for found in flat_paths(part, name if path is None else f"{path}.{name}")
    ]


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_a_pattern_written_from_an_event_matches_it(event: dict[str, Any]) -> None:
    pattern = pattern_from(event)
    if not pattern or len(set(flat_paths(pattern))) < len(flat_paths(pattern)):
        return
    try:
        compiled = Pattern.compile(pattern)
    except InvalidPattern as refused:
        assert "characters" in refused.reason  # noqa: PT017 - only length may refuse it
        return
    assert compiled.matches_event(event)


@settings(max_examples=100, deadline=None)
@given(EVENTS, EVENTS)
def test_more_fields_never_unmatch(event: dict[str, Any], more: dict[str, Any]) -> None:
    pattern = pattern_from(event)
    if not pattern or len(json.dumps(pattern)) > MAX_LENGTH:
        return
    compiled = Pattern.compile(pattern)
    if compiled.matches_event(event):
        assert compiled.matches_event({**more, **event})


@settings(max_examples=100, deadline=None)
@given(RANDOM_PATTERNS, EVENTS)
def test_compiling_anything_ends_in_a_pattern_or_a_refusal(
    source: Any, event: dict[str, Any]
) -> None:
    for written in (source, json.dumps(source)):
        try:
            compiled = Pattern.compile(written)
        except InvalidPattern:
            continue
        compiled.matches_event(event)


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_an_event_flattened_for_many_patterns_gives_the_same_verdicts(
    event: dict[str, Any],
) -> None:
    sources = [{"a": [{"exists": True}]}, {"c": {"d": [{"exists": False}]}}, {"b": [1, None, ""]}]
    patterns = [Pattern.compile(source) for source in sources]
    flat = FlatEvent(event, Paths.of({path for one in patterns for path in one.paths}))
    for pattern in patterns:
        assert pattern.matches(flat) is pattern.matches_event(event)
