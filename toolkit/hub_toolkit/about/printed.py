"""A playbook on a terminal, and the table of all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hub_toolkit.about import words

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from rich.console import Console

    from hub_toolkit.about.facts import Facts, StepFacts

_NARROW = 100
"""Below this many columns the table becomes one block of lines per playbook."""
_HEADINGS = (
    "playbook",
    "starts by",
    "steps",
    "connections",
    "mode",
    "owner",
    "cases",
    "version",
)


def print_list(console: Console, playbooks: Sequence[Facts], paused: Container[str] = ()) -> None:
    """Print a line for each playbook, or a block where the terminal is narrow.

    Args:
        paused: names of those that a deployment has paused.
    """
    if console.width < _NARROW:
        for facts in playbooks:
            name, *cells = _cells(facts, facts.name in paused)
            console.print(Text(name, style="bold"))
            for heading, cell in zip(_HEADINGS[1:], cells, strict=True):
                console.print(Text(f"  {heading}: {cell}"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in _HEADINGS:
        right = heading == "cases"
        whole = heading in {"playbook", "version"}
        table.add_column(heading, justify="right" if right else "left", no_wrap=whole)
    for facts in playbooks:
        table.add_row(*map(Text, _cells(facts, facts.name in paused)))
    console.print(table)


def _cells(facts: Facts, paused: bool) -> list[str]:
    mode = facts.mode if facts.enabled else "disabled"
    return [
        facts.name,
        ", ".join(trigger.kind for trigger in facts.triggers),
        ", ".join(step.uses for step in facts.steps),
        words.joined(facts.reached()),
        f"{mode}, paused" if paused else mode,
        facts.owner,
        str(len(facts.cases)),
        facts.version,
    ]


def print_one(console: Console, facts: Facts) -> None:
    """Print everything about a playbook, in the order of a finding's way."""
    for line in lines(facts):
        console.print(line, soft_wrap=True)


def lines(facts: Facts) -> Iterator[Text]:
    """What `print_one` prints."""
    yield Text.assemble((facts.name, "bold"), f": {facts.summary}")
    state = facts.mode if facts.enabled else "disabled"
    yield Text(f"  stage {facts.stage or 'any'}, {state}, version {facts.version}")
    yield Text(f"  owner {facts.owner or 'nobody'}{f', because: {facts.why}' if facts.why else ''}")
    if facts.runbook:
        yield Text(f"  runbook {facts.runbook}")
    yield from _part("Starts by", _triggers(facts))
    yield from _part("Goes on with a finding if", _conditions(facts))
    yield from _part("One incident for each", facts.group_by or ["run: all findings together"])
    yield from _part("Steps", _steps(facts.steps))
    yield from _part("Delivers to", _connections(facts))
    yield from _part("Cases", facts.cases or ["none: `tests:` in playbook.yaml holds them"])
    yield from _part("Limits", [f"{one.what}: {one.value}" for one in facts.limits])
    yield from _part("Rules, as EventBridge sees them", _rules(facts))
    yield from _part("Its role may", _statements(facts))
    found = [f"{logical} ({kind})" for logical, kind in facts.resources.items()]
    yield from _part(f"{words.counted(len(found), 'resource')} in the stack", found)


def _part(title: str, content: Iterable[str]) -> Iterator[Text]:
    yield Text()
    yield Text(title, style="bold")
    for line in content:
        yield Text(f"  {line}")


def _triggers(facts: Facts) -> Iterator[str]:
    for trigger in facts.triggers:
        yield trigger.title
        for line in trigger.on:
            yield f"  {line}"


def _conditions(facts: Facts) -> Iterator[str]:
    for text in facts.always_if:
        yield f"always: {text}"
    for text in facts.only_if:
        yield text
    if not facts.only_if:
        yield "it matches: there is no other condition"


def _steps(steps: Sequence[StepFacts]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        to = f" -> {step.to}" if step.to else ""
        yield f"{number}. {step.id}: {step.uses}{to}"
        yield f"   {step.does}"
        if step.if_:
            yield f"   if {step.if_}"
        if step.on_error != "retry":
            yield f"   on error: {step.on_error}"
        if step.reads:
            yield f"   reads {', '.join(step.reads)}"
        if step.gives:
            yield f"   gives {', '.join(step.gives)}"


def _connections(facts: Facts) -> Iterator[str]:
    if not facts.connections:
        yield "nobody"
    for one in facts.connections:
        through = f" through {', '.join(one.routes)}" if one.routes else ""
        need = f"needs secret {one.secret}" if one.secret else "needs no secret"
        yield f"{one.name} ({one.type}){through}: {need}"
        if one.place:
            yield f"  at one of {', '.join(one.allow)}, by {one.place}"
    for route in facts.routes:
        ways = [f"{value} -> {name}" for value, name in route.to.items()]
        yield f"route {route.name} by {route.by}: {', '.join([*ways, f'else {route.default}'])}"


def _rules(facts: Facts) -> Iterator[str]:
    for rule in facts.rules:
        yield f"{rule.name}: {rule.size:,} of {rule.limit:,} characters"
        for line in json.dumps(rule.pattern, indent=2, ensure_ascii=False).splitlines():
            yield f"  {line}"
    if not facts.rules:
        yield "none"


def _statements(facts: Facts) -> Iterator[str]:
    for one in facts.statements:
        what, where = words.statement(one)
        yield f"{what}"
        yield f"  on {where}"
