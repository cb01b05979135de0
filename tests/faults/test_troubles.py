"""Each dependency of every shipped playbook fails for a while."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from faults.stimuli import Start, starts
from faults.trials import Trials


@pytest.mark.faults
@pytest.mark.parametrize("start", list(starts()), ids=lambda start: start.playbook)
def test_a_dependency_that_fails_for_a_while_loses_nothing_and_does_nothing_twice(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    tried = []
    for one in trials.troubles(start):
        request.node.user_properties.append(("tried", asdict(one)))
        tried.append(one)
    assert [(one.fault, one.wrong) for one in tried if one.wrong] == []
