"""The worker is killed before and after every effect of every shipped playbook."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from faults.stimuli import Start, starts
from faults.trials import Trials

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
    tried = []
    for one in trials.kills(start, point):
        request.node.user_properties.append(("tried", asdict(one)))
        tried.append(one)
    assert [(one.step, one.fault, one.wrong) for one in tried if one.wrong] == []
