"""Which findings BatchImportFindings takes: the AWS Security Finding Format.

Types, required fields and enumerations come from botocore's model of Security Hub, lengths from the
user guide ("Required top-level ASFF attributes", "Optional top-level ASFF attributes"). AWS also
checks that the caller owns the account; the sandbox lets everybody send for every account, and
takes a redacted account id of letters, so that published findings can be replayed.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.security_hub.attributes import values_at
from hub_toolkit.sandbox.security_hub.filters import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import Shape

MAX_FINDING_BYTES = 240 * 1024
SCHEMA_VERSION = "2018-10-08"
MAX_PROBLEMS = 5
"""How many problems of one finding are told."""

_LENGTHS = {
    "Id": 512,
    "GeneratorId": 512,
    "ProductArn": 2048,
    "Title": 256,
    "Description": 1024,
    "CompanyName": 128,
    "ProductName": 128,
    "Note.Text": 512,
    "Remediation.Recommendation.Text": 512,
}
_COUNTS = {
    "Types": (0, 50),
    "Resources": (1, 32),
    "RelatedFindings": (0, 10),
    "Malware": (0, 5),
    "ThreatIntelIndicators": (0, 5),
    "ProductFields": (0, 50),
    "UserDefinedFields": (0, 50),
}
_TIMES = ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt", "ProcessedAt")
_PRODUCT_ARN = re.compile(
    r"arn:aws[a-z-]*:securityhub:[a-z0-9-]*:(?P<owner>\w*):product/(?P<company>[^/]+)/(?P<product>.+)"
)
_ACCOUNT = re.compile(r"[0-9A-Za-z]{12}")


def problems(finding: Any) -> list[str]:
    """What is wrong with a finding, in the words of the field; empty where it can be imported."""
    if not isinstance(finding, dict):
        return ["data should be object"]
    found = list(_take(_of_shape(_finding_shape(), finding, "data")))
    if found:
        return found
    return list(_take(_limits(finding)))


def size(finding: dict[str, Any]) -> int:
    """Bytes of a finding as AWS counts them: of its JSON text."""
    return len(json.dumps(finding, ensure_ascii=False).encode(errors="replace"))


def _take(found: Iterator[str]) -> Iterator[str]:
    for _, problem in zip(range(MAX_PROBLEMS), found, strict=False):
        yield problem[:300]


@cache
def _finding_shape() -> Shape:
    # The model takes 50 ms to read; a sandbox that imports nothing is spared them.
    from botocore.session import get_session  # noqa: PLC0415

    return get_session().get_service_model("securityhub").shape_for("AwsSecurityFinding")


def _of_shape(shape: Any, value: Any, place: str) -> Iterator[str]:
    kind: str = shape.type_name
    if kind not in _RIGHT_TYPE:
        return
    if not _RIGHT_TYPE[kind](value):
        yield f"{place} should be {_WORDS.get(kind, kind)}"
    elif kind == "structure":
        yield from _of_structure(shape, value, place)
    elif kind == "list":
        for index, item in enumerate(value):
            yield from _of_shape(shape.member, item, f"{place}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from _of_shape(shape.value, item, f"{place}['{key[:64]}']")
    elif kind == "string":
        if shape.enum and value not in shape.enum:
            yield f"{place} should be equal to one of the allowed values"
        elif shape.name == "NonEmptyString" and not value.strip():
            yield f"{place} should NOT be shorter than 1 characters"


def _of_structure(shape: Any, value: dict[str, Any], place: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{place} should have required property '{name}'"
    for name, item in value.items():
        # Fields that the model does not know, and null, are dropped on import, not refused.
        if name in shape.members and item is not None:
            yield from _of_shape(shape.members[name], item, f"{place}.{name}")


def _limits(finding: dict[str, Any]) -> Iterator[str]:
    if finding["SchemaVersion"] != SCHEMA_VERSION:
        yield f"data.SchemaVersion should be {SCHEMA_VERSION}"
    if not _ACCOUNT.fullmatch(finding["AwsAccountId"]):
        yield "data.AwsAccountId should have 12 characters"
    product = _PRODUCT_ARN.fullmatch(finding["ProductArn"])
    if not product:
        yield "data.ProductArn should be the ARN of a product"
    elif product["product"] == "default" and product["company"] != finding["AwsAccountId"]:
        yield "data.ProductArn should be of the finding's account"
    provider = finding.get("FindingProviderFields") or {}
    for name in ("Severity", "Types"):
        if not finding.get(name) and not provider.get(name):
            yield "data should have required property 'FindingProviderFields'"
    for path, limit in _LENGTHS.items():
        if any(len(text) > limit for text in values_at(finding, tuple(path.split(".")))):
            yield f"data.{path} should NOT be longer than {limit} characters"
    for name, (least, most) in _COUNTS.items():
        if finding.get(name) is not None and not least <= len(finding[name]) <= most:
            yield f"data.{name} should have {least} to {most} items"
    for name in _TIMES:
        if finding.get(name) is not None and parse_time(finding[name]) is None:
            yield f"data.{name} should match format date-time"


def product_of(product_arn: str) -> tuple[str, str]:
    """(company, product) of a product ARN, as ``("aws", "inspector")``; empty where unreadable."""
    match = _PRODUCT_ARN.fullmatch(product_arn)
    return (match["company"], match["product"]) if match else ("", "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_RIGHT_TYPE: dict[str, Callable[[Any], bool]] = {
    "structure": lambda value: isinstance(value, dict),
    "map": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "long": _is_integer,
    "double": _is_number,
    "float": _is_number,
}
_WORDS = {"structure": "object", "map": "object", "list": "array", "double": "number"}
