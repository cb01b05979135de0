"""``params``: the values that a playbook names once and its steps use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_toolkit.playbooks.document import Mapping, Node, plain
from hub_toolkit.playbooks.fields import DURATION_HINT, Fields, kind
from hub_toolkit.playbooks.problems import Problem, unknown
from hub_toolkit.playbooks.values import PARAM, duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as Table

    Given = Table[str, Node]

_MAX_TEXT = 1000


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else None


def _number(value: Any) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


TYPES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "boolean": (_boolean, "write true or false"),
    "duration": (duration, DURATION_HINT),
    "integer": (_integer, "write a whole number"),
    "number": (_number, "write a number"),
    "text": (_text, f"write text of at most {_MAX_TEXT} characters"),
}
"""Type -> what makes a value of it (None: it is none), and how to write it."""


def values(
    node: Node | None, problems: list[Problem], given: Given | None = None
) -> dict[str, Any]:
    """The parameters' values by name; durations are seconds.

    Args:
        given: values of the stage's settings, in place of the defaults.
    """
    given = given or {}
    known = node.entries if isinstance(node, Mapping) else {}
    for name, other in given.items():
        if name not in known:
            problems.append(Problem(other.place, unknown("param", name, known)))
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        problems.append(Problem(node.place, f"`params` must be a mapping, not {kind(node)}"))
        return {}
    found: dict[str, Any] = {}
    for name, declared in node.entries.items():
        if not PARAM.fullmatch(name):
            text = f"`{name[:80]}` is no name of a param: a to z, 0 to 9 and _, at most 40"
            problems.append(Problem(node.keys[name], text))
            continue
        fields = Fields(declared, f"param {name}", problems, known=("type", "default"))
        chosen = fields.choice("type", TYPES, "text")
        default = fields.node("default", required=True)
        if default is None:
            continue
        convert, hint = TYPES[chosen]
        for one in (default, *([given[name]] if name in given else [])):
            value = convert(plain(one))
            if value is None:
                problems.append(Problem(one.place, f"param {name} is no {chosen}: {hint}"))
            else:
                found[name] = value
    return found
