"""What a text must give where it stands: true or false, text, a parameter's value, what shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    BOOLEAN,
    NOTHING,
    NUMBER,
    SEVERITY,
    Choice,
    Function,
    ListOf,
    MapOf,
    Record,
    each,
    is_text,
)
from hub_toolkit.playbooks.parsing import Remark
from hub_toolkit.playbooks.problems import unknown
from hub_toolkit.playbooks.trees import path, start

if TYPE_CHECKING:
    from jinja2 import nodes

    from hub_toolkit.playbooks.kinds import Kind


def boolean(kind: Kind, node: nodes.Expr) -> Remark | None:
    """What is wrong with a condition that gives ``kind``."""
    said = path(node)
    about = f"`{said}`" if said else "this"
    wrong = next((k for k in each(kind) if k not in (BOOLEAN, ANYTHING, NOTHING)), None)
    if wrong is not None or kind == NOTHING:
        hint = _comparison(said or "...", kind if wrong is None else wrong)
        what = f"is {kind}" if wrong in (kind, None) else f"can be {wrong}"
        return Remark(start(node), f"{about} {what}, not true or false: {hint}")
    if NOTHING in each(kind):
        text = f"{about} can be none, which is neither true nor false"
        return Remark(start(node), f"{text}: write `{said} is true`" if said else text, True)
    return None


def _comparison(said: str, kind: Kind) -> str:
    if kind == SEVERITY:
        return f"compare it, as {said} >= 'HIGH'"
    if kind == NUMBER:
        return f"compare it, as {said} > 0"
    if isinstance(kind, ListOf | MapOf):
        return f"write {said}|length > 0"
    return "name a part of it" if isinstance(kind, Record) else f"compare it, as {said} == '...'"


def text(kind: Kind, node: nodes.Expr) -> Remark | None:
    """What is wrong with an expression that must give text and gives ``kind``."""
    said = path(node)
    about = f"`{said}`" if said else "this"
    good = (ANYTHING, NUMBER, SEVERITY, NOTHING)
    wrong = next((k for k in each(kind) if k not in good and not is_text(k)), None)
    if wrong is not None or kind == NOTHING:
        return Remark(start(node), f"{about} is {kind}; text is needed here")
    if NOTHING in each(kind):
        return Remark(start(node), f"{about} can be none; text is needed here", True)
    return None


def shown(kind: Kind) -> str:
    """What is wrong with a message's showing a value of ``kind``; empty where nothing."""
    for one in each(kind):
        if isinstance(one, ListOf):
            return "a message cannot show a list: write |join(', ')"
        if isinstance(one, MapOf | Record | Function):
            return f"a message cannot show {one}: name a part of it"
    return ""


def fits(given: Kind, wanted: Kind) -> str:
    """What is wrong with giving ``given`` where ``wanted`` is taken; empty where nothing."""
    pairs = [(one, other) for one in each(given) for other in each(wanted)]
    if any(_fit(one, other) for one, other in pairs):
        return ""
    words = [value for one in each(wanted) if isinstance(one, Choice) for value in one.values]
    if isinstance(given, Choice) and words:
        return unknown("value", given.values[0], words)
    hint = ": write |string" if given == NUMBER and any(map(is_text, each(wanted))) else ""
    return f"this is {given}; the parameter takes {wanted}{hint}"


def _fit(one: Kind, other: Kind) -> bool:
    if ANYTHING in (one, other):
        return True
    if isinstance(one, Choice) and isinstance(other, Choice):
        return bool(set(one.values) & set(other.values))
    if is_text(one) or one == SEVERITY:
        return is_text(other)
    if isinstance(one, MapOf | Record):
        return isinstance(other, MapOf | Record)
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        return any(_fit(a, b) for a in each(one.item) for b in each(other.item))
    return one == other
