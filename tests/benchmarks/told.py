"""A scan's findings: 400 on one instance and 3 on another, with the playbook as shipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from benchmarks.cloud import Cloud
from benchmarks.process import Handler
from hub_responder.playbook import Wait

FINDINGS = (400, 3)
"""On each instance."""
BATCH = 50
"""Messages of one invocation at most: the imports queue's."""
BURST_S = 5.0
"""Of the clock between two batches."""
_ROUNDS = 50


def told(cloud: Cloud, handler: Handler) -> Mapping[str, int]:
    """The requests to other systems, by connection.

    Raises:
        RuntimeError: a finding does not have the whole playbook's mark in the end.
    """
    counted = zip(cloud.instances(len(FINDINGS)), FINDINGS, strict=True)
    findings = [cloud.finding(instance) for instance, count in counted for _ in range(count)]
    calls: Counter[str] = Counter()
    for start in range(0, len(findings), BATCH):
        cloud.advance(BURST_S)
        records = cloud.imported(findings[start : start + BATCH])
        for first in range(0, len(records), BATCH):
            calls.update(handler.invoke(records[first : first + BATCH], cloud.offset()).requests)
    for _ in range(_ROUNDS):
        cloud.advance(Wait().then + 1)
        records = cloud.waiting()
        if not records:
            break
        calls.update(handler.invoke(records[:BATCH], cloud.offset()).requests)
    cloud.assert_answered(findings)
    return {
        name.removeprefix("http "): number
        for name, number in calls.items()
        if name.startswith("http ")
    }
