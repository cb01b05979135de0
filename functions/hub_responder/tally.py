"""The numbers of an incident that people decide by: how many, how bad, and which CVEs first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from hub_responder.finding import Vulnerability
    from hub_responder.incident import Incident


class Cve(msgspec.Struct, frozen=True):
    """A vulnerability in an incident. ``cvss`` 0 to 10, ``epss`` 0 to 1; None: not said."""

    id: str
    cvss: float | None = None
    epss: float | None = None
    exploit_available: bool = False
    fix_available: bool = False
    packages: str = ""


class Tally(msgspec.Struct, frozen=True):
    """Numbers of one round.

    Attributes:
        total: findings that ever joined the incident.
        shown: findings of this round, which the other numbers count.
        exploitable, fixable: as far as the findings say so.
        cves: each once, the most urgent first: exploited, then EPSS, then CVSS.
    """

    total: int
    shown: int
    critical: int
    exploitable: int
    fixable: int
    cves: tuple[Cve, ...]


def tally(incident: Incident) -> Tally:
    """Count the findings of ``incident``."""
    findings = incident.findings
    cves: dict[str, Cve] = {}
    for finding in findings:
        for vulnerability in finding.vulnerabilities:
            for name in vulnerability.cve_ids[:1] or (vulnerability.id,):
                if name:
                    cves[name] = _worse(cves.get(name), _cve(name, vulnerability))
    return Tally(
        total=max(incident.count, len(findings)),
        shown=len(findings),
        critical=sum(finding.severity.value == "CRITICAL" for finding in findings),
        exploitable=sum(bool(finding.exploit_available) for finding in findings),
        fixable=sum(bool(finding.fix_available) for finding in findings),
        cves=tuple(sorted(cves.values(), key=_urgency)),
    )


def _cve(name: str, vulnerability: Vulnerability) -> Cve:
    return Cve(
        name,
        vulnerability.cvss,
        vulnerability.epss,
        bool(vulnerability.exploit_available),
        bool(vulnerability.fix_available),
        ", ".join(package.name for package in vulnerability.packages[:3]),
    )


def _worse(known: Cve | None, other: Cve) -> Cve:
    return other if known is None or _urgency(other) < _urgency(known) else known


def _urgency(cve: Cve) -> tuple[bool, float, float, str]:
    return (not cve.exploit_available, -(cve.epss or 0.0), -(cve.cvss or 0.0), cve.id)
