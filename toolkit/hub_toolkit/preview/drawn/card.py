"""An Adaptive Card as Microsoft Teams shows it (https://adaptivecards.io/explorer/)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from markupsafe import Markup

from hub_toolkit.preview.drawn.html import joined, link, tag, unknown

_MARKS = re.compile(
    r"\\(?P<plain>[!-/:-@\[-`{-~])"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|\[(?P<label>(?:\\.|[^\]\\])*)\]\((?P<url>[^()\s]*)\)"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_STYLES = frozenset({"attention", "warning", "accent", "emphasis", "good"})
_SPACES = frozenset({"none", "small"})


def message(body: Mapping[str, Any]) -> Markup:
    """The cards of a message that a Workflow posts."""
    attachments = body.get("attachments")
    cards = [
        one["content"]
        for one in (attachments if isinstance(attachments, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("content"), Mapping)
    ]
    who = tag("div", tag("b", "Workflows"), cls="who")
    return tag("div", who, *(_card(one) for one in cards), cls="teams")


def _card(card: Mapping[str, Any]) -> Markup:
    actions = [_action(one) for one in card.get("actions", ())]
    bar = tag("div", *actions, cls="actions") if actions else ""
    return tag("div", *(_element(one) for one in card.get("body", ())), bar, cls="card")


def _action(action: Mapping[str, Any]) -> Markup:
    shown = tag("span", str(action.get("title", "")), cls="button")
    return link(str(action.get("url", "")), shown)


def _element(element: Any) -> Markup:
    kind = element.get("type") if isinstance(element, Mapping) else None
    draw = _DRAWN.get(str(kind))
    if draw is None:
        return unknown(element)
    spacing = str(element.get("spacing", "")).lower()
    classes = [
        "element",
        *(["separated"] if element.get("separator") else []),
        *([f"spacing-{spacing}"] if spacing in _SPACES else []),
    ]
    return tag("div", draw(element), cls=" ".join(classes))


def _container(element: Mapping[str, Any]) -> Markup:
    style = str(element.get("style", "")).lower()
    bleed = " bleed" if element.get("bleed") else ""
    classes = f"container {style if style in _STYLES else ''}{bleed}".strip()
    return tag("div", *(_element(one) for one in element.get("items", ())), cls=classes)


def _rich(element: Mapping[str, Any]) -> Markup:
    return joined(_run(run) for run in element.get("inlines", ()))


def _run(run: Any) -> Markup:
    """A text run: no markup in it means anything."""
    if not isinstance(run, Mapping):
        return joined([str(run)])
    shown = joined([str(run.get("text", ""))])
    if run.get("fontType", "").lower() == "monospace":
        shown = tag("code", shown)
    if run.get("weight", "").lower() == "bolder":
        shown = tag("b", shown)
    if run.get("italic"):
        shown = tag("i", shown)
    if run.get("size", "").lower() == "large":
        shown = tag("span", shown, cls="large")
    action = run.get("selectAction")
    return link(str(action.get("url", "")), shown) if isinstance(action, Mapping) else shown


def _facts(element: Mapping[str, Any]) -> Markup:
    rows = (
        tag("tr", tag("th", marked(str(fact["title"]))), tag("td", marked(str(fact["value"]))))
        for fact in element.get("facts", ())
    )
    return tag("table", *rows, cls="facts")


def _text(element: Mapping[str, Any]) -> Markup:
    return marked(str(element.get("text", "")))


_DRAWN: Mapping[str, Callable[[Mapping[str, Any]], Markup]] = {
    "Container": _container,
    "RichTextBlock": _rich,
    "FactSet": _facts,
    "TextBlock": _text,
}


def marked(text: str) -> Markup:
    """The little Markdown that facts and text blocks know."""
    return joined(_marks(text))


def _marks(text: str) -> Iterator[object]:
    at = 0
    for found in _MARKS.finditer(text):
        yield text[at : found.start()]
        if found["plain"] is not None:
            yield found["plain"]
        elif found["bold"] is not None:
            yield tag("b", marked(found["bold"]))
        else:
            yield link(found["url"], _ESCAPED.sub(r"\1", found["label"]))
        at = found.end()
    yield text[at:]
