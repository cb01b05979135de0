"""What is wrong with the constants that ``open()`` and ``seen()`` are called with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from hub_responder.ledger import history
from hub_toolkit.playbooks.problems import unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hub_toolkit.playbooks.kinds import Function


def mistakes(
    called: Function, node: nodes.Call, calendars: Collection[str] | None
) -> Iterator[tuple[nodes.Expr, str]]:
    """The argument that is wrong, and why.

    Args:
        calendars: those of the stage's settings; None: not known.
    """
    given = [*zip(called.parameters, node.args, strict=False)]
    for name, argument in [*given, *((one.key, one.value) for one in node.kwargs)]:
        if isinstance(argument, nodes.Const):
            text = _wrong(called.name, name, argument.value, calendars)
            if text:
                yield argument, text


def _wrong(function: str, name: str, value: Any, calendars: Collection[str] | None) -> str:
    is_text = isinstance(value, str)
    if (function, name) == ("open", "calendar") and is_text and calendars is not None:
        return unknown("calendar", value, calendars) if value not in calendars else ""
    if (function, name) == ("seen", "closed_as") and is_text:
        form = "FALSE_POSITIVE: capitals and _"
        return "" if history.CLOSED_AS.fullmatch(value) else f"`closed_as` is written as {form}"
    if (function, name) == ("seen", "days") and isinstance(value, int | float):
        good = 0 < value <= history.MAX_DAYS
        return "" if good else f"`days` is more than 0 and at most {history.MAX_DAYS}"
    return ""
