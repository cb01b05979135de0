"""An issue of Jira Cloud: its fields, and its description in the Atlassian Document Format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from hub_toolkit.preview.drawn.fields import table
from hub_toolkit.preview.drawn.html import joined, link, tag, unknown

_SHOWN_APART = frozenset({"summary", "description"})
_BLOCKS = {
    "paragraph": "p",
    "bulletList": "ul",
    "listItem": "li",
    "blockquote": "blockquote",
    "tableRow": "tr",
    "tableHeader": "th",
    "tableCell": "td",
    "codeBlock": "pre",
}
_MARKS = {"strong": "b", "em": "i", "code": "code", "strike": "s", "underline": "u"}
_MAX_LEVEL = 6


def issue(body: Mapping[str, Any]) -> Markup:
    """An issue that is opened."""
    fields = body.get("fields")
    if not isinstance(fields, Mapping):
        return tag("div", document(body.get("body")), cls="jira")
    summary = tag("h3", str(fields.get("summary", "")))
    others = {name: value for name, value in fields.items() if name not in _SHOWN_APART}
    text = fields.get("description")
    described = document(text) if isinstance(text, Mapping) else joined([str(text or "")])
    return tag("div", summary, tag("div", described, cls="description"), table(others), cls="jira")


def document(node: Any) -> Markup:
    """A document, or what is below it."""
    kind = str(node.get("type")) if isinstance(node, Mapping) else ""
    draw = _DRAWN.get(kind)
    if draw is not None:
        return draw(node)
    name = _BLOCKS.get(kind)
    return tag(name, _content(node)) if name else unknown(node)


def _content(node: Mapping[str, Any]) -> Markup:
    return joined(document(each) for each in node.get("content", ()))


def _heading(node: Mapping[str, Any]) -> Markup:
    level = node.get("attrs", {}).get("level", 1)
    known = level if type(level) is int and 1 <= level <= _MAX_LEVEL else 1
    return tag(f"h{min(known + 2, _MAX_LEVEL)}", _content(node))


def _numbered(node: Mapping[str, Any]) -> Markup:
    order = node.get("attrs", {}).get("order", 1)
    return tag("ol", _content(node), start=str(order if type(order) is int else 1))


def _text(node: Mapping[str, Any]) -> Markup:
    shown = joined([str(node.get("text", ""))])
    for mark in node.get("marks", ()):
        kind = mark.get("type")
        if kind == "link":
            shown = link(str(mark.get("attrs", {}).get("href", "")), shown)
        elif kind in _MARKS:
            shown = tag(_MARKS[kind], shown)
        else:
            shown = unknown(node)
    return shown


_DRAWN: Mapping[str, Callable[[Mapping[str, Any]], Markup]] = {
    "doc": _content,
    "text": _text,
    "hardBreak": lambda _node: Markup("<br>"),
    "rule": lambda _node: Markup("<hr>"),
    "heading": _heading,
    "orderedList": _numbered,
    "table": lambda node: tag("table", _content(node), cls="facts"),
}
