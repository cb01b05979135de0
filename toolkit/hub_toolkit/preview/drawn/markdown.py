"""Markdown: an issue of GitHub, an OpsItem.

GitHub Flavored Markdown as mistune reads it, raw HTML shown as text. Mentions and references, which
GitHub makes links of outside code, are marked: they notify people and write into other issues.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import mistune
from markupsafe import Markup

from hub_toolkit.preview.drawn.fields import table
from hub_toolkit.preview.drawn.html import joined, link, tag

_RECOGNISED = re.compile(
    r"(?<![\w/])@[A-Za-z0-9][A-Za-z0-9/-]*|(?<![\w/])(?:[\w.-]+/[\w.-]+)?#\d+|\bGH-\d+"
)
_MARKED = re.compile(r'<span class="mention">([^<]*)</span>')
_OPS_APART = frozenset({"Title", "Description", "OperationalData"})


def issue(body: Mapping[str, Any]) -> Markup:
    """An issue of GitHub that is opened."""
    title = tag("h3", str(body.get("title", "")))
    others = {name: value for name, value in body.items() if name not in ("title", "body")}
    text = tag("div", rendered(str(body.get("body", ""))), cls="description")
    return tag("div", title, text, table(others), cls="github")


def ops_item(body: Mapping[str, Any]) -> Markup:
    """An OpsItem of Systems Manager."""
    title = tag("h3", str(body.get("Title", "")))
    text = tag("div", rendered(str(body.get("Description", "")), marks=False), cls="description")
    held = body.get("OperationalData")
    data = held if isinstance(held, Mapping) else {}
    others = {name: value for name, value in body.items() if name not in _OPS_APART}
    others |= {name: one.get("Value", "") for name, one in data.items() if isinstance(one, Mapping)}
    return tag("div", title, text, table(others), cls="opscenter")


def rendered(text: str, *, marks: bool = True) -> Markup:
    """Markdown as HTML; ``marks``: what GitHub recognises outside code is marked."""
    render = mistune.create_markdown(
        renderer=_Renderer(marks=marks), plugins=["table", "strikethrough", "task_lists"]
    )
    made = render(text)
    return Markup(made if isinstance(made, str) else "")  # noqa: S704 - mistune escapes it


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, *, marks: bool) -> None:
        super().__init__(escape=True)
        self._marks = marks

    def text(self, text: str) -> str:
        if not self._marks:
            return str(joined([text]))
        parts: list[object] = []
        at = 0
        for found in _RECOGNISED.finditer(text):
            parts += [text[at : found.start()], tag("span", found[0], cls="mention")]
            at = found.end()
        return str(joined([*parts, text[at:]]))

    def link(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002
        shown = _MARKED.sub(r"\1", text)  # within a link GitHub recognises nothing
        return str(link(url, Markup(shown)))  # noqa: S704 - rendered by this class

    def image(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002
        return str(tag("span", f"[image: {text}]", cls="mention"))
