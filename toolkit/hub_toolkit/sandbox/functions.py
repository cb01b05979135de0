"""The template's functions as the pool runs them, with playbooks where Lambda has layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.shipped import CODE
from hub_toolkit.sandbox.template import LAYER_ROOT
from hub_toolkit.sandbox.template import Function as Declared
from hub_toolkit.sandbox.workers.pool import Function


def runnable(
    declared: Iterable[Declared], folders: Mapping[str, Path], root: Path
) -> list[Function]:
    """The functions to run.

    Args:
        folders: where each playbook was compiled to. root: the project.

    Raises:
        TemplateError: a function's layer is of a playbook that does not exist.
    """
    return [
        Function(
            name=one.name,
            handler=one.handler,
            env=_environment(one, folders),
            timeout_s=one.timeout,
            memory_mb=one.memory,
            directory=root / CODE,
        )
        for one in declared
    ]


def _environment(one: Declared, folders: Mapping[str, Path]) -> dict[str, str]:
    found = dict(one.environment)
    if found.get("PLAYBOOK_DIR", "").rstrip("/") != LAYER_ROOT:
        return found
    playbooks = [layer for layer in one.layers if layer in folders]
    if len(playbooks) != 1:
        named = ", ".join(one.layers) or "no layer"
        raise TemplateError(
            f"function {one.name}: PLAYBOOK_DIR is {LAYER_ROOT}, but {named} is not one playbook "
            "below playbooks/: run `hub-responder synth`"
        )
    return {**found, "PLAYBOOK_DIR": str(folders[playbooks[0]])}
