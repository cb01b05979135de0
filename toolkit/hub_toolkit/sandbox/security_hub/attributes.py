"""Where each attribute of ``AwsSecurityFindingFilters`` is found in a finding.

Source: the API reference of Security Hub, AwsSecurityFindingFilters and AwsSecurityFinding. Lists
on the way mean all their elements.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class Kind(Enum):
    """What a filter on the attribute looks like."""

    STRING = "StringFilter"
    NUMBER = "NumberFilter"
    DATE = "DateFilter"
    MAP = "MapFilter"
    IP = "IpFilter"
    KEYWORD = "KeywordFilter"
    BOOLEAN = "BooleanFilter"


_PATHS: dict[Kind, dict[str, str]] = {
    Kind.STRING: {
        "ProductArn": "ProductArn",
        "AwsAccountId": "AwsAccountId",
        "AwsAccountName": "AwsAccountName",
        "Id": "Id",
        "GeneratorId": "GeneratorId",
        "Region": "Region",
        "Type": "Types",
        "SeverityLabel": "Severity.Label",
        "Title": "Title",
        "Description": "Description",
        "RecommendationText": "Remediation.Recommendation.Text",
        "SourceUrl": "SourceUrl",
        "ProductName": "ProductName",
        "CompanyName": "CompanyName",
        "MalwareName": "Malware.Name",
        "MalwareType": "Malware.Type",
        "MalwarePath": "Malware.Path",
        "MalwareState": "Malware.State",
        "NetworkDirection": "Network.Direction",
        "NetworkProtocol": "Network.Protocol",
        "NetworkSourceDomain": "Network.SourceDomain",
        "NetworkSourceMac": "Network.SourceMac",
        "NetworkDestinationDomain": "Network.DestinationDomain",
        "ProcessName": "Process.Name",
        "ProcessPath": "Process.Path",
        "ThreatIntelIndicatorType": "ThreatIntelIndicators.Type",
        "ThreatIntelIndicatorValue": "ThreatIntelIndicators.Value",
        "ThreatIntelIndicatorCategory": "ThreatIntelIndicators.Category",
        "ThreatIntelIndicatorSource": "ThreatIntelIndicators.Source",
        "ThreatIntelIndicatorSourceUrl": "ThreatIntelIndicators.SourceUrl",
        "ResourceType": "Resources.Type",
        "ResourceId": "Resources.Id",
        "ResourcePartition": "Resources.Partition",
        "ResourceRegion": "Resources.Region",
        "ResourceProvider": "Resources.Provider",
        "ResourceOwnerAccountId": "Resources.Owner.Account.Id",
        "ResourceOwnerOrgId": "Resources.Owner.Org.Id",
        "ResourceApplicationName": "Resources.ApplicationName",
        "ResourceApplicationArn": "Resources.ApplicationArn",
        "ResourceAwsEc2InstanceType": "Resources.Details.AwsEc2Instance.Type",
        "ResourceAwsEc2InstanceImageId": "Resources.Details.AwsEc2Instance.ImageId",
        "ResourceAwsEc2InstanceKeyName": "Resources.Details.AwsEc2Instance.KeyName",
        "ResourceAwsEc2InstanceIamInstanceProfileArn": (
            "Resources.Details.AwsEc2Instance.IamInstanceProfileArn"
        ),
        "ResourceAwsEc2InstanceVpcId": "Resources.Details.AwsEc2Instance.VpcId",
        "ResourceAwsEc2InstanceSubnetId": "Resources.Details.AwsEc2Instance.SubnetId",
        "ResourceAwsS3BucketOwnerId": "Resources.Details.AwsS3Bucket.OwnerId",
        "ResourceAwsS3BucketOwnerName": "Resources.Details.AwsS3Bucket.OwnerName",
        "ResourceAwsIamAccessKeyUserName": "Resources.Details.AwsIamAccessKey.UserName",
        "ResourceAwsIamAccessKeyPrincipalName": "Resources.Details.AwsIamAccessKey.PrincipalName",
        "ResourceAwsIamAccessKeyStatus": "Resources.Details.AwsIamAccessKey.Status",
        "ResourceAwsIamUserUserName": "Resources.Details.AwsIamUser.UserName",
        "ResourceContainerName": "Resources.Details.Container.Name",
        "ResourceContainerImageId": "Resources.Details.Container.ImageId",
        "ResourceContainerImageName": "Resources.Details.Container.ImageName",
        "ComplianceStatus": "Compliance.Status",
        "ComplianceSecurityControlId": "Compliance.SecurityControlId",
        "ComplianceAssociatedStandardsId": "Compliance.AssociatedStandards.StandardsId",
        "ComplianceSecurityControlParametersName": "Compliance.SecurityControlParameters.Name",
        "ComplianceSecurityControlParametersValue": "Compliance.SecurityControlParameters.Value",
        "VerificationState": "VerificationState",
        "WorkflowState": "WorkflowState",
        "WorkflowStatus": "Workflow.Status",
        "RecordState": "RecordState",
        "RelatedFindingsProductArn": "RelatedFindings.ProductArn",
        "RelatedFindingsId": "RelatedFindings.Id",
        "NoteText": "Note.Text",
        "NoteUpdatedBy": "Note.UpdatedBy",
        "FindingProviderFieldsRelatedFindingsId": "FindingProviderFields.RelatedFindings.Id",
        "FindingProviderFieldsRelatedFindingsProductArn": (
            "FindingProviderFields.RelatedFindings.ProductArn"
        ),
        "FindingProviderFieldsSeverityLabel": "FindingProviderFields.Severity.Label",
        "FindingProviderFieldsSeverityOriginal": "FindingProviderFields.Severity.Original",
        "FindingProviderFieldsTypes": "FindingProviderFields.Types",
        "VulnerabilitiesExploitAvailable": "Vulnerabilities.ExploitAvailable",
        "VulnerabilitiesFixAvailable": "Vulnerabilities.FixAvailable",
    },
    Kind.NUMBER: {
        "SeverityProduct": "Severity.Product",
        "SeverityNormalized": "Severity.Normalized",
        "Confidence": "Confidence",
        "Criticality": "Criticality",
        "NetworkSourcePort": "Network.SourcePort",
        "NetworkDestinationPort": "Network.DestinationPort",
        "ProcessPid": "Process.Pid",
        "ProcessParentPid": "Process.ParentPid",
        "FindingProviderFieldsConfidence": "FindingProviderFields.Confidence",
        "FindingProviderFieldsCriticality": "FindingProviderFields.Criticality",
    },
    Kind.DATE: {
        "FirstObservedAt": "FirstObservedAt",
        "LastObservedAt": "LastObservedAt",
        "CreatedAt": "CreatedAt",
        "UpdatedAt": "UpdatedAt",
        "ProcessLaunchedAt": "Process.LaunchedAt",
        "ProcessTerminatedAt": "Process.TerminatedAt",
        "ThreatIntelIndicatorLastObservedAt": "ThreatIntelIndicators.LastObservedAt",
        "ResourceAwsEc2InstanceLaunchedAt": "Resources.Details.AwsEc2Instance.LaunchedAt",
        "ResourceAwsIamAccessKeyCreatedAt": "Resources.Details.AwsIamAccessKey.CreatedAt",
        "ResourceContainerLaunchedAt": "Resources.Details.Container.LaunchedAt",
        "NoteUpdatedAt": "Note.UpdatedAt",
    },
    Kind.MAP: {
        "ProductFields": "ProductFields",
        "UserDefinedFields": "UserDefinedFields",
        "ResourceTags": "Resources.Tags",
        "ResourceDetailsOther": "Resources.Details.Other",
    },
    Kind.IP: {
        "NetworkSourceIpV4": "Network.SourceIpV4",
        "NetworkSourceIpV6": "Network.SourceIpV6",
        "NetworkDestinationIpV4": "Network.DestinationIpV4",
        "NetworkDestinationIpV6": "Network.DestinationIpV6",
        "ResourceAwsEc2InstanceIpV4Addresses": "Resources.Details.AwsEc2Instance.IpV4Addresses",
        "ResourceAwsEc2InstanceIpV6Addresses": "Resources.Details.AwsEc2Instance.IpV6Addresses",
    },
    Kind.KEYWORD: {"Keyword": ""},
    Kind.BOOLEAN: {"Sample": "Sample"},
}

ATTRIBUTES: dict[str, tuple[Kind, tuple[str, ...]]] = {
    name: (kind, tuple(path.split(".")) if path else ())
    for kind, paths in _PATHS.items()
    for name, path in paths.items()
}
"""For each attribute its kind and the names that lead to it; none for the whole finding."""


def values_at(finding: Any, path: tuple[str, ...]) -> list[Any]:
    """Every value of a finding at a path, lists opened."""
    found = [finding]
    for name in path:
        found = [
            value[name] for value in _opened(found) if isinstance(value, dict) and name in value
        ]
    return _opened(found)


def _opened(values: list[Any]) -> list[Any]:
    opened: list[Any] = []
    for value in values:
        opened += value if isinstance(value, list) else [value]
    return opened
