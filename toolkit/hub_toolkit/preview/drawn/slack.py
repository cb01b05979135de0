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

_LITERAL = re.compile(
    r"```\n?(?P<block>.+?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]+)>"
    r"|(?P<bare>https?://[^\s<>|`]+)",
    re.DOTALL,
)
"""What means nothing within: found first, so that no mark of a style begins or ends in it."""
_STYLE = re.compile(
    r"(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<struck>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
    r"|(?P<emoji>:(?!\d\d:)[a-z0-9_+'-]+:)"
    r"|(?P<kept>\ue000)"
)
_KEPT = "\ue000"
"""Stands for a literal while styles are looked for."""
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_TAGS = {"bold": "b", "italic": "i", "struck": "s"}
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
        return tag("div", _text(block["text"]), cls="header")
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
    if held.get("type") != "mrkdwn":
        return lines(_plain(text))
    return mrkdwn(text, linked=not held.get("verbatim", False))


def mrkdwn(text: str, *, linked: bool = True) -> Markup:
    """Text in Slack's markup; lines that begin with ``>`` are a quotation.

    ``linked``: addresses become links by themselves; not in what is ``verbatim``.
    """
    if "```" in text:
        return _inline(text, linked=linked)
    return joined(_quoted(text, linked=linked))


def _quoted(text: str, *, linked: bool) -> Iterator[Markup]:
    """Runs of lines, quotations apart."""
    run: list[str] = []
    quoting = False
    for line in [*text.split("\n"), None]:
        mark = _QUOTE.match(line) if line is not None else None
        if run and (line is None or bool(mark) != quoting):
            inner = _inline("\n".join(run), linked=linked)
            yield tag("blockquote", inner) if quoting else tag("div", inner)
            run = []
        if line is not None:
            quoting = bool(mark)
            run.append(line[mark.end() :] if mark else line)


def _inline(text: str, *, linked: bool) -> Markup:
    text = text.replace(_KEPT, "\ufffd")
    literals = (_literal(found, linked=linked) for found in _LITERAL.finditer(text))
    return joined(_styled(_LITERAL.sub(_KEPT, text), literals))


def _literal(found: re.Match[str], *, linked: bool) -> Markup:
    if found["block"] is not None:
        return tag("pre", _plain(found["block"]))
    if found["bare"] is not None:
        bare = _plain(found["bare"])
        return link(bare, bare) if linked else lines(bare)
    return tag("code", _plain(found["code"])) if found["code"] else _angle(found["angle"])


def _styled(text: str, literals: Iterator[Markup]) -> Iterator[Markup]:
    """``text`` with styles, and the literals in their order where they stood."""
    at = 0
    for found in _STYLE.finditer(text):
        yield lines(_plain(text[at : found.start()]))
        kind = str(found.lastgroup)
        if kind == "kept":
            yield next(literals)
        elif kind == "emoji":
            yield tag("span", found[0], cls="emoji", title="an emoji, where the workspace has it")
        else:
            yield tag(_TAGS[kind], *_styled(found[kind], literals))
        at = found.end()
    yield lines(_plain(text[at:]))


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
