"""The small languages inside values: durations, names, parameters of a playbook."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""Playbooks and connections; at most `MAX_NAME` characters, so that AWS names stay in limits."""
MAX_NAME = 20
STEP_ID = re.compile(r"[a-z][a-z0-9_]{0,19}")
PARAM = re.compile(r"[a-z][a-z0-9_]{0,39}")
ACTION_ID = re.compile(r"[A-Za-z0-9]{1,20}")
"""A custom action's id: up to 20 alphanumerics (API reference, CreateActionTarget)."""

DAY = 86_400.0
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY}


def duration(value: object) -> float | None:
    """Seconds of a text such as ``15s``, ``2m``, ``24h``, ``7d``; None where it is none."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) * _SECONDS[found[2]] if found else None


def written(seconds: float) -> str:
    """``seconds`` in its largest whole unit, as ``24h``."""
    for unit in ("d", "h", "m"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{int(seconds // _SECONDS[unit])}{unit}"
    return f"{int(seconds)}s"


def is_name(text: str) -> bool:
    """Whether ``text`` may name a playbook or a connection."""
    return len(text) <= MAX_NAME and NAME.fullmatch(text) is not None
