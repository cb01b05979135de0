"""Messages come twice, late and out of order; secrets change; updates are done in part; what fails
goes on failing.
"""

from __future__ import annotations

import pytest

from faults.stimuli import Start
from faults.test_kills import SAMPLE, STARTS, told
from faults.trials import Trials

pytestmark = pytest.mark.faults
every_playbook = pytest.mark.parametrize("start", STARTS, ids=lambda start: start.playbook)


@every_playbook
def test_however_a_message_comes_everything_is_done_once(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    assert told(trials.comings(start), request) == []


@every_playbook
def test_a_secret_that_was_changed_is_read_again(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    assert told(trials.rotations(start), request) == []


@every_playbook
def test_what_fails_for_longer_is_a_letter_with_its_reason_and_is_done_once_sent_again(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    assert told(trials.refusals(start), request) == []


@every_playbook
def test_findings_that_an_update_leaves_out_are_updated_later(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    assert told(trials.partly(start), request) == []


@pytest.mark.parametrize("start", [SAMPLE], ids=lambda start: start.playbook)
def test_what_is_answered_too_late_is_in_doubt_and_looked_up(
    trials: Trials, start: Start, request: pytest.FixtureRequest
) -> None:
    """Of one playbook: each of these waits for as long as a call may take."""
    assert told(trials.late(start), request) == []
