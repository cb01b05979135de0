"""What the check knows of the names is what expressions see when they run."""

from __future__ import annotations

from typing import Any

import pytest

import factories
from hub_responder import actions
from hub_responder.engine.grouping import Cause
from hub_responder.engine.names import Names
from hub_responder.finding import Note
from hub_responder.markdown.filters import FILTERS
from hub_responder.tally import tally
from hub_toolkit.playbooks import kinds, vocabulary
from hub_toolkit.playbooks.kinds import BOOLEAN, NUMBER, TEXT, Choice, Function, Record

VARIABLES = vocabulary.variables(frozenset({"ASFF"}))


def _shared() -> dict[str, Any]:
    cause = Cause("imported", "e-1", factories.NOW)
    return Names(factories.runtime(), lambda *_: []).shared(cause, factories.finding())


def _record(name: str) -> Record:
    found = VARIABLES[name]
    assert isinstance(found, Record)
    return found


def test_the_names_are_those_of_the_engine() -> None:
    assert set(VARIABLES) == {*_shared(), "incident", "finding", "playbook"}


def test_the_attributes_are_those_of_the_values() -> None:
    incident = factories.incident()
    for name, value in (
        ("incident", incident),
        ("finding", incident.findings[0]),
        ("playbook", factories.playbook()),
    ):
        public = {one for one in dir(value) if not one.startswith("_")}
        fields = set(_record(name).fields)
        assert fields <= public
        assert not {one for one in public - fields if not callable(getattr(value, one))}
    assert set(_record("trigger").fields) == set(_shared()["trigger"])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (factories.finding(note=Note("x"), first_seen=1.0), _record("finding")),
        (factories.incident(), _record("incident")),
        (factories.playbook(), _record("playbook")),
        (tally(factories.incident()), vocabulary.TALLY),
    ],
    ids=["finding", "incident", "playbook", "tally"],
)
def test_values_have_the_kinds_that_are_said(value: Any, kind: Record) -> None:
    for name, said in kind.fields.items():
        _holds(getattr(value, name), said, name)


def _holds(value: Any, said: Any, name: str) -> None:
    """``value`` is one of the kinds that ``said`` is."""
    python: dict[Any, Any] = {TEXT: str, NUMBER: (int, float), BOOLEAN: bool}
    names = {"a list": (list, tuple), "a mapping": dict, "none": type(None)}
    for one in kinds.each(said):
        if one == kinds.ANYTHING or (isinstance(one, Record) and not isinstance(value, str)):
            return
        wanted = python.get(one, names.get(str(one), str))
        if isinstance(value, wanted) and isinstance(value, bool) <= (one == BOOLEAN):
            assert not isinstance(one, Choice) or str.__str__(value) in ("", *one.values), name
            return
    pytest.fail(f"{name} is {value!r}, not {said}")


def test_functions_take_what_the_engine_takes() -> None:
    shared = _shared()
    for name, function in vocabulary.FUNCTIONS.items():
        code = shared[name].__code__
        assert tuple(function.parameters) == code.co_varnames[: code.co_argcount]
        assert function.required == code.co_argcount - len(shared[name].__defaults__ or ())


def test_filters_of_our_own_are_known() -> None:
    known = {*vocabulary.TEXT_FILTERS, "tally"}
    assert set(FILTERS) <= known


def test_a_step_has_its_results_and_how_it_ended() -> None:
    for name in actions.names():
        made = vocabulary.step("one", actions.get(name).result).fields
        assert {"status", "detail"} <= set(made)
        assert not any(isinstance(one, Function) for one in made.values())
    status = vocabulary.step("one", actions.get("notify").result).fields["status"]
    assert isinstance(status, Choice)
    assert set(status.values) == {"done", "skipped", "failed", "deferred", "observed"}
