"""An event with invented values that starts a new playbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_responder.finding import INSTANCE

if TYPE_CHECKING:
    from hub_toolkit.scaffold.choices import Choices

ACCOUNT, REGION = "111122223333", "us-east-1"
TIME = "2026-11-22T00:03:12Z"
_INSTANCE_ID = "i-0123456789abcdef0"
_SEEN = {"FirstObservedAt": "2026-11-20T21:14:05Z", "CreatedAt": "2026-11-20T21:14:05Z"}
_SINCE = {"LastObservedAt": "2026-11-21T23:58:41Z", "UpdatedAt": "2026-11-21T23:58:41Z"}
_DEFAULT_TYPES = {"Security Hub": "AwsS3Bucket", "Macie": "AwsS3Bucket"}
"""What the product's findings are mostly about; the others': instances."""


def event(choices: Choices) -> dict[str, Any]:
    """The event "Security Hub Findings - Imported" about a finding that `Choices.match` lets in."""
    found = finding(choices)
    return {
        "version": "0",
        "id": "0f2d4c1a-1f4e-4a6b-9c3d-5e6f7a8b9c0d",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": TIME,
        "region": REGION,
        "resources": [f"{found['ProductArn']}/{found['Id']}"],
        "detail": {"findings": [found]},
    }


def finding(choices: Choices) -> dict[str, Any]:
    """The finding, as severe as is just enough."""
    product = choices.products[0] if choices.products else "Inspector"
    label = choices.labels[-1] if choices.labels else "HIGH"
    kind = resource_type(choices)
    title, types, more = _story(product, label)
    slug = product.lower().replace(" ", "-")
    own = product in _STORIES
    arn = f"arn:aws:securityhub:{REGION}::product/aws/{slug.replace('-', '')}"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:{slug}/finding/1c2d3e4f5a6b7c8d9e0f",
        "ProductArn": arn if own else arn.replace("::product/aws", f":{ACCOUNT}:product/{ACCOUNT}"),
        "ProductName": product,
        "CompanyName": "AWS" if own else "Example",
        "Region": REGION,
        "GeneratorId": f"{slug}/example",
        "AwsAccountId": ACCOUNT,
        "Types": types,
        **_SEEN,
        **_SINCE,
        "Severity": {"Label": label},
        "Title": title,
        "Description": f"{title}. An invented finding, to test with.",
        "ProductFields": {"aws/securityhub/ProductName": product},
        "Resources": [_resource(kind)],
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
        **more,
    }


def resource_type(choices: Choices) -> str:
    """What the finding is about: an instance where coverage is asked for."""
    if choices.has("coverage"):
        return INSTANCE
    product = choices.products[0] if choices.products else ""
    return (*choices.resource_types, _DEFAULT_TYPES.get(product, INSTANCE))[0]


def _story(product: str, label: str) -> tuple[str, list[str], dict[str, Any]]:
    title, kind, more = _STORIES.get(product, (f"Something {label} was found", "Other", {}))
    return title, [kind], more


_STORIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Inspector": (
        "CVE-2026-1111 - openssl",
        "Software and Configuration Checks/Vulnerabilities/CVE",
        {
            "Vulnerabilities": [
                {
                    "Id": "CVE-2026-1111",
                    "VulnerablePackages": [
                        {"Name": "openssl", "Version": "3.0.8", "FixedInVersion": "3.0.9"}
                    ],
                    "Cvss": [{"Version": "3.1", "BaseScore": 9.8, "Source": "NVD"}],
                    "FixAvailable": "YES",
                    "ExploitAvailable": "YES",
                    "EpssScore": 0.42,
                }
            ]
        },
    ),
    "GuardDuty": (
        "The instance queries a domain name of a command and control server",
        "TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS",
        {},
    ),
    "Security Hub": (
        "S3 general purpose buckets should block public access",
        "Software and Configuration Checks/Industry and Regulatory Standards",
        {"Compliance": {"Status": "FAILED", "SecurityControlId": "S3.8"}},
    ),
    "Macie": (
        "The object contains personal information",
        "Sensitive Data Identifications/PII",
        {},
    ),
    "IAM Access Analyzer": (
        "The resource can be used from another account",
        "Software and Configuration Checks/AWS Security Best Practices/External Access Granted",
        {},
    ),
}
"""Product -> title, type and further fields of an invented finding."""


def _resource(kind: str) -> dict[str, Any]:
    if kind == INSTANCE:
        arn, name = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{_INSTANCE_ID}", "web-01"
    elif kind == "AwsS3Bucket":
        arn, name = "arn:aws:s3:::example-reports", "example-reports"
    else:
        arn, name = f"arn:aws:example:{REGION}:{ACCOUNT}:{kind}/example-01", "example-01"
    return {
        "Type": kind,
        "Id": arn,
        "Partition": "aws",
        "Region": REGION,
        "Tags": {"Name": name, "Environment": "production", "Owner": "platform"},
    }
