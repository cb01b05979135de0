"""What a Ref and the attributes of each resource type of ``template.yaml`` are.

From the "Return values" section of each type in the AWS CloudFormation user guide and the SAM
specification. Names that the template leaves to CloudFormation are the stack's name and the logical
id here, without the random tail that AWS adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub_toolkit.sandbox.dynamodb.streams import arn_of
from hub_toolkit.sandbox.intrinsics import TemplateError


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stack stands: its name, account, region, and the endpoint of its queues."""

    stack: str
    account: str
    region: str
    endpoint: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


Naming = Callable[[Place, str], Mapping[str, str]]


def identify(
    place: Place, logical_id: str, kind: str, properties: Mapping[str, Any]
) -> Mapping[str, str]:
    """``Ref`` and the attributes of a resource.

    Raises:
        TemplateError: the type is not known.
    """
    if kind not in _TYPES:
        raise TemplateError(
            f"Resources.{logical_id}: the sandbox does not know the resource type {kind}"
        )
    name_key, naming = _TYPES[kind]
    name = str(properties.get(name_key) or f"{place.stack}-{logical_id}")
    return naming(place, name)


def _queue(place: Place, name: str) -> Mapping[str, str]:
    url = f"{place.endpoint}/{place.account}/{name}"
    return {"Ref": url, "QueueUrl": url, "QueueName": name, "Arn": place.arn("sqs", name)}


def _topic(place: Place, name: str) -> Mapping[str, str]:
    arn = place.arn("sns", name)
    return {"Ref": arn, "TopicArn": arn, "TopicName": name}


def _bucket(_place: Place, name: str) -> Mapping[str, str]:
    name = name.lower()
    return {"Ref": name, "Arn": f"arn:aws:s3:::{name}"}


def _table(place: Place, name: str) -> Mapping[str, str]:
    arn = place.arn("dynamodb", f"table/{name}")
    return {"Ref": name, "Arn": arn, "StreamArn": arn_of(arn)}


def _function(place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "Arn": place.arn("lambda", f"function:{name}")}


def _layer(place: Place, name: str) -> Mapping[str, str]:
    arn = place.arn("lambda", f"layer:{name}:1")
    return {"Ref": arn, "LayerVersionArn": arn}


def _role(place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "Arn": f"arn:aws:iam::{place.account}:role/{name}", "RoleId": name}


def _rule(place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "Arn": place.arn("events", f"rule/{name}")}


def _action_target(place: Place, name: str) -> Mapping[str, str]:
    arn = place.arn("securityhub", f"action/custom/{name}")
    return {"Ref": arn, "ActionTargetArn": arn}


def _log_group(place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "Arn": place.arn("logs", f"log-group:{name}:*")}


def _alarm(place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "Arn": place.arn("cloudwatch", f"alarm:{name}")}


def _schedule(place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "Arn": place.arn("scheduler", f"schedule/default/{name}")}


def _key(place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "KeyId": name, "Arn": place.arn("kms", f"key/{name}")}


def _plain(_place: Place, name: str) -> Mapping[str, str]:
    return {"Ref": name, "Id": name}


_TYPES: dict[str, tuple[str, Naming]] = {
    "AWS::SQS::Queue": ("QueueName", _queue),
    "AWS::SQS::QueuePolicy": ("", _plain),
    "AWS::SNS::Topic": ("TopicName", _topic),
    "AWS::SNS::TopicPolicy": ("", _plain),
    "AWS::S3::Bucket": ("BucketName", _bucket),
    "AWS::S3::BucketPolicy": ("", _plain),
    "AWS::SES::ConfigurationSetEventDestination": ("", _plain),
    "AWS::DynamoDB::Table": ("TableName", _table),
    "AWS::Serverless::Function": ("FunctionName", _function),
    "AWS::Serverless::LayerVersion": ("LayerName", _layer),
    "AWS::Lambda::EventSourceMapping": ("", _plain),
    "AWS::Lambda::EventInvokeConfig": ("", _plain),
    "AWS::Lambda::Permission": ("", _plain),
    "AWS::Lambda::Url": ("", _plain),
    "AWS::IAM::Role": ("RoleName", _role),
    "AWS::IAM::RolePolicy": ("", _plain),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", _plain),
    "AWS::Events::Rule": ("Name", _rule),
    "AWS::Scheduler::Schedule": ("Name", _schedule),
    "AWS::SecurityHub::ActionTarget": ("Id", _action_target),
    "AWS::KMS::Key": ("", _key),
    "AWS::KMS::Alias": ("AliasName", _plain),
    "AWS::Logs::LogGroup": ("LogGroupName", _log_group),
    "AWS::CloudWatch::Alarm": ("AlarmName", _alarm),
    "AWS::Glue::Database": ("", _plain),
    "AWS::Glue::Table": ("", _plain),
}
