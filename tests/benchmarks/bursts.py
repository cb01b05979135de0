"""Findings that come in bursts, through the handler until nothing is left to be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.cloud import Cloud, Record
from benchmarks.process import Handler
from hub_responder.playbook import Wait

BATCH = 50
"""Messages of one invocation at most: the imports queue's."""
PAUSE_S = 5.0
"""Of the clock between two bursts."""
_ROUNDS = 200


def through(cloud: Cloud, handler: Handler, findings: Sequence[dict[str, Any]]) -> Counter[str]:
    """The requests that it took, by what was asked.

    Rounds that must wait for their turn at a channel or a ticket system come again later, as in
    Lambda.

    Raises:
        RuntimeError: the queue is not empty after a long while.
    """
    asked: Counter[str] = Counter()
    for start in range(0, len(findings), BATCH):
        cloud.advance(PAUSE_S)
        _invoke(handler, cloud, cloud.imported(findings[start : start + BATCH]), asked)
    for _ in range(_ROUNDS):
        cloud.advance(Wait().then + 1)
        left = cloud.waiting()
        if not left:
            return asked
        _invoke(handler, cloud, left, asked)
    raise RuntimeError(f"{len(left)} messages are left after {_ROUNDS} rounds")


def _invoke(handler: Handler, cloud: Cloud, records: Sequence[Record], asked: Counter[str]) -> None:
    for first in range(0, len(records), BATCH):
        asked.update(handler.invoke(records[first : first + BATCH], cloud.offset()).requests)
