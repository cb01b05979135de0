"""What an operator does is recorded at a time that AWS's own clock bears out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest

from factories import ACCOUNT, REGION
from hub_responder import clock
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.stack import DeploymentError, Stack
from hub_toolkit.trail.operator import Operator
from member_cloud import MemberCloud
from trails import Trail

STACK = "hub-responder-prod"


@pytest.fixture
def trail(members: MemberCloud) -> Iterator[Trail]:
    moto = MotoStore(ACCOUNT, REGION)
    moto.load()
    members.other = moto.app
    yield Trail(time.time(), members, stack=STACK)
    moto.reset()


def is_off_by(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's clock, held against the one that the answers of AWS tell."""
    own = time.time
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: own() + seconds))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(360.0, "6 minutes ahead of AWS's"), (-3600.0, "60 minutes behind AWS's")],
)
def test_who_has_a_wrong_clock_writes_nothing(
    trail: Trail, monkeypatch: pytest.MonkeyPatch, seconds: float, said: str
) -> None:
    is_off_by(seconds, monkeypatch)
    with closing(Stack(None, STACK)) as stack, pytest.raises(DeploymentError, match=said):
        Operator(stack).record("marks", "paused", detail="a storm")
    assert trail.items() == []


@pytest.mark.parametrize("seconds", [240.0, -240.0])
def test_a_clock_that_is_about_right_will_do(
    trail: Trail, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    is_off_by(seconds, monkeypatch)
    with closing(Stack(None, STACK)) as stack:
        Operator(stack).record("marks", "paused", detail="a storm")
    (item,) = trail.items()
    record = json.loads(item["records"]["S"])
    assert record["actor"].startswith("arn:aws:sts::")
    assert record["detail"] == "a storm"
