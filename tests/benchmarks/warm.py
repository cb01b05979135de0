"""Batches through the handler, again and again, each with findings that nobody has seen yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.cloud import Cloud
from benchmarks.process import Cost, Handler
from hub_responder.playbook import Wait
from hub_responder.vision_one.inventory import FRESH_S

BATCH = 10
WARM_UP = 5
WALKED_AFTER = 14
"""Rounds of a minute: about a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What handling ``findings`` cost, in one invocation or in two."""

    findings: int
    costs: Sequence[Cost]

    def each(self, value: Callable[[Cost], float]) -> float:
        """``value`` for each finding."""
        return sum(value(cost) for cost in self.costs) / self.findings


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of the same work, and the cost of the very first one of its process."""

    samples: Sequence[Sample]
    first: Cost

    def median(self, value: Callable[[Cost], float]) -> float:
        """The median of ``value`` for each finding."""
        return median(sample.each(value) for sample in self.samples)

    def cpu_ms(self) -> float:
        """Median processor time for each finding."""
        return self.median(lambda cost: cost.cpu_ms)

    def peak_mb(self) -> float:
        """The most memory the process had in use."""
        return max(cost.peak_mb for sample in self.samples for cost in sample.costs)


Work = Callable[[Cloud, Handler], Sample]


def batch(cloud: Cloud, handler: Handler) -> Sample:
    """Ten imported findings on ten instances, decided at once."""
    findings = cloud.findings(BATCH)
    cost = handler.invoke(cloud.imported(findings), cloud.offset())
    cloud.assert_answered(findings)
    return Sample(BATCH, [cost])


def click(cloud: Cloud, handler: Handler) -> Sample:
    """One finding that an analyst clicked."""
    findings = cloud.findings(1)
    cost = handler.invoke(cloud.clicked(findings), cloud.offset())
    cloud.assert_answered(findings)
    return Sample(1, [cost])


def waiting(cloud: Cloud, handler: Handler) -> Sample:
    """Ten imported findings that wait for a burst to end, and the round after it."""
    findings = cloud.findings(BATCH)
    came = handler.invoke(cloud.imported(findings), cloud.offset())
    cloud.advance(Wait().first + 1)
    settled = handler.invoke(cloud.waiting(), cloud.offset())
    cloud.assert_answered(findings)
    return Sample(BATCH, [came, settled])


def measure(cloud: Cloud, handler: Handler, work: Work, rounds: int) -> Series:
    """Do ``work`` some times to warm up, then ``rounds`` times for the figures.

    Each time is a while after the one before: what was asked of Vision One is asked again. The
    fleet is walked so often that there always is a snapshot, as where the stack is deployed.
    """
    samples = []
    for number in range(WARM_UP + rounds):
        cloud.advance(FRESH_S + 1)
        if number % WALKED_AFTER == 0:
            cloud.walk()
        samples.append(work(cloud, handler))
    return Series(samples[WARM_UP:], samples[0].costs[0])
