"""The IAM statements that connections need, with CloudFormation intrinsics in long form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hub_responder.connections.settings import PACED, WITH_SECRET
from hub_responder.connections.turns import RATES
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


def mailing(connections: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Sending as the senders of those ``connections`` that use SES.

    SES takes the address as the identity, or else its domain or one above it ("Creating and
    verifying identities"). With Raw content `SendEmail` wants `ses:SendRawEmail` as well; with a
    configuration set, both on that too.
    """
    found: list[Mapping[str, Any]] = []
    for settings in connections.values():
        if settings.get("type") != "ses":
            continue
        sender = str(settings.get("sender", ""))
        names = [f"identity/{one}" for one in _identities(sender)]
        if settings.get("configuration_set"):
            names.append(f"configuration-set/{settings['configuration_set']}")
        where = settings.get("region") or "${AWS::Region}"
        found.append(
            {
                "Effect": "Allow",
                "Action": ["ses:SendEmail", "ses:SendRawEmail"],
                "Resource": [
                    {"Fn::Sub": f"arn:${{AWS::Partition}}:ses:{where}:${{AWS::AccountId}}:{name}"}
                    for name in names
                ],
                "Condition": {"StringEquals": {"ses:FromAddress": sender}},
            }
        )
    return found


def _identities(sender: str) -> list[str]:
    """The address, its domain and those above it, down to two labels."""
    labels = sender.rpartition("@")[2].split(".")
    return [sender, *(".".join(labels[at:]) for at in range(len(labels) - 1))]


def asking(connections: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Asking other systems and writing to them: their secrets, and the pace of those that are
    paced."""
    return [*secrets_of(connections), *_pacing(connections)]


def _pacing(connections: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    paced = PACED | RATES.keys()
    names = [name for name, one in connections.items() if one.get("type") in paced]
    return [metering(names)] if names else []


def metering(names: Collection[str]) -> Mapping[str, Any]:
    """Moving the meters of connections on."""
    return {
        "Effect": "Allow",
        "Action": ["dynamodb:UpdateItem"],
        "Resource": [{"Fn::GetAtt": ["LedgerTable", "Arn"]}],
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": sorted(map(partition, names))}
        },
    }
