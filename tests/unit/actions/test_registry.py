"""Actions are found by name, and each declares itself whole."""

from __future__ import annotations

import msgspec
import pytest

from hub_responder import actions
from hub_responder.errors import ConfigurationError

OWN = ("finding.update", "notify", "ticket.open")


def test_an_unknown_action_is_told_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"'notfy'.*notify"):
        actions.get("notfy")


@pytest.mark.parametrize("name", OWN)
def test_an_action_documents_itself(name: str) -> None:
    action = actions.get(name)
    assert action.name == name
    assert action.effects
    assert action.summary.endswith(".")
    assert f"uses: {name}" in action.example
    for kind in (action.params, action.result):
        assert issubclass(kind, msgspec.Struct)
        assert kind.__doc__
        msgspec.json.schema(kind)


def test_names_are_those_that_can_be_used() -> None:
    assert set(OWN) < set(actions.names())
