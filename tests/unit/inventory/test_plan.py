"""What the walk's function reads from its layer."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hub_responder.errors import ConfigurationError
from hub_responder.inventory.plan import FILE, Plan, load

PLAN = Plan(
    connections={
        "vision-one": {"type": "vision_one", "region": "jp", "workload_security": "workload"},
        "vision-two": {"type": "vision_one"},
        "workload": {"type": "workload_security"},
    },
    accounts=("111122223333",),
    regions=("eu-central-1",),
    member_role="look",
)


def test_tenants_are_the_vision_ones_with_what_they_are_linked_to() -> None:
    one, two = PLAN.tenants()
    assert (one.name, one.type, one.settings["region"]) == ("vision-one", "vision_one", "jp")
    assert [PLAN.security_of(each) for each in (one, two)] == ["workload", ""]


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(msgspec.json.encode(PLAN))
    assert load(tmp_path) == PLAN


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"connections": 3}', b"\xff"])
def test_a_plan_that_is_none_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    said = "build` again" if content is not None else "attach the inventory's layer"
    with pytest.raises(ConfigurationError, match=said):
        load(tmp_path)
