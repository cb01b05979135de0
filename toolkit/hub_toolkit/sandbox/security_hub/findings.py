"""The findings that the hub keeps, by product and id, and how they change.

Rules of the user guide ("BatchImportFindings for finding providers", "BatchUpdateFindings for
customers", "Setting the workflow status of findings"). A finding that is kept is never changed in
place: a change makes a new one, so it can be read without a lock.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, replace
from typing import Any

from hub_toolkit.sandbox.security_hub import ocsf as ocsf_finding
from hub_toolkit.sandbox.security_hub.asff import MAX_FINDING_BYTES, product_of, size
from hub_toolkit.sandbox.security_hub.filters import parse_time
from hub_toolkit.sandbox.security_hub.severity import completed

Key = tuple[str, str]
"""(ProductArn, Id)"""

_CUSTOMERS = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
"""Fields that no import changes once the finding exists."""

_SHARED = ("Confidence", "Criticality", "RelatedFindings", "Severity", "Types")
"""Fields that an import changes until a customer has changed them."""

_NAMES = {
    "inspector": "Inspector",
    "guardduty": "GuardDuty",
    "macie": "Macie",
    "securityhub": "Security Hub",
    "access-analyzer": "IAM Access Analyzer",
    "config": "Config",
    "health": "Health",
    "firewall-manager": "Firewall Manager",
    "default": "Default",
}


class Unprocessed(Exception):  # noqa: N818 - reads as the fact that is told
    """A finding cannot be updated.

    Args:
        code: as ``UnprocessedFindings`` tells it.
        message: for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """A finding, the fields that customers have set, and its OCSF form where it came as one."""

    finding: dict[str, Any]
    customers: frozenset[str] = frozenset()
    ocsf: dict[str, Any] | None = None


class Findings:
    """All findings of a hub. Safe to use from many threads."""

    def __init__(self, region: str, account: str) -> None:
        self._region = region
        self._account = account
        self._lock = threading.Lock()
        self._records: dict[Key, Record] = {}

    def all(self) -> list[dict[str, Any]]:
        """Every finding, in the order of their first import."""
        with self._lock:
            return [record.finding for record in self._records.values()]

    def with_id(self, finding_id: str) -> list[dict[str, Any]]:
        """The findings of an id; products may use the same one."""
        with self._lock:
            return [record.finding for key, record in self._records.items() if key[1] == finding_id]

    def seed(self, finding: dict[str, Any]) -> dict[str, Any]:
        """Keep a finding as it is, defaults added, over whatever was there."""
        kept = self._completed(copy.deepcopy(finding))
        with self._lock:
            self._records[_key(kept)] = Record(kept)
        return kept

    def seed_ocsf(self, finding: dict[str, Any]) -> dict[str, Any]:
        """Keep an OCSF finding under its own id, with an ASFF side.

        Where the same finding is kept as ASFF already, that one stays the ASFF side.

        Raises:
            ValueError: it has no id or no product.
        """
        finding = copy.deepcopy(finding)
        side = self._completed(ocsf_finding.asff_side(finding, self._region, self._account))
        with self._lock:
            old = self._records.get(_key(side))
            kept = replace(old, ocsf=finding) if old else Record(side, ocsf=finding)
            self._records[_key(side)] = kept
        return kept.finding

    def with_uid(self, uid: str) -> dict[str, Any] | None:
        """The OCSF finding with this ``metadata.uid``, or None."""
        with self._lock:
            for record in self._records.values():
                if record.ocsf is not None and record.ocsf.get("metadata", {}).get("uid") == uid:
                    return record.ocsf
        return None

    def import_one(self, finding: dict[str, Any]) -> dict[str, Any] | None:
        """Create or update a finding.

        Returns:
            The finding that is now kept, or None where the import was ignored because its
            ``UpdatedAt`` is not later than that of the finding kept.
        """
        new = self._completed(finding)
        with self._lock:
            old = self._records.get(_key(new))
            if old is None:
                self._records[_key(new)] = Record(new)
                return new
            if not _is_later(new, old.finding):
                return None
            kept = _merged(old, new)
            self._records[_key(new)] = replace(old, finding=kept)
            return kept

    def update(self, key: Key, change: dict[str, Any]) -> Record:
        """Change fields of a finding for a customer; ``UpdatedAt`` stays.

        Returns:
            The record now kept.

        Raises:
            Unprocessed: there is no such finding, or it would be too large.
        """
        with self._lock:
            old = self._records.get(key)
            if old is None:
                raise Unprocessed(
                    "FindingNotFound", "The FindingIdentifier did not match any finding."
                )
            finding = {**old.finding, **change}
            if "Severity" in change:
                original = old.finding.get("Severity", {}).get("Original")
                kept = {"Original": original} if original else {}
                finding["Severity"] = completed({**kept, **change["Severity"]})
            if size(finding) > MAX_FINDING_BYTES:
                raise Unprocessed(
                    "FindingSizeExceededLimit",
                    f"The finding would be over {MAX_FINDING_BYTES} bytes.",
                )
            ocsf = old.ocsf and ocsf_finding.updated(old.ocsf, finding)
            record = Record(finding, old.customers | change.keys(), ocsf)
            self._records[key] = record
            return record

    def _completed(self, finding: dict[str, Any]) -> dict[str, Any]:
        """With what Security Hub fills in itself."""
        company, product = product_of(finding["ProductArn"])
        provider = dict(finding.get("FindingProviderFields") or {})
        severity = finding.get("Severity") or provider.get("Severity") or {}
        types = finding.get("Types") or provider.get("Types") or []
        provider.setdefault(
            "Severity", {name: severity[name] for name in ("Label", "Original") if name in severity}
        )
        provider.setdefault("Types", types)
        names = {
            "ProductName": _NAMES.get(product, product),
            "CompanyName": {"aws": "Amazon", self._account: "Personal"}.get(company, company),
        }
        fields = {
            "aws/securityhub/FindingId": f"{finding['ProductArn']}/{finding['Id']}",
            "aws/securityhub/ProductName": finding.get("ProductName") or names["ProductName"],
            "aws/securityhub/CompanyName": finding.get("CompanyName") or names["CompanyName"],
        }
        return {
            "Region": self._region,
            "Workflow": {"Status": "NEW"},
            "WorkflowState": "NEW",
            "RecordState": "ACTIVE",
            **{name: value for name, value in names.items() if value},
            **finding,
            "Types": types,
            "Severity": completed(severity),
            "FindingProviderFields": provider,
            "ProductFields": {**fields, **(finding.get("ProductFields") or {})},
        }


def _key(finding: dict[str, Any]) -> Key:
    return finding["ProductArn"], finding["Id"]


def _is_later(new: dict[str, Any], old: dict[str, Any]) -> bool:
    return (parse_time(new["UpdatedAt"]) or 0.0) > (parse_time(old.get("UpdatedAt")) or 0.0)


def _merged(old: Record, new: dict[str, Any]) -> dict[str, Any]:
    theirs = [*_CUSTOMERS, *(name for name in _SHARED if name in old.customers)]
    kept = {name: old.finding[name] for name in theirs if name in old.finding}
    merged = {**{k: v for k, v in new.items() if k not in _CUSTOMERS}, **kept}
    if _is_open_again(old.finding, new) and kept["Workflow"]["Status"] in ("NOTIFIED", "RESOLVED"):
        merged["Workflow"] = {"Status": "NEW"}
    return merged


def _is_open_again(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether a control's finding came back, which makes its workflow NEW."""
    if product_of(new["ProductArn"])[1] != "securityhub":
        return False
    if old.get("RecordState") == "ARCHIVED" and new.get("RecordState") == "ACTIVE":
        return True
    before, after = (finding.get("Compliance", {}).get("Status") for finding in (old, new))
    return before == "PASSED" and after in ("FAILED", "WARNING", "NOT_AVAILABLE")
