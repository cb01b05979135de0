"""From a message's body to a trigger: all kinds of events, and hostile bodies."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.errors import UnreadableEvent, UnreadableFinding
from hub_responder.events import MAX_DEPTH, decode, decode_finding

EVENTS = Path(__file__).parents[2] / "events"
ACTION = "arn:aws:securityhub:us-east-1:111122223333:action/custom/CheckCoverage"


def event(name: str = "click-two-accounts", **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return {**found, **changes}


def body(name: str = "click-two-accounts", **changes: Any) -> str:
    return json.dumps(event(name, **changes))


def with_findings(*findings: Any) -> str:
    return body(detail={"actionName": "a", "actionDescription": "b", "findings": list(findings)})


def test_an_imported_finding() -> None:
    trigger = decode(body("inspector-critical-ec2-unprotected"))
    assert (trigger.kind, trigger.at) == ("imported", 1795305792.0)
    assert (trigger.account, trigger.region) == ("111122223333", "us-east-1")
    assert (trigger.action, trigger.insight, trigger.unreadable) == (None, None, ())
    assert trigger.event_id == event("inspector-critical-ec2-unprotected")["id"]
    assert trigger.findings[0].resource.name == "web-01"


def test_a_click_on_findings_of_two_accounts() -> None:
    trigger = decode(body())
    assert trigger.kind == "custom_action"
    assert trigger.action is not None
    assert (trigger.action.id, trigger.action.arn) == ("CheckCoverage", ACTION)
    assert trigger.action.name == "Check V1 coverage"
    assert [f.account.id for f in trigger.findings] == ["111122223333", "444455556666"]


def test_insight_results_name_resources_and_no_findings() -> None:
    trigger = decode(body("insight-results"))
    assert (trigger.kind, trigger.findings) == ("insight", ())
    assert trigger.action is not None
    assert trigger.action.id == "CheckCoverage"
    assert trigger.insight is not None
    assert trigger.insight.result_type == "ResourceId"
    assert trigger.insight.values[0] == (
        "arn:aws:ec2:us-east-1:111122223333:instance/i-0a1b2c3d4e5f60718",
        3,
    )


def test_a_finding_in_the_new_schema() -> None:
    trigger = decode(body("inspector-high-ec2-ocsf"))
    assert (trigger.kind, trigger.findings[0].schema) == ("imported", "OCSF")


def test_an_imported_finding_without_id_is_the_one_that_the_event_names() -> None:
    raw = event("inspector-critical-ec2-unprotected")
    whole = copy.deepcopy(raw["detail"]["findings"][0])
    for key in ("Id", "ProductArn", "UpdatedAt", "LastObservedAt", "CreatedAt"):
        del raw["detail"]["findings"][0][key]
    (found,) = decode(json.dumps(raw)).findings
    assert (found.id, found.product_arn) == (whole["Id"], whole["ProductArn"])
    assert found.updated == 1795305792.0


def test_a_clicked_finding_without_id_is_never_given_another_ones() -> None:
    first, second = event()["detail"]["findings"]
    del first["Id"]
    trigger = decode(with_findings(first, second))
    assert [found.id for found in trigger.findings] == [second["Id"]]
    assert [error.field for error in trigger.unreadable] == ["Id"]


def test_of_several_imported_findings_none_is_given_the_events_id() -> None:
    raw = event("inspector-critical-ec2-unprotected")
    first = raw["detail"]["findings"][0]
    second = {key: value for key, value in first.items() if key != "Id"}
    raw["detail"]["findings"] = [first, second]
    trigger = decode(json.dumps(raw))
    assert [found.id for found in trigger.findings] == [first["Id"]]
    assert [error.field for error in trigger.unreadable] == ["Id"]


def test_nineteen_broken_findings_of_twenty_leave_the_good_one() -> None:
    good = event()["detail"]["findings"][1]
    broken = [
        {**good, key: value}
        for key in ("Id", "ProductArn", "AwsAccountId", "Region", "Resources", "Severity")
        for value in (5, {"x": 1}, [None])
    ]
    for raw in broken:
        del raw["FindingProviderFields"]
    trigger = decode(with_findings(*broken, None, good))
    assert [found.id for found in trigger.findings] == [good["Id"]]
    assert [error.field for error in trigger.unreadable] == [
        key
        for key in ("Id", "ProductArn", "AwsAccountId", "Region", "Resources", "Severity")
        for _ in range(3)
    ] + [""]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": "aws.ec2"}, "no event of Security Hub"),
        ({"source": None}, "no event of Security Hub"),
        ({"detail-type": "Something Else"}, "no event of Security Hub"),
        ({"source": "aws.inspector2", "detail-type": "Inspector2 Finding"}, "Inspector's own"),
        ({"id": 5}, "the event's id"),
        ({"time": "yesterday"}, "the event's time"),
        ({"detail": []}, "the event's detail"),
        ({"detail": {"findings": []}}, "detail.findings"),
        ({"detail": {"findings": {"Id": "x"}}}, "detail.findings"),
    ],
)
def test_what_is_no_event_of_ours_is_refused_with_the_reason(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnreadableEvent, match=reason):
        decode(body(**changes))


def test_insight_results_that_name_no_insight_are_refused() -> None:
    with pytest.raises(UnreadableEvent, match="insightArn"):
        decode(body("insight-results", detail={"insightResults": [{"a": 1}]}))


def test_insight_values_that_are_no_counts_are_left_out() -> None:
    results = [{"a": 2}, {"b": "x"}, 5, {}, {"": 1}, {"c" * 2000: 3}]
    detail = {"insightArn": "arn:i", "insightResults": results}
    insight = decode(body("insight-results", detail=detail)).insight
    assert insight is not None
    assert [count for _, count in insight.values] == [2, 3]
    assert len(insight.values[-1][0]) == 1024


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"x"', "{", "NaN", '{"a": NaN}', '{"a": -Infinity}', "\x00", "{}{}"]
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(UnreadableEvent):
            decode(data)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    text = body(version="NUMBER").replace('"NUMBER"', number)
    with pytest.raises(UnreadableEvent, match="no JSON number"):
        decode(text)


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"detail":{"findings":['])
def test_endless_nesting_does_not_end_the_process(opening: str) -> None:
    with pytest.raises(UnreadableEvent, match=r"deeply|not JSON"):
        decode(opening * 40_000)


def test_ten_megabytes_are_refused_by_size() -> None:
    with pytest.raises(UnreadableEvent, match="bytes"):
        decode('{"a": "' + "漢" * 3_500_000 + '"}')


def test_bytes_that_are_no_utf8_do_not_crash() -> None:
    with pytest.raises(UnreadableEvent):
        decode(b'{"a": "\xff\xfe"}')


def test_deep_nesting_costs_only_the_finding_it_is_in() -> None:
    first, second = event()["detail"]["findings"]
    deep: Any = "x"
    for _ in range(MAX_DEPTH + 1):
        deep = {"in": deep}
    first["Resources"][0]["Details"] = deep
    trigger = decode(with_findings(first, second))
    assert [found.id for found in trigger.findings] == [second["Id"]]
    (error,) = trigger.unreadable
    assert (error.field, error.finding_id) == ("Resources", first["Id"])


@pytest.mark.parametrize("odd", [r'"a\ud800b"', "1e999", "9" * 5000, r'"\\\ud800\udc00\udc00"'])
def test_an_odd_value_in_one_finding_costs_only_its_field(odd: str) -> None:
    first, second = event()["detail"]["findings"]
    first["Confidence"] = "ODD"
    trigger = decode(with_findings(first, second).replace('"ODD"', odd))
    assert len(trigger.findings) == 2
    assert isinstance(trigger.findings[0].raw["Confidence"], str)
    msgspec.json.encode(trigger.raw)


def test_lone_surrogates_become_the_replacement_character_and_pairs_stay() -> None:
    raw = with_findings(*event()["detail"]["findings"]).replace(
        '"CVE-2026-1118 - redis6"', r'"\ud83d\ude00 \ud800 \\ud800 \udc00"'
    )
    assert decode(raw).findings[0].title == "\U0001f600 \ufffd \\ud800 \ufffd"


def test_surrogates_in_the_text_itself_are_replaced() -> None:
    trigger = decode(with_findings(*event()["detail"]["findings"]).replace("redis6", "\ud800"))
    msgspec.json.encode(trigger.raw)
    assert trigger.findings[0].title.startswith("CVE-2026-1118 - ")


def test_of_a_key_given_twice_the_last_counts() -> None:
    text = with_findings(event()["detail"]["findings"][0])
    twice = text.replace('"RecordState": "ACTIVE"', '"RecordState": 5, "RecordState": "ARCHIVED"')
    assert decode(twice).findings[0].record_state == "ARCHIVED"


def test_a_finding_from_a_call_is_made_writable_too() -> None:
    raw = {**event()["detail"]["findings"][0], "Confidence": ["\ud800", float("nan")]}
    found = decode_finding(raw)
    assert msgspec.json.encode(found.raw["Confidence"][0]) == '"\ufffd"'.encode()


def test_a_finding_from_a_call_may_not_nest_deeply() -> None:
    raw = event()["detail"]["findings"][0]
    for _ in range(500):
        raw["Note"] = {"in": raw.get("Note")}
    with pytest.raises(UnreadableFinding) as caught:
        decode_finding(raw)
    assert caught.value.field == "Note"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_body_damaged_anywhere_raises_nothing_unexpected(data: st.DataObject) -> None:
    text = body("insight-results" if data.draw(st.booleans()) else "click-two-accounts")
    start = data.draw(st.integers(0, len(text)))
    end = start + data.draw(st.integers(0, 30))
    patch = data.draw(st.text(st.characters(exclude_categories=()), max_size=10))
    try:
        decode(text[:start] + patch + text[end:])
    except UnreadableEvent as error:
        assert len(str(error)) < 500  # noqa: PT017 - any other exception fails the test by itself


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["insight-results", "click-two-accounts", "inspector-japanese"]),
    data=st.data(),
    value=JSON,
)
def test_any_value_in_the_envelope_raises_nothing_unexpected(
    name: str, data: st.DataObject, value: Any
) -> None:
    raw = event(name)
    target = raw["detail"] if data.draw(st.booleans()) else raw
    target[data.draw(st.sampled_from(sorted(target)))] = value
    try:
        decode(json.dumps(raw))
    except UnreadableEvent as error:
        assert str(error)  # noqa: PT017 - any other exception fails the test by itself
