"""The code that ships to Lambda, as the sandbox finds it in the project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

CODE = "functions"
"""Below the project: what ships to Lambda, without the dependencies, which are installed here."""


def modules(root: Path, template: Mapping[str, Any]) -> list[str]:
    """What the functions import: everything that ships, and the template's handlers.

    A package of that name elsewhere on the path may come first; the names are the same.
    """
    code = root / CODE
    shipped = {
        ".".join(path.relative_to(code).with_suffix("").parts).removesuffix(".__init__")
        for path in code.glob("hub_responder/**/*.py")
    }
    handlers = {
        str(resource.get("Properties", {}).get("Handler", "")).rpartition(".")[0]
        for resource in template["Resources"].values()
    }
    return sorted((shipped | handlers) - {""})
