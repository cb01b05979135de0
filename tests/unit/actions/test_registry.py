"""Actions are found by name, and each declares itself whole."""

from __future__ import annotations

import msgspec
import pytest

from hub_responder import actions
from hub_responder.errors import ConfigurationError

READS = {"enrich.ec2", "enrich.inspector", "insight.expand", "vision_one.check_coverage"}


def test_an_unknown_action_is_told_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"'notfy'.*notify"):
        actions.get("notfy")


@pytest.mark.parametrize("name", actions.names())
def test_an_action_documents_itself(name: str) -> None:
    action = actions.get(name)
    assert action.name == name
    assert action.effects == (name not in READS)
    assert action.effects == (action.plan is not None)
    assert action.summary.endswith(".")
    assert f"uses: {name}" in action.example
    for kind in (action.params, action.result):
        assert issubclass(kind, msgspec.Struct)
        assert kind.__doc__
        msgspec.json.schema(kind)
    known = {field.encode_name for field in msgspec.structs.fields(action.params)}
    assert set(action.constants) | set(action.connection_kinds) <= known
