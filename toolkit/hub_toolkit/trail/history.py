"""Since when a playbook is there, and when it was changed last: what git knows of its folder."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_S = 20


def dates(directory: Path) -> tuple[str, str]:
    """The days (ISO 8601) of the first and the last commit; empty where git knows none."""
    git = shutil.which("git")
    if git is None:
        return "", ""
    command = [git, "log", "--format=%cs", "--", "."]
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    days = done.stdout.split() if done.returncode == 0 else []
    return (days[-1], days[0]) if days else ("", "")
