"""Findings in OCSF, as the new Security Hub ("Findings Imported V2") and Security Lake write them.

Sources: the OCSF schema (classes Vulnerability Finding 2002, Detection Finding 2004, Security
Finding 2001), Security Hub user guide, "OCSF findings in Security Hub". A finding that is closed
there (``activity_name`` Close) is what ASFF calls archived. Older versions name some fields
otherwise (``finding``, ``state``, ``account_uid``, a lone ``resource``, JSON text as data); those
are read too, as real findings hold them.
"""

from __future__ import annotations

from typing import Any

from hub_responder.asff import RECORD_STATE, needed
from hub_responder.errors import UnreadableFinding
from hub_responder.fields import Fields, Origin, Report
from hub_responder.finding import (
    Account,
    Finding,
    Note,
    Package,
    Vulnerability,
)
from hub_responder.identifiers import (
    ACCOUNT,
    REGION,
    cve_ids,
)
from hub_responder.ocsf_resources import read_resources
from hub_responder.severity import Severity
from hub_responder.values import first, kind

_SEVERITIES = {
    "INFORMATIONAL": "INFORMATIONAL",
    "LOW": "LOW",
    "MEDIUM": "MEDIUM",
    "HIGH": "HIGH",
    "CRITICAL": "CRITICAL",
    "FATAL": "CRITICAL",
    "UNKNOWN": "",
    "OTHER": "",
}
_SEVERITY_IDS = ("", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "CRITICAL")
_STATUS = {
    "NEW": "NEW",
    "IN PROGRESS": "NOTIFIED",
    "SUPPRESSED": "SUPPRESSED",
    "RESOLVED": "RESOLVED",
    "ARCHIVED": "ARCHIVED",
    "DELETED": "ARCHIVED",
    "UNKNOWN": "",
    "OTHER": "",
}
_COMPLIANCE = {
    "PASS": "PASSED",
    "PASSED": "PASSED",
    "FAIL": "FAILED",
    "FAILED": "FAILED",
    "WARNING": "WARNING",
    "NOT_AVAILABLE": "NOT_AVAILABLE",
    "UNKNOWN": "",
    "OTHER": "",
}


def decode_ocsf(raw: dict[str, Any], origin: Origin | None = None) -> Finding:
    """The finding that ``raw`` is; ``origin`` fills in what it leaves out.

    Raises:
        UnreadableFinding: ``raw`` is no OCSF finding, or its id, product, account, region,
            severity or resources are unusable.
    """
    if not is_ocsf(raw):
        what = "has no class_uid" if isinstance(raw, dict) else f"is {kind(raw)}"
        raise UnreadableFinding(f"this is no OCSF finding: it {what}", field="class_uid")
    origin = origin or Origin()
    report = Report()
    top = Fields(raw, "", report)
    info = top.child("finding_info") or top.child("finding")
    report.finding_id = finding_id = needed(info, "uid", 512, "")
    metadata, unmapped = top.child("metadata"), top.child("unmapped")
    product = metadata.child("product")
    product_arn = needed(product, "uid", 2048, "")
    items = top.children("resources", 32) or [top.child("resource")]
    account, region = _place(top, items[0], origin)
    vulnerabilities = top.children("vulnerabilities", 100)
    remediation = top.child("remediation") or info.child("remediation")
    if not remediation and vulnerabilities:
        remediation = vulnerabilities[0].child("remediation")
    status = top.choice("status", _STATUS) or top.choice("state", _STATUS)
    return Finding(
        id=finding_id,
        product_arn=product_arn,
        account=Account(account),
        region=region,
        severity=_severity(top),
        resources=read_resources(top, items, account, region),
        product=product.text("name") or product_arn.rsplit("/", 1)[-1],
        title=info.text("title", 1024) or finding_id,
        description=info.text("desc", 4096),
        vulnerabilities=tuple(map(_vulnerability, vulnerabilities)),
        workflow=_workflow(status),
        record_state=_record_state(top, unmapped, status),
        compliance=top.child("compliance").choice("status", _COMPLIANCE),
        types=info.texts("types", 50),
        first_seen=info.time(
            "first_seen_time_dt", "first_seen_time", "created_time_dt", "created_time"
        ),
        updated=_updated(top, info, origin),
        remediation_url=_address(remediation, "references", "kb_articles"),
        remediation_text=remediation.text("desc", 1024),
        source_url=info.url("src_url"),
        note=_comment(top),
        user_fields_whole=False,  # OCSF carries none of those that the ASFF finding may have
        schema="OCSF",
        metadata_uid=metadata.text("uid"),
        problems=tuple(report.problems),
        raw=raw,
    )


def is_ocsf(raw: object) -> bool:
    """Whether ``raw`` says that it is an OCSF finding."""
    return isinstance(raw, dict) and ("class_uid" in raw or "finding_info" in raw)


def _place(top: Fields, item: Fields, origin: Origin) -> tuple[str, str]:
    """Account and region of the cloud, else of the first resource, else the event's region."""
    cloud = top.child("cloud")
    owner = item.child("owner").child("account")
    account = (
        cloud.child("account").essential("uid", 64, ACCOUNT)
        or cloud.essential("account_uid", 64, ACCOUNT)
        or owner.essential("uid", 64, ACCOUNT)
    )
    region = first(
        cloud.essential("region", 32, REGION), item.matching("region", REGION), origin.region
    )
    if not account or not region:
        path = "cloud.region" if account else "cloud.account.uid"
        raise top.report.unreadable(path, "is missing")
    return account, region


def _severity(top: Fields) -> Severity:
    """``severity`` or ``severity_id``, else the vendor's; Fatal (6) counts as CRITICAL.

    Unreadable ones make the finding unreadable, as in ASFF; Unknown and Other do not.
    """
    dropped = top.report.dropped
    for holder in (top, top.child("vendor_attributes")):
        label = holder.choice("severity", _SEVERITIES)
        number = holder.number("severity_id", 0, 99)
        if not label and number is not None and number < len(_SEVERITY_IDS):
            label = _SEVERITY_IDS[int(number)]
        if label:
            return Severity(label)
    if top.report.dropped > dropped:
        raise top.report.unreadable("severity", "is not known")
    top.drop("severity", "is missing or unknown; taken as INFORMATIONAL")
    return Severity.INFORMATIONAL


def _vulnerability(item: Fields) -> Vulnerability:
    cve = item.child("cve")
    name = first(cve.text("uid"), item.child("advisory").text("uid"), item.text("title"))
    related = item.texts("related_vulnerabilities", 50)
    packages = item.children("affected_packages", 50) or item.children("packages", 50)
    fix = item.flag("is_fix_available")
    return Vulnerability(
        id=name,
        cve_ids=cve_ids(name, *related),
        cvss=cve.highest("cvss", "base_score"),
        epss=cve.child("epss").number("score", 0, 1),
        exploit_available=item.flag("is_exploit_available"),
        fix_available=item.flag("fix_available") if fix is None else fix,
        packages=tuple(
            Package(p.text("name"), p.text("version"), p.text("fixed_in_version")) for p in packages
        ),
        related=related,
        url=_address(cve, "references") or _address(item, "references"),
    )


def _workflow(status: str) -> str:
    return status if status and status != "ARCHIVED" else "NEW"


def _record_state(top: Fields, unmapped: Fields, status: str) -> str:
    closed = top.text("activity_name", 64) == "Close" or top.number("activity_id", 0, 99) == 3  # noqa: PLR2004 - OCSF's id of Close
    if closed or status == "ARCHIVED":
        return "ARCHIVED"
    return unmapped.choice("RecordState", RECORD_STATE) or "ACTIVE"


def _updated(top: Fields, info: Fields, origin: Origin) -> float:
    at = info.time("modified_time_dt", "modified_time")
    if at is None:
        at = top.time("time_dt", "time")
    if at is None:
        at = origin.at or 0.0
        info.drop("modified_time", "is missing; the event's time is taken, or 1970")
    return at


def _address(item: Fields, *keys: str) -> str:
    for key in keys:
        texts = item.texts(key, 20, 2049)
        if texts:
            return item.as_url(key, texts[0])
    return ""


def _comment(top: Fields) -> Note | None:
    text = top.text("comment", 1024)
    return Note(text) if text else None
