"""Findings of the new Security Hub: what the ASFF operations see of an OCSF finding.

Both hubs hold the same finding where both are enabled: the ASFF ``Id`` is OCSF's
``finding_info.uid``. An OCSF finding that came alone gets an ASFF side here, so that the operations
find it. That BatchUpdateFindings also moves the OCSF status and comment, and which status stands
for which workflow, is a guess: AWS documents both hubs apart.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_STATUS = {
    "NEW": (1, "New"),
    "NOTIFIED": (2, "In Progress"),
    "SUPPRESSED": (3, "Suppressed"),
    "RESOLVED": (4, "Resolved"),
}
_SEVERITY = {
    "informational": "INFORMATIONAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "critical": "CRITICAL",
    "fatal": "CRITICAL",
}


def asff_side(ocsf: dict[str, Any], region: str, account: str) -> dict[str, Any]:
    """The ASFF finding that stands for an OCSF one.

    Args:
        ocsf: the finding; ``finding_info.uid`` and ``metadata.product.uid`` are needed.
        region, account: where the finding does not say.

    Raises:
        ValueError: it cannot be identified.
    """
    info, metadata, cloud = (_object(ocsf, name) for name in ("finding_info", "metadata", "cloud"))
    product = _object(metadata, "product")
    if not all(value and str(value) == value for value in (info.get("uid"), product.get("uid"))):
        raise ValueError("an OCSF finding needs finding_info.uid and metadata.product.uid")
    account = str(_object(cloud, "account").get("uid") or account)
    region = str(cloud.get("region") or region)
    resources = ocsf.get("resources") or [ocsf.get("resource") or {}]
    feature = _object(product, "feature")
    return {
        "SchemaVersion": "2018-10-08",
        "Id": info["uid"],
        "ProductArn": product["uid"],
        "ProductName": str(product.get("name") or "Unknown"),
        "CompanyName": str(product.get("vendor_name") or "Unknown"),
        "GeneratorId": str(feature.get("uid") or product.get("name") or "Unknown"),
        "AwsAccountId": account,
        "Region": region,
        "Title": str(info.get("title") or info["uid"])[:256],
        "Description": str(info.get("desc") or info.get("title") or "-")[:1024],
        "Types": [text for text in info.get("types") or [] if isinstance(text, str)],
        "CreatedAt": _time(info, "created_time"),
        "UpdatedAt": _time(info, "modified_time"),
        "Severity": {"Label": _SEVERITY.get(str(ocsf.get("severity")).lower(), "INFORMATIONAL")},
        "Resources": [_resource(item, region) for item in resources if isinstance(item, dict)],
        "Workflow": {"Status": _workflow(ocsf)},
    }


def updated(ocsf: dict[str, Any], finding: dict[str, Any]) -> dict[str, Any]:
    """An OCSF finding after its ASFF side was changed."""
    status_id, status = _STATUS[finding["Workflow"]["Status"]]
    changed = {**ocsf, "status": status, "status_id": status_id}
    if "Note" in finding:
        changed["comment"] = finding["Note"]["Text"]
    return changed


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _workflow(ocsf: dict[str, Any]) -> str:
    for workflow, (status_id, status) in _STATUS.items():
        if ocsf.get("status_id") == status_id or ocsf.get("status") == status:
            return workflow
    return "NEW"


def _time(info: dict[str, Any], name: str) -> str:
    written = info.get(f"{name}_dt")
    if isinstance(written, str):
        return written
    at = info.get(name)
    seconds = at / 1000 if isinstance(at, int | float) else 0
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _resource(item: dict[str, Any], region: str) -> dict[str, Any]:
    """``AWS::EC2::Instance`` is ``AwsEc2Instance`` in ASFF."""
    parts = str(item.get("type") or "Other").split("::")
    kind = "".join([parts[0] if len(parts) == 1 else parts[0].capitalize(), *map(_name, parts[1:])])
    tags = [tag for tag in item.get("tags") or [] if isinstance(tag, dict)]
    return {
        "Type": kind,
        "Id": str(item.get("uid") or "Unknown"),
        "Region": str(item.get("region") or region),
        "Tags": {str(tag["name"]): str(tag.get("value", "")) for tag in tags if tag.get("name")},
    }


def _name(part: str) -> str:
    return part.capitalize() if part.isupper() else part
