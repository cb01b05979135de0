"""Logical ids and names in the template.

Names begin with the stack's, so that a queue's policy can tell the stack's rules by name. Lambda
and EventBridge take 64 characters: with the longest playbook name, 33 are left for the stack's.
"""

from __future__ import annotations

from typing import Any


def logical(playbook: str, suffix: str) -> str:
    """The logical id of a playbook's resource, as ``InspectorCoverageFunction``."""
    return "".join(part.capitalize() for part in playbook.split("-")) + suffix


def named(suffix: str) -> dict[str, Any]:
    """The name STACK-SUFFIX."""
    return {"Fn::Sub": "${AWS::StackName}-" + suffix}


def log_group(suffix: str) -> dict[str, Any]:
    """The name of the log group of the function STACK-SUFFIX."""
    return {"Fn::Sub": "/aws/lambda/${AWS::StackName}-" + suffix}


def ref(logical_id: str) -> dict[str, Any]:
    """``Ref`` of a resource or parameter."""
    return {"Ref": logical_id}


def attribute(logical_id: str, name: str = "Arn") -> dict[str, Any]:
    """An attribute of a resource."""
    return {"Fn::GetAtt": [logical_id, name]}


def arn(service: str, resource: str) -> dict[str, Any]:
    """The ARN of ``resource`` in this partition, region and account."""
    account = "${AWS::Region}:${AWS::AccountId}"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{account}:{resource}"}


def hub() -> dict[str, Any]:
    """The ARN of the account's Security Hub."""
    return arn("securityhub", "hub/default")


def where(value: Any, condition: str) -> Any:
    """``value``, only where the condition holds; "" always does."""
    return {"Fn::If": [condition, value, ref("AWS::NoValue")]} if condition else value
