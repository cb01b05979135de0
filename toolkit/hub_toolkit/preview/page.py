"""Previews side by side as one HTML page: it fetches nothing and runs nothing.

Its Content-Security-Policy allows its own style sheet, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hub_toolkit.preview.drawn.html import data, unknown
from hub_toolkit.preview.measures import shortened

if TYPE_CHECKING:
    from hub_toolkit.preview.taken import Taken


def render(taken: Mapping[str, Taken], title: str, source: str) -> str:
    """The page, equal for equal input; ``source`` says what the previews were made from."""
    environment = _environment()
    style = Markup(environment.get_template("page.css").render())  # noqa: S704 - a file of ours
    return environment.get_template("page.html.j2").render(
        style=style,
        policy=_policy(style, mails=any("html" in _body(one) for one in taken.values())),
        title=title,
        source=source,
        shown=[(name, one, _drawn(one), _facts(one)) for name, one in taken.items()],
    )


def _drawn(one: Taken) -> Markup:
    """The mock-up of the first request."""
    if not one.sent:
        return Markup("")
    try:
        return one.target.draw(one.sent[0].body)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        # A payload of another shape than is known: it is shown as it is.
        return unknown(one.sent[0].body)


def _facts(one: Taken) -> dict[str, Any]:
    if not one.sent:
        return {"measures": [], "shortened": [], "sent": []}
    return {
        "measures": one.target.sizes(one.sent[0].body),
        "shortened": shortened(one.document, one.sent[0].body),
        "sent": [(each.method, each.path, data(each.body)) for each in one.sent],
    }


def _policy(style: str, *, mails: bool) -> str:
    """Nothing is allowed but exactly this style (Content Security Policy Level 3, hashes).

    Args:
        mails: there are e-mails, whose elements bring styles of their own; the page's have none.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    own = " style-src-attr 'unsafe-inline';" if mails else ""
    allowed = f"style-src 'sha256-{digest}';{own}"
    return f"default-src 'none'; {allowed} base-uri 'none'; form-action 'none'"


def _body(one: Taken) -> Mapping[str, Any]:
    """The body of the first request."""
    body = one.sent[0].body if one.sent else {}
    return body if isinstance(body, Mapping) else {}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hub_toolkit.preview"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
