"""What a project has already, which a new playbook must suit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hub_responder import actions
from hub_toolkit.playbooks import connections as connections_file
from hub_toolkit.playbooks import settings as settings_file
from hub_toolkit.playbooks import structs
from hub_toolkit.playbooks.connections import NAME_FORM
from hub_toolkit.playbooks.document import plain, read
from hub_toolkit.playbooks.load import FOLDER
from hub_toolkit.playbooks.overlay import SANDBOX, stages
from hub_toolkit.playbooks.problems import PlaybookErrors, Problem, unknown
from hub_toolkit.playbooks.values import is_name
from hub_toolkit.scaffold.choices import STEPS, Choices, action_id, button, summary
from hub_toolkit.synth.naming import logical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub_toolkit.playbooks.connections import Connections

NEEDS = {"to": "notify", "in_": "ticket", "vision_one": "coverage"}
"""Field of `Choices` that names a connection -> the step that needs it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is there.

    Attributes:
        folder: ``playbooks/``. names: of all playbooks.
        action_ids: of their custom actions.
        connections: step -> connections and routes that suit it in every stage, those that
            most playbooks use first.
        owner: who answers for playbooks that name nobody.
    """

    folder: Path
    names: tuple[str, ...] = ()
    action_ids: tuple[str, ...] = ()
    connections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owner: str = ""


def look(root: Path) -> Surroundings:
    """What is below ``root/playbooks``. Playbooks that cannot be read are known by name only.

    Raises:
        PlaybookErrors: connections or settings are wrong.
    """
    folder, problems = root / FOLDER, list[Problem]()
    by_stage = [
        connections_file.load(folder, stage, root, problems)
        for stage in ("", SANDBOX, *stages(folder))
    ]
    settings = settings_file.load(folder, "", root, problems)
    if problems:
        raise PlaybookErrors(problems)
    playbooks = {path.parent.name: _held(path) for path in sorted(folder.glob("*/playbook.yaml"))}
    used = Counter(name for held in playbooks.values() for name in _named(held))
    return Surroundings(
        folder=folder,
        names=tuple(playbooks),
        action_ids=tuple(found for held in playbooks.values() if (found := _action_id(held))),
        connections={step: _suitable(step, by_stage, used) for step in NEEDS.values()},
        owner=settings.owner,
    )


def _held(path: Path) -> Any:
    try:
        return plain(read(path, path.name))
    except PlaybookErrors:
        return None


def _action_id(held: Any) -> str:
    for key in ("on", "custom_action", "id"):
        held = held.get(key) if isinstance(held, dict) else None
    return held if isinstance(held, str) else ""


def _named(held: Any) -> Iterator[str]:
    """The texts in the steps' ``with``, which connections are among."""
    steps = held.get("steps") if isinstance(held, dict) else None
    for step in steps if isinstance(steps, list) else ():
        given = step.get("with") if isinstance(step, dict) else None
        for value in given.values() if isinstance(given, dict) else ():
            if isinstance(value, str):
                yield value


def _suitable(step: str, by_stage: list[Connections], used: Counter[str]) -> tuple[str, ...]:
    """Names that mean a connection of the right type in every stage, the most used first."""
    (kinds,) = actions.get(STEPS[step]).connection_kinds.values()

    def suits(name: str, connections: Connections) -> bool:
        return name in connections.names() and all(
            connections.connections[one]["type"] in kinds for one in connections.chosen(name)
        )

    good = [name for name in by_stage[0].names() if all(suits(name, one) for one in by_stage)]
    return tuple(sorted(good, key=lambda name: (-used[name], name)))


def completed(choices: Choices, around: Surroundings) -> Choices:
    """``choices`` with what follows from them, where nothing else was chosen."""
    found: dict[str, Any] = {
        "summary": choices.summary or summary(choices),
        "button": choices.button or button(choices.name),
        "action_id": action_id(choices.name, around.action_ids),
    }
    for attribute, step in NEEDS.items():
        suitable = around.connections.get(step, ())
        if not choices.has(step):
            found[attribute] = ""
        elif not getattr(choices, attribute) and suitable:
            usual = default_connection(step)
            found[attribute] = usual if usual in suitable else suitable[0]
    return replace(choices, **found)


def default_connection(step: str) -> str:
    """The connection that the step's action takes where none is named; empty: one must be."""
    action = actions.get(STEPS[step])
    (key,) = action.connection_kinds
    return str(structs.fallback(action.params, key) or "")


def name_problems(name: str, around: Surroundings) -> Iterator[str]:
    """Why no playbook here can be called ``name``."""
    folder = around.folder / name
    if not is_name(name):
        yield f"`{name[:80]}` is no name: {NAME_FORM}"
    elif not around.folder.is_dir():
        yield f"there is no folder {around.folder}: give --root, the project"
    elif folder.exists() or folder.is_symlink():
        yield f"{FOLDER}/{name} is there already: nothing was written over it"
    for other in around.names:
        if other != name and logical(other, "") == logical(name, ""):
            text = f"`{name}` and playbook {other} would have resources of the same names"
            yield f"{text}: name it otherwise"


def problems(choices: Choices, around: Surroundings) -> Iterator[str]:
    """Why this project cannot take a playbook of ``choices``, which were `completed`."""
    yield from name_problems(choices.name, around)
    for attribute, step in NEEDS.items():
        if not choices.has(step):
            continue
        given, suitable = getattr(choices, attribute), around.connections.get(step, ())
        if given not in suitable:
            (kinds,) = actions.get(STEPS[step]).connection_kinds.values()
            what = f"connection for {step} ({', '.join(kinds)}, in every stage)"
            text = unknown(what, given, suitable) if given else f"there is no {what}"
            yield text if suitable else f"{text}: add one to {FOLDER}/connections.yaml"
