"""The walk over tickets: every pointer comes, and each run goes on where the last one stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from factories import NOW
from hub_responder import aws
from hub_responder.errors import ConfigurationError
from hub_responder.ledger.operations import Operations
from hub_responder.playbook import Playbook, Triggers
from hub_responder.sync import plan
from hub_responder.sync.store import Store
from inside import LEDGER, inside


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    playbook = Playbook(name="p", summary="For tests", version="0", on=Triggers(), steps=())
    with inside(playbook, tmp_path) as deployed:
        yield Store(LEDGER, deployed.clock.now())


def point(*tickets: str, over: bool = False) -> None:
    made = Operations(LEDGER, "me", NOW + 60, NOW)
    for ticket in tickets:
        held = {"desk": {"ticket": ticket}}
        items = made.unpoint("p#1", [f"desk#{ticket}"]) if over else made.point("p#1", held, ())
        aws.client("dynamodb").transact_write_items(TransactItems=items)


def test_pages_bring_every_pointer_once_and_none_that_is_over(store: Store) -> None:
    point("T-1", "T-2", "T-3", "T-4", "T-5")
    point("T-3", over=True)
    found, after = [], ""
    while True:
        page, after = store.page("p", after, 2)
        found += [one.ticket for one in page]
        if not after:
            break
    assert found == ["T-1", "T-2", "T-4", "T-5"]


def test_the_cursor_is_kept(store: Store) -> None:
    assert store.cursor() == ("", "")
    store.keep_cursor("p", "desk#T-2")
    assert store.cursor() == ("p", "desk#T-2")


def test_a_pointer_whose_incident_ended_meanwhile_is_not_brought_back(store: Store) -> None:
    point("T-1")
    ((pointer,), _) = store.page("p", "", 10)
    point("T-1", over=True)
    store.keep(pointer, "done@1")
    store.extend(pointer, pointer.expires + 1000)
    assert store.page("p", "", 10) == ([], "")


def test_what_is_handled_is_kept(store: Store) -> None:
    point("T-1")
    ((pointer,), _) = store.page("p", "", 10)
    store.keep(pointer, "done@1")
    ((again,), _) = store.page("p", "", 10)
    assert again.handled == "done@1"


def test_an_incident_that_is_forgotten_is_none(store: Store) -> None:
    assert store.incident("p#none") is None


def test_a_function_without_its_plan_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="attach the layer"):
        plan.load(tmp_path)
    (tmp_path / plan.FILE).write_text("[]")
    with pytest.raises(ConfigurationError, match="hub-responder build"):
        plan.load(tmp_path)
