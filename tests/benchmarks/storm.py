"""A storm: 1,000 findings over 200 instances, with a snapshot of the fleet that is fresh.

The playbook is as it ships: what comes within its wait is one round, the rest of it another.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.bursts import through
from benchmarks.cloud import Cloud
from benchmarks.process import Handler

INSTANCES = 200
EACH = 5
OTHERS = 1800
"""Endpoints of the fleet that no finding is about: a walk takes more than one request."""


@dataclass(frozen=True, slots=True)
class Storm:
    """What was asked: of Vision One, and of Server & Workload Protection."""

    unprotected: int
    vision_one: int
    workload_security: int


def storm(cloud: Cloud, handler: Handler, unprotected: int) -> Storm:
    """All findings through the handler, of which so many instances have no agent.

    Raises:
        RuntimeError: a finding does not say what is so.
    """
    instances = cloud.instances(INSTANCES)
    bare = set(instances[:unprotected])
    cloud.protect([*(each for each in instances if each not in bare), *cloud.instances(OTHERS)])
    cloud.walk()
    findings = [cloud.finding(instance) for _ in range(EACH) for instance in instances]
    asked = through(cloud, handler, findings)
    for number, finding in enumerate(findings):
        wanted = "UNPROTECTED" if instances[number % INSTANCES] in bare else "PROTECTED"
        if cloud.verdict(finding) != wanted:
            raise RuntimeError(f"a finding says {cloud.verdict(finding)}, not {wanted}")
    return Storm(unprotected, asked["http vision-one"], asked["http workload-security"])
