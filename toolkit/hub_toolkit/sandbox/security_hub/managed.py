"""Security Hub's own insights, which every account has: their numbers, names and filters.

From "Managed insights" in the Security Hub user guide; the numbers of the ARNs are not those of the
list there. All are about active findings that are NEW or NOTIFIED. Those that look at dates are
left out (26, 34, 36).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

PREFIX = "arn:aws:securityhub:::insight/securityhub/default/"

_RESOURCE = "ResourceId"
_PRACTICES = "Software and Configuration Checks/Industry and Regulatory Standards"
_CHECKS = "Software and Configuration Checks/AWS Security Best Practices"
_REACH = f"{_CHECKS}/Network Reachability"

_OF: dict[int, tuple[str, str, str, tuple[str, ...]]] = {
    1: ("AWS resources with the most findings", _RESOURCE, "", ()),
    3: ("AMIs that are generating the most findings", "ResourceAwsEc2InstanceImageId",
        "AwsEc2Instance", ()),
    6: ("AWS resources that don't meet security standards / best practices", _RESOURCE, "",
        (f"{_PRACTICES}/AWS Security Best Practices",)),
    7: ("AWS resources associated with potential data exfiltration", _RESOURCE, "",
        ("Effects/Data Exfiltration/",)),
    8: ("AWS resources associated with unauthorized resource consumption", _RESOURCE, "",
        ("Effects/Resource Consumption",)),
    9: ("AWS principals with suspicious access key activity",
        "ResourceAwsIamAccessKeyPrincipalName", "AwsIamAccessKey", ()),
    10: ("S3 buckets with public write or read permissions", _RESOURCE, "AwsS3Bucket",
         ("Effects/Data Exposure",)),
    11: ("S3 buckets that don't meet security standards / best practice", _RESOURCE, "AwsS3Bucket",
         (f"{_PRACTICES}/AWS Security Best Practices",)),
    12: ("S3 buckets with sensitive data", _RESOURCE, "AwsS3Bucket",
         ("Sensitive Data Identifications/",)),
    13: ("Credentials that may have leaked", _RESOURCE, "",
         ("Sensitive Data Identifications/Passwords/",)),
    14: ("EC2 instances involved in known Tactics, Techniques, and Procedures (TTPs)", _RESOURCE,
         "AwsEc2Instance", ("TTPs",)),
    16: ("EC2 instances that have missing security patches for important vulnerabilities",
         _RESOURCE, "AwsEc2Instance", ("Software and Configuration Checks/Vulnerabilities/CVE",)),
    17: ("EC2 instances with general unusual behavior", _RESOURCE, "AwsEc2Instance",
         ("Unusual Behaviors",)),
    18: ("EC2 instances that have ports accessible from the Internet", _RESOURCE, "AwsEc2Instance",
         (_REACH,)),
    19: ("EC2 instances that don't meet security standards / best practices", _RESOURCE,
         "AwsEc2Instance", (f"{_PRACTICES}/", _CHECKS)),
    21: ("EC2 instances that are open to the Internet", _RESOURCE, "AwsEc2Instance", (_REACH,)),
    22: ("EC2 instances associated with adversary reconnaissance", _RESOURCE, "AwsEc2Instance",
         ("TTPs/Discovery/Recon",)),
    23: ("AWS resources that are associated with malware", _RESOURCE, "",
         ("Effects/Data Exfiltration/Trojan", "TTPs/Initial Access/Trojan",
          "TTPs/Command and Control/Backdoor", "TTPs/Command and Control/Trojan",
          "Software and Configuration Checks/Backdoor", "Unusual Behaviors/VM/Backdoor")),
    24: ("AWS resources associated with cryptocurrency issues", _RESOURCE, "",
         ("Effects/Resource Consumption/Cryptocurrency",
          "TTPs/Command and Control/CryptoCurrency")),
    25: ("AWS resources with unauthorized access attempts", _RESOURCE, "",
         ("TTPs/Command and Control/UnauthorizedAccess", "TTPs/Initial Access/UnauthorizedAccess",
          "Effects/Data Exfiltration/UnauthorizedAccess",
          "Unusual Behaviors/User/UnauthorizedAccess",
          "Effects/Resource Consumption/UnauthorizedAccess")),
    27: ("Top accounts by counts of findings", "AwsAccountId", "", ()),
    28: ("Top products by counts of findings", "ProductArn", "", ()),
    29: ("Severity by counts of findings", "SeverityLabel", "", ()),
    30: ("Top S3 buckets by counts of findings", _RESOURCE, "AwsS3Bucket", ()),
    31: ("Top EC2 instances by counts of findings", _RESOURCE, "AwsEc2Instance", ()),
    32: ("Top AMIs by counts of findings", "ResourceAwsEc2InstanceImageId", "AwsEc2Instance", ()),
    33: ("Top IAM users by counts of findings", "ResourceAwsIamAccessKeyUserName",
         "AwsIamAccessKey", ()),
    35: ("Top integrations by counts of findings", "ProductArn", "", ()),
    37: ("IAM users with suspicious activity", "ResourceAwsIamUserUserName", "AwsIamUser", ()),
}  # fmt: skip
"""Number -> name, what it groups by, the type of resource, and beginnings of finding types."""


@lru_cache(maxsize=1)
def by_arn() -> dict[str, dict[str, Any]]:
    """The insights by ARN, as GetInsights shows them."""
    return {f"{PREFIX}{number}": _shown(number) for number in _OF}


def _shown(number: int) -> dict[str, Any]:
    name, group_by, resource_type, types = _OF[number]
    filters: dict[str, list[dict[str, str]]] = {
        "RecordState": _any_of(("ACTIVE",)),
        "WorkflowStatus": _any_of(("NEW", "NOTIFIED")),
    }
    if resource_type:
        filters["ResourceType"] = _any_of((resource_type,))
    if types:
        filters["Type"] = _any_of(types, "PREFIX")
    return {
        "InsightArn": f"{PREFIX}{number}",
        "Name": name,
        "Filters": filters,
        "GroupByAttribute": group_by,
    }


def _any_of(values: tuple[str, ...], comparison: str = "EQUALS") -> list[dict[str, str]]:
    return [{"Value": value, "Comparison": comparison} for value in values]
