"""Identifiers that both schemas use: ARNs, instance ids, CVE ids, names of resource types."""

from __future__ import annotations

import re

from hub_responder.finding import INSTANCE

ACCOUNT = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Wider than AWS's 12 digits: findings from tests and demos hold masked ids."""
REGION = re.compile(r"[a-z0-9-]{1,32}")
MAX_ID = 1024

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}", re.ASCII)
_INSTANCE_ID = re.compile(r"m?i-[0-9A-Za-z]{1,64}")
_ARN = re.compile(r"arn:([^:]+):([^:]*):([^:]*):([^:]*):(.+)", re.DOTALL)
_CAPITALS = re.compile(r"([A-Z])([A-Z]+)(?=[A-Z][a-z]|\d|$)")
_SERVICES = {"ElasticLoadBalancingV2": "Elbv2", "ElasticLoadBalancing": "Elb"}


def arn_account(arn: str) -> str:
    """The account in an ARN, or empty."""
    match = _ARN.fullmatch(arn)
    return match[4] if match and ACCOUNT.fullmatch(match[4]) else ""


def arn_region(arn: str) -> str:
    """The region in an ARN, or empty."""
    match = _ARN.fullmatch(arn)
    return match[3] if match and REGION.fullmatch(match[3]) else ""


def instance_id(*candidates: str) -> str:
    """The first instance id (or managed node ``mi-``) that a candidate is or, as an ARN, ends in.

    Only the prefix is asked for: real findings hold ids that are not 8 or 17 hex digits long.
    """
    for candidate in candidates:
        tail = re.split("[/:]", candidate[-MAX_ID:])[-1]
        if _INSTANCE_ID.fullmatch(tail):
            return tail
    return ""


def instance_arn(partition: str, region: str, account: str, instance: str) -> str:
    """The ARN of an EC2 instance."""
    return f"arn:{partition}:ec2:{region}:{account}:instance/{instance}"


def cve_ids(*names: str) -> tuple[str, ...]:
    """Those of ``names`` that are CVE ids, in capitals, each once."""
    upper = (name.upper() for name in names)
    return tuple(dict.fromkeys(name for name in upper if _CVE.fullmatch(name)))


def asff_type(name: str) -> str:
    """A resource type in ASFF's spelling: ``AWS::EC2::Instance`` is ``AwsEc2Instance``.

    Findings in OCSF use CloudFormation's names. ASFF writes an abbreviation like a word; that
    rule and the two exceptions are ours, made from ASFF's list of types.
    """
    if name == "AWS::EC2::Instance":
        return INSTANCE
    parts = name.split("::")
    if len(parts) == 1:
        return name
    words = (_CAPITALS.sub(lambda m: m[1] + m[2].lower(), _SERVICES.get(p, p)) for p in parts)
    return "".join(words)
