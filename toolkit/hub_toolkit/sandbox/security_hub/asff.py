"""Which findings BatchImportFindings takes: the AWS Security Finding Format.

Types, required fields and enumerations come from botocore's model of Security Hub, lengths from the
user guide ("Required top-level ASFF attributes", "Optional top-level ASFF attributes"). AWS also
checks that the caller owns the account; the sandbox lets everybody send for every account, and
takes a redacted account id of letters, so that published findings can be replayed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.security_hub.attributes import values_at
from hub_toolkit.sandbox.security_hub.filters import parse_time
from hub_toolkit.sandbox.security_hub.model import bounded, finding_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FINDING_BYTES = 240 * 1024
SCHEMA_VERSION = "2018-10-08"
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
    return finding_problems(finding) or bounded(_limits(finding))


def size(finding: dict[str, Any]) -> int:
    """Bytes of a finding as AWS counts them: of its JSON text."""
    return len(json.dumps(finding, ensure_ascii=False).encode(errors="replace"))


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
    yield from _sizes(finding)


def _sizes(finding: dict[str, Any]) -> Iterator[str]:
    provider = finding.get("FindingProviderFields") or {}
    for name in ("Severity", "Types"):
        if not finding.get(name) and not provider.get(name):
            yield "data should have required property 'FindingProviderFields'"
    for path, limit in _LENGTHS.items():
        if any(len(text) > limit for text in values_at(finding, tuple(path.split(".")))):
            yield f"data.{path} should NOT be longer than {limit} characters"
    own = product_of(finding["ProductArn"])[0] == "aws"
    for name, (least, most) in _COUNTS.items():
        # GuardDuty, for one, sends more than 50 product fields.
        if own and name == "ProductFields":
            continue
        if finding.get(name) is not None and not least <= len(finding[name]) <= most:
            yield f"data.{name} should have {least} to {most} items"
    for name in _TIMES:
        if finding.get(name) is not None and parse_time(finding[name]) is None:
            yield f"data.{name} should match format date-time"


def product_of(product_arn: str) -> tuple[str, str]:
    """(company, product) of a product ARN, as ``("aws", "inspector")``; empty where unreadable."""
    match = _PRODUCT_ARN.fullmatch(product_arn)
    return (match["company"], match["product"]) if match else ("", "")
