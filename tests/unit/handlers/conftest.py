"""One deployment of a small playbook, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_responder.handlers import playbook as handlers
from hub_responder.playbook import Playbook, Step, Triggers, Wait
from inside import Inside, inside

PLAYBOOK = Playbook(
    name="marks",
    summary="Marks findings as seen",
    version="0" * 12,
    on=Triggers(),
    wait=Wait(0, 0),
    resource_types=("AwsEc2Instance",),
    steps=(
        Step(
            id="answer",
            uses="finding.update",
            with_={"workflow": "NOTIFIED", "note": "seen: {{ incident.resource.instance_id }}"},
        ),
    ),
)


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Inside]:
    with inside(PLAYBOOK, tmp_path / "marks") as made:
        yield made
    handlers._playbook.cache_clear()
