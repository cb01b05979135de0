"""Whose tickets are followed: written by `hub-responder build`, carried in a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from hub_responder.errors import ConfigurationError

FILE = "sync.json"


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The playbooks of a stage that open tickets, and where.

    Attributes:
        playbooks: name -> the language of its notes.
        connections: to ticket systems that tell what has become of a ticket: name -> type and
            settings, no secrets.
    """

    playbooks: dict[str, str] = {}
    connections: dict[str, dict[str, Any]] = {}


def load(directory: Path) -> Plan:
    """Read ``directory/sync.json``.

    Raises:
        ConfigurationError: the file is missing or is no such plan.
    """
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        raise ConfigurationError(
            f"there is no {path} ({error.strerror}): attach the layer of the tickets' plan"
        ) from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error}): run `hub-responder build` again"
        ) from error
