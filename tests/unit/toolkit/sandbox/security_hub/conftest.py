"""A hub, its events, a boto3 client of it, and findings with invented values."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from hub_toolkit.sandbox.security_hub.hub import SecurityHub

if TYPE_CHECKING:
    from collections.abc import Callable

REGION, ACCOUNT = "ap-northeast-1", "111122223333"
NOW = 1_795_000_000.0
INSPECTOR = f"arn:aws:securityhub:{REGION}::product/aws/inspector"

FINDING: dict[str, Any] = {
    "SchemaVersion": "2018-10-08",
    "Id": "f-1",
    "ProductArn": INSPECTOR,
    "GeneratorId": "AWSInspector",
    "AwsAccountId": "444455556666",
    "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
    "CreatedAt": "2026-11-01T00:00:00Z",
    "UpdatedAt": "2026-11-10T00:00:00Z",
    "Title": "CVE-2026-1111 - openssl",
    "Description": "検査で見つかった脆弱性",
    "FindingProviderFields": {
        "Severity": {"Label": "CRITICAL", "Original": "9.8"},
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
    },
    "Resources": [
        {
            "Type": "AwsEc2Instance",
            "Id": "arn:aws:ec2:ap-northeast-1:444455556666:instance/i-0aa",
            "Region": REGION,
            "Tags": {"env": "prod"},
            "Details": {"AwsEc2Instance": {"IpV4Addresses": ["10.0.0.7", "203.0.113.9"]}},
        }
    ],
    "Vulnerabilities": [{"Id": "CVE-2026-1111", "ExploitAvailable": "YES"}],
}


@pytest.fixture
def finding() -> Callable[..., dict[str, Any]]:
    """Makes a finding that can be imported, with other values where they are given."""

    def make(**other: Any) -> dict[str, Any]:
        return {**copy.deepcopy(FINDING), **other}

    return make


@pytest.fixture
def emitted() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def hub(emitted: list[dict[str, Any]]) -> SecurityHub:
    return SecurityHub(lambda: NOW, emitted.append, REGION, ACCOUNT)


@pytest.fixture
def client(hub: SecurityHub, aws_client: Callable[..., Any]) -> Any:
    return aws_client("securityhub", hub.app)
