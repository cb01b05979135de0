"""Plain text as ServiceNow's records show it.

A journal field (work notes) shows what stands between ``[code]`` and ``[/code]`` as HTML ("Journal
field type"), ``@[`` begins a mention there, and addresses become links. Text that came from outside
does none of that: look-alikes stand in the place of the brackets, and an invisible space parts an
address.
"""

from __future__ import annotations

import re

from hub_responder.markdown.characters import one_line
from hub_responder.markdown.document import Document
from hub_responder.markdown.plain import TextRenderer

_LIVE = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_CODE = re.compile(r"\[(?=\s*/?\s*code\b)", re.IGNORECASE)
_MENTION = re.compile(r"@(?=\s*\[)")


def to_servicenow(document: Document, limit: int) -> str:
    """Text of at most ``limit`` UTF-16 units without markup, mentions or links from outside."""
    return harmless(_Renderer().render(document, limit))


def harmless(text: str) -> str:
    """``text``, of the same length, without what a journal field would act on.

    The whole is looked at, as two values side by side may make what neither is alone.
    """
    return _MENTION.sub("\uff20", _CODE.sub("\uff3b", text))


class _Renderer(TextRenderer):
    gap = ("",)

    def value(self, text: str) -> str:
        return _LIVE.sub("\u200b", one_line(text))

    def code(self, text: str) -> str:
        return self.value(text)
