"""The template's functions as the pool runs them, with our own folders where Lambda has layers.

What a layer brings of packages is installed here, as what all functions need is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hub_toolkit.sandbox.compiled import Compiled
from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.shipped import CODE
from hub_toolkit.sandbox.template import LAYER_ROOT
from hub_toolkit.sandbox.template import Function as Declared
from hub_toolkit.sandbox.workers.pool import Function


def runnable(declared: Iterable[Declared], made: Compiled, root: Path) -> list[Function]:
    """The functions to run.

    Args:
        made: where playbooks and the inventory's plan were compiled to. root: the project.

    Raises:
        TemplateError: a function's layer is of a playbook that does not exist.
    """
    return [
        Function(
            name=one.name,
            handler=one.handler,
            env=_environment(one, made),
            timeout_s=one.timeout,
            memory_mb=one.memory,
            directory=root / CODE,
        )
        for one in declared
    ]


def _environment(one: Declared, made: Compiled) -> dict[str, str]:
    """The function's variables; those that name the layers' folder name where their content is."""
    found, folders = dict(one.environment), made.playbooks
    if "INVENTORY_DIR" in found:
        return {**found, "INVENTORY_DIR": str(made.inventory)}
    if "SYNC_DIR" in found:
        return {**found, "SYNC_DIR": str(made.sync)}
    if "RECONCILE_DIR" in found:
        return {**found, "RECONCILE_DIR": str(made.reconcile)}
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
