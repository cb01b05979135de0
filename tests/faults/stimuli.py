"""What starts each shipped playbook, made from its own cases; each time about something new."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub_toolkit.dry import cases, stimuli
from hub_toolkit.dry.trial import HOME
from hub_toolkit.playbooks.load import load_project

if TYPE_CHECKING:
    from hub_toolkit.dry.cases import Case

PROJECT = Path(__file__).parents[2]
STAGE = "sandbox"
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}\b")


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a playbook: an event about findings, or its schedule (``event`` is None).

    ``steps`` is how many steps the playbook has.
    """

    playbook: str
    steps: int
    event: dict[str, Any] | None

    def about(self, instance: str, number: int) -> dict[str, Any]:
        """The event about findings and instances of its own."""
        assert self.event is not None
        text = _INSTANCE.sub(instance, json.dumps(self.event))
        event: dict[str, Any] = json.loads(text)
        event["id"] += f"-{number}"
        for finding in event["detail"]["findings"]:
            if "finding_info" in finding:
                finding["finding_info"]["uid"] += f"-{number}"
            else:
                finding["Id"] += f"-{number}"
        return event


def starts() -> Iterator[Start]:
    """One for each playbook: its first case in which it acts, in a world without trouble."""
    project = load_project(PROJECT, STAGE)
    for source in project.sources:
        found = (_start(case) for case in cases.load(source, PROJECT, project.settings))
        start = next((one for one in found if one is not None), None)
        assert start is not None, f"no case of {source.name} shows what starts it"
        yield start


def _start(case: Case) -> Start | None:
    given, expect = case.given, case.expect
    if given.faults or given.params or expect.matched is False or not expect.acts:
        return None
    event = stimuli.event_of(case.stimulus, case.source, HOME, tags=given.tags, at=None)
    if event is not None and not event["detail"].get("findings"):
        return None
    return Start(case.source.name, len(case.source.steps), event)
