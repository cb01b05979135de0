"""Findings in the AWS Security Finding Format (ASFF), schema version 2018-10-08.

Source: Security Hub user guide, "AWS Security Finding Format (ASFF)". What products leave out in
practice is known from real findings: Inspector often omits Cvss, EpssScore, FixAvailable,
ExploitAvailable, tags, and sometimes all Vulnerabilities.
"""

from __future__ import annotations

from typing import Any

from hub_responder.errors import UnreadableFinding
from hub_responder.fields import Fields, Origin, Report, choices
from hub_responder.finding import (
    INSTANCE,
    Account,
    Finding,
    Malware,
    Note,
    Package,
    Resource,
    Vulnerability,
)
from hub_responder.identifiers import (
    ACCOUNT,
    MAX_ID,
    REGION,
    arn_account,
    arn_region,
    cve_ids,
    instance_arn,
    instance_id,
)
from hub_responder.severity import Severity, from_normalized
from hub_responder.values import first, kind

WORKFLOW = choices(("NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"))
RECORD_STATE = choices(("ACTIVE", "ARCHIVED"))
COMPLIANCE = choices(("PASSED", "FAILED", "WARNING", "NOT_AVAILABLE"))
MALWARE_STATE = choices(("OBSERVED", "REMOVAL_FAILED", "REMOVED"))
MAX_MALWARE = 5
"""Entries that ASFF takes."""

_LABELS = choices([severity.value for severity in Severity])


def decode_asff(raw: dict[str, Any], origin: Origin | None = None) -> Finding:
    """The finding that ``raw`` is; ``origin`` fills in what it leaves out.

    Raises:
        UnreadableFinding: ``raw`` is no ASFF finding, or its id, product ARN, account, region,
            severity or resources are unusable.
    """
    if reason := not_asff(raw):
        raise UnreadableFinding(reason, field="")
    origin = origin or Origin()
    report = Report()
    top = Fields(raw, "", report)
    report.finding_id = finding_id = needed(top, "Id", 512, origin.id)
    product_arn = needed(top, "ProductArn", 2048, origin.product_arn)
    items = top.children("Resources", 32)
    account, region = _place(top, items, finding_id, product_arn, origin)
    extra = top.child("ProductFields")
    user_fields = top.pairs("UserDefinedFields")
    recommendation = top.child("Remediation").child("Recommendation")
    return Finding(
        id=finding_id,
        product_arn=product_arn,
        account=Account(account),
        region=region,
        severity=_severity(top),
        resources=_resources(top, items, account, region, extra),
        product=first(
            top.text("ProductName"),
            extra.text("aws/securityhub/ProductName"),
            product_arn.rsplit("/", 1)[-1],
        ),
        title=top.text("Title", 1024) or finding_id,
        description=top.text("Description", 4096),
        vulnerabilities=tuple(map(_vulnerability, top.children("Vulnerabilities", 100))),
        malware=tuple(map(_malware, top.children("Malware", MAX_MALWARE))),
        workflow=top.child("Workflow").choice("Status", WORKFLOW) or "NEW",
        record_state=top.choice("RecordState", RECORD_STATE) or "ACTIVE",
        compliance=top.child("Compliance").choice("Status", COMPLIANCE),
        types=top.texts("Types", 50),
        first_seen=top.time("FirstObservedAt", "CreatedAt"),
        updated=_updated(top, origin),
        remediation_url=recommendation.url("Url"),
        remediation_text=recommendation.text("Text", 1024),
        source_url=top.url("SourceUrl"),
        note=_note(top.child("Note")),
        user_fields=user_fields,
        user_fields_whole=raw.get("UserDefinedFields") in (None, user_fields),
        schema="ASFF",
        problems=tuple(report.problems),
        raw=raw,
    )


def not_asff(raw: object) -> str:
    """Why ``raw`` cannot be an ASFF finding at all, or empty."""
    if not isinstance(raw, dict):
        return f"a finding is an object; this is {kind(raw)}"
    if "findingArn" in raw:
        return (
            "this is a finding in Amazon Inspector's own shape (findingArn), not one of Security "
            "Hub: take it from Security Hub, as ASFF or OCSF"
        )
    if "class_uid" in raw or "finding_info" in raw:
        return "this is an OCSF finding, not an ASFF one"
    return ""


def needed(top: Fields, key: str, limit: int, fallback: str) -> str:
    """The essential text at ``key``, else ``fallback``, else UnreadableFinding."""
    value = top.essential(key, limit) or fallback
    if not value:
        raise top.report.unreadable(top.at(key), "is missing")
    return value


def _place(
    top: Fields, items: list[Fields], finding_id: str, product_arn: str, origin: Origin
) -> tuple[str, str]:
    """Account and region; where the finding has none, as its ARNs say.

    The account of the event is never used: it is the one that Security Hub aggregates into.
    """
    account = top.essential("AwsAccountId", 64, ACCOUNT)
    region = top.essential("Region", 32, REGION)
    if account and region:
        return account, region
    arns = [item.text("Id", MAX_ID) for item in items] + [finding_id, product_arn]
    account = first(account, *map(arn_account, arns))
    region = first(region, *map(arn_region, arns), origin.region)
    if not account or not region:
        raise top.report.unreadable("Region" if account else "AwsAccountId", "is missing")
    return account, region


def _severity(top: Fields) -> Severity:
    """``Severity``, else what the provider gave; INFORMATIONAL where nothing was said at all.

    A severity that is there but cannot be read makes the finding unreadable: to take it for
    INFORMATIONAL would hide a finding that may be critical.
    """
    dropped = top.report.dropped
    own, provider = top.child("Severity"), top.child("FindingProviderFields").child("Severity")
    for holder in (own, provider):
        label = holder.choice("Label", _LABELS)
        if label:
            return Severity(label)
        score = holder.number("Normalized", 0, 100)
        if score is not None:
            return from_normalized(score)
    if own or provider or top.report.dropped > dropped:
        raise top.report.unreadable("Severity", "has no usable Label or Normalized")
    top.drop("Severity", "is missing; taken as INFORMATIONAL")
    return Severity.INFORMATIONAL


def _resources(
    top: Fields, items: list[Fields], account: str, region: str, extra: Fields
) -> tuple[Resource, ...]:
    found = []
    # Inspector names the instance beside the resource too; with one resource they are the same.
    named = extra.text("aws/inspector/instanceId")
    for item in items:
        resource = _resource(item, account, region, named if len(items) == 1 else "")
        if resource is not None:
            found.append(resource)
    if not found:
        raise top.report.unreadable("Resources", "has no resource with a usable Id")
    return tuple(found)


def _resource(item: Fields, account: str, region: str, named: str) -> Resource | None:
    resource_id = item.text("Id", MAX_ID + 1)
    if not resource_id or len(resource_id) > MAX_ID:
        item.drop("Id", f"is missing or has over {MAX_ID:,} characters; the resource is left out")
        return None
    type_ = item.text("Type", 128) or "Other"
    account = arn_account(resource_id) or account
    region = item.matching("Region", REGION) or region
    instance = instance_id(resource_id, named) if type_ == INSTANCE else ""
    if instance:
        partition = item.text("Partition", 32) or "aws"
        resource_id = instance_arn(partition, region, account, instance)
    details = item.child("Details").node
    own = details.get(type_)
    return Resource(
        type=type_,
        id=resource_id,
        instance_id=instance,
        account=account,
        region=region,
        tags=item.pairs("Tags"),
        details=own if isinstance(own, dict) else details,
    )


def _vulnerability(item: Fields) -> Vulnerability:
    name = item.text("Id")
    related = item.texts("RelatedVulnerabilities", 50)
    return Vulnerability(
        id=name,
        cve_ids=cve_ids(name, *related),
        cvss=item.highest("Cvss", "BaseScore"),
        epss=item.number("EpssScore", 0, 1),
        exploit_available=item.flag("ExploitAvailable"),
        fix_available=item.flag("FixAvailable"),
        packages=tuple(
            Package(p.text("Name"), p.text("Version"), p.text("FixedInVersion"))
            for p in item.children("VulnerablePackages", 50)
        ),
        related=related,
        url=item.child("Vendor").url("Url"),
    )


def _malware(item: Fields) -> Malware:
    return Malware(
        name=item.text("Name", 64),
        path=item.text("Path", 512),
        kind=item.text("Type", 64),
        state=item.choice("State", MALWARE_STATE),
    )


def _updated(top: Fields, origin: Origin) -> float:
    at = top.time("UpdatedAt", "LastObservedAt", "CreatedAt")
    if at is None:
        at = origin.at or 0.0
        top.drop("UpdatedAt", "is missing; the event's time is taken, or 1970")
    return at


def _note(note: Fields) -> Note | None:
    text = note.text("Text", 1024)
    return Note(text, note.text("UpdatedBy", 512), note.time("UpdatedAt")) if text else None
