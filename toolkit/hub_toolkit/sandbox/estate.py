"""The estate that the sandbox starts with: a small invented one, in ``estate.json``.

``{"vision_one": {"endpoints": [...]}, "ec2": {"instances": [...]}}``. Instances are items as
``PUT /_sandbox/ec2/instances`` takes them, endpoints as ``PUT /_sandbox/vision_one/endpoints``
does: as Vision One's list call returns them, with the keys of ours that
``vendors.vision_one.inventory`` names. A time such as ``-PT5M`` stays so: it means five minutes
before whatever the sandbox's clock then says, so an agent that reports goes on reporting when the
clock jumps, and one that is three days offline stays so.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec


class VisionOneEstate(msgspec.Struct, forbid_unknown_fields=True):
    """What Vision One knows."""

    endpoints: list[dict[str, Any]]


class Ec2Estate(msgspec.Struct, forbid_unknown_fields=True):
    """What EC2 knows, in all accounts."""

    instances: list[dict[str, Any]]


class Estate(msgspec.Struct, forbid_unknown_fields=True):
    """What the simulated systems know."""

    vision_one: VisionOneEstate
    ec2: Ec2Estate


def load() -> Estate:
    """The estate of ``estate.json``."""
    file = resources.files("hub_toolkit.sandbox") / "estate.json"
    return msgspec.json.decode(file.read_bytes(), type=Estate)
