"""A deployment whose trail is archived."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from factories import ACCOUNT, REGION
from hub_responder import clock
from hub_toolkit.sandbox.moto_store import MotoStore
from member_cloud import MemberCloud
from trails import Trail

BEGUN = 1_800_003_600.0
"""A whole hour: 2027-01-15T09:00Z."""


@pytest.fixture
def trail(members: MemberCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trail]:
    moto = MotoStore(ACCOUNT, REGION)
    moto.load()
    members.other = moto.app
    made = Trail(BEGUN, members)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
    yield made
    moto.reset()
