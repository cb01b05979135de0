"""An e-mail: what a mail program shows above it, and its HTML in a frame that may do nothing.

``sandbox`` without a word allows neither scripts nor forms nor navigation, and the frame inherits
the page's policy: of the message's HTML only styles of its own elements have an effect.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from hub_responder.markdown.characters import width
from hub_toolkit.preview.drawn.html import tag

_LINE = 56
_ADDRESS = re.compile(r"https?://\S+")
_LINE_PX, _REST_PX, _MOST_PX = 28, 225, 4000
"""By which the frame's height is guessed from the text: without scripts nobody measures it."""


def message(body: Mapping[str, Any]) -> Markup:
    """The message with its headers and both bodies."""
    headers = {"From": body.get("from"), "To": ", ".join(map(str, body.get("to", ())))}
    rows = (tag("tr", tag("th", name), tag("td", str(value))) for name, value in headers.items())
    text = str(body.get("text", ""))
    frame = tag(
        "iframe",
        sandbox="",
        srcdoc=str(body.get("html", "")),
        height=str(_height(text)),
        title="The message's HTML",
    )
    plain = tag("details", tag("summary", "plain text"), tag("pre", text))
    subject = tag("h3", str(body.get("subject", "")))
    return tag("div", subject, tag("table", *rows, cls="fields-of"), frame, plain, cls="mail")


def _height(text: str) -> int:
    shown = _ADDRESS.sub("", text)  # links and buttons show their labels
    lines = sum(max(1, math.ceil(width(line) / _LINE)) for line in shown.split("\n"))
    return min(_MOST_PX, _REST_PX + _LINE_PX * lines)
