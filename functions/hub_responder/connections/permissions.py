"""The IAM statements that connections need, with CloudFormation intrinsics in long form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_responder.connections.settings import WITH_SECRET


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
