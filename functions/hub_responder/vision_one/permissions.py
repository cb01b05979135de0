"""The IAM statements of steps that ask Vision One, with CloudFormation intrinsics in long form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_responder.vision_one.snapshot import PREFIX


def snapshots() -> list[Mapping[str, Any]]:
    """Reading the fleet's snapshots. The bucket is not listed: one that is missing is none."""
    objects = {"Fn::Sub": f"${{InventoryBucket.Arn}}/{PREFIX}/*"}
    return [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [objects]}]
