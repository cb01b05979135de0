"""Slack's blocks and mrkdwn (https://docs.slack.dev/messaging/formatting-message-text).

Also what Amazon Q Developer makes of a custom notification in a Slack channel: a title, and a
description in the chat client's own markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from hub_toolkit.preview.drawn.html import joined, lines, link, tag, unknown

_TOKEN = re.compile(
    r"```\n?(?P<block>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<angle>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<struck>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
    r"|(?P<emoji>:(?!\d\d:)[a-z0-9_+'-]+:)",
    re.DOTALL,
)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_QUOTE = re.compile(r"^(?:>|&gt;) ?")


def message(body: Mapping[str, Any]) -> Markup:
    """A message of the app in a channel."""
    blocks = body.get("blocks")
    if isinstance(blocks, list):
        shown = joined(_block(block) for block in blocks)
    else:
        shown = tag("div", mrkdwn(str(body.get("text", ""))), cls="section")
    return _posted("hub-responder", shown)


def notification(body: Mapping[str, Any]) -> Markup:
    """A custom notification, as Amazon Q Developer posts it."""
    held = body.get("Message")
    content = held.get("content") if isinstance(held, Mapping) else None
    if not isinstance(content, Mapping):
        return unknown(body)
    title = tag("div", mrkdwn(str(content.get("title", ""))), cls="notified")
    text = tag("div", mrkdwn(str(content.get("description", ""))), cls="section")
    return _posted("Amazon Q Developer", tag("div", title, text, cls="attached"))


def _posted(name: str, content: Markup) -> Markup:
    who = tag("div", tag("b", name), " ", tag("span", "APP", cls="app"), cls="who")
    face = tag("div", name[0].upper(), cls="face")
    return tag("div", face, tag("div", who, content, cls="said"), cls="slack")


def _block(block: Any) -> Markup:
    kind = block.get("type") if isinstance(block, Mapping) else None
    if kind == "header":
        return tag("div", str(block["text"]["text"]), cls="header")
    if kind == "divider":
        return Markup("<hr>")
    if kind == "section" and "fields" in block:
        return tag("div", *(tag("div", _text(one)) for one in block["fields"]), cls="fields")
    if kind == "section":
        return tag("div", _text(block["text"]), cls="section")
    if kind == "context":
        return tag("div", *(_text(one) for one in block["elements"]), cls="context")
    return unknown(block)


def _text(held: Mapping[str, Any]) -> Markup:
    text = str(held.get("text", ""))
    return mrkdwn(text) if held.get("type") == "mrkdwn" else lines(text)


def mrkdwn(text: str) -> Markup:
    """Text in Slack's markup; lines that begin with ``>`` are a quotation."""
    if "```" in text:
        return _inline(text)
    return joined(_quoted(text))


def _quoted(text: str) -> Iterator[Markup]:
    """Runs of lines, quotations apart."""
    run: list[str] = []
    quoting = False
    for line in [*text.split("\n"), None]:
        mark = _QUOTE.match(line) if line is not None else None
        if run and (line is None or bool(mark) != quoting):
            inner = _inline("\n".join(run))
            yield tag("blockquote", inner) if quoting else tag("div", inner)
            run = []
        if line is not None:
            quoting = bool(mark)
            run.append(line[mark.end() :] if mark else line)


def _inline(text: str) -> Markup:
    return joined(_pieces(text))


def _pieces(text: str) -> Iterator[Markup]:
    at = 0
    for found in _TOKEN.finditer(text):
        yield lines(_plain(text[at : found.start()]))
        yield _token(found)
        at = found.end()
    yield lines(_plain(text[at:]))


def _token(found: re.Match[str]) -> Markup:
    kind, inner = str(found.lastgroup), found[str(found.lastgroup)]
    if kind == "block":
        return tag("pre", _plain(inner))
    if kind == "code":
        return tag("code", _plain(inner))
    if kind == "angle":
        return _angle(inner)
    if kind == "emoji":
        return tag("span", inner, cls="emoji", title="an emoji, where the workspace has it")
    return tag({"bold": "b", "italic": "i", "struck": "s"}[kind], _inline(inner))


def _angle(inner: str) -> Markup:
    """A link, or a mention: of a user, a channel or a group, which notifies people."""
    target, _, label = inner.partition("|")
    if target[:1] in "@#!":
        return tag("span", "@" + _plain(label or target[1:]), cls="mention")
    return link(_plain(target), _plain(label or target))


def _plain(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text
