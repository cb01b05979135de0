"""What `hub-responder build` writes and a layer carries: playbooks, and plans of functions."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from hub_responder.errors import ConfigurationError

P = TypeVar("P", bound=msgspec.Struct)


def read(path: Path, kind: type[P], layer: str) -> P:
    """The plan at ``path``.

    Args:
        layer: what carries it, as people know it.

    Raises:
        ConfigurationError: the file is missing or is no such plan.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ConfigurationError(
            f"there is no {path} ({error.strerror}): attach {layer}"
        ) from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error}): run `hub-responder build` again"
        ) from error
