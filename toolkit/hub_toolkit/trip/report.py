"""What people see of a run: a table as wide as the terminal allows, and where to look next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hub_toolkit.archive.printed import print_report
from hub_toolkit.trip.outcome import FAILED, NO_MATCH, REPEAT, Result

if TYPE_CHECKING:
    from rich.console import Console

    from hub_toolkit.trip.proof import Proof

_SHORT = 12
"""Characters of a finding's id that are shown."""
_NARROW = 110
"""Below this many columns the table becomes one block of lines per result."""
_VERDICT_STYLE = {
    "PROTECTED": "green",
    "DEGRADED": "yellow",
    "UNPROTECTED": "red",
    "UNKNOWN": "magenta",
}
_STATUS_STYLE = {FAILED: "bold red", NO_MATCH: "dim", "done": "green"}
_HEADINGS = (
    "event",
    "playbook",
    "finding",
    "instance",
    "verdict",
    "message",
    "ticket",
    "finding now",
    "audit",
    "time",
)


def print_results(console: Console, results: Sequence[Result]) -> None:
    """Print every result, and each failure's reason below.

    Where something was done, what knew the finding already (mostly our own update of it, which
    Security Hub tells of again) is left out.
    """
    results = _telling(results)
    if console.width < _NARROW:
        _print_blocks(console, results)
    else:
        _print_table(console, results)
    for result in results:
        for step in result.entry.steps:
            if step.status in {FAILED, "deferred"}:
                where = f"{result.entry.event}, step {step.id}" if step.id else result.entry.event
                console.print(Text(f"{step.status}: {where}: {step.detail}", style="red"))


def _telling(results: Sequence[Result]) -> list[Result]:
    acted = {one.entry.event for one in results if one.entry.status != REPEAT}
    return [one for one in results if one.entry.status != REPEAT or one.entry.event not in acted]


def print_next(console: Console, endpoint: str | None) -> None:
    """Say where to look next; ``endpoint`` is that of a sandbox which stays up, or None."""
    console.print()
    if endpoint is None:
        console.print(
            Text(
                "Next: `hub-responder sandbox up` keeps a sandbox running; its address takes any "
                "AWS client.\n      `hub-responder run EVENT --json` prints this for programs."
            )
        )
        return
    console.print(
        Text(
            f"Next: {endpoint}/_sandbox/inbox shows what was sent, /_sandbox/tickets the tickets,\n"
            "      /_sandbox/audit every decision, /_sandbox/dlq what could not be handled."
        )
    )


def print_proof(console: Console, proof: Proof) -> None:
    """Whether the run's audit trail is what was sealed of it, and where it is reported."""
    found = proof.report
    if found.wrong:
        print_report(console, found)
    else:
        told = f"{found.records:,} records in {len(found.periods)} hours, sealed, signed, verified"
        console.print(Text(f"Audit trail: {told} (hub-responder audit verify)."))
    console.print(Text(f"Audit report: {proof.page}"))


def _print_table(console: Console, results: Sequence[Result]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in _HEADINGS:
        right = heading in {"audit", "time"}
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for result in results:
        table.add_row(*_cells(result))
    console.print(table)


def _print_blocks(console: Console, results: Sequence[Result]) -> None:
    for result in results:
        event, *cells = _cells(result)
        console.print(event)
        for heading, cell in zip(_HEADINGS[1:], cells, strict=True):
            if cell.plain:
                console.print(Text(f"  {heading}: ").append_text(cell))


def _cells(result: Result) -> list[Text]:
    entry = result.entry
    verdict = entry.verdict or entry.status
    style = _VERDICT_STYLE.get(verdict) or _STATUS_STYLE.get(verdict, "")
    if entry.verdict and entry.status != "done":
        verdict = f"{verdict} ({entry.status})"
    return [
        Text(entry.event),
        Text(entry.playbook or ""),
        Text(_findings(entry.finding_ids)),
        Text(_several(result.instances)),
        Text(verdict, style=style),
        Text(_several(result.messages)),
        Text(_several(result.tickets)),
        Text(result.state),
        Text(str(entry.audit_records)),
        Text("" if result.seconds is None else f"{result.seconds:.1f} s"),
    ]


def _findings(ids: Sequence[str]) -> str:
    """The tail of the first id, where findings differ, and how many more there are."""
    if not ids:
        return ""
    tail = ids[0].rsplit("/", 1)[-1]
    short = tail if len(tail) <= _SHORT else f"...{tail[3 - _SHORT :]}"
    return short if len(ids) == 1 else f"{short} +{len(ids) - 1}"


def _several(items: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(items))
