"""The ledger's meters over the sandbox's DynamoDB, in simulated time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from factories import NOW
from hub_responder import aws, clock
from hub_responder.deadline import Deadline
from hub_responder.errors import PacedError, TransientError
from hub_responder.pace import Pace
from hub_responder.retry import Patience
from hub_toolkit.sandbox import dynamodb
from hub_toolkit.sandbox.dynamodb.store import ItemStore
from hub_toolkit.sandbox.in_process import answer_aws
from world import World


class Meter:
    """A ledger, and the time that all go by."""

    def __init__(self) -> None:
        self.now = NOW
        self.calls = 0
        self.fresh()

    def fresh(self) -> None:
        """Nothing was asked yet."""
        self.store: ItemStore = World().store

    def answer(self, request: Any, **_: Any) -> Any:
        self.calls += 1
        return answer_aws(dynamodb.app(self.store), request)

    def granted(self, one: Pace, patience: float = 0.0) -> bool:
        try:
            one.take("vision_one", Patience(patience), Deadline.after(60))
        except TransientError:
            return False
        return True

    def drain(self, one: Pace) -> int:
        """Ask until one is refused; how many were granted."""
        return next(number for number in range(10_000) if not self.granted(one))

    def wait(self, one: Pace) -> float:
        """How long a refused client is told to wait."""
        with pytest.raises(TransientError) as told:
            one.take("vision_one", Patience(0), Deadline.after(60))
        assert told.value.status == 429
        assert told.value.retry_after is not None
        return told.value.retry_after

    def items(self) -> list[Any]:
        """What the ledger holds."""
        found: list[Any] = self.store.handle("Scan", {"TableName": "ledger"})["Items"]
        return found

    def turn(self, one: Pace) -> float:
        """0 where a delivery may go out now, else in how many seconds its turn is."""
        try:
            one.turn(Patience(0), Deadline.after(60))
        except PacedError as error:
            return error.retry_after or 0.0
        return 0.0


@contextmanager
def metered() -> Iterator[Meter]:
    """Clients of DynamoDB reach a meter's ledger, and its time is the clock's, until the end."""
    made = Meter()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            patch.setenv(name, value)
        patch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
        aws.forget_clients()
        aws.session().events.register("before-send.dynamodb", made.answer)
        yield made
        aws.forget_clients()
