"""Findings, incidents and what surrounds them, with invented values, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub_responder.actions.base import Work
from hub_responder.deadline import Deadline
from hub_responder.expressions import StepView
from hub_responder.finding import Account, Finding, Package, Resource, Vulnerability
from hub_responder.incident import Incident
from hub_responder.playbook import Playbook, Step, Triggers
from hub_responder.runtime import Runtime
from hub_responder.severity import Severity

ACCOUNT = "111122223333"
REGION = "eu-central-1"
INSTANCE = "i-0abc1234def567890"
PRODUCT_ARN = f"arn:aws:securityhub:{REGION}::product/aws/inspector"
NOW = 1795305600.0
"""2026-11-22T00:00:00Z."""
REPOSITORY = Path(__file__).parents[1]
COVERAGE = {
    "verdict": "UNPROTECTED",
    "reasons": ["no_endpoint"],
    "evidence": {"matched_by": "instance id"},
    "summary": f"UNPROTECTED: no Vision One agent on web-01 ({INSTANCE}), matched by instance id",
    "checked_at": NOW + 3.0,
    "retry_after": None,
    "tier": "",
    "cves": [{"cve": "CVE-2026-1111", "state": "shieldable", "rules": [11, 12, 13, 14]}],
    "computer": None,
}


def resource(**overrides: Any) -> Resource:
    """An EC2 instance named web-01."""
    values: dict[str, Any] = {
        "type": "AwsEc2Instance",
        "id": f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{INSTANCE}",
        "instance_id": INSTANCE,
        "account": ACCOUNT,
        "region": REGION,
        "tags": {"Name": "web-01"},
    }
    return Resource(**values | overrides)


def vulnerability(**overrides: Any) -> Vulnerability:
    """CVE-2026-1111 in openssl: exploited, with a fix."""
    values: dict[str, Any] = {
        "id": "CVE-2026-1111",
        "cve_ids": ("CVE-2026-1111",),
        "cvss": 9.8,
        "epss": 0.94,
        "exploit_available": True,
        "fix_available": True,
        "packages": (Package("openssl", "3.0.1", "3.0.2"),),
    }
    return Vulnerability(**values | overrides)


def finding(**overrides: Any) -> Finding:
    """A critical Inspector finding of `resource`."""
    values: dict[str, Any] = {
        "id": f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/0001",
        "product_arn": PRODUCT_ARN,
        "account": Account(ACCOUNT),
        "region": REGION,
        "severity": Severity("CRITICAL"),
        "resources": (resource(),),
        "product": "Inspector",
        "title": "CVE-2026-1111 - openssl",
        "vulnerabilities": (vulnerability(),),
        "remediation_url": "https://fix.example/CVE-2026-1111",
        "updated": NOW,
    }
    return Finding(**values | overrides)


def incident(**overrides: Any) -> Incident:
    """An incident of one `finding`, just opened."""
    findings = overrides.get("findings") or (finding(),)
    values: dict[str, Any] = {
        "key": "inspector-coverage#" + "5" * 64,
        "group": (ACCOUNT, REGION, findings[0].resource.id),
        "gen": 1,
        "round": 1,
        "findings": findings,
        "count": len(findings),
        "new": len(findings),
        "resource": findings[0].resource,
        "severity": findings[0].severity,
        "change": "opened",
    }
    return Incident(**values | overrides)


def playbook(**overrides: Any) -> Playbook:
    """A playbook with one step, ``coverage``, and the connections that tests use."""
    values: dict[str, Any] = {
        "name": "inspector-coverage",
        "summary": "Is it protected?",
        "steps": (Step("coverage", "vision_one.check_coverage"),),
        "on": Triggers(),
        "version": "0123456789ab",
        "runbook": "https://wiki.example/inspector",
        "connections": {
            "chat": {"type": "slack", "channel": "C1"},
            "hook": {"type": "slack_webhook"},
            "topic": {"type": "sns", "topic_arn": "arn:aws:sns:eu-central-1:111122223333:t"},
            "jira": {"type": "jira", "url": "https://example.atlassian.net", "project": "SEC"},
            "ops": {"type": "opscenter"},
        },
    }
    return Playbook(**values | overrides)


def runtime(**overrides: Any) -> Runtime:
    """A run of `playbook` with a minute left, in the shipped playbook's folder."""
    values: dict[str, Any] = {
        "playbook": overrides.get("playbook") or playbook(),
        "directory": REPOSITORY / "playbooks" / "inspector-coverage",
        "deadline": Deadline.after(60),
        "now": NOW,
        "stage": "test",
    }
    return Runtime(**values | overrides)


def scope(of: Incident | None = None, **overrides: Any) -> dict[str, Any]:
    """What templates see, after a coverage step that found no agent."""
    of = of or incident()
    values: dict[str, Any] = {
        "incident": of,
        "finding": of.findings[0],
        "playbook": playbook(),
        "params": {},
        "now": NOW,
        "trigger": {"kind": "imported", "event_id": "e-1"},
        "coverage": StepView("coverage", "done", COVERAGE),
    }
    return values | overrides


def work(params: Any, of: Incident | None = None, **overrides: Any) -> Work:
    """The work of a step on one incident."""
    of = of or incident()
    values: dict[str, Any] = {"key": "ab" * 20, "scope": scope(of)}
    return Work(incident=of, params=params, **values | overrides)
