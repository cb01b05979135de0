"""Each dependency of every shipped playbook fails for a while, or a function's time is up in it."""

from __future__ import annotations

import pytest

from faults.stimuli import Start
from faults.test_kills import SAMPLE, STARTS, told
from faults.trials import Trials

every_playbook = pytest.mark.parametrize("start", STARTS, ids=lambda start: start.playbook)


@pytest.mark.faults
@every_playbook
def test_a_dependency_that_fails_for_a_while_loses_nothing_and_does_nothing_twice(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    assert told(trials.troubles(start), request) == []


@pytest.mark.faults
@every_playbook
def test_a_function_whose_time_is_up_in_a_call_loses_nothing_and_does_nothing_twice(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    """In every call of one playbook, in the first to each dependency of the others."""
    assert told(trials.timeouts(start, every=start is SAMPLE), request) == []
