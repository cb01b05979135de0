"""How an action runs over a batch."""

from __future__ import annotations

import threading
from typing import Any

from factories import work
from hub_responder.actions.base import Outcome, Work, each
from hub_responder.errors import ConfigurationError


def works(*names: str) -> list[Work]:
    return [work(name) for name in names]


def name_of(one: Work) -> str:
    return str(one.params)


def test_the_first_of_each_target_goes_alone_and_the_others_know_what_became_of_it() -> None:
    seen: list[str] = []

    def one(work: Work) -> Outcome:
        down = name_of(work) in seen
        seen.append(name_of(work))
        return Outcome("deferred" if down else "done")

    outcomes = each(one, works(*"aabbaab"), name_of)
    done = [number for number, outcome in enumerate(outcomes) if outcome.status == "done"]
    assert done == [0, 2]


def test_a_target_that_hangs_holds_up_no_other() -> None:
    others_done, left = threading.Event(), list(range(25))

    def one(work: Work) -> Outcome:
        if name_of(work) == "hangs":
            assert others_done.wait(30)
        else:
            left.pop()
            if not left:
                others_done.set()
        return Outcome("done", name_of(work))

    outcomes = each(one, works(*["hangs", "fine"] * 25), name_of)
    assert [outcome.detail for outcome in outcomes] == ["hangs", "fine"] * 25


def test_a_target_that_cannot_be_told_is_the_works_own_trouble() -> None:
    def target(work: Work) -> str:
        if name_of(work) == "wrong":
            raise ConfigurationError("there is no such connection")
        return "right"

    def one(work: Work) -> Outcome:
        target(work)
        return Outcome("done")

    outcomes = each(one, works("wrong", "right", "wrong", "right"), target)
    assert [outcome.status for outcome in outcomes] == ["failed", "done"] * 2


def test_a_bug_is_raised_where_the_batch_is_run() -> None:
    def one(_work: Work) -> Any:
        raise ZeroDivisionError

    try:
        each(one, works("a", "b"))
    except ZeroDivisionError:
        return
    raise AssertionError("the bug was swallowed")
