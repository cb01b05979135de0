"""Events with invented values that start a new playbook."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from hub_responder.finding import INSTANCE
from hub_responder.identifiers import asff_type
from hub_toolkit.scaffold.choices import SEVERITIES, cloudformation

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


def event_v2(choices: Choices) -> dict[str, Any]:
    """The event "Findings Imported V2" about an OCSF finding that `Choices.match_v2` lets in."""
    found = finding_v2(choices)
    return {
        **event(choices),
        "id": "1a3e5c2b-2f5e-4b7c-8d4e-6f7a8b9c0d1e",
        "detail-type": "Findings Imported V2",
        "resources": [found["metadata"]["uid"]],
        "detail": {"findings": [found]},
    }


def finding_v2(choices: Choices) -> dict[str, Any]:
    """`finding` as the new Security Hub tells it, in OCSF 1.6."""
    asff = finding(choices)
    kind = resource_type(choices)
    named = {asff_type(one): cloudformation(one) for one in choices.resource_types}
    number = SEVERITIES.index(asff["Severity"]["Label"])
    vulnerable = "Vulnerabilities" in asff
    name, uid = ("Vulnerability Finding", 2002) if vulnerable else ("Detection Finding", 2004)
    seen, since = asff["FirstObservedAt"], asff["UpdatedAt"]
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": name,
        "class_uid": uid,
        "cloud": {
            "account": {"type": "AWS Account", "type_id": 10, "uid": ACCOUNT},
            "cloud_partition": "aws",
            "provider": "AWS",
            "region": REGION,
        },
        "finding_info": {
            "created_time_dt": seen,
            "desc": asff["Description"],
            "first_seen_time_dt": seen,
            "last_seen_time_dt": asff["LastObservedAt"],
            "modified_time_dt": since,
            "title": asff["Title"],
            "types": asff["Types"],
            "uid": asff["Id"],
        },
        "metadata": {
            "product": {
                "name": asff["ProductName"],
                "uid": asff["ProductArn"].replace(":product/", ":productv2/"),
                "vendor_name": asff["CompanyName"],
            },
            "profiles": ["cloud", "datetime"],
            "uid": sha256(asff["Id"].encode()).hexdigest(),
            "version": "1.6.0",
        },
        "resources": [
            _resource_v2(asff["Resources"][0], named.get(kind) or cloudformation(kind) or kind)
        ],
        "severity": SEVERITIES[number].capitalize(),
        "severity_id": number + 1,
        "status": "New",
        "status_id": 1,
        "time_dt": since,
        "type_name": f"{name}: Create",
        "type_uid": uid * 100 + 1,
        **({"vulnerabilities": _VULNERABILITIES_V2} if vulnerable else {}),
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
    return (*choices.types, _DEFAULT_TYPES.get(product, INSTANCE))[0]


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


_VULNERABILITIES_V2 = [
    {
        "affected_packages": [
            {"name": "openssl", "version": "3.0.8", "fixed_in_version": "3.0.9"},
        ],
        "cve": {
            "cvss": [{"base_score": 9.8, "version": "3.1"}],
            "epss": {"score": "0.42"},
            "uid": "CVE-2026-1111",
        },
        "is_exploit_available": True,
        "is_fix_available": True,
    }
]


def _resource_v2(asff: dict[str, Any], kind: str) -> dict[str, Any]:
    """An instance goes by its id there, the others by their ARN."""
    instance = asff["Type"] == INSTANCE
    uid = _INSTANCE_ID if instance else asff["Id"]
    return {
        "cloud_partition": "aws",
        **({"data": {"instance_id": uid}} if instance else {}),
        "name": uid,
        "owner": {"account": {"type": "AWS Account", "type_id": 10, "uid": ACCOUNT}},
        "region": REGION,
        "tags": [{"name": name, "value": value} for name, value in asff["Tags"].items()],
        "type": kind,
        "uid": uid,
    }


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
