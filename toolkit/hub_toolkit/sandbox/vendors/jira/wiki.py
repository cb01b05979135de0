"""Jira's wiki markup as people read it: what is escaped is shown, other markup is left in.

As atlassian-renderer does it: a backslash escapes these characters and is shown before all others
(BackslashEscapeRendererComponent); whole entities are kept as they are (HtmlEscaper).
"""

from __future__ import annotations

import html
import re

_FENCED = re.compile(r"^\{noformat\}\n(.*?)^\{noformat\}$", re.DOTALL | re.MULTILINE)
_ESCAPE = re.compile(r"(?<!\\)\\([-#*_+?^~|%{}\[\]()!@])")
_ENTITY = re.compile(r"&#?\w+;")


def plain(text: str) -> str:
    """The text of a description or comment."""
    parts = _FENCED.split(text)
    parts[::2] = [_shown(part) for part in parts[::2]]
    return "".join(parts)


def _shown(text: str) -> str:
    text = _ESCAPE.sub(lambda found: f"&#{ord(found[1])};", text)
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text)
