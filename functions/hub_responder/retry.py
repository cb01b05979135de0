"""A second try where it can help and takes no long wait; what takes longer the engine defers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from hub_responder.deadline import RESERVE_S, Deadline
from hub_responder.errors import TransientError

PATIENCE_S = 2.0
"""What one client waits in all for second tries."""
PAUSE_S = 0.3
"""Before a second try where nothing says how long."""
TOO_MANY = 429

T = TypeVar("T")


class Patience:
    """What may still be slept, by all threads together."""

    def __init__(self, seconds: float = PATIENCE_S) -> None:
        self._left = seconds
        self._lock = threading.Lock()

    def take(self, seconds: float) -> bool:
        """Whether ``seconds`` may be slept, which uses them up."""
        with self._lock:
            if seconds > self._left:
                return False
            self._left -= seconds
            return True


def twice(once: Callable[[], T], patience: Patience, deadline: Deadline) -> T:
    """What ``once``, a call that is safe to repeat, returns at its first or second try.

    Raises:
        TransientError: it failed twice; or once, where a second try would come too late, or where
            too many requests were made and nothing says for how long: rates are of a minute.
            Nothing is in doubt then: what is safe to repeat changes nothing.
        HubResponderError: what else it raises.
    """
    try:
        return _twice(once, patience, deadline)
    except TransientError as error:
        error.sent = False
        raise


def _twice(once: Callable[[], T], patience: Patience, deadline: Deadline) -> T:
    try:
        return once()
    except TransientError as error:
        pause = PAUSE_S if error.retry_after is None else error.retry_after
        if error.status == TOO_MANY and error.retry_after is None:
            raise
        if pause >= deadline.left() - RESERVE_S or not patience.take(pause):
            raise
        time.sleep(pause)
    return once()
