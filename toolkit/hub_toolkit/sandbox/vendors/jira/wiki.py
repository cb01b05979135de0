"""Jira's wiki markup as people read it: what is escaped is shown, other markup is left in."""

from __future__ import annotations

import html
import re

_FENCED = re.compile(r"^\{noformat\}\n(.*?)^\{noformat\}$", re.DOTALL | re.MULTILINE)


def plain(text: str) -> str:
    """The text of a description or comment."""
    parts = _FENCED.split(text)
    parts[::2] = [html.unescape(re.sub(r"\\([^\\])", r"\1", part)) for part in parts[::2]]
    return "".join(parts)
