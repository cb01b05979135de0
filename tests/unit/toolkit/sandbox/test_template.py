from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.template import Mapped, Plan, plan, read_template

PLACE = Place("stack", "111122223333", "us-east-1", "http://127.0.0.1:1")
DLQ = "arn:aws:sqs:us-east-1:111122223333:stack-dlq"

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Stage": {"Type": "String", "Default": "prod"}},
    "Globals": {
        "Function": {
            "Timeout": 60,
            "MemorySize": 256,
            "Environment": {"Variables": {"STAGE": {"Ref": "Stage"}, "DEBUG": False}},
        }
    },
    "Resources": {
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stack-dlq"}},
        "Imports": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": {"Fn::Sub": "${AWS::StackName}-imports"},
                "VisibilityTimeout": 95,
                "RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
                    "maxReceiveCount": 5,
                },
            },
        },
        "Layer": {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {"ContentUri": "build/playbooks/coverage/"},
        },
        "Function": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Handler": "package.module.handler",
                "Layers": [{"Ref": "Layer"}],
                "Timeout": 30,
                "Environment": {"Variables": {"QUEUE": {"Ref": "Imports"}}},
                "Events": {
                    "Clicks": {
                        "Type": "SQS",
                        "Properties": {"Queue": {"Fn::GetAtt": ["Dead", "Arn"]}},
                    },
                    "Often": {"Type": "Schedule", "Properties": {"Schedule": "rate(5 minutes)"}},
                },
            },
        },
        "Source": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
                "EventSourceArn": {"Fn::GetAtt": ["Imports", "Arn"]},
                "BatchSize": 50,
                "MaximumBatchingWindowInSeconds": 5,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": 5},
            },
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 90}},
    },
}


def planned(**parameters: str) -> Plan:
    return plan(TEMPLATE, PLACE, parameters)


def test_queues_get_their_names_and_resolved_properties() -> None:
    queues = planned().queues
    assert queues["stack-imports"]["RedrivePolicy"] == {
        "deadLetterTargetArn": DLQ,
        "maxReceiveCount": 5,
    }


def test_a_function_has_the_globals_with_its_own_laid_over() -> None:
    function = planned(Stage="dev").functions["stack-Function"]
    assert (function.timeout, function.memory, function.layers) == (30, 256, ("coverage",))
    assert function.environment == {
        "STAGE": "dev",
        "DEBUG": "false",
        "QUEUE": "http://127.0.0.1:1/111122223333/stack-imports",
    }


def test_event_sources_come_from_the_function_and_from_resources_of_their_own() -> None:
    function = planned().functions["stack-Function"]
    imports = "arn:aws:sqs:us-east-1:111122223333:stack-imports"
    assert function.sources == (
        Mapped(imports, batch_size=50, window=5.0, concurrency=5, partial=True),
        Mapped(DLQ, batch_size=10, window=0.0, concurrency=None, partial=False),
    )
    assert function.schedules == ("rate(5 minutes)",)


def test_a_parameter_that_the_template_lacks_is_passed_over() -> None:
    assert planned(Colour="red").functions["stack-Function"].environment["STAGE"] == "prod"


def changed(**resources: Any) -> dict[str, Any]:
    return {**TEMPLATE, "Resources": {**TEMPLATE["Resources"], **resources}}


def test_a_resource_type_that_is_not_known_is_an_error() -> None:
    with pytest.raises(TemplateError, match=r"Resources\.Disk.*AWS::EC2::Volume"):
        plan(changed(Disk={"Type": "AWS::EC2::Volume"}), PLACE, {})


def test_a_kind_of_event_that_is_not_known_is_an_error() -> None:
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "h", "Events": {"Api": {"Type": "HttpApi"}}},
    }
    with pytest.raises(TemplateError, match=r"Events\.Api.*HttpApi"):
        plan(changed(Other=function), PLACE, {})


def test_a_layer_of_elsewhere_is_an_error() -> None:
    layer = "arn:aws:lambda:us-east-1:999988887777:layer:other:3"
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "h", "Layers": [layer]},
    }
    with pytest.raises(TemplateError, match="not one of this template"):
        plan(changed(Other=function), PLACE, {})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Resources: {", "cannot be read"),
        ("- a list", "has no Resources"),
        ("Resources: text", "has no Resources"),
        ("Resources: {A: !Ref B}", "cannot be read"),
    ],
)
def test_a_file_that_is_no_template_is_an_error(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError, match=complaint):
        read_template(path)


def test_a_missing_template_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="hub-responder synth"):
        read_template(tmp_path / "template.yaml")
