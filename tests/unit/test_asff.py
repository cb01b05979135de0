"""ASFF findings: what is read, and what a wrong field costs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.asff import decode_asff
from hub_responder.errors import UnreadableFinding
from hub_responder.fields import Origin
from hub_responder.finding import Finding, Malware, Note
from hub_responder.severity import Severity

EVENTS = Path(__file__).parents[2] / "events"
MISSING = object()
READ_FROM = {
    "severity": "Severity",
    "title": "Title",
    "description": "Description",
    "vulnerabilities": "Vulnerabilities",
    "resources": "Resources",
    "workflow": "Workflow",
    "record_state": "RecordState",
    "types": "Types",
    "first_seen": "FirstObservedAt",
    "updated": "UpdatedAt",
    "remediation_text": "Remediation",
    "note": "Note",
    "user_fields": "UserDefinedFields",
}
"""Attributes and the one top-level field that each is read from in a whole finding."""


def raw_finding() -> dict[str, Any]:
    """The first finding of the click on two: it has a note and user-defined fields too."""
    event = json.loads((EVENTS / "click-two-accounts.json").read_text("utf-8"))
    found: dict[str, Any] = event["detail"]["findings"][0]
    return found


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The finding with the value at ``path`` replaced, or taken out if it is MISSING."""
    raw = copy.deepcopy(raw_finding())
    node: Any = raw
    for step in path[:-1]:
        node = node[step]
    if value is MISSING:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return raw


def paths(node: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the tree below ``node``."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for key, value in items:
        found.append((*above, key))
        if isinstance(value, dict | list):
            found += paths(value, (*above, key))
    return found


def problem_fields(finding: Finding) -> list[str]:
    return [problem.field for problem in finding.problems]


def test_reads_every_field_of_an_inspector_finding() -> None:
    raw = raw_finding()
    finding = decode_asff(raw)
    assert finding.problems == ()
    assert finding.schema == "ASFF"
    assert finding.raw is raw
    assert (finding.id, finding.product_arn) == (raw["Id"], raw["ProductArn"])
    assert (finding.product, finding.account.id, finding.region) == (
        "Inspector",
        "111122223333",
        "us-east-1",
    )
    assert finding.severity is Severity.HIGH
    assert (finding.workflow, finding.record_state) == ("NOTIFIED", "ACTIVE")
    assert finding.note == Note(
        "Patch window agreed for Thursday.", "analyst@example.com", 1795234320.0
    )
    assert finding.user_fields == {"change": "CHG-0042"}
    assert finding.user_fields_whole
    assert (finding.first_seen, finding.updated) == (1795209245.0, 1795305521.0)
    resource = finding.resource
    assert (resource.type, resource.instance_id) == ("AwsEc2Instance", "i-028293a4b5c6d7e8f")
    assert (resource.name, resource.tags["owner"]) == ("cache-01", "platform")
    assert resource.details["IpV4Addresses"] == ["10.20.4.41"]
    (vulnerability,) = finding.vulnerabilities
    assert vulnerability.cve_ids == ("CVE-2026-1118",) == finding.cves
    assert (finding.max_cvss, finding.max_epss) == (8.8, 0.0554)
    assert (finding.exploit_available, finding.fix_available) == (False, True)
    assert vulnerability.packages[0].fixed_in == "0:6.2.14-1.amzn2023.0.3"
    assert vulnerability.url == "https://nvd.nist.gov/vuln/detail/CVE-2026-1118"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Id", MISSING),
        ("Id", 5),
        ("Id", ""),
        ("Id", "x" * 513),
        ("ProductArn", ["arn"]),
        ("AwsAccountId", 111122223333),
        ("AwsAccountId", "111122223333\n"),
        ("Region", {}),
        ("Region", "us-east-1 or ProductName eq 'x'"),
        ("Severity", {"Label": "SEVERE"}),
        ("Resources", []),
        ("Resources", [{"Id": 7, "Type": "AwsEc2Instance"}]),
    ],
)
def test_unusable_essential_field_costs_the_finding_and_is_named(key: str, value: Any) -> None:
    raw = changed((key,), value)
    if key == "Severity":
        del raw["FindingProviderFields"]
    with pytest.raises(UnreadableFinding) as caught:
        decode_asff(raw)
    assert caught.value.field == key
    assert caught.value.finding_id == ("" if key == "Id" else raw["Id"])


def test_absent_account_and_region_come_from_the_arns_of_the_finding() -> None:
    raw = raw_finding()
    del raw["AwsAccountId"], raw["Region"]
    finding = decode_asff(raw)
    assert (finding.account.id, finding.region) == ("111122223333", "us-east-1")


def test_what_is_absent_comes_from_the_event_around_it() -> None:
    raw = raw_finding()
    for key in ("Id", "ProductArn", "UpdatedAt", "LastObservedAt", "CreatedAt"):
        del raw[key]
    finding = decode_asff(raw, Origin("finding-1", "arn:aws:x", "us-east-1", 1795305522.0))
    assert (finding.id, finding.product_arn, finding.updated) == (
        "finding-1",
        "arn:aws:x",
        1795305522.0,
    )
    assert problem_fields(finding) == ["UpdatedAt"]


@pytest.mark.parametrize(
    ("severity", "provider", "expected"),
    [
        ({"Label": "CRITICAL", "Normalized": 1}, None, "CRITICAL"),
        ({"Normalized": 90}, None, "CRITICAL"),
        ({"Label": 5, "Normalized": 40}, None, "MEDIUM"),
        ("CRITICAL", {"Severity": {"Label": "HIGH"}}, "HIGH"),
        ({"Label": "high"}, None, "HIGH"),
        (None, None, "INFORMATIONAL"),
    ],
)
def test_severity_is_the_best_that_is_said(severity: Any, provider: Any, expected: str) -> None:
    raw = {**raw_finding(), "Severity": severity, "FindingProviderFields": provider}
    assert decode_asff(raw).severity.value == expected


def test_a_broken_resource_costs_only_itself() -> None:
    raw = raw_finding()
    raw["Resources"].insert(0, {"Type": "AwsEc2Instance", "Id": 4})
    raw["Resources"].insert(0, "i-1")
    finding = decode_asff(raw)
    assert finding.instance_ids == ("i-028293a4b5c6d7e8f",)
    assert problem_fields(finding)[:2] == ["Resources[0]", "Resources[1].Id"]


@pytest.mark.parametrize(
    ("identifier", "named", "expected"),
    [
        ("arn:aws:ec2:us-east-1:111122223333:instance/i-0abc", "", "i-0abc"),
        ("arn:aws:ec2:us-east-1:111122223333:i-0abc", "", "i-0abc"),
        ("i-0abc", "", "i-0abc"),
        ("arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0abc", "", "mi-0abc"),
        ("arn:aws:ec2:us-east-1:111122223333:instance/web", "i-0abc", "i-0abc"),
        ("arn:aws:ec2:us-east-1:111122223333:instance/web", "", ""),
        ("i-0abc' or 1 eq 1", "", ""),
    ],
)
def test_instance_id_is_the_tail_of_the_id_or_the_one_inspector_names(
    identifier: str, named: str, expected: str
) -> None:
    raw = changed(("Resources", 0, "Id"), identifier)
    raw["ProductFields"]["aws/inspector/instanceId"] = named
    assert decode_asff(raw).resource.instance_id == expected


def test_an_instance_has_one_id_however_the_finding_spells_it() -> None:
    spelt = [
        decode_asff(changed(("Resources", 0, "Id"), identifier)).resource.id
        for identifier in (
            "i-0abc",
            "arn:aws:ec2:us-east-1:111122223333:i-0abc",
            "arn:aws:ec2:us-east-1:111122223333:instance/i-0abc",
        )
    ]
    assert set(spelt) == {"arn:aws:ec2:us-east-1:111122223333:instance/i-0abc"}


def test_resources_that_are_no_instance_have_no_instance_id() -> None:
    raw = changed(("Resources", 0, "Type"), "AwsS3Bucket")
    assert decode_asff(raw).instance_ids == ()


def test_related_cves_of_an_advisory_are_found_once() -> None:
    raw = changed(("Vulnerabilities", 0, "Id"), "GHSA-p98r-538v-jgw5")
    raw["Vulnerabilities"][0]["RelatedVulnerabilities"] = ["cve-2026-1", "CVE-2026-9999"] * 2
    assert decode_asff(raw).cves == ("CVE-2026-9999",)


@pytest.mark.parametrize("score", [-0.1, 10.1, "11", float("nan"), "nan", 10**400, True, "high"])
def test_scores_off_the_scale_are_dropped(score: Any) -> None:
    finding = decode_asff(changed(("Vulnerabilities", 0, "Cvss", 0, "BaseScore"), score))
    assert finding.max_cvss is None
    assert problem_fields(finding) == ["Vulnerabilities[0].Cvss[0].BaseScore"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://a b", "ftp://x", "https://x/" + "a" * 2100, 'https://"']
)
def test_addresses_other_than_http_are_dropped(url: str) -> None:
    raw = {**raw_finding(), "SourceUrl": url}
    finding = decode_asff(raw)
    assert finding.source_url == ""
    assert problem_fields(finding) == ["SourceUrl"]


def test_texts_lists_and_tags_are_bounded() -> None:
    raw = raw_finding()
    raw["Title"], raw["Description"] = "t" * 10**6, "説" * 10**6
    raw["Resources"][0]["Tags"] = {f"key{n}": "v" * 5000 for n in range(5000)}
    raw["Vulnerabilities"] *= 500
    raw["Vulnerabilities"][0]["VulnerablePackages"] *= 500
    raw["Types"] = [1] * 5000
    finding = decode_asff(raw)
    assert (len(finding.title), finding.title[-1]) == (1024, "…")
    assert len(finding.description) == 4096
    assert len(finding.resource.tags) == 50
    assert max(map(len, finding.resource.tags.values())) == 1024
    assert len(finding.vulnerabilities) == 100
    assert len(finding.vulnerabilities[0].packages) == 50
    assert len(finding.problems) == 50


def test_lone_surrogates_are_replaced_and_the_finding_can_be_written() -> None:
    raw = changed(("Title",), "a\ud800b")
    raw["Resources"][0]["Tags"] = {"\udc00": "x\udfff"}
    finding = decode_asff(raw)
    assert finding.title == "a\ufffdb"
    assert finding.resource.tags == {"\ufffd": "x\ufffd"}
    msgspec.json.encode(finding.compact())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-21T23:58:41+09:00", 1795273121.0),
        ("2026-11-21T23:58:41", 1795305521.0),
        (1795305521000, 1795305521.0),
    ],
)
def test_times_without_zone_are_utc_and_numbers_milliseconds(value: Any, expected: float) -> None:
    assert decode_asff(changed(("UpdatedAt",), value)).updated == expected


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+14:00", "soon", -1, 10**400, True, "9" * 99]
)
def test_impossible_times_fall_back_to_the_next_one(value: Any) -> None:
    finding = decode_asff(changed(("UpdatedAt",), value))
    assert finding.updated == 1795305521.0  # LastObservedAt
    assert problem_fields(finding) == ["UpdatedAt"]


def test_user_fields_that_cannot_be_written_back_whole_say_so() -> None:
    finding = decode_asff({**raw_finding(), "UserDefinedFields": {"a": "b", "n": 1}})
    assert finding.user_fields == {"a": "b"}
    assert not finding.user_fields_whole


def test_findings_of_inspectors_own_shape_are_refused_as_such() -> None:
    with pytest.raises(UnreadableFinding, match="Amazon Inspector's own shape"):
        decode_asff({"findingArn": "arn:aws:inspector2:...", "awsAccountId": "111122223333"})


@pytest.mark.parametrize("raw", [None, 5, "x", [], {"class_uid": 2002}])
def test_what_is_no_asff_finding_is_refused(raw: Any) -> None:
    with pytest.raises(UnreadableFinding):
        decode_asff(raw)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=40)
    | st.sampled_from(
        ["", "x" * 9000, "\ud800", 10**400, -(10**30), "CVE-2026-0001", "i-0a", "1e999"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(paths(raw_finding())), value=JSON | st.just(MISSING))
def test_any_value_anywhere_costs_at_most_its_field(path: tuple[Any, ...], value: Any) -> None:
    whole = decode_asff(raw_finding())
    try:
        finding = decode_asff(changed(path, value))
    except UnreadableFinding as error:
        assert error.field  # noqa: PT017 - any other exception fails the test by itself
        return
    for attribute, key in READ_FROM.items():
        if key != path[0]:
            assert getattr(finding, attribute) == getattr(whole, attribute)
    kept = Finding.from_compact(msgspec.json.decode(msgspec.json.encode(finding.compact())))
    assert kept.fingerprint() == finding.fingerprint()


def test_deep_nesting_in_a_field_that_is_read_costs_that_field() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    finding = decode_asff(changed(("Title",), deep))
    assert finding.title == finding.id
    assert problem_fields(finding) == ["Title"]


def test_malware_is_read_as_far_as_it_is_told() -> None:
    told = {"Name": "TROJ_EXAMPLE.A", "Path": "/srv/x", "Type": "TROJAN", "State": "OBSERVED"}
    finding = decode_asff(changed(("Malware",), [told, {"Name": "Y", "State": "?"}, 5]))
    assert finding.malware == (Malware("TROJ_EXAMPLE.A", "/srv/x", "TROJAN", "OBSERVED"),
                               Malware("Y"))  # fmt: skip
    assert problem_fields(finding) == ["Malware[2]", "Malware[1].State"]
