"""``build/``: what ships. ``build/functions`` once for all, the rest as layers.

``build/playbooks/NAME`` are the playbooks, ``build/sync`` says whose tickets are followed,
``build/reconcile`` what the rules select, and
``build/layers/parquet`` is what writes the audit trail's archive and the fleet's history. Where one
of the playbooks asks for the fleet's inventory, ``build/inventory`` is what is to be walked.

What has not changed is not made again: a stamp beside each part holds the hash of what it was made
from.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub_toolkit.playbooks import followed, inventory, reconciled
from hub_toolkit.playbooks.compile import compile_playbook, write
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.overlay import SANDBOX
from hub_toolkit.requirements import FILES, PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hub_toolkit.playbooks.load import Project

PACKAGE = "hub_responder"
PLATFORM = "--platform=manylinux2014_aarch64"
NEWER_PLATFORM = "--platform=manylinux_2_28_aarch64"
"""What Lambda's python3.13 runs on (Amazon Linux 2023, glibc 2.34) takes too; DuckDB needs it."""
MAX_UNZIPPED = 250 * 1024 * 1024
"""Bytes of a function with its layers ("Lambda quotas": 250 MB)."""
PIP_ARGUMENTS = (
    f"--python-version={PYTHON}",
    "--implementation=cp",
    "--only-binary=:all:",
    "--require-hashes",
    "--no-deps",  # the list is complete
    "--no-compile",  # Lambda's Python is another one
    "--disable-pip-version-check",
    "--quiet",
)
_PIP_TIMEOUT_S = 600
_GIT_TIMEOUT_S = 10


class BuildError(Exception):
    """A part could not be made."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did.

    Attributes:
        dependencies, code: whether that part was made again.
        playbooks: name -> version of the compiled playbooks.
        size: bytes of ``build/functions``. largest: of the function with the largest layers.
    """

    dependencies: bool
    code: bool
    playbooks: dict[str, str]
    size: int
    largest: int


def build(root: Path, stage: str, laid: Path | None = None) -> Built:
    """Make ``root/build`` for ``stage``, with the playbooks of the project ``laid``, or its own.

    Raises:
        PlaybookErrors: a playbook is wrong; nothing was made.
        BuildError: the dependencies cannot be installed, something is too large for Lambda, or the
            stage is the sandbox's.
    """
    if stage == SANDBOX:
        raise BuildError(f"the stage {SANDBOX} is never deployed; its addresses are this machine's")
    project = load_project(laid or root, stage)
    target = root / "build" / "functions"
    dependencies = _installed(root, "", target, (PLATFORM,))
    code = _code(root, target, again=dependencies)
    layers = root / "build" / "playbooks"
    versions = {}
    for source in project.sources:
        compiled = compile_playbook(source, project, commit(root))
        write(compiled, source, layers / source.name)
        versions[source.name] = compiled.version
    for left in layers.iterdir():
        if left.name not in versions:
            shutil.rmtree(left)
    # Lambda's Python finds packages in a layer's folder python/.
    parquet = root / "build" / "layers" / "parquet" / "python"
    _installed(root, "parquet", parquet, (NEWER_PLATFORM, PLATFORM))
    _inventory(root, project)
    followed.write(followed.plan(project), root / "build" / "sync")
    reconciled.write(reconciled.plan(project), root / "build" / "reconcile")
    size, largest = _size(target), _size(target) + _layers_size(root)
    if largest > MAX_UNZIPPED:
        raise BuildError(
            f"the inventory's function has {largest / 1e6:.0f} MB with its layers, unzipped; Lambda"
            f" takes {MAX_UNZIPPED / 1e6:.0f} MB"
        )
    return Built(dependencies, code, versions, size, largest)


def _inventory(root: Path, project: Project) -> None:
    """The plan of the function that walks the fleet; none where no playbook asks for it.

    The template has the function where any stage does, so a stage that disables all who ask has it
    too, with nothing to walk.
    """
    plan_folder = root / "build" / "inventory"
    if any(inventory.takes(source) for source in project.sources):
        inventory.write(inventory.plan(project), plan_folder)
    else:
        shutil.rmtree(plan_folder, ignore_errors=True)


def _layers_size(root: Path) -> int:
    return _size(root / "build" / "inventory") + _size(root / "build" / "layers")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def commit(root: Path) -> str:
    """The commit that is checked out, ``-dirty`` where files differ; empty where git knows none."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _installed(root: Path, extra: str, target: Path, platforms: Sequence[str]) -> bool:
    """Install what ships for ``extra`` into ``target``, made anew; whether that was needed."""
    name = next(name for name, wanted in FILES.items() if wanted == extra)
    requirements = root / name
    if not requirements.is_file():
        raise BuildError(f"{requirements} is missing: run `hub-responder synth`")
    arguments = (*platforms, *PIP_ARGUMENTS)
    contents = [requirements.read_bytes(), repr(arguments).encode()]
    stamp = _Stamp(root, extra or "dependencies", contents)
    if stamp.holds() and target.is_dir():
        return False
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "install", *arguments]
    command += [f"--target={fresh}", f"--requirement={requirements}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"pip did not finish in {_PIP_TIMEOUT_S} s") from error
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise BuildError(f"pip could not install what ships:\n{done.stderr.strip()[-2000:]}")
    shutil.rmtree(fresh / "bin", ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    stamp.write()
    return True


def _code(root: Path, target: Path, *, again: bool) -> bool:
    """Copy the package into ``target``; whether that was needed."""
    source = root / "functions" / PACKAGE
    files = sorted(path for path in source.rglob("*") if _ships(path))
    names = "\n".join(path.relative_to(source).as_posix() for path in files).encode()
    stamp = _Stamp(root, "code", [names, *(path.read_bytes() for path in files)])
    if stamp.holds() and not again and (target / PACKAGE).is_dir():
        return False
    shutil.rmtree(target / PACKAGE, ignore_errors=True)
    for path in files:
        copy = target / PACKAGE / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    stamp.write()
    return True


def _ships(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


class _Stamp:
    """Remembers from what a part was made."""

    def __init__(self, root: Path, part: str, contents: Iterable[bytes]) -> None:
        self._path = root / "build" / f".{part}"
        digest = hashlib.sha256()
        for content in contents:
            digest.update(hashlib.sha256(content).digest())
        self._value = digest.hexdigest()

    def holds(self) -> bool:
        return self._path.is_file() and self._path.read_text(encoding="ascii") == self._value

    def write(self) -> None:
        self._path.write_text(self._value, encoding="ascii")
