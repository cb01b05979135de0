"""The worker is killed before and after every effect of every shipped playbook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import pytest

from faults.stimuli import Start, starts
from faults.trials import Trials, Tried

STARTS = list(starts())
SAMPLE = max(STARTS, key=lambda start: start.steps)
"""Of one playbook with the most steps: tried by default too. ``make faults`` tries them all."""


@pytest.mark.parametrize("point", ["before_effect", "after_effect"])
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(start, id=start.playbook, marks=[pytest.mark.faults] * (start is not SAMPLE))
        for start in STARTS
    ],
)
def test_a_worker_that_dies_at_an_effect_loses_nothing_and_does_nothing_twice(
    trials: Trials, start: Start, point: str, request: pytest.FixtureRequest
) -> None:
    assert told(trials.kills(start, point), request) == []


def told(tried: Iterator[Tried], request: pytest.FixtureRequest) -> list[tuple[str, list[str]]]:
    """What was not survived; all of it is in the table."""
    failed = []
    for one in tried:
        request.node.user_properties.append(("tried", asdict(one)))
        if one.wrong:
            failed.append((one.fault, one.wrong))
    return failed
