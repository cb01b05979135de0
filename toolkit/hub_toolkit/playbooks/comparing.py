"""What can be wrong with a comparison, by the kinds of its two sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    BOOLEAN,
    NOTHING,
    NUMBER,
    SEVERITY,
    TEXT,
    Choice,
    Function,
    ListOf,
    MapOf,
    Record,
    each,
    is_text,
    join,
)
from hub_toolkit.playbooks.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_toolkit.playbooks.kinds import Kind

EQUALITY = ("eq", "ne")
MEMBERSHIP = ("in", "notin")
SIGNS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "in": "in",
         "notin": "not in"}  # fmt: skip
_LABELS = ", ".join(SEVERITY.values)


def mistakes(operator: str, left: Kind, right: Kind, said: str) -> Iterator[tuple[bool, str]]:
    """What is wrong with ``left operator right``: whether it is about the left side, and the text.

    Args:
        left, right: each one kind, none of several.
        said: the left side as it is written, or what it is.
    """
    if operator in MEMBERSHIP:
        yield from _member(operator, left, right, said)
        return
    if ANYTHING in (left, right):
        return
    for one, other, at_left in ((left, right, False), (right, left, True)):
        if one == SEVERITY:
            text = _with_severity(other)
            if text:
                yield at_left, text
            return
    text = _plainly(operator, left, right, said)
    if text:
        yield False, text


def _with_severity(other: Kind) -> str:
    """What is wrong with a severity's being compared with ``other``."""
    if isinstance(other, Choice):
        wrong = [value for value in other.values if value not in SEVERITY.values]
        return _no_label(wrong[0]) if wrong else ""
    if other == TEXT:
        return ""
    return f"a severity is compared with a label, not with {other}: {_LABELS}"


def _no_label(word: str) -> str:
    near = nearest(word.upper(), SEVERITY.values)
    hint = f"; did you mean `{near}`?" if near else "."
    return f"`{word[:80]}` is no severity{hint} There is: {_LABELS}"


def _plainly(operator: str, left: Kind, right: Kind, said: str) -> str:
    """What is wrong with comparing what is no severity."""
    sign = SIGNS[operator]
    if is_text(left) and is_text(right):
        return _texts(operator, left, right, said)
    if {_family(left), _family(right)} == {"text", "number"}:
        quotes = "" if _family(left) == "number" else ": write it in quotes"
        kinds = f"{said} is {left}, which is never equal to {right}"
        return kinds + quotes if operator in EQUALITY else _unordered(left, sign, right)
    different = _family(left) != _family(right)
    if different and operator in EQUALITY:
        return f"{said} is {left}, which is never equal to {right}"
    if different or (operator not in EQUALITY and _family(left) not in ("text", "number")):
        return _unordered(left, sign, right)
    return ""


def _unordered(left: Kind, sign: str, right: Kind) -> str:
    return f"`{sign}` cannot compare {left} with {right}"


def _texts(operator: str, left: Kind, right: Kind, said: str) -> str:
    choices = [set(kind.values) for kind in (left, right) if isinstance(kind, Choice)]
    severe = any(values >= set(SEVERITY.values) for values in choices)
    if operator not in EQUALITY and severe:
        return f"{said} compares by the alphabet, not by severity: use finding.severity"
    if operator in EQUALITY and len(choices) == 2 and not choices[0] & choices[1]:  # noqa: PLR2004
        return _never(left, right, said)
    return ""


def _never(left: Kind, right: Kind, said: str) -> str:
    """Two texts that can never be the same."""
    if not isinstance(left, Choice) or not isinstance(right, Choice):
        return ""
    word = right.values[0]
    near = nearest(word, left.values) or nearest(word.upper(), left.values)
    hint = f"; did you mean `{near}`?" if near else "."
    return f"{said} is never `{word[:80]}`{hint} There is: {', '.join(sorted(left.values))}"


def _member(operator: str, left: Kind, right: Kind, said: str) -> Iterator[tuple[bool, str]]:
    sign = SIGNS[operator]
    if right == ANYTHING:
        return
    mapping = isinstance(right, Record) and right.mapping
    family = _family(right)
    if family in ("number", "true or false", "none", "record", "severity") and not mapping:
        yield False, f"`{sign}` looks into a list or a text, not into {right}"
    elif is_text(right) and left == SEVERITY:
        yield False, f"`{sign}` looks for letters in a text: write a list, as ['HIGH', 'CRITICAL']"
    elif is_text(right) and _family(left) not in ("text", "any"):
        yield True, f"`{sign}` looks for text in a text, not for {left}"
    elif isinstance(right, MapOf | Record) and _family(left) in ("list", "mapping", "record"):
        yield True, f"`{sign}` looks for a key in a mapping, not for {left}"
    elif isinstance(right, ListOf):
        found = [list(mistakes("eq", left, item, said)) for item in each(right.item)]
        if all(found):
            yield from ((False, text) for _, text in found[0])


def added(left: Kind, right: Kind) -> Kind | None:
    """What ``left + right`` is, of one kind each; None where they cannot be added."""
    if ANYTHING in (left, right):
        return ANYTHING
    families = {_family(left), _family(right)}
    if families <= {"text", "severity"}:
        return TEXT
    if families <= {"number", str(BOOLEAN)}:
        return NUMBER
    return join([left, right]) if families == {"list"} else None


def _family(kind: Kind) -> str:
    """What can be compared with each other."""
    if kind == SEVERITY:
        return "severity"
    if is_text(kind):
        return "text"
    names: dict[Kind, str] = {ANYTHING: "any", NUMBER: "number", NOTHING: "none"}
    if kind in names:
        return names[kind]
    for cls, name in ((ListOf, "list"), (MapOf, "mapping"), (Record, "record"), (Function, "any")):
        if isinstance(kind, cls):
            return name
    return str(kind)
