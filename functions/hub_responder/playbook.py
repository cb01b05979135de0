"""The compiled playbook: what `hub-responder build` writes and a Lambda reads from its layer.

``playbook.json`` holds one `Playbook`; ``templates/`` beside it the message templates. Durations
are seconds. No YAML is parsed in a Lambda, and what is read here was validated by the compiler.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from hub_responder.errors import ConfigurationError

OnError = Literal["retry", "continue", "stop"]


class CustomAction(msgspec.Struct, frozen=True):
    """A button in the Security Hub console (an action target)."""

    id: str
    name: str
    description: str


class Triggers(msgspec.Struct, frozen=True, omit_defaults=True):
    """What starts the playbook. ``imported*`` are EventBridge patterns over one finding."""

    imported: dict[str, Any] | None = None
    imported_v2: dict[str, Any] | None = None
    custom_action: CustomAction | None = None


class Wait(msgspec.Struct, frozen=True):
    """Seconds for which a burst of imported findings is collected before a round."""

    first: float = 15.0
    then: float = 120.0


class Step(msgspec.Struct, frozen=True, omit_defaults=True, rename={"if_": "if", "with_": "with"}):
    """One step: an action, its parameters, and when it runs.

    ``needs`` are the ids of the earlier steps that its expressions or its template name.
    """

    id: str
    uses: str
    with_: dict[str, Any] = {}
    if_: str | None = None
    on_error: OnError = "retry"
    needs: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True):
    """Chooses a connection: ``by`` is an expression, ``to`` maps its text to a connection."""

    by: str
    to: dict[str, str]
    default: str


class Playbook(msgspec.Struct, frozen=True, omit_defaults=True):
    """A validated playbook with everything it needs at run time."""

    name: str
    summary: str
    steps: tuple[Step, ...]
    on: Triggers
    version: str
    """Content hash (12 hex digits) of the playbook and the connections it uses."""
    commit: str = ""
    owner: str = ""
    why: str = ""
    runbook: str = ""
    language: Literal["en", "ja"] = "en"
    timezone: str = "UTC"
    params: dict[str, Any] = {}
    group_by: tuple[str, ...] = ("finding.account.id", "finding.region", "finding.resource.id")
    wait: Wait = Wait()
    quiet: float = 14400.0
    give_up_after: float = 86400.0
    resource_types: tuple[str, ...] = ()
    """Resource types (ASFF spelling) that the match names; empty: the first resource counts."""
    connections: dict[str, dict[str, Any]] = {}
    """The connections that the steps (or their routes) name: type and settings, no secrets."""
    routes: dict[str, Route] = {}


def load(directory: Path) -> Playbook:
    """Read ``directory/playbook.json``.

    Raises:
        ConfigurationError: the file is missing or is not a compiled playbook.
    """
    path = directory / "playbook.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Playbook)
    except OSError as error:
        raise ConfigurationError(
            f"no compiled playbook at {path} ({error.strerror}): attach the playbook's layer"
        ) from error
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"{path} is not a compiled playbook ({error}): run `hub-responder build` again"
        ) from error
