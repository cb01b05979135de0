"""What people see of a replayed event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from rich.padding import Padding
from rich.text import Text

from hub_responder.markdown.characters import clean
from hub_toolkit.dry.replay import truth

if TYPE_CHECKING:
    from rich.console import Console

    from hub_toolkit.dry.replay import Change, Incident, Played, Replayed, Rule
    from hub_toolkit.dry.traffic import Call, Delivery

_STATUS = {"done": "green", "failed": "bold red", "skipped": "dim", "deferred": "yellow"}


def print_replayed(console: Console, replayed: Replayed, answers: str, *, verbose: bool) -> None:
    """Print all of it.

    Args:
        answers: where Vision One's answers come from. verbose: with the payloads as sent.
    """
    shown = _Shown(console, verbose=verbose)
    shown.event(replayed, answers)
    for played in sorted(replayed.playbooks, key=lambda one: not one.matched):
        shown.playbook(played)
    for change in replayed.findings:
        shown.finding(change)


class _Shown:
    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose

    def _say(self, text: str, style: str = "", indent: int = 0) -> None:
        """One text; what came from elsewhere cannot steer the terminal."""
        self._console.print(Padding(Text(clean(text), style=style), (0, 0, 0, indent)))

    def event(self, replayed: Replayed, answers: str) -> None:
        where = f"{replayed.account} {replayed.region}"
        self._say(f"{replayed.kind} at {replayed.time}, {where}, event {replayed.event_id}", "bold")
        self._say(f"Nothing is sent. {answers}", "dim")

    def playbook(self, played: Played) -> None:
        self._console.print()
        matched = [rule.rule for rule in played.rules if rule.matched]
        if not matched:
            self._say(f"{played.playbook}: does not match", "bold")
            for rule in _nearest(played.rules):
                for why in rule.why_not:
                    self._say(f"{rule.rule}: {why.said}", indent=2)
            return
        self._say(f"{played.playbook}: matches, rule {', '.join(matched)}", "bold green")
        for condition in played.conditions:
            if not condition.step:
                self._say(f"{condition.expression}: {_said(condition.value)}", indent=2)
        for reason in played.skipped:
            self._say(f"skipped: {reason}", "yellow", 2)
        for crash in played.crashes:
            self._say(f"the function failed:\n{crash}", "red", 2)
        for incident in played.incidents:
            if incident.steps:
                self._incident(incident)
        for delivery in [*played.tickets, *played.messages, *played.requests]:
            self._delivery(delivery)
        for refused in played.refused:
            said = f"{refused['connection']} refused {refused['method']} {refused['path']}"
            self._say(f"{said}: {refused.get('reason') or refused.get('status')}", "red", 2)
        self._calls(played)

    def _incident(self, incident: Incident) -> None:
        status = "" if incident.status == "done" else f" ({incident.status})"
        self._say(f"steps{status}", "bold", 2)
        for step in incident.steps:
            style = _STATUS.get(step.status, "")
            self._say(f"{step.id} ({step.uses}): {step.status}: {step.detail}", style, 4)
            if step.if_ is not None:
                value = _said(truth(step.status, step.detail))
                self._say(f"if {step.if_}: {value}", "dim", 6)

    def _delivery(self, delivery: Delivery) -> None:
        said = f"{delivery.kind} to {delivery.connection} ({delivery.system})"
        self._say(f"{said}: {delivery.method} {delivery.path}", "bold", 2)
        self._say(delivery.text, indent=4)
        if self._verbose:
            self._say(_pretty(delivery.body), "dim", 4)

    def _calls(self, played: Played) -> None:
        if not played.calls:
            return
        self._say("calls", "bold", 2)
        for line, call in _grouped(played.calls):
            self._say(line, indent=4)
            if call is not None and self._verbose:
                self._say(_pretty(call.body), "dim", 6)
        if played.bookkeeping:
            own = ", ".join(f"{name} {count}x" for name, count in played.bookkeeping.items())
            self._say(f"and for itself: {own}", "dim", 4)

    def finding(self, change: Change) -> None:
        self._console.print()
        self._say(f"finding {change.id}", "bold")
        self._say(f"{change.severity} {change.title}", indent=2)
        before, after = change.workflow
        self._say(f"workflow {after}" if before == after else f"workflow {before} -> {after}",
                  indent=2)  # fmt: skip
        if change.note[0] != change.note[1]:
            self._say(f"note: {change.note[1]}", indent=2)
        for name, value in sorted(change.fields.items()):
            self._say(f"{name}: {value}", "dim", 2)


def _nearest(rules: Sequence[Rule]) -> list[Rule]:
    """The rules for events of this kind, the one that only closes last; all, where none is."""
    own = [rule for rule in rules if all(why.path != "detail-type" for why in rule.why_not)]
    starting = [rule for rule in own if rule.rule != "lifecycle"]
    return starting or own or list(rules)


def _said(value: bool | None) -> str:
    return {True: "true", False: "false", None: "not decided"}[value]


def _pretty(body: Any) -> str:
    if isinstance(body, str):
        return body
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()


def _grouped(calls: Sequence[Call]) -> list[tuple[str, Call | None]]:
    """A line for each call; those that only read are counted, one line for equal ones."""
    counts = Counter(_named(call) for call in calls if not call.effect)
    lines: list[tuple[str, Call | None]] = []
    for call in calls:
        name = _named(call)
        if call.effect:
            lines.append((name, call))
        elif name in counts:
            times = counts.pop(name)
            lines.append((f"{name}, {times} times" if times > 1 else name, None))
    return lines


def _named(call: Call) -> str:
    name = call.connection if call.system == "aws" else (
        f"{call.connection} {call.method} {call.path}"
    )  # fmt: skip
    return name if call.status < 400 else f"{name} (answered {call.status})"  # noqa: PLR2004 - HTTP
