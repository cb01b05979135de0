"""Pages of reports: they fetch nothing, run nothing, print well, and read aloud.

Names in them come from anywhere: templates escape everything, and a page's Content-Security-Policy
allows the one style sheet, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render(package: str, name: str, **facts: Any) -> str:
    """A page from the template ``name`` of a package, with the style sheet of all pages."""
    environment = _environment(package)
    style = Markup(environment.get_template("page.css").render())  # noqa: S704 - a file of ours
    return environment.get_template(name).render(style=style, policy=_policy(style), **facts)


def _policy(style: str) -> str:
    """Nothing is allowed but exactly this style (Content Security Policy Level 3, hashes)."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@lru_cache(maxsize=4)
def _environment(package: str) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("hub_toolkit.paper")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
