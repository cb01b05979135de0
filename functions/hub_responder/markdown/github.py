"""GitHub Flavored Markdown, as issues and comments show it.

Beyond Markdown, GitHub makes links of what it recognises in text: mentions of people and teams,
references to issues (#1, GH-1, owner/name#1) and to commits (7 to 40 hex digits), addresses and
e-mail addresses; it shows :names: as emoji and dollars as mathematics
(https://docs.github.com/get-started/writing-on-github). A mention notifies people and a reference
writes into another issue. Within code it does none of that, so a value that holds such a thing is
shown as code.
"""

from __future__ import annotations

import re

from hub_responder.markdown.characters import one_line
from hub_responder.markdown.document import Document, Link
from hub_responder.markdown.plain import MarkdownRenderer

_RECOGNISED = re.compile(
    r"\bGH-\d|(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])|:[a-z0-9_+-]+:|\$", re.IGNORECASE
)
_IN_LABEL = str.maketrans({"$": "\uff04", "@": "\uff20", "#": "\uff03", ":": "\ua789"})
"""In the text of a link, which holds no code here: look-alikes that mean nothing."""


def to_github(document: Document, limit: int) -> str:
    """Markdown of at most ``limit`` UTF-16 units in which values neither mark up nor notify."""
    return _Renderer().render(document, limit)


class _Renderer(MarkdownRenderer):
    def value(self, text: str) -> str:
        text = one_line(text)
        return self.code(text) if _RECOGNISED.search(text) else super().value(text)

    def link(self, link: Link) -> str:
        shown = super().link(link)
        label, bracket, url = shown.rpartition("](")
        return label.translate(_IN_LABEL) + bracket + url
