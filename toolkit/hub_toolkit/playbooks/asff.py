"""The fields of a finding in ASFF, to any depth, as the Security Hub API in botocore has them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    TEXT,
    Choice,
    ListOf,
    MapOf,
    Record,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_toolkit.playbooks.kinds import Kind

_SIMPLE = {
    "string": TEXT,
    "boolean": BOOLEAN,
    "integer": NUMBER,
    "long": NUMBER,
    "double": NUMBER,
    "float": NUMBER,
}


@lru_cache(maxsize=1)
def finding() -> Record:
    """A whole finding: shape ``AwsSecurityFinding``."""
    kind = _kind("AwsSecurityFinding", "finding.raw")
    if not isinstance(kind, Record):
        raise TypeError("AwsSecurityFinding is no structure")
    return kind


@lru_cache(maxsize=1)
def resource_types() -> frozenset[str]:
    """The types of resources that have details of their own, in ASFF's spelling."""
    return frozenset(_shapes()["ResourceDetails"]["members"]) - {"Other"} | {"AwsAccount"}


@lru_cache(maxsize=1)
def _shapes() -> Mapping[str, Mapping[str, Any]]:
    # The loader alone: botocore's session and models would cost four times as much.
    from botocore.loaders import Loader

    shapes: Mapping[str, Mapping[str, Any]] = Loader().load_service_model(
        "securityhub", "service-2"
    )["shapes"]
    return shapes


def _kind(name: str, path: str) -> Kind:
    shape = _shapes()[name]
    match shape["type"]:
        case "structure":
            members: Mapping[str, Any] = shape["members"]
            return Record(
                path,
                lambda: {key: _kind(one["shape"], f"{path}.{key}") for key, one in members.items()},
                mapping=True,
            )
        case "list":
            return ListOf(_kind(shape["member"]["shape"], path))
        case "map":
            return MapOf(_kind(shape["value"]["shape"], path))
        case "string" if shape.get("enum"):
            return Choice(tuple(shape["enum"]))
    return _SIMPLE.get(shape["type"], ANYTHING)
