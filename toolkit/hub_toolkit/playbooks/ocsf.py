"""The fields of an OCSF finding, as far as the code knows them: those at its top.

What is below is not checked: classes and extensions of the schema add to it.
"""

from __future__ import annotations

from functools import lru_cache

from hub_toolkit.playbooks.kinds import ANYTHING, NUMBER, TEXT, Choice, Kind, Record

SEVERITIES = ("Unknown", "Informational", "Low", "Medium", "High", "Critical", "Fatal", "Other")
"""Captions of ``severity_id`` 0 to 6 and 99 (OCSF schema 1.x, base event)."""
_TEXTS = ("activity_name", "category_name", "class_name", "comment", "end_time_dt", "message",
          "raw_data", "risk_details", "risk_level", "start_time_dt", "status", "status_code",
          "status_detail", "time_dt", "type_name")  # fmt: skip
_NUMBERS = ("activity_id", "category_uid", "class_uid", "confidence_id", "confidence_score",
            "count", "duration", "end_time", "impact_id", "impact_score", "priority_id",
            "raw_data_size", "risk_level_id", "risk_score", "severity_id", "start_time",
            "status_id", "time", "timezone_offset", "type_uid")  # fmt: skip
_OTHERS = ("action", "action_id", "actor", "anomaly_analyses", "api", "assignee", "assignee_group",
           "attacks", "authorizations", "cloud", "compliance", "confidence", "device",
           "disposition", "disposition_id", "enrichments", "evidences", "finding", "finding_info",
           "firewall_rule", "impact", "is_alert", "is_suspected_breach", "malware",
           "malware_scan_info", "metadata", "observables", "osint", "policy", "priority", "process",
           "raw_data_hash", "remediation", "resource", "resources", "src_url", "state", "state_id",
           "ticket", "tickets", "unmapped", "vendor_attributes", "verdict", "verdict_id",
           "vulnerabilities")  # fmt: skip


@lru_cache(maxsize=1)
def finding() -> Record:
    """A whole finding: classes 2001 to 2007 (findings) of the OCSF schema, up to 1.6."""
    fields: dict[str, Kind] = {
        **dict.fromkeys(_TEXTS, TEXT),
        **dict.fromkeys(_NUMBERS, NUMBER),
        **dict.fromkeys(_OTHERS, ANYTHING),
        "severity": Choice(SEVERITIES),
    }
    return Record("finding.raw", lambda: fields, mapping=True)
