"""What the template's roles and policies allow, held against AWS's own list of permissions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from hub_responder import actions
from hub_toolkit.playbooks.document import parse, plain
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.sandbox.template import read_template
from hub_toolkit.synth import roles

REPOSITORY = Path(__file__).parents[4]
TEMPLATE = read_template(REPOSITORY / "template.yaml")
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


@cache
def reference() -> dict[str, Any]:
    """The Service Authorization Reference as cfn-lint carries it."""
    path = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] in kinds}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def role_statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in of_kind("AWS::IAM::Role", "AWS::IAM::RolePolicy").items():
        for policy in role.get("Policies", [role]):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements of the policies of resources."""
    for name, one in RESOURCES.items():
        document = one["Properties"].get("KeyPolicy") or one["Properties"].get("PolicyDocument")
        if document and one["Type"] != "AWS::IAM::RolePolicy":
            for statement in document["Statement"]:
                yield name, statement


def assert_narrow(name: str, statement: dict[str, Any]) -> int:
    """No wildcard where AWS allows better; how many actions that are."""
    for action in listed(statement["Action"]):
        service, _, operation = action.partition(":")
        known = reference()[service]["Actions"]
        assert operation.lower() in known, f"{name}: there is no {action}"
        narrow = known[operation.lower()].get("Resources")
        wide = "*" in listed(statement["Resource"])
        assert not (narrow and wide), f"{name}: {action} takes {narrow}"
    return len(listed(statement["Action"]))


def test_a_wildcard_stands_only_where_an_action_knows_no_resource() -> None:
    assert sum(assert_narrow(name, statement) for name, statement in role_statements()) > 100


@pytest.mark.parametrize("name", actions.names())
def test_what_an_action_declares_for_its_example_is_as_narrow(name: str) -> None:
    action = actions.get(name)
    (step,) = plain(parse(action.example, name)) if action.example else [{}]
    connections = load_project(REPOSITORY, "").connections.connections
    for statement in action.permissions(step.get("with", {}), connections):
        assert_narrow(name, dict(statement))


def test_the_roles_of_a_stage_are_those_of_the_template() -> None:
    """The sandbox takes the first, a stack the second."""
    for name, statements in roles.of_stage(load_project(REPOSITORY, "")).items():
        if name in RESOURCES:
            (policy,) = RESOURCES[name]["Properties"]["Policies"]
            assert policy["PolicyDocument"]["Statement"] == statements


def test_each_function_has_a_role_of_its_own() -> None:
    functions = of_kind("AWS::Serverless::Function")
    taken = [str(one["Role"]) for one in functions.values()]
    assert len(set(taken)) == len(taken) >= 14


def test_a_service_is_let_in_only_from_this_account() -> None:
    let_in = [
        (name, one)
        for name, one in documents()
        if one["Effect"] == "Allow" and "Service" in one["Principal"]
    ]
    assert len(let_in) >= 3
    for name, statement in let_in:
        tests = {
            key: held for test in statement["Condition"].values() for key, held in test.items()
        }
        source = str(tests.get("aws:SourceAccount") or tests.get("aws:SourceArn"))
        assert "AWS::AccountId" in source, name


def test_everybody_is_named_only_to_be_denied_or_under_a_condition_of_the_account() -> None:
    for name, statement in documents():
        if statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"}):
            account = statement["Condition"]["StringEquals"]["kms:CallerAccount"]
            assert account == {"Ref": "AWS::AccountId"}, name


@pytest.mark.parametrize(
    ("kind", "policy", "named"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
    ],
)
def test_queues_topics_and_buckets_take_nothing_without_tls(
    kind: str, policy: str, named: str
) -> None:
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    guarded = {
        one["Ref"]
        for held in of_kind(policy).values()
        if any(
            (one["Effect"], one["Principal"], one.get("Condition")) == ("Deny", "*", plain)
            for one in held["PolicyDocument"]["Statement"]
        )
        for one in listed(held[named])
    }
    assert set(of_kind(kind)) == guarded


def test_everything_that_is_kept_is_encrypted() -> None:
    for queue in of_kind("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
    for topic in of_kind("AWS::SNS::Topic").values():
        assert topic["KmsMasterKeyId"]
    for table in of_kind("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"SSEEnabled": True}
    for bucket in of_kind("AWS::S3::Bucket").values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
    for key in of_kind("AWS::KMS::Key").values():
        assert key.get("EnableKeyRotation") or key["KeyUsage"] == "SIGN_VERIFY"


def test_the_engine_reads_insights_of_a_schedule_only_where_it_has_one() -> None:
    project = load_project(REPOSITORY, "")
    scheduled = [one for one in project.sources if one.on.schedule and not one.on.custom_action]
    assert scheduled
    for source in scheduled:
        reads = "securityhub:GetInsights" in str(roles.own(source, ""))
        assert source.on.schedule
        assert reads is bool(source.on.schedule.insight), source.name
