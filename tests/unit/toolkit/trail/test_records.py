"""Records are read from the archive, and from the table what is not sealed yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest

from factories import ACCOUNT, REGION
from hub_responder import clock
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.stack import Stack
from hub_toolkit.trail import records
from member_cloud import MemberCloud
from trails import HOUR, Trail

BEGUN = 1_800_003_600.0
STACK = "hub-responder-prod"


@pytest.fixture
def trail(members: MemberCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trail]:
    moto = MotoStore(ACCOUNT, REGION)
    moto.load()
    members.other = moto.app
    made = Trail(BEGUN, members, stack=STACK)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
    yield made
    moto.reset()


def details(trail: Trail, since: float, until: float, *holding: str) -> list[str]:
    with closing(Stack(None, STACK)) as stack:
        found = records.read(stack, since, until, holding)
        return sorted(str(one["detail"]) for one in found)


def written(trail: Trail) -> None:
    """One record an hour for four hours, the first two sealed; one that came late."""
    for number in range(4):
        trail.write(f"run-{number}", [{"kind": "skipped", "detail": f"hour {number}"}])
        trail.now += HOUR
        if number == 2:
            trail.now -= 0.6 * HOUR
            trail.archive()
            trail.now += 0.6 * HOUR


def test_what_is_sealed_and_what_is_not_are_one_trail(trail: Trail) -> None:
    written(trail)
    assert len(trail.digests()) == 2
    assert details(trail, BEGUN, trail.now) == [f"hour {number}" for number in range(4)]
    # what was sealed is read from the archive, whatever becomes of the table
    for item in trail.items()[:2]:
        trail.remove(item)
    assert details(trail, BEGUN, trail.now) == [f"hour {number}" for number in range(4)]


def test_only_the_time_that_is_asked_for(trail: Trail) -> None:
    written(trail)
    assert details(trail, BEGUN + HOUR, BEGUN + 2 * HOUR) == ["hour 1", "hour 2"]
    assert details(trail, BEGUN + 1, BEGUN + HOUR - 1) == []


def test_only_what_is_asked_for(trail: Trail) -> None:
    written(trail)
    assert details(trail, BEGUN, trail.now, "hour 1", "hour 3") == ["hour 1", "hour 3"]
    assert details(trail, BEGUN, trail.now, "hour 1' OR true --") == []


def test_a_deployment_that_was_never_archived(trail: Trail) -> None:
    trail.write("run-0", [{"kind": "skipped", "detail": "日本語\u2028x"}])
    trail.now += 60
    assert details(trail, BEGUN - 90 * 24 * HOUR, trail.now) == ["日本語\u2028x"]
    assert details(trail, BEGUN - HOUR, trail.now) == ["日本語\u2028x"]


def test_what_came_late_is_found_at_its_own_time(trail: Trail) -> None:
    trail.write("run-0", [{"kind": "skipped", "detail": "in time"}])
    trail.now += 1.4 * HOUR
    trail.archive()
    trail.now -= 1.2 * HOUR
    trail.write("run-1", [{"kind": "skipped", "detail": "late"}])
    trail.now += 26.2 * HOUR
    trail.archive()
    assert details(trail, BEGUN, BEGUN + HOUR) == ["in time", "late"]
