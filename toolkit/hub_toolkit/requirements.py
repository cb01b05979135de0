"""``functions/requirements*.txt``: what ships to Lambda, pinned with hashes as in the lock.

The packages are those that pyproject's ``dependencies`` (or one of its extras, which ship in a
layer of their own) need on Lambda's platform, found in the metadata of what is installed; versions
and hashes are the lock's. So nothing is looked up online, and what was tested is what ships.
"""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "requirements.lock"
PYTHON = "3.13"
"""Lambda's runtime in the template."""
FILES = {"functions/requirements.txt": "", "functions/requirements-parquet.txt": "parquet"}
"""File -> the extra that it is for; empty: what all functions need."""
HEADER = """\
# What ships to Lambda. Written by `hub-responder synth` from requirements.lock; do not edit.
"""

_LAMBDA = {
    "implementation_name": "cpython",
    "implementation_version": f"{PYTHON}.0",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


class RequirementsError(Exception):
    """The lock, pyproject and what is installed do not agree."""


def render(root: Path, extra: str = "") -> str:
    """The text of the file for ``extra``: what it needs beside what all functions have.

    Raises:
        RequirementsError: the lock lacks a package, or another version of it is installed.
    """
    locked = _read_lock((root / LOCK).read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = _closure(project["dependencies"])
    if extra:
        wanted = _closure(project["optional-dependencies"][extra]) - wanted
    lines = [HEADER]
    for name in sorted(wanted):
        if name not in locked:
            raise RequirementsError(f"{LOCK} has no {name}: make the lock again")
        version, hashes = locked[name]
        if metadata.version(name) != version:
            raise RequirementsError(
                f"{name} {metadata.version(name)} is installed, {LOCK} has {version}: "
                "install from the lock"
            )
        lines.append(" \\\n    ".join([f"{name}=={version}", *hashes]) + "\n")
    return "".join(lines)


def _read_lock(text: str) -> dict[str, tuple[str, list[str]]]:
    """Name -> version and hashes."""
    found = {}
    pins = list(_PIN.finditer(text))
    for pin, following in zip(pins, [*pins[1:], None], strict=True):
        block = text[pin.end() : following.start() if following else len(text)]
        name = canonicalize_name(pin["name"])
        found[str(name)] = (pin["version"], _HASH.findall(block))
    return found


def _closure(dependencies: list[str]) -> set[str]:
    """The packages that ``dependencies`` bring on Lambda's platform, themselves included."""
    todo = [Requirement(text) for text in dependencies]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        requirement = todo.pop()
        name = str(canonicalize_name(requirement.name))
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError as error:
            raise RequirementsError(f"{name} is not installed: install from the lock") from error
        todo += [inner for inner in map(Requirement, needed) if _applies(inner, requirement.extras)]
    return {name for name, _ in seen}


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**_LAMBDA, "extra": e}) for e in ("", *extras))
