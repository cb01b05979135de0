"""What findings say about the instances behind their resources, in ASFF and OCSF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import ACCOUNT, INSTANCE, REGION
from hub_responder.behind.clues import MAX_INSTANCES, clues
from hub_responder.behind.kinds import STAND_INS, stands_for_instances
from hub_responder.events import decode, decode_finding
from hub_responder.finding import Clue, Finding

SAMPLES = sorted((Path(__file__).parents[4] / "shared" / "samples").glob("*.json"))
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:"
TASK = f"{ECS}task/shop/0a1b2c3d4e5f60718293a4b5c6d7e8f9"
HOST = f"{ECS}container-instance/shop/1f2e3d4c5b6a79880f1e2d3c4b5a6978"
GROUP = (
    f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:"
    "6e5d4c3b-2a19-4807-96f5-e4d3c2b1a098:autoScalingGroupName/web"
)
OTHER = "i-0fed9876cba543210"


def asff(*resources: dict[str, Any], **more: Any) -> Finding:
    """A finding of GuardDuty's about these resources."""
    raw = {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/1/finding/2",
        "ProductArn": f"arn:aws:securityhub:{REGION}::product/aws/guardduty",
        "AwsAccountId": ACCOUNT,
        "Region": REGION,
        "Severity": {"Label": "HIGH"},
        "UpdatedAt": "2026-11-22T00:00:00Z",
        "Resources": list(resources),
    }
    return decode_finding(raw | more)


def ocsf(*resources: dict[str, Any], **more: Any) -> Finding:
    raw = {
        "class_uid": 2004,
        "cloud": {"account": {"uid": ACCOUNT}, "region": REGION},
        "finding_info": {"uid": "f-1", "title": "A threat", "modified_time": 1795305600000},
        "metadata": {"product": {"uid": "arn:aws:securityhub:x::productv2/aws/guardduty"}},
        "severity": "High",
        "resources": list(resources),
    }
    return decode_finding(raw | more)


def told(finding: Finding) -> list[tuple[str, str]]:
    """Kinds and names; the same from the form that the ledger keeps."""
    found = clues(finding)
    kept = Finding.from_compact(json.loads(json.dumps(finding.compact())))
    assert [(c.kind, c.name) for c in clues(kept)] == [(c.kind, c.name) for c in found]
    return [(clue.kind, clue.name) for clue in found]


def of(kind: str, resource_id: str = "some", **details: Any) -> dict[str, Any]:
    return {"Type": kind, "Id": resource_id, "Details": details}


INSTANCE_RESOURCE = of("AwsEc2Instance", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{INSTANCE}")


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"Attachment": {"InstanceId": INSTANCE, "InstanceOwnerId": ACCOUNT}}, "Attachment"),
        ({"Attachments": [{"InstanceId": INSTANCE}]}, "Attachments[0]"),
        ({"Ec2InstanceUids": [INSTANCE]}, "Ec2InstanceUids[0]"),
        ({"x": {"host.instance_arn": INSTANCE_RESOURCE["Id"]}}, "x.host.instance_arn"),
    ],
)
def test_details_name_the_instance(details: dict[str, Any], field: str) -> None:
    for kind in ("AwsEc2NetworkInterface", "AwsEksCluster"):
        found = asff(of(kind, **{kind: details}))
        assert told(found) == [("instance", INSTANCE)]
        assert clues(found)[0].field.startswith(f"Resources[0].Details.{kind}.{field}")


def test_other_details_count_beside_the_typed_ones() -> None:
    found = asff(of("Container", Container={"Name": "x"}, Other={"Instance ID": INSTANCE}))
    assert told(found) == [("instance", INSTANCE)]
    assert told(asff(of("Other", Other={"instanceId": INSTANCE}))) == [("instance", INSTANCE)]


def test_an_instance_beside_a_container_is_behind_it() -> None:
    found = asff(of("AwsEksCluster"), of("Container"), INSTANCE_RESOURCE)
    assert told(found) == [("instance", INSTANCE)]
    assert clues(found)[0].field == "resources[2]"
    image = asff(of("AwsEcrContainerImage"), INSTANCE_RESOURCE)
    assert told(image) == [("instance", INSTANCE)]


@pytest.mark.parametrize("kind", ["AwsS3Bucket", "AwsIamAccessKey", "AwsEc2Instance"])
def test_behind_other_resources_is_no_instance(kind: str) -> None:
    fields = {"aws/guardduty/service/x/instanceId": INSTANCE}
    found = asff(of(kind, Other={"instanceId": INSTANCE}), INSTANCE_RESOURCE, ProductFields=fields)
    assert told(found) == []


def test_its_own_details_count_before_what_is_beside_it_and_that_before_other_fields() -> None:
    attached = of("AwsEc2Volume", AwsEc2Volume={"Attachments": [{"InstanceId": OTHER}]})
    assert told(asff(attached, INSTANCE_RESOURCE)) == [("instance", OTHER)]
    fields = {"trend-micro:HostInstanceID": OTHER}
    assert told(asff(of("Container"), ProductFields=fields)) == [("instance", OTHER)]
    both = asff(of("Container"), INSTANCE_RESOURCE, ProductFields=fields)
    assert told(both) == [("instance", INSTANCE)]


def test_lists_in_product_fields_are_flattened() -> None:
    fields = {
        f"aws/guardduty/service/detection/ec2InstanceUids.{number}_": name
        for number, name in enumerate((INSTANCE, OTHER))
    }
    found = asff(of("AwsEcsCluster"), ProductFields=fields)
    assert told(found) == [("instance", INSTANCE), ("instance", OTHER)]


def test_ocsf_names_it_in_data_or_as_the_device() -> None:
    group = {"type": "AWS::AutoScaling::AutoScalingGroup", "uid": GROUP}
    named = ocsf(group | {"data": {"ec2_instance_uids": [INSTANCE, INSTANCE, OTHER]}})
    assert told(named) == [("instance", INSTANCE), ("instance", OTHER)]
    text = ocsf(group | {"data": json.dumps({"ec2_instance_uids": [INSTANCE]})})
    assert told(text) == [("instance", INSTANCE)]
    container = {"type": "Container", "uid": "c-1"}
    assert told(ocsf(container, device={"instance_uid": OTHER})) == [("instance", OTHER)]
    seen = ocsf(container, evidences=[{"device": {"instance_uid": OTHER}}])
    assert told(seen) == [("instance", OTHER)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (asff(of("AwsEcsTask", TASK)), ("task", TASK)),
        (asff(of("AwsEcsContainerInstance", HOST)), ("container_instance", HOST)),
        (asff(of("Container"), of("AwsEcsTask", TASK)), ("task", TASK)),
        (
            asff(of("AwsEcsCluster", AwsEcsCluster={"x": TASK, "y": HOST})),
            ("container_instance", HOST),
        ),
        (asff(of("AwsEcsCluster"), ProductFields={"ecs/arn": TASK}), ("task", TASK)),
        (asff(of("AwsAutoScalingAutoScalingGroup", GROUP)), ("group", GROUP)),
        (asff(of("AwsAutoScalingAutoScalingGroup", "web")), ("group", ":autoScalingGroupName/web")),
        (
            asff(of("Container", Other={"k8s.node.name": "ip-10-0-0-5.ec2.internal"})),
            ("node", "ip-10-0-0-5.ec2.internal"),
        ),
        (
            asff(of("Container", Other={"NodeName": f"{INSTANCE}.eu-central-1.compute.internal"})),
            ("instance", INSTANCE),
        ),
        (
            asff(of("Container", Other={"node": "fargate-ip-10-0-0-5.ec2.internal"})),
            ("fargate", "fargate-ip-10-0-0-5.ec2.internal"),
        ),
        (
            asff(of("AwsEcsService", AwsEcsService={"LaunchType": "FARGATE"})),
            ("fargate", "FARGATE"),
        ),
        (ocsf({"type": "AWS::ECS::Task", "uid": TASK}), ("task", TASK)),
    ],
)
def test_what_leads_to_an_instance(found: Finding, expected: tuple[str, str]) -> None:
    assert told(found) == [expected]


def test_what_names_the_instance_counts_before_what_leads_to_it() -> None:
    found = asff(of("AwsEcsTask", TASK, AwsEcsTask={"LaunchType": "FARGATE"}), INSTANCE_RESOURCE)
    assert told(found) == [("instance", INSTANCE)]


@pytest.mark.parametrize(
    "found",
    [
        asff(of("AwsEksCluster", AwsEksCluster={"Name": "prod", "Endpoint": "https://x.example"})),
        asff(of("AwsEcrContainerImage", AwsEcrContainerImage={"ImageDigest": "sha256:1"})),
        asff(of("Container", Other={"nodeName": "*", "node": "web", "instanceId": "web-01"})),
        asff(of("Container", Other={"note": f"see {INSTANCE}", "i": TASK + "/../x"})),
        asff(of("AwsAutoScalingAutoScalingGroup", "w" * 256)),
        asff(of("AwsAutoScalingAutoScalingGroup", "w\n")),
    ],
)
def test_what_leads_nowhere(found: Finding) -> None:
    assert told(found) == []


def test_what_is_in_another_account_is_not_looked_for() -> None:
    elsewhere = TASK.replace(ACCOUNT, "444455556666")
    assert told(asff(of("Container"), ProductFields={"task": elsewhere})) == []
    assert told(asff(of("AwsEcsTask", elsewhere))) == [("task", elsewhere)]


def test_instances_over_the_bound_are_counted() -> None:
    names = [f"i-{number:08x}" for number in range(MAX_INSTANCES + 7)]
    found = told(asff(of("AwsEcsCluster", Other={"ec2InstanceIds": names})))
    assert found == [*(("instance", name) for name in names[:MAX_INSTANCES]), ("more", "7")]


KEYS = st.sampled_from(["InstanceId", "node", "Resources", "Details", "device", "launchType"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.just(INSTANCE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner),
    max_leaves=30,
)


@given(st.sampled_from(["Container", "AwsEcsTask", "Other"]), JSON, JSON)
@settings(max_examples=200, deadline=None)
def test_no_shape_of_details_is_too_odd(kind: str, details: Any, fields: Any) -> None:
    raw = {"Type": kind, "Id": "x", "Details": details}
    for found in (
        asff(raw, ProductFields=fields),
        ocsf({"type": kind, "uid": "x", "data": details}, device=fields, evidences=fields),
    ):
        for clue in clues(found):
            assert isinstance(clue, Clue)
            assert clue.kind in ("instance", "node", "fargate")


def test_deep_and_wide_details_end() -> None:
    deep: Any = INSTANCE
    for _ in range(50):
        deep = {"InstanceId": deep}
    wide = {f"key{number}": "x" * 600 for number in range(5000)}
    found = asff(of("Container", Other=deep), ProductFields={**wide, "instanceId": INSTANCE})
    assert told(found) == []


@pytest.mark.skipif(not SAMPLES, reason="the real samples are not here")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name[:32])
def test_real_findings_lead_to_instances_only_from_what_stands_for_them(path: Path) -> None:
    raw = json.loads(path.read_text("utf-8"))
    if "inspector2-native" in path.name:
        return
    findings = (
        decode(path.read_text("utf-8")).findings if "detail" in raw else [decode_finding(raw)]
    )
    for one in findings:
        for resource in one.resources:
            found = clues(one.with_resource(resource))
            assert not found or stands_for_instances(resource.type)
            assert (
                resource.type not in STAND_INS
                or resource.type != "AwsEcrContainerImage"
                or not found
            )
