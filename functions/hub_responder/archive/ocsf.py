"""A record of the trail as an event of OCSF, the Open Cybersecurity Schema Framework (1.9.0).

What was done is Remediation Activity (7001): an attempt before each effect, an outcome after it.
What was decided about findings is Incident Finding (2005). What people and AWS did to the responder
itself is API Activity (6003). Each event carries the record as it was written (``raw_data``) and
how it is chained to the one before it in its run (``attestation``, profile Record Integrity); what
OCSF has no name for is ``unmapped``, by our names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from hub_responder.archive.digest import Deployment

SCHEMA = "1.9.0"
REMEDIATION, INCIDENT, API = 7001, 2005, 6003
PERSON = "person: not supplied by AWS"
"""The console's click tells which custom action, and not who clicked."""

_STRING = "VARCHAR"
_FINGERPRINT = "STRUCT(algorithm VARCHAR, algorithm_id INTEGER, value VARCHAR)"
_COMMON: Mapping[str, str] = {
    "time": "BIGINT",
    "class_uid": "INTEGER",
    "class_name": _STRING,
    "category_uid": "INTEGER",
    "category_name": _STRING,
    "activity_id": "INTEGER",
    "activity_name": _STRING,
    "type_uid": "BIGINT",
    "type_name": _STRING,
    "severity_id": "INTEGER",
    "severity": _STRING,
    "status_id": "INTEGER",
    "status": _STRING,
    "status_code": _STRING,
    "message": _STRING,
    "duration": "BIGINT",
    "metadata": (
        "STRUCT(version VARCHAR, uid VARCHAR, sequence INTEGER, event_code VARCHAR,"
        " correlation_uid VARCHAR, original_time VARCHAR, profiles VARCHAR[],"
        " product STRUCT(name VARCHAR, vendor_name VARCHAR, version VARCHAR, uid VARCHAR))"
    ),
    "actor": (
        'STRUCT(app_name VARCHAR, app_uid VARCHAR, "user" STRUCT(name VARCHAR, uid VARCHAR))'
    ),
    "cloud": "STRUCT(provider VARCHAR, region VARCHAR, account STRUCT(uid VARCHAR))",
    "observables": "STRUCT(name VARCHAR, type_id INTEGER, type VARCHAR, value VARCHAR)[]",
    "attestation": (
        f"STRUCT(chain_uid VARCHAR, fingerprint {_FINGERPRINT},"
        f" prev_event STRUCT(uid VARCHAR, fingerprint {_FINGERPRINT}))"
    ),
    "raw_data": _STRING,
    "unmapped": (
        "STRUCT(kind VARCHAR, playbook VARCHAR, version VARCHAR, incident VARCHAR, gen INTEGER,"
        " round INTEGER, step VARCHAR, uses VARCHAR, key VARCHAR, verdict VARCHAR, trigger VARCHAR,"
        " status VARCHAR, run VARCHAR, seq INTEGER, findings VARCHAR[], account VARCHAR,"
        " region VARCHAR, resource VARCHAR, product VARCHAR, tickets VARCHAR[], inputs VARCHAR,"
        " dry_run BOOLEAN, ms BIGINT)"
    ),
}
_OWN: Mapping[int, Mapping[str, str]] = {
    REMEDIATION: {"command_uid": _STRING},
    INCIDENT: {
        "finding_info_list": "STRUCT(uid VARCHAR, title VARCHAR)[]",
        "assignee_group": "STRUCT(name VARCHAR)",
        "desc": _STRING,
    },
    API: {
        "api": "STRUCT(operation VARCHAR, service STRUCT(name VARCHAR))",
        "src_endpoint": "STRUCT(name VARCHAR, ip VARCHAR)",
    },
}
COLUMNS: Mapping[int, Mapping[str, str]] = {uid: {**_COMMON, **own} for uid, own in _OWN.items()}
"""Class -> column -> DuckDB's type. Times are milliseconds since the epoch, OCSF's timestamp."""

_CLASSES = {
    REMEDIATION: ("Remediation Activity", 7, "Remediation"),
    INCIDENT: ("Incident Finding", 2, "Findings"),
    API: ("API Activity", 6, "Application Activity"),
}
_PROFILES = {
    REMEDIATION: ["cloud", "host", "record_integrity"],
    INCIDENT: ["cloud", "host", "record_integrity"],
    API: ["cloud", "record_integrity"],
}
"""Whose attributes an event has: ``actor`` is the class's own only in API Activity, elsewhere the
profile Host's."""
_EFFECT_KINDS = frozenset({"attempt", "answered", "returned"})
_API_KINDS = frozenset({"redriven", "discarded", "config", "tampered", "cloudtrail", "read"})
_COUNTERMEASURES = {
    "endpoint.isolate": (1, "Isolate"),
    "endpoint.restore": (3, "Restore"),
    "vision_one.apply_ips_rules": (4, "Harden"),
}
"""Actions that are a countermeasure by MITRE's D3FEND; the others only tell, ask and record."""
_LIFE = {"opened": (1, "Create"), "ended": (3, "Close")}
_CHANGES = {
    "registered": (1, "Create"),
    **dict.fromkeys(("discarded", "unregistered"), (4, "Delete")),
    **dict.fromkeys(("redriven", "config", "held", "released"), (3, "Update")),
}
_DONE_TO = {"MODIFY": (3, "Update"), "REMOVE": (4, "Delete")}
"""What was done to the trail itself."""
_DONE = {"done": (1, "Success"), "failed": (2, "Failure")}
_BAD = frozenset({"dead", "unreadable", "tampered", "guard", "unseen"})
_OTHER = 99


class Fingerprinted(msgspec.Struct, frozen=True):
    """Where a record stands in its run's chain.

    Attributes:
        run: the chain. seq: the number of its item in it. number: its place within the item.
        uid, value: of the record before it, with its fingerprint; empty for the first.
    """

    run: str
    seq: int
    number: int
    uid: str = ""
    value: str = ""


def class_of(record: Mapping[str, Any]) -> int:
    """Which class of events a record is."""
    kind = record["kind"]
    if kind in _API_KINDS or "actor" in record:
        return API
    if kind in _EFFECT_KINDS or (kind == "outcome" and "key" in record):
        return REMEDIATION
    return INCIDENT


def fingerprint(line: str) -> str:
    """SHA-256 (hex) of a record as it was written."""
    return hashlib.sha256(line.encode()).hexdigest()


def event(
    line: str, record: Mapping[str, Any], place: Fingerprinted, deployment: Deployment
) -> tuple[int, dict[str, Any]]:
    """The class and the event of a record."""
    uid = class_of(record)
    activity_id, activity = _activity(uid, record)
    name, category, category_name = _CLASSES[uid]
    status_id, status = _status(uid, record)
    target, trigger = record.get("target", {}), record.get("trigger", {})
    bad = record.get("status") == "failed" or record["kind"] in _BAD
    findings = [str(one) for one in record.get("findings", ())]
    common = {
        "time": milliseconds(record["at"]),
        "class_uid": uid,
        "class_name": name,
        "category_uid": category,
        "category_name": category_name,
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": uid * 100 + activity_id,
        "type_name": f"{name}: {activity}",
        "severity_id": 4 if bad else 1,
        "severity": "High" if bad else "Informational",
        "status_id": status_id,
        "status": status,
        "status_code": record.get("error"),
        "message": record.get("detail"),
        "duration": record.get("ms"),
        "metadata": _metadata(uid, record, place, deployment),
        "actor": _actor(record),
        "cloud": {
            "provider": "AWS",
            "region": target.get("region") or trigger.get("region") or deployment.region,
            "account": {
                "uid": target.get("account") or trigger.get("account") or deployment.account
            },
        },
        "observables": _observables(findings, target),
        "attestation": _attestation(line, place),
        "raw_data": line,
        "unmapped": _unmapped(record, findings, place),
    }
    return uid, {**common, **_OWN_OF[uid](record, findings)}


def milliseconds(at: str) -> int:
    """A record's time as milliseconds since the epoch."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def _activity(uid: int, record: Mapping[str, Any]) -> tuple[int, str]:
    if uid == REMEDIATION:
        uses = str(record.get("uses", "")) or record["kind"]
        return _COUNTERMEASURES.get(uses, (_OTHER, uses))
    if uid == INCIDENT:
        return _LIFE.get(record["kind"], (2, "Update"))
    if record["kind"] == "tampered":
        operation = str(record.get("source", {}).get("operation"))
        return _DONE_TO.get(operation, (_OTHER, "tampered"))
    return _CHANGES.get(record["kind"], (_OTHER, record["kind"]))


def _status(uid: int, record: Mapping[str, Any]) -> tuple[int, str]:
    kind, status = record["kind"], str(record.get("status", ""))
    if uid == INCIDENT:
        if kind == "ended":
            return 5, "Closed"
        if kind in ("deferred", "paused") or status == "deferred":
            return 3, "On Hold"
        return (1, "New") if kind == "opened" else (2, "In Progress")
    if kind == "attempt":
        return _OTHER, "Attempted"
    return _DONE.get(status, (_OTHER, status)) if status else (1, "Success")


def _metadata(
    uid: int, record: Mapping[str, Any], place: Fingerprinted, deployment: Deployment
) -> dict[str, Any]:
    incident = record.get("incident", "")
    return {
        "version": SCHEMA,
        "uid": record_uid(record, place),
        "sequence": place.seq,
        "event_code": record["kind"],
        "correlation_uid": incident or None,
        "original_time": record["at"],
        "profiles": _PROFILES[uid],
        "product": {
            "name": "hub-responder",
            "vendor_name": "hub-responder",
            "version": record.get("version"),
            "uid": record.get("function") or deployment.stage,
        },
    }


def record_uid(record: Mapping[str, Any], place: Fingerprinted) -> str:
    """What names a record: its own id, or its place where an older version wrote none."""
    return str(record.get("id") or f"{place.run}.{place.seq}.{place.number}")


def _actor(record: Mapping[str, Any]) -> dict[str, Any]:
    trigger = record.get("trigger", {})
    actor: dict[str, Any] = {
        "app_name": record.get("playbook") or "hub-responder",
        "app_uid": trigger.get("by") or record.get("function"),
    }
    if operator := record.get("actor"):
        actor["user"] = {"name": operator, "uid": operator}
    elif trigger.get("kind") == "custom_action":
        actor["user"] = {"name": PERSON}
    return actor


def _observables(findings: list[str], target: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = [
        {"name": "unmapped.findings", "type_id": _OTHER, "type": "Finding", "value": one}
        for one in findings
    ]
    if resource := target.get("resource"):
        told.append(
            {"name": "unmapped.resource", "type_id": 10, "type": "Resource UID", "value": resource}
        )
    return told


def _attestation(line: str, place: Fingerprinted) -> dict[str, Any]:
    attestation: dict[str, Any] = {"chain_uid": place.run, "fingerprint": _sha(fingerprint(line))}
    if place.uid:
        attestation["prev_event"] = {"uid": place.uid, "fingerprint": _sha(place.value)}
    return attestation


def _sha(value: str) -> dict[str, Any]:
    return {"algorithm": "SHA-256", "algorithm_id": 3, "value": value}


def _unmapped(
    record: Mapping[str, Any], findings: list[str], place: Fingerprinted
) -> dict[str, Any]:
    target, result = record.get("target", {}), record.get("result", {})
    refs = record.get("refs", {})
    tickets = [f"{name}#{ref['ticket']}" for name, ref in refs.items() if ref.get("ticket")]
    copied = ("kind", "playbook", "version", "incident", "gen", "round", "step", "uses", "key")
    return {
        **{name: record.get(name) for name in (*copied, "status", "inputs", "dry_run", "ms")},
        "verdict": result.get("verdict"),
        "trigger": record.get("trigger", {}).get("kind"),
        "run": place.run,
        "seq": place.seq,
        "findings": findings,
        **{name: target.get(name) for name in ("account", "region", "resource", "product")},
        "tickets": tickets,
    }


def _remediation(record: Mapping[str, Any], findings: list[str]) -> dict[str, Any]:
    del findings
    return {"command_uid": record.get("key") or record.get("id") or record["kind"]}


def _incident(record: Mapping[str, Any], findings: list[str]) -> dict[str, Any]:
    event_id = record.get("trigger", {}).get("event_id")
    uids = findings or [record.get("incident") or event_id or "none"]
    return {
        "finding_info_list": [{"uid": uid} for uid in uids],
        "assignee_group": {"name": record.get("playbook") or "hub-responder"},
        "desc": record.get("detail"),
    }


def _api(record: Mapping[str, Any], findings: list[str]) -> dict[str, Any]:
    del findings
    source = record.get("source", {})
    endpoint = source.get("endpoint") or ("command line" if "actor" in record else "AWS")
    return {
        "api": {
            "operation": source.get("operation") or record["kind"],
            "service": {"name": source.get("service") or "hub-responder"},
        },
        "src_endpoint": {"name": endpoint, "ip": source.get("ip")},
    }


_OWN_OF: Mapping[int, Callable[[Mapping[str, Any], list[str]], dict[str, Any]]] = {
    REMEDIATION: _remediation,
    INCIDENT: _incident,
    API: _api,
}
