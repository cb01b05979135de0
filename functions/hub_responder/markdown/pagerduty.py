"""A message as parts of a PagerDuty event: plain texts, facts as data, links.

PagerDuty shows texts as they are, ``custom_details`` as a table of names and values, and ``links``
as links (developer.pagerduty.com, "Send an Alert Event").
"""

from __future__ import annotations

from hub_responder.markdown.characters import clean, shorten
from hub_responder.markdown.document import Document, Heading, Table, text_of
from hub_responder.markdown.parts import facts, link_bar, links
from hub_responder.markdown.plain import to_text

MAX_SUMMARY = 1024
"""Of ``payload.summary``."""
MAX_FACTS = 60
MAX_NAME = 100
MAX_VALUE = 1000
MAX_TEXT = 20_000
MAX_LINKS = 20
MAX_URL = 2000
"""UTF-16 units, and numbers, of what is sent: all of it together stays far below the 512 KB that
PagerDuty takes, also where each unit is three bytes."""
MESSAGE, DATA = "message", "data"
"""The names of what is no fact: the rest of the message, and what programs read."""
_MORE = "…"


def to_summary(document: Document) -> str:
    """The title, in at most `MAX_SUMMARY` UTF-16 units."""
    return shorten(clean(document.title), MAX_SUMMARY) or "hub-responder"


def to_details(document: Document) -> dict[str, str]:
    """The facts by name, and under ``message`` the rest of the text, without title and links.

    Facts that are left out are counted, like lines of the text. A second fact of one name gets a
    number.
    """
    found = facts(document)
    kept = found if len(found) <= MAX_FACTS else found[: MAX_FACTS - 1]
    details: dict[str, str] = {}
    for name, value in kept:
        title = shorten(clean(name), MAX_NAME) or _MORE
        details[_unused(title, details)] = shorten(clean(value), MAX_VALUE) or "—"
    if len(kept) < len(found):
        details[_unused(_MORE, details)] = document.more(len(found) - len(kept))
    text = to_text(_rest(document), MAX_TEXT)
    return {**details, MESSAGE: text} if text.strip() else details


def to_links(document: Document) -> list[dict[str, str]]:
    """The links of the message's lines of links, as many as are sent; an address that is longer
    than `MAX_URL` is none that could be shortened, and left out."""
    return [
        {"href": link.url, "text": shorten(clean(text_of(link.children)), MAX_NAME) or "link"}
        for link in [one for one in links(document) if len(one.url) <= MAX_URL][:MAX_LINKS]
    ]


def _rest(document: Document) -> Document:
    """The blocks that are neither the title nor facts nor a line of links."""
    shown = tuple(
        block
        for block in document.body.blocks
        if not link_bar(block)
        and not (isinstance(block, Table) and block.is_facts)
        and not (isinstance(block, Heading) and not text_of(block.children))
    )
    return Document(shown, document.language)


def _unused(name: str, taken: dict[str, str]) -> str:
    """``name``, with a number where it is taken or has another meaning."""
    number, tried = 1, name
    while tried in taken or tried in {MESSAGE, DATA}:
        number += 1
        tried = f"{name} ({number})"
    return tried
