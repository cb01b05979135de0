"""A message in Amazon Q Developer's ``client-markdown``: what Slack and Teams both understand.

https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html: the text goes to the chat
client as it is, and one topic may feed both kinds. So bold is ``*x*`` (Teams shows it in italics),
addresses stand bare, and a value that holds markup of either is shown as code.
"""

from __future__ import annotations

import re

from hub_responder.markdown.characters import escape, one_line
from hub_responder.markdown.document import Document, Link, Value, text_of
from hub_responder.markdown.plain import TextRenderer

_MARKUP = re.compile(
    r"[*~`\[\]\\|#<>&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|:(?!\d\d:)[\w+'-]+:|^\s*(?:[-+=]|\d+[.)]\s)|://|www\.|@"
)


def to_client_markdown(document: Document, limit: int) -> str:
    """The message in at most ``limit`` UTF-16 units."""
    return _Renderer().render(document, limit)


def to_title(document: Document, limit: int) -> str:
    """The message's title in at most ``limit`` UTF-16 units, as code where it holds markup."""
    return _Renderer().inlines((Value(document.title),), limit)


class _Renderer(TextRenderer):
    def value(self, text: str) -> str:
        text = one_line(text)
        return self.code(text) if _MARKUP.search(text) else escape(text)

    def text(self, text: str) -> str:
        return escape(text)

    def code(self, text: str) -> str:
        text = escape(one_line(text).replace("`", "ˋ"))
        return f"`{text}`" if text.strip() else text

    def strong(self, text: str) -> str:
        return f"*{text.strip()}*" if text.strip() else ""

    def heading(self, text: str) -> str:
        return self.strong(text)

    def link(self, link: Link) -> str:
        label = self.value(text_of(link.children))
        return f"{label}: {escape(link.url)}" if label else escape(link.url)
