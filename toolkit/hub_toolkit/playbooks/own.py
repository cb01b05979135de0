"""A playbook's ``actions.py`` as it is checked: it is run, since only that tells what it declares.

It runs in this process, like a test's conftest.py: it is the project's own code. What it raises is
said with its file and line. What does not ship to Lambda cannot be imported there, so importing it
is a mistake here.
"""

from __future__ import annotations

import ast
import sys
import traceback
from typing import TYPE_CHECKING

from hub_responder.actions import own
from hub_responder.errors import ConfigurationError
from hub_toolkit.playbooks.problems import Place, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hub_responder.actions.base import Action

MAX_BYTES = 100_000
SHIPPED = frozenset(
    {
        "aws_lambda_powertools",
        "boto3",
        "botocore",
        "certifi",
        "charset_normalizer",
        "dateutil",
        "hub_responder",
        "idna",
        "jinja2",
        "jmespath",
        "markupsafe",
        "mistune",
        "msgspec",
        "requests",
        "s3transfer",
        "six",
        "typing_extensions",
        "tzdata",
        "urllib3",
    }
)
"""What can be imported in a Lambda, beside the standard library."""


def load(directory: Path, root: Path, problems: list[Problem]) -> Mapping[str, Action]:
    """What ``directory/actions.py`` declares; what is wrong is added to ``problems``."""
    path = directory / own.FILE
    if not path.is_file():
        return {}
    shown = path.relative_to(root).as_posix()
    wrong = _unreadable(path, shown)
    if wrong:
        problems += wrong
        return {}
    try:
        found = own.load(directory)
    except ConfigurationError as error:
        problems.append(_raised(error, path, shown))
        return {}
    if not found:
        said = "declares no action: put `@action(...)` of hub_responder.actions.own on a function"
        problems.append(Problem(Place(shown), said))
    return found


def _unreadable(path: Path, shown: str) -> list[Problem]:
    """Why the file is not run at all."""
    try:
        text = path.read_bytes()
        tree = ast.parse(text, shown)
    except OSError as error:
        return [Problem(Place(shown), f"cannot be read: {error.strerror}")]
    except SyntaxError as error:
        place = Place(shown, error.lineno or 0, error.offset or 0)
        return [Problem(place, f"is not Python: {error.msg}")]
    except ValueError as error:
        return [Problem(Place(shown), f"is not Python: {error}")]
    if len(text) > MAX_BYTES:
        return [Problem(Place(shown), f"has over {MAX_BYTES:,} bytes")]
    there = f"There is: the standard library, {', '.join(sorted(SHIPPED))}"
    return [
        Problem(
            Place(shown, node.lineno, node.col_offset + 1),
            f"`{name}` does not ship to Lambda. {there}",
        )
        for node, name in _foreign(tree)
    ]


def code(directory: Path) -> bytes:
    """What ships of the file: all of it."""
    return (directory / own.FILE).read_bytes()


def _foreign(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """The imports of what is not in a Lambda."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "" if node.level == 0 else "." * node.level]
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top not in SHIPPED and top not in sys.stdlib_module_names:
                yield node, name


def _raised(error: ConfigurationError, path: Path, shown: str) -> Problem:
    """What running the file raised, at the line of the file that was running."""
    cause = error.__cause__
    if cause is None:
        return Problem(Place(shown), str(error))
    lines = [
        frame.lineno or 0
        for frame in traceback.extract_tb(cause.__traceback__)
        if frame.filename == str(path)
    ]
    kind = "" if isinstance(cause, ConfigurationError) else f"{type(cause).__name__}: "
    place = Place(shown, lines[-1], 1) if lines else Place(shown)
    return Problem(place, f"{kind}{cause}"[:300])
