"""Every playbook below ``broken/`` gets exactly the messages that stand beside it.

A case is a playbook folder. ``connections.yaml``, ``settings.yaml`` and ``tables/`` in it take the
place of the project's; ``other/`` holds further playbooks. Where there are errors, they alone are
compared; else the warnings are. ``{actions}`` in a message stands for the names of all actions,
``{channels}`` for the types that take messages, ``{finding}`` for what a finding has.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub_responder import actions
from hub_responder.connections.settings import CHANNELS
from hub_responder.finding import Finding
from hub_toolkit.playbooks.kinds import of_class
from hub_toolkit.playbooks.load import examine

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.name for path in BROKEN.iterdir() if path.is_dir())
SHARED = ("connections.yaml", "settings.yaml", "tables")


def _place(case: Path, root: Path) -> None:
    for path in sorted(case.rglob("*")):
        inside = path.relative_to(case)
        if not path.is_file() or path.name == "messages.txt":
            continue
        if inside.parts[0] == "other":
            target = root / "playbooks" / Path(*inside.parts[1:])
        elif inside.parts[0] in SHARED:
            target = root / "playbooks" / inside
        else:
            target = root / "playbooks" / "tell-them" / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def test_there_are_cases() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("case", CASES)
def test_a_broken_playbook_gets_exactly_its_messages(project, case: str) -> None:
    _place(BROKEN / case, project.root)
    _, problems = examine(project.root, "prod")
    errors = [problem for problem in problems if not problem.warning]
    said = "".join(f"{problem}\n" for problem in sorted(set(errors or problems)))
    wanted = (BROKEN / case / "messages.txt").read_text(encoding="utf-8")
    lists = {
        "actions": actions.names(),
        "channels": CHANNELS,
        "finding": of_class(Finding).fields,
    }
    for word, names in lists.items():
        wanted = wanted.replace(f"{{{word}}}", ", ".join(sorted(names)))
    assert said == wanted
