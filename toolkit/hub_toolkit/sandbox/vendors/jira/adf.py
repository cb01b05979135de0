"""Checks Atlassian Document Format as its JSON schema does, for the nodes that text needs.

Source: the schema ``@atlaskit/adf-schema`` v1 ``full.json``, and the pages "Atlassian Document
Format". Nodes that need something of the tenant (media, extensions, mentions of accounts, cards)
are not known here and refused. As in the schema, no node takes unknown keys or attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(low: int, high: int = 10_000) -> _Check:
    return lambda value: type(value) is int and low <= value <= high


def _one_of(*values: str) -> _Check:
    return lambda value: value in values


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _widths(value: Any) -> bool:
    return isinstance(value, list) and all(_whole(0)(width) for width in value)


@dataclass(frozen=True, slots=True)
class Node:
    """What a node may hold.

    Attributes:
        children: types of its children; None: it has no ``content``.
        first: types of its first child where they differ.
        least: how many children it needs.
        attrs: its attributes.
        required: the attributes that must be there.
        marked: its texts may carry marks.
    """

    children: tuple[str, ...] | None = None
    first: tuple[str, ...] | None = None
    least: int = 0
    attrs: Mapping[str, _Check] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    marked: bool = True


_INLINE = ("text", "hardBreak", "emoji", "date", "status", "inlineCard")
_LISTS = ("bulletList", "orderedList")
_IN_CELL = ("paragraph", "panel", "blockquote", *_LISTS, "rule", "heading", "codeBlock", "taskList")
_BLOCKS = (*_IN_CELL, "table", "expand")
_LOCAL: dict[str, _Check] = {"localId": _text}
_CELL = Node(
    _IN_CELL,
    least=1,
    attrs={"colspan": _whole(0), "rowspan": _whole(0), "colwidth": _widths, "background": _text}
    | _LOCAL,
)
_ITEM = ("paragraph", "codeBlock")
_PANELS = ("info", "note", "tip", "warning", "error", "success", "custom")
_COLOURS = ("neutral", "purple", "blue", "red", "yellow", "green")
_PANEL_ATTRS: dict[str, _Check] = dict.fromkeys(
    ("panelIcon", "panelIconId", "panelIconText", "panelColor"), _text
)
_TABLE_ATTRS: dict[str, _Check] = {
    "isNumberColumnEnabled": _boolean,
    "layout": _one_of("default", "center", "wide", "full-width", "align-start", "align-end"),
    "width": _whole(0),
    "displayMode": _one_of("default", "fixed"),
}

NODES: dict[str, Node] = {
    "paragraph": Node(_INLINE, attrs=_LOCAL),
    "heading": Node(_INLINE, attrs={"level": _whole(1, 6), **_LOCAL}, required=("level",)),
    "bulletList": Node(("listItem",), least=1, attrs=_LOCAL),
    "orderedList": Node(("listItem",), least=1, attrs={"order": _whole(0), **_LOCAL}),
    "listItem": Node((*_ITEM, *_LISTS, "taskList"), first=_ITEM, least=1, attrs=_LOCAL),
    "codeBlock": Node(
        ("text",), attrs={"language": _text, "uniqueId": _text, **_LOCAL}, marked=False
    ),
    "blockquote": Node(("paragraph", *_LISTS, "codeBlock"), least=1, attrs=_LOCAL),
    "rule": Node(attrs=_LOCAL),
    "panel": Node(
        ("paragraph", "heading", *_LISTS, "codeBlock", "taskList", "rule"),
        least=1,
        attrs={"panelType": _one_of(*_PANELS), **_PANEL_ATTRS, **_LOCAL},
        required=("panelType",),
    ),
    "expand": Node(_BLOCKS[:-1], least=1, attrs={"title": _text, **_LOCAL}),
    "table": Node(("tableRow",), least=1, attrs={**_TABLE_ATTRS, **_LOCAL}),
    "tableRow": Node(("tableHeader", "tableCell"), attrs=_LOCAL),
    "tableHeader": _CELL,
    "tableCell": _CELL,
    "taskList": Node(
        ("taskItem", "taskList"), first=("taskItem",), least=1, attrs=_LOCAL, required=("localId",)
    ),
    "taskItem": Node(
        _INLINE,
        attrs={"state": _one_of("TODO", "DONE"), **_LOCAL},
        required=("localId", "state"),
    ),
    "hardBreak": Node(attrs={"text": _one_of("\n"), **_LOCAL}),
    "emoji": Node(
        attrs={"shortName": _text, "id": _text, "text": _text, **_LOCAL}, required=("shortName",)
    ),
    "date": Node(attrs={"timestamp": _text, **_LOCAL}, required=("timestamp",)),
    "status": Node(
        attrs={"text": _text, "color": _one_of(*_COLOURS), "style": _text, **_LOCAL},
        required=("text", "color"),
    ),
    "inlineCard": Node(attrs={"url": _text, **_LOCAL}, required=("url",)),
}

_MARKS: dict[str, Node] = {
    "strong": Node(),
    "em": Node(),
    "strike": Node(),
    "underline": Node(),
    "code": Node(),
    "subsup": Node(attrs={"type": _one_of("sub", "sup")}, required=("type",)),
    "textColor": Node(attrs={"color": _text}, required=("color",)),
    "backgroundColor": Node(attrs={"color": _text}, required=("color",)),
    "link": Node(
        attrs=dict.fromkeys(("href", "title", "id", "collection", "occurrenceKey"), _text),
        required=("href",),
    ),
}
_WITH_CODE = {"code", "link"}


class AdfError(Exception):
    """The document is not valid; the text says where and why."""


def validate(document: Any) -> None:
    """Checks a whole document.

    Raises:
        AdfError: it is not a valid document of the nodes known here.
    """
    if not isinstance(document, dict):
        raise AdfError("the document is not an object")
    if set(document) != {"type", "version", "content"}:
        raise AdfError("a document has type, version and content, and nothing else")
    if document["type"] != "doc" or document["version"] != 1:
        raise AdfError('a document has type "doc" and version 1')
    _children(document["content"], Node(_BLOCKS), "doc")


def _children(content: Any, parent: Node, where: str) -> None:
    if not isinstance(content, list):
        raise AdfError(f"{where}: content is not a list")
    if len(content) < parent.least:
        raise AdfError(f"{where}: content needs {parent.least} node at least")
    for position, child in enumerate(content):
        place = f"{where}/{position}"
        if not isinstance(child, dict):
            raise AdfError(f"{place} is not an object")
        kind = child.get("type")
        allowed = parent.first if position == 0 and parent.first else parent.children or ()
        if kind not in allowed:
            raise AdfError(f"{place}: {str(kind)[:40]!r} is not allowed here")
        if kind == "text":
            _leaf(child, place, marked=parent.marked)
        else:
            _node(child, NODES[kind], f"{place} {kind}")


def _node(node: dict[str, Any], rules: Node, where: str) -> None:
    allowed = {"type"} | ({"attrs"} if rules.attrs else set())
    if rules.children is not None:
        allowed.add("content")
    if not set(node) <= allowed:
        raise AdfError(f"{where}: unknown keys {sorted(set(node) - allowed)}")
    _attrs(node, rules, where)
    if rules.children is not None:
        _children(node.get("content", []), rules, where)


def _attrs(holder: dict[str, Any], rules: Node, where: str) -> None:
    attrs = holder.get("attrs", {})
    if not isinstance(attrs, dict):
        raise AdfError(f"{where}: attrs is not an object")
    for name in rules.required:
        if name not in attrs:
            raise AdfError(f"{where}: attrs.{name} is missing")
    for name, value in attrs.items():
        check = rules.attrs.get(name)
        if check is None or not check(value):
            raise AdfError(f"{where}: attrs.{name[:40]} is not allowed or has a wrong value")


def _leaf(node: dict[str, Any], where: str, *, marked: bool) -> None:
    if not set(node) <= {"type", "text", "marks"}:
        raise AdfError(f"{where} text: unknown keys")
    text = node.get("text")
    if not isinstance(text, str) or not text:
        raise AdfError(f"{where} text: text is empty or not a string")
    marks = node.get("marks", [])
    if not isinstance(marks, list) or (marks and not marked):
        raise AdfError(f"{where} text: marks are not allowed here")
    kinds = [_mark(mark, where) for mark in marks]
    if len(set(kinds)) < len(kinds):
        raise AdfError(f"{where} text: a mark stands twice")
    if "code" in kinds and not set(kinds) <= _WITH_CODE:
        raise AdfError(f"{where} text: code goes with link only")


def _mark(mark: Any, where: str) -> str:
    kind = mark.get("type") if isinstance(mark, dict) else None
    if not isinstance(kind, str) or kind not in _MARKS or not set(mark) <= {"type", "attrs"}:
        raise AdfError(f"{where} text: {str(kind)[:40]!r} is not a mark")
    _attrs(mark, _MARKS[kind], f"{where} mark {kind}")
    return kind


def plain(document: dict[str, Any]) -> str:
    """The text of a valid document, one line per block."""
    return "\n".join(_lines(document))


def _lines(node: dict[str, Any]) -> list[str]:
    content = node.get("content", [])
    if any(child["type"] in _INLINE for child in content):
        return "".join(_inline(child) for child in content).split("\n")
    return [line for child in content for line in _lines(child)]


def _inline(node: dict[str, Any]) -> str:
    if node["type"] == "text":
        return str(node["text"])
    attrs = node.get("attrs", {})
    names = {"hardBreak": "text", "emoji": "shortName", "date": "timestamp", "inlineCard": "url"}
    return str(attrs.get(names.get(node["type"], "text"), "\n"))
