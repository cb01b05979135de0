"""A scan's findings: 400 on one instance and 3 on another, with the playbook as shipped."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.bursts import through
from benchmarks.cloud import Cloud
from benchmarks.process import Handler

FINDINGS = (400, 3)
"""On each instance."""


def told(cloud: Cloud, handler: Handler) -> Mapping[str, int]:
    """The requests to other systems, by connection.

    Raises:
        RuntimeError: a finding does not have the whole playbook's mark in the end.
    """
    counted = zip(cloud.instances(len(FINDINGS)), FINDINGS, strict=True)
    findings = [cloud.finding(instance) for instance, count in counted for _ in range(count)]
    calls = through(cloud, handler, findings)
    cloud.assert_answered(findings)
    return {
        name.removeprefix("http "): number
        for name, number in calls.items()
        if name.startswith("http ")
    }
