"""The plans of scheduled functions, as `build` and the sandbox write them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


def write(planned: msgspec.Struct, directory: Path, name: str) -> None:
    """Write a plan as the file ``name`` of ``directory``, which is made anew."""
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    encoded = msgspec.json.format(msgspec.json.encode(planned, order="deterministic"), indent=1)
    (directory / name).write_bytes(encoded + b"\n")
