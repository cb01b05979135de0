"""Second tries: when, after how long, and never more."""

from __future__ import annotations

import pytest

from hub_responder.deadline import Deadline
from hub_responder.errors import CallError, PermanentError, TransientError
from hub_responder.retry import Patience, twice


class Call:
    """Raises these one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0

    def __call__(self) -> str:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def passing(status: int | None = 503, retry_after: float | None = None) -> TransientError:
    return TransientError("no", target="t", status=status, sent=True, retry_after=retry_after)


@pytest.mark.parametrize(
    ("errors", "seconds_left", "pauses"),
    [
        ([], 60, []),
        ([passing()], 60, [0.3]),
        ([passing(429, 1.5)], 60, [1.5]),
    ],
)
def test_what_passes_soon_is_tried_once_more(
    slept: list[float], errors: list[Exception], seconds_left: float, pauses: list[float]
) -> None:
    call = Call(*errors)
    assert twice(call, Patience(), Deadline.after(seconds_left)) == "answer"
    assert (slept, call.tries) == (pauses, len(errors) + 1)


@pytest.mark.parametrize(
    ("errors", "seconds_left", "tries"),
    [
        ([passing(), passing()], 60, 2),
        ([passing(429)], 60, 1),
        ([passing(429, 2.5)], 60, 1),
        ([passing(429, 1.5)], 3, 1),
        ([PermanentError("no", target="t", status=400)], 60, 1),
    ],
)
def test_what_does_not_is_raised(
    slept: list[float], errors: list[Exception], seconds_left: float, tries: int
) -> None:
    call = Call(*errors)
    with pytest.raises(CallError) as raised:
        twice(call, Patience(), Deadline.after(seconds_left))
    assert (type(raised.value), raised.value.sent) == (type(errors[-1]), False)
    assert (len(slept), call.tries) == (tries - 1, tries)


def test_patience_is_used_up() -> None:
    patience = Patience(1.0)
    assert [patience.take(0.6), patience.take(0.6), patience.take(0.4)] == [True, False, True]
