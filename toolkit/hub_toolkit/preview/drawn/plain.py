"""Text and data, for programs and for targets that know no markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from hub_toolkit.preview.drawn.html import data, tag
from hub_toolkit.preview.drawn.markdown import rendered


def webhook(body: Mapping[str, Any]) -> Markup:
    """What a program gets: its Markdown, as one that shows it would."""
    held = body.get("message")
    message = held if isinstance(held, Mapping) else {}
    text = tag("div", rendered(str(message.get("markdown", "")), marks=False), cls="description")
    rest = {name: value for name, value in body.items() if name != "message"}
    return tag("div", text, tag("details", tag("summary", "with it"), data(rest)), cls="plain")
