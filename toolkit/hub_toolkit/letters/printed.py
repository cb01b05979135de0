"""Letters on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from hub_responder.markdown.characters import clean, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from hub_toolkit.letters.acting import Acted
    from hub_toolkit.letters.letter import Letter

_COLUMNS = ("id", "age", "playbook", "trigger", "tries", "queue", "findings", "reason")
SHORT = 8
"""Letters are named by so many characters of their id, where that is enough."""
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def age(seconds: int) -> str:
    """Two hours as ``2 h``."""
    for name, size in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def print_list(console: Console, letters: Sequence[Letter], unseen: int) -> None:
    """The letters, the oldest first, and how many could not be seen."""
    if letters:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in _COLUMNS:
            table.add_column(column, overflow="fold")
        for one in letters:
            cells = (
                one.id[:SHORT],
                age(one.age_s),
                one.playbook or "?",
                one.trigger or one.kind,
                str(one.tries or ""),
                one.queue or "?",
                _findings(one.findings),
                one.reason or "unknown",
            )
            table.add_row(*(Text(one_line(clean(cell))) for cell in cells))
        console.print(table)
    console.print(f"{len(letters)} letters." if letters else "There are no letters.")
    print_unseen(console, unseen)


def print_unseen(console: Console, unseen: int) -> None:
    """How many could not be seen."""
    if unseen:
        console.print(
            f"About {unseen} more cannot be seen now: somebody looks at them. Ask again in two"
            " minutes."
        )


def _findings(ids: Sequence[str]) -> str:
    if not ids:
        return ""
    return f"{ids[0]} and {len(ids) - 1} more" if len(ids) > 1 else ids[0]


def print_one(console: Console, letter: Letter, body: str, attributes: Mapping[str, Any]) -> None:
    """Everything about one letter, its body at the end."""
    told = {
        "id": letter.id,
        "reason": letter.reason or "unknown",
        "playbook": letter.playbook or "not known",
        "queue": letter.queue or "not known",
        "trigger": letter.trigger,
        "event": letter.event_id,
        "step": letter.step,
        "incident": letter.incident,
        "tries": letter.tries or "",
        "sent": f"{letter.sent_at}, {age(letter.age_s)} ago",
    }
    for name, value in told.items():
        if value:
            _print(console, name, value)
    for finding in letter.findings:
        _print(console, "finding", finding)
    for name, value in sorted(attributes.items()):
        _print(console, f"attribute {name}", value)
    console.print(Text(clean(_pretty(body))), soft_wrap=True)


def _print(console: Console, name: str, value: object) -> None:
    """Text from a letter is data: nothing in it steers the terminal."""
    said = one_line(clean(str(value)))
    console.print(Text.assemble((f"{clean(name)}: ", "bold"), said), soft_wrap=True)


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def print_acted(console: Console, acted: Acted) -> None:
    """What became of one."""
    said = one_line(clean(acted.detail))
    console.print(Text(f"{acted.id}: {acted.status}: {said}"), soft_wrap=True)
