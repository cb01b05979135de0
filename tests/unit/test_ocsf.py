"""OCSF findings: read into the same type, with ASFF's words."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.errors import UnreadableFinding
from hub_responder.finding import Finding, Note
from hub_responder.identifiers import asff_type
from hub_responder.ocsf import decode_ocsf
from hub_responder.severity import Severity

EVENTS = Path(__file__).parents[2] / "events"


def raw_finding(**changes: Any) -> dict[str, Any]:
    event = json.loads((EVENTS / "inspector-high-ec2-ocsf.json").read_text("utf-8"))
    found: dict[str, Any] = event["detail"]["findings"][0]
    return {**found, **changes}


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container in the tree with each of its keys."""
    items = list(node.items() if isinstance(node, dict) else enumerate(node))
    found = [(node, key) for key, _ in items]
    for _, value in items:
        if isinstance(value, dict | list):
            found += places(value)
    return found


def test_reads_every_field_of_an_inspector_finding() -> None:
    raw = raw_finding()
    finding = decode_ocsf(raw)
    assert finding.problems == ()
    assert finding.schema == "OCSF"
    assert finding.id == raw["finding_info"]["uid"]
    assert finding.metadata_uid == raw["metadata"]["uid"]
    assert (finding.product, finding.account.id, finding.region) == (
        "Inspector",
        "111122223333",
        "us-east-1",
    )
    assert finding.severity is Severity.HIGH
    assert (finding.workflow, finding.record_state) == ("NEW", "ACTIVE")
    assert (finding.first_seen, finding.updated) == (1795209245.0, 1795305521.0)
    assert finding.remediation_url.endswith("/CVE-2026-1114.html")
    assert finding.cves == ("CVE-2026-1114",)
    assert (finding.max_cvss, finding.max_epss) == (8.1, 0.01873)
    assert (finding.exploit_available, finding.fix_available) == (True, True)
    assert finding.vulnerabilities[0].packages[0].fixed_in == "0:3.11.6-1.amzn2023.0.4"
    assert not finding.user_fields_whole


def test_an_instance_is_the_same_resource_as_in_asff() -> None:
    resource = decode_ocsf(raw_finding()).resource
    assert resource.type == "AwsEc2Instance"
    assert resource.instance_id == "i-0d4e5f60718293a4b"
    assert resource.id == "arn:aws:ec2:us-east-1:111122223333:instance/i-0d4e5f60718293a4b"
    assert (resource.name, resource.tags["owner"]) == ("api-02", "platform")


@pytest.mark.parametrize(
    ("severity", "number", "expected"),
    [
        ("Fatal", 6, "CRITICAL"),
        ("Critical", 5, "CRITICAL"),
        (None, 6, "CRITICAL"),
        (None, 2, "LOW"),
        ("Other", 3, "MEDIUM"),
        (7, 4, "HIGH"),
        ("Informational", 1, "INFORMATIONAL"),
        ("Unknown", 0, "INFORMATIONAL"),
    ],
)
def test_severity_by_name_or_number(severity: Any, number: int, expected: str) -> None:
    raw = raw_finding(severity=severity, severity_id=number, vendor_attributes=None)
    assert decode_ocsf(raw).severity.value == expected


def test_unreadable_severity_is_not_taken_for_a_low_one() -> None:
    with pytest.raises(UnreadableFinding) as caught:
        decode_ocsf(raw_finding(severity="Grave", severity_id="x", vendor_attributes=None))
    assert caught.value.field == "severity"


@pytest.mark.parametrize(
    ("changes", "workflow", "record_state"),
    [
        ({"status": "In Progress"}, "NOTIFIED", "ACTIVE"),
        ({"status": "Suppressed"}, "SUPPRESSED", "ACTIVE"),
        ({"status": "Resolved"}, "RESOLVED", "ACTIVE"),
        ({"status": "Archived"}, "NEW", "ARCHIVED"),
        ({"activity_id": 3}, "NEW", "ARCHIVED"),
        ({"activity_name": "Close"}, "NEW", "ARCHIVED"),
        ({"unmapped": {"RecordState": "ARCHIVED"}}, "NEW", "ARCHIVED"),
        ({"status": "Nonsense"}, "NEW", "ACTIVE"),
    ],
)
def test_status_becomes_workflow_and_record_state(
    changes: dict[str, Any], workflow: str, record_state: str
) -> None:
    finding = decode_ocsf(raw_finding(**changes))
    assert (finding.workflow, finding.record_state) == (workflow, record_state)


def test_compliance_and_comment_have_asffs_words() -> None:
    finding = decode_ocsf(raw_finding(compliance={"status": "Fail"}, comment="known"))
    assert (finding.compliance, finding.note) == ("FAILED", Note("known"))


@pytest.mark.parametrize(
    ("tags", "labels", "expected"),
    [
        ([{"key": "Name", "value": "a"}], None, {"Name": "a"}),
        ({"Name": "a"}, None, {"Name": "a"}),
        (None, ["Name=a=b", "bare"], {"Name": "a=b", "bare": ""}),
        ([{"name": "Name"}, 5], None, {"Name": ""}),
    ],
)
def test_tags_are_read_in_every_shape(tags: Any, labels: Any, expected: dict[str, str]) -> None:
    raw = raw_finding()
    raw["resources"][0] |= {"tags": tags, "labels": labels}
    assert decode_ocsf(raw).resource.tags == expected


def test_details_may_be_json_text_wrapped_in_the_type() -> None:
    raw = raw_finding()
    raw["resources"][0] |= {"data": '{"AwsEc2Instance": {"instance_id": "i-0f"}}', "uid": "web-1"}
    resource = decode_ocsf(raw).resource
    assert (resource.details["instance_id"], resource.instance_id) == ("i-0f", "i-0f")


@pytest.mark.parametrize("data", ["{", "[1]", "5", "[" * 100_000, '"\ud800"'])
def test_details_that_are_no_json_object_cost_only_themselves(data: str) -> None:
    raw = raw_finding()
    raw["resources"][0]["data"] = data
    finding = decode_ocsf(raw)
    assert finding.resource.details == {}
    assert [problem.field for problem in finding.problems] == ["resources[0].data"]


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("finding_info", {"uid": 4}, "finding_info.uid"),
        ("metadata", {"product": {}}, "metadata.product.uid"),
        ("cloud", {"account": {"uid": 111122223333}}, "cloud.account.uid"),
        ("resources", "x", "resources"),
    ],
)
def test_unusable_essential_field_costs_the_finding(key: str, value: Any, field: str) -> None:
    with pytest.raises(UnreadableFinding) as caught:
        decode_ocsf(raw_finding(**{key: value}))
    assert caught.value.field == field


@pytest.mark.parametrize("raw", [None, [], "x", {"Id": "an ASFF one"}])
def test_what_is_no_ocsf_finding_is_refused(raw: Any) -> None:
    with pytest.raises(UnreadableFinding, match="no OCSF finding"):
        decode_ocsf(raw)


@pytest.mark.parametrize(
    ("ocsf", "asff"),
    [
        ("AWS::EC2::Instance", "AwsEc2Instance"),
        ("AWS::S3::Bucket", "AwsS3Bucket"),
        ("AWS::IAM::Role", "AwsIamRole"),
        ("AWS::RDS::DBInstance", "AwsRdsDbInstance"),
        ("AWS::DynamoDB::Table", "AwsDynamoDbTable"),
        ("AWS::Lambda::Function", "AwsLambdaFunction"),
        ("AWS::EC2::VPC", "AwsEc2Vpc"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AwsElbv2LoadBalancer"),
        ("AwsEcrContainerImage", "AwsEcrContainerImage"),
        ("Other", "Other"),
    ],
)
def test_resource_types_are_spelt_as_in_asff(ocsf: str, asff: str) -> None:
    assert asff_type(ocsf) == asff


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=40)
    | st.sampled_from(["x" * 9000, "\ud800", 10**400, '{"a":', "0.5", "Fatal"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), value=JSON)
def test_any_value_anywhere_costs_at_most_its_field(data: st.DataObject, value: Any) -> None:
    raw = copy.deepcopy(raw_finding())
    found = places(raw)
    node, key = found[data.draw(st.integers(0, len(found) - 1))]
    node[key] = value
    try:
        finding = decode_ocsf(raw)
    except UnreadableFinding as error:
        assert error.field  # noqa: PT017 - any other exception fails the test by itself
        return
    if node is not raw and not any(node is part for part, _ in places(raw.get("finding_info", {}))):
        assert finding.title == "CVE-2026-1114 - python3.11"
    kept = Finding.from_compact(msgspec.json.decode(msgspec.json.encode(finding.compact())))
    assert kept.fingerprint() == finding.fingerprint()
