"""Whole files that documents hold: the path in code, a colon, and a fence."""

from __future__ import annotations

import re

_FILE = re.compile(r"^`([\w./-]+)`:\n\n```[a-z0-9]+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files(text: str) -> dict[str, str]:
    """The files by path, in their order."""
    return dict(_FILE.findall(text))
