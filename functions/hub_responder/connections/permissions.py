"""The IAM statements that connections need, with CloudFormation intrinsics in long form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_responder.connections.settings import PACED, WITH_SECRET
from hub_responder.pace import partition


def secrets_of(connections: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Reading the secrets of those ``connections`` (name -> type and settings) that have one."""
    names = sorted(n for n, settings in connections.items() if settings.get("type") in WITH_SECRET)
    if not names:
        return []
    resources = [
        {
            # Secrets Manager ends each secret's ARN with six random characters.
            "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}"
            f":secret:hub-responder/${{Stage}}/{name}-??????"
        }
        for name in names
    ]
    return [{"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": resources}]


def asking(connections: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Asking other systems: their secrets, and the pace of those that are paced."""
    return [*secrets_of(connections), *_pacing(connections)]


def _pacing(connections: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    meters = sorted(partition(n) for n, one in connections.items() if one.get("type") in PACED)
    if not meters:
        return []
    return [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:UpdateItem"],
            "Resource": [{"Fn::GetAtt": ["LedgerTable", "Arn"]}],
            "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": meters}},
        }
    ]
