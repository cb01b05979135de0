"""What a case expects: read with positions, and what it takes to hold."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from hub_responder.actions.update_finding import Workflow
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, Sequence, plain
from hub_toolkit.playbooks.fields import Fields, kind
from hub_toolkit.playbooks.problems import Place, Problem, unknown

if TYPE_CHECKING:
    from hub_toolkit.playbooks.format import Source

STATUSES = ("done", "skipped", "failed", "deferred", "observed", "not_run")
"""How a step ends; ``not_run``: it was not reached at all."""
RULES = ("imported", "lifecycle", "action", "schedule")
TICKET = ("system", "connection", "summary", "body", "comments", "labels", "count")
WORDS = (
    *("matched", "why_not", "skipped", "workflow", "note", "message", "request", "ticket"),
    "finding",
)
_TEXTS = ("contains", "lacks", "to")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that must be contained, and that must not; ``to``: the connection they went to."""

    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    to: str = ""


@dataclass(frozen=True, slots=True)
class StepClaim:
    """How a step ends.

    Attributes:
        status: one of `STATUSES`, or empty: any. reason: text that its reason contains.
        results: values that its result has.
    """

    status: str = ""
    reason: str = ""
    results: Table[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expect:
    """What a case expects; what it does not name may be as it will.

    Attributes:
        steps: by step id. matched: True, False, or the names of rules.
        why_not: what the explanation of the mismatch contains.
        skipped: what the reason contains for which the finding was not handled.
        workflow: of the findings at the end. note: on the findings. message: any message.
        request: what other programs get: a call, a function, something forwarded.
        ticket: texts and values that one ticket has. finding: what each finding holds at the end.
    """

    steps: Table[str, StepClaim]
    matched: bool | tuple[str, ...] | None = None
    why_not: str = ""
    skipped: str = ""
    workflow: str = ""
    note: Texts | None = None
    message: tuple[Texts, ...] = ()
    no_message: bool = False
    request: tuple[Texts, ...] = ()
    no_request: bool = False
    ticket: Table[str, Any] | None = None
    no_ticket: bool = False
    finding: Table[str, Any] = field(default_factory=dict)

    @property
    def acts(self) -> bool:
        """It expects that something is sent, opened, written or done."""
        done = any(claim.status == "done" or claim.results for claim in self.steps.values())
        told = bool(self.message or self.request or self.ticket or self.finding)
        return done or told or bool(self.workflow or self.note)


def read_expect(node: Node, source: Source, problems: list[Problem]) -> Expect:
    """What ``expect`` says of a playbook; what is wrong is added to ``problems``."""
    return _Reader(source, problems).read(node)


class _Reader:
    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self._problems = problems
        self._source = source
        self._steps = {step.id: step.uses for step in source.steps}

    def read(self, node: Node) -> Expect:
        fields = Fields(node, "expect", self._problems, known=(*WORDS, *self._steps))
        if not isinstance(node, Mapping):
            return Expect({})
        if not node.entries:
            self._report(node, "`expect` is empty: say what should come of it")
        steps: dict[str, StepClaim] = {}
        rest = dict(node.entries)
        for step, uses in self._steps.items():
            if step in rest and (step not in WORDS or self._is_about_step(rest[step], uses)):
                steps[step] = self._step(rest.pop(step), step, uses)
        ticket, message, request = (rest.get(key) for key in ("ticket", "message", "request"))
        return Expect(
            steps=steps,
            matched=self._matched(rest.get("matched")),
            why_not=fields.text("why_not", limit=500),
            skipped=fields.text("skipped", limit=500) if "skipped" in rest else "",
            workflow=self._workflow(rest.get("workflow")),
            note=self._texts(rest["note"], "note") if "note" in rest else None,
            message=self._sent(message, "message"),
            no_message=message is not None and plain(message) is False,
            request=self._sent(request, "request"),
            no_request=request is not None and plain(request) is False,
            ticket=self._ticket(ticket),
            no_ticket=ticket is not None and plain(ticket) is False,
            finding=self._finding(rest.get("finding")),
        )

    def _is_about_step(self, node: Node, uses: str) -> bool:
        """Whether a word that is both (``ticket``) is meant as the step of that id."""
        words = self._words(uses)
        if isinstance(node, Mapping):
            results = [*words, *self._results(uses)]
            return any(key in results and key not in TICKET for key in node.entries)
        return plain(node) in words

    def _words(self, uses: str) -> list[str]:
        """How a step can end, in the words of its action as well: sent, opened."""
        fields = msgspec.structs.fields(self._source.action(uses).result)
        return [*STATUSES, *(one.encode_name for one in fields if one.type is bool)]

    def _results(self, uses: str) -> list[str]:
        result = self._source.action(uses).result
        return [one.encode_name for one in msgspec.structs.fields(result)]

    def _step(self, node: Node, step: str, uses: str) -> StepClaim:
        words = self._words(uses)
        if not isinstance(node, Mapping):
            word = plain(node)
            if not isinstance(word, str) or word not in words:
                shown = word if isinstance(word, str) else kind(node)
                self._report(node, unknown(f"end of step {step}:", shown, words))
                return StepClaim()
            return self._claim(word)
        status = reason = ""
        results: dict[str, Any] = {}
        for key, value in node.entries.items():
            if key in STATUSES:
                status, reason = key, self._text(value, f"{step}.{key}")
            elif key in self._results(uses):
                results[key] = plain(value)
            else:
                allowed = [*STATUSES, *self._results(uses)]
                text = unknown(f"key of step {step}:", key, allowed)
                self._problems.append(Problem(node.keys[key], text))
        return StepClaim(status, reason, results)

    def _claim(self, word: str) -> StepClaim:
        if word in STATUSES:
            return StepClaim(word)
        return StepClaim("done", results={word: True})

    def _matched(self, node: Node | None) -> bool | tuple[str, ...] | None:
        if node is None:
            return None
        value = plain(node)
        if isinstance(value, bool):
            return value
        names = value if isinstance(value, list) else [value]
        items = node.items if isinstance(node, Sequence) else (node,)
        for name, item in zip(names, items, strict=True):
            if name not in RULES:
                shown = name if isinstance(name, str) else kind(item)
                self._report(item, unknown("rule", shown, ("true", "false", *RULES)))
        return tuple(str(name) for name in names)

    def _workflow(self, node: Node | None) -> str:
        if node is None:
            return ""
        value, allowed = plain(node), get_args(Workflow)
        if value not in allowed:
            shown = value if isinstance(value, str) else kind(node)
            self._report(node, unknown("workflow", shown, allowed))
            return ""
        return str(value)

    def _sent(self, node: Node | None, what: str) -> tuple[Texts, ...]:
        """Texts for all messages together, or a list with a mapping for each connection."""
        if node is None or isinstance(plain(node), bool):
            return ()
        if isinstance(node, Sequence) and any(isinstance(one, Mapping) for one in node.items):
            return tuple(self._texts(one, what) for one in node.items)
        return (self._texts(node, what),)

    def _texts(self, node: Node, what: str) -> Texts:
        if not isinstance(node, Mapping):
            return Texts(self._list(node, what))
        allowed = _TEXTS[:2] if what == "note" else _TEXTS
        for key, place in node.keys.items():
            if key not in allowed:
                self._problems.append(Problem(place, unknown(f"key in {what}:", key, allowed)))
        entries = node.entries
        return Texts(
            self._list(entries["contains"], "contains") if "contains" in entries else (),
            self._list(entries["lacks"], "lacks") if "lacks" in entries else (),
            self._text(entries["to"], "to") if "to" in entries and what != "note" else "",
        )

    def _list(self, node: Node, what: str) -> tuple[str, ...]:
        items = node.items if isinstance(node, Sequence) else (node,)
        return tuple(self._text(item, what) for item in items)

    def _text(self, node: Node, what: str) -> str:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value:
            self._report(node, f"`{what}` must be text, not {kind(node)}")
            return ""
        return value

    def _ticket(self, node: Node | None) -> dict[str, Any] | None:
        if node is None or plain(node) is False:
            return None
        if not isinstance(node, Mapping):
            self._report(node, "`ticket` is false, how that step ends, or a mapping of its fields")
            return None
        for key, place in node.keys.items():
            if key not in TICKET:
                self._problems.append(Problem(place, unknown("field of a ticket:", key, TICKET)))
        found: dict[str, Any] = plain(node)
        return found

    def _finding(self, node: Node | None) -> dict[str, Any]:
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self._report(node, f"`finding` must be a mapping of fields, not {kind(node)}")
            return {}
        found: dict[str, Any] = plain(node)
        return found

    def _report(self, node: Node, text: str) -> None:
        place: Place = node.place
        self._problems.append(Problem(place, text))
