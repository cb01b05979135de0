"""The message that a Workflow posts, as schemas: adaptivecards.io/schemas/adaptive-card.json, 1.4.

Of the card's elements those that show something are known; inputs, media and actions that call back
need a bot. Values of enumerations are compared without case, as the schema's patterns do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

MAX_BYTES = 28 * 1024
"""Of the message as Teams counts it: "approximately 28 KB". Here: of the card as UTF-8 JSON."""
MAX_NESTING = 10

_Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+$")]
_Style = Literal["default", "emphasis", "good", "attention", "warning", "accent"]
_Spacing = Literal["default", "none", "small", "medium", "large", "extralarge", "padding"]
_Color = Literal["default", "dark", "light", "accent", "good", "warning", "attention"]
_Size = Literal["default", "small", "medium", "large", "extralarge"]
_Weight = Literal["default", "lighter", "bolder"]
_Font = Literal["default", "monospace"]
_MARKS = re.compile(r"\\([!-/:-@\[-`{-~])|\*\*|(?<!\\)\[((?:\\.|[^\]\\])*)\]\(([^)]*)\)")
_ENUMERATIONS = frozenset({"style", "spacing", "color", "size", "weight", "fontType"})


class _Strict(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", kw_only=True):
    """An object of the schema: no property but its own."""


class OpenUrl(_Strict, tag="Action.OpenUrl", kw_only=True):
    url: _Url
    title: str = ""
    style: Literal["default", "positive", "destructive"] = "default"


class TextRun(_Strict, tag="TextRun", kw_only=True):
    text: str
    color: _Color = "default"
    fontType: _Font = "default"  # noqa: N815 - the schema's
    highlight: bool = False
    isSubtle: bool = False  # noqa: N815 - the schema's
    italic: bool = False
    selectAction: OpenUrl | None = None  # noqa: N815 - the schema's
    size: _Size = "default"
    strikethrough: bool = False
    underline: bool = False
    weight: _Weight = "default"


class _Element(_Strict, kw_only=True):
    id: str = ""
    isVisible: bool = True  # noqa: N815 - the schema's
    separator: bool = False
    spacing: _Spacing = "default"


class TextBlock(_Element, tag="TextBlock", kw_only=True):
    text: str
    color: _Color = "default"
    fontType: _Font = "default"  # noqa: N815 - the schema's
    isSubtle: bool = False  # noqa: N815 - the schema's
    maxLines: int = 0  # noqa: N815 - the schema's
    size: _Size = "default"
    weight: _Weight = "default"
    wrap: bool = False


class RichTextBlock(_Element, tag="RichTextBlock", kw_only=True):
    inlines: Annotated[list[str | TextRun], msgspec.Meta(min_length=1)]


class Fact(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    value: str


class FactSet(_Element, tag="FactSet", kw_only=True):
    facts: Annotated[list[Fact], msgspec.Meta(min_length=1)]


class ActionSet(_Element, tag="ActionSet", kw_only=True):
    actions: list[OpenUrl]


class Container(_Element, tag="Container", kw_only=True):
    items: list[Element]
    bleed: bool = False
    style: _Style = "default"


Element = TextBlock | RichTextBlock | FactSet | ActionSet | Container


class Width(msgspec.Struct, forbid_unknown_fields=True):
    """What Teams adds to the schema (learn.microsoft.com, "Format cards in Teams")."""

    width: Literal["Full"]


class Card(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    type: Literal["AdaptiveCard"]
    version: Literal["1.0", "1.1", "1.2", "1.3", "1.4"]
    body: list[Element] = []
    actions: list[OpenUrl] = []
    fallbackText: str = ""  # noqa: N815 - the schema's
    lang: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}$")] = "en"
    msteams: Width | None = None
    schema_: Annotated[str, msgspec.Meta(pattern=r"^https?://adaptivecards\.io/")] = msgspec.field(
        default="http://adaptivecards.io/schemas/adaptive-card.json", name="$schema"
    )


class Attachment(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    contentType: Literal["application/vnd.microsoft.card.adaptive"]  # noqa: N815 - the message's
    content: Card
    contentUrl: None = None  # noqa: N815 - the message's


class Message(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["message"]
    attachments: Annotated[list[Attachment], msgspec.Meta(min_length=1, max_length=1)]


def problem(message: Any) -> str:
    """Why Teams shows no card for ``message`` (decoded JSON), or empty."""
    try:
        msgspec.convert(_lowered(message), Message)
    except (msgspec.ValidationError, RecursionError) as error:
        return str(error)
    size = len(msgspec.json.encode(message["attachments"][0]["content"]))
    return f"Request Entity too large: {size:,} bytes" if size > MAX_BYTES else ""


def texts(value: Any) -> Iterator[str]:
    """What people read of a message, line by line: texts, facts, and links with their address."""
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, Mapping) and value.get("type") == "RichTextBlock":
        yield "".join(_run(run) for run in value.get("inlines", ()))
    elif isinstance(value, Mapping) and value.get("type") == "Action.OpenUrl":
        yield f"{value.get('title', '')} ({value.get('url')})"
    elif isinstance(value, Mapping) and "title" in value:
        yield f"{_unescaped(value['title'])}: {_unescaped(value.get('value', ''))}"
    elif isinstance(value, Mapping):
        for key in ("text", "attachments", "content", "body", "items", "facts", "actions"):
            held = value.get(key, ())
            yield from [held] if isinstance(held, str) else texts(held)


def _run(run: Any) -> str:
    if not isinstance(run, Mapping):
        return str(run)
    action = run.get("selectAction") or {}
    return f"{run.get('text', '')} ({action['url']})" if "url" in action else str(run.get("text"))


def _unescaped(text: Any) -> str:
    """A fact's text, as people see it: no backslashes and bold marks, an address after its link."""
    return _MARKS.sub(lambda mark: mark[1] or (f"{mark[2]} ({mark[3]})" if mark[2] else ""), text)


def _lowered(value: Any) -> Any:
    """``value`` with the values of enumerations in lower case."""
    if isinstance(value, dict):
        return {
            key: held.lower() if key in _ENUMERATIONS and isinstance(held, str) else _lowered(held)
            for key, held in value.items()
        }
    return [_lowered(one) for one in value] if isinstance(value, list) else value
