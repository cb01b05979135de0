"""The names at one point of a playbook, and whether a text there suits it.

It must read what exists, and give what is needed: true or false, text, what a parameter takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError, nodes
from jinja2.meta import find_undeclared_variables

from hub_responder.errors import ExpressionError
from hub_responder.expressions import environment
from hub_responder.markdown.template import compile_template
from hub_responder.markdown.template import environment as message_environment
from hub_toolkit.playbooks import demands, kinds, parsing, vocabulary
from hub_toolkit.playbooks.infer import Reader
from hub_toolkit.playbooks.kinds import TEXT
from hub_toolkit.playbooks.names import Names
from hub_toolkit.playbooks.parsing import TOO_DEEP, Remark, Unparsable
from hub_toolkit.playbooks.problems import Place, Problem
from hub_toolkit.playbooks.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from jinja2 import Environment

    from hub_toolkit.playbooks.document import Scalar
    from hub_toolkit.playbooks.kinds import Kind

FUNCTIONS = frozenset(vocabulary.FUNCTIONS)
EVERYWHERE = FUNCTIONS | {"trigger", "now", "params", "table"}
GROUP = EVERYWHERE | {"finding"}
"""``group_by`` and conditions on findings run before there is an incident."""
STEP = EVERYWHERE | {"incident", "finding", "playbook"}
"""Steps and message templates also see the steps before them; ``finding`` is the worst one."""
ROUTE = STEP - {"params"}
"""Routes are shared by playbooks: they see neither steps nor params."""

_LINE = re.compile(r"line (\d+): ")


def names_of(text: str) -> set[str]:
    """The names that the bare expression ``text`` uses; none where something is wrong with it."""
    try:
        tree = nodes.Template([nodes.Output([parsing.expression(text, environment())])], lineno=0)
        return _names_in(tree, environment())
    except (Unparsable, TemplateError, RecursionError):
        return set()


@dataclass(frozen=True, slots=True)
class Around:
    """What a playbook's expressions see besides the playbook.

    Attributes:
        schemas: those in which its findings come, ASFF or OCSF; empty: not known.
        calendars: names of the stage's calendars; None: not known.
        tables: the look-up tables by name; None: not known.
    """

    schemas: frozenset[str] = frozenset()
    calendars: Collection[str] | None = None
    tables: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The names at one point.

    Attributes:
        names: those of `GROUP`, `STEP` or `ROUTE`.
        more: kinds of further names, or of names that are known better here.
        later: names that cannot be read here, and why.
    """

    names: frozenset[str]
    around: Around = field(default_factory=Around)
    more: Mapping[str, Kind] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)

    def condition(self, node: Scalar, problems: list[Problem]) -> set[str]:
        """The names that a bare expression uses, which must give true or false."""
        return self._expression(node, demands.boolean, problems)

    def text(self, node: Scalar, problems: list[Problem]) -> set[str]:
        """The names that a bare expression uses, which must give text or a number."""
        return self._expression(node, demands.text, problems)

    def template(self, node: Scalar, wanted: Kind, problems: list[Problem]) -> set[str]:
        """The names that a template uses, whose value a parameter of kind ``wanted`` takes."""
        text, reader = str(node.value), self._reader(environment())
        if "{{" not in text:  # the engine fills in texts with these only
            reader.say(0, "this is no template without {{ }}: write {{ 'a' if b else 'c' }}")
            return _told(reader.remarks, node.at, problems)
        try:
            tree = parsing.template(text, environment())
        except Unparsable as error:
            return _told([error.remark], node.at, problems)

        def read() -> None:
            lone = _lone(tree)
            given: Kind = TEXT
            if lone is not None:
                given = reader.value(lone, self._names())
            else:
                Walk(reader, lambda _: "").body(tree.body, self._names())
            wrong = demands.fits(given, wanted)
            if wrong:
                reader.say(0 if lone is None else lone, wrong)

        return self._read(reader, read, lambda: _used(tree, reader), node.at, problems)

    def message(self, text: str, file: str, problems: list[Problem]) -> set[str]:
        """The names that the message template ``text`` of ``file`` uses."""

        def at(offset: int) -> Place:
            before = parsing.normal(text)[:offset]
            return Place(file, before.count("\n") + 1, offset - before.rfind("\n"))

        reader = self._reader(message_environment())
        try:
            tree = _message(text)
        except Unparsable as error:
            return _told([error.remark], at, problems)

        def read() -> None:
            Walk(reader, demands.shown).body(tree.body, self._names())

        names = self._read(reader, read, lambda: set(_message_names(text)), at, problems)
        wrong = "" if reader.wrong else _uncompilable(text)
        if wrong:
            found = _LINE.match(wrong)
            place = Place(file, int(found[1]), 1) if found else Place(file)
            problems.append(Problem(place, _LINE.sub("", wrong, count=1)))
        return names

    def _expression(
        self,
        node: Scalar,
        demand: Callable[[Kind, nodes.Expr], Remark | None],
        problems: list[Problem],
    ) -> set[str]:
        text = str(node.value)
        if "{{" in text or "{%" in text:
            where = node.at(text.find("{{") if "{{" in text else text.find("{%"))
            problems.append(Problem(where, "this is a bare expression: leave {{ }} away"))
            return set()
        try:
            tree = parsing.expression(text, environment())
        except Unparsable as error:
            return _told([error.remark], node.at, problems)
        reader = self._reader(environment())

        def read() -> None:
            remark = demand(reader.value(tree, self._names()), tree)
            if remark is not None:
                reader.remarks.append(remark)

        whole = nodes.Template([nodes.Output([tree])], lineno=0)
        return self._read(reader, read, lambda: _used(whole, reader), node.at, problems)

    def _read(
        self,
        reader: Reader,
        read: Callable[[], None],
        used: Callable[[], set[str]],
        at: Callable[[int], Place],
        problems: list[Problem],
    ) -> set[str]:
        """Add what ``read`` remarks; what ``used`` says and what is looked up, unless something is
        wrong."""
        names: set[str] = set()
        try:
            read()
            names = set() if reader.wrong else used() | reader.looked_up
        except RecursionError:
            reader.remarks.append(TOO_DEEP)
        _told(reader.remarks, at, problems)
        return names

    def _reader(self, chosen: Any) -> Reader:
        return Reader(chosen, self.around.calendars, lasting="incident" in self.names)

    def _names(self) -> Names:
        known = vocabulary.variables(self.around.schemas)
        held: dict[str, Kind] = {name: known[name] for name in self.names}
        if self.around.tables is not None and "table" in held:
            held["table"] = vocabulary.tables(self.around.tables)
        return Names({**held, **self.more}, self.later)


def params(values: Mapping[str, Any]) -> Kind:
    """The kind of a playbook's ``params``."""
    return kinds.Record("params", lambda: kinds.of_values(values), mapping=True)


def before_steps(values: Mapping[str, Any], around: Around, steps: Collection[str]) -> Scope:
    """The scope of conditions on findings and of ``group_by``."""
    later = {step: f"`{step}` is a step: no step has run yet here" for step in steps}
    later["incident"] = "there is no `incident` yet: only `finding` is known here"
    return Scope(GROUP, around, {"params": params(values)}, later)


@lru_cache(maxsize=256)
def _message(text: str) -> nodes.Template:
    """The tree of a message; each stage asks for it again."""
    return parsing.template(text, message_environment())


@lru_cache(maxsize=256)
def _message_names(text: str) -> frozenset[str]:
    """The names that a message uses in which nothing is wrong."""
    return frozenset(_names_in(_message(text), message_environment()))


@lru_cache(maxsize=256)
def _uncompilable(text: str) -> str:
    """Why a message cannot be compiled, beginning with its line where that is known; or empty."""
    try:
        compile_template(text)
    except ExpressionError as error:
        return str(error)
    return ""


def _used(tree: nodes.Template, reader: Reader) -> set[str]:
    return _names_in(tree, reader.environment)


def _names_in(tree: nodes.Template, chosen: Environment) -> set[str]:
    tree.set_environment(chosen)
    return find_undeclared_variables(tree)


def _lone(tree: nodes.Template) -> nodes.Expr | None:
    """The one expression of a template that is nothing else: its value keeps its type."""
    parts = [part for one in tree.body if isinstance(one, nodes.Output) for part in one.nodes]
    said = [p for p in parts if not (isinstance(p, nodes.TemplateData) and not p.data.strip())]
    if len(said) != 1 or isinstance(said[0], nodes.TemplateData):
        return None
    return said[0] if all(isinstance(one, nodes.Output) for one in tree.body) else None


def _told(
    remarks: Collection[Remark], at: Callable[[int], Place], problems: list[Problem]
) -> set[str]:
    """Add the remarks to ``problems``; always an empty set."""
    problems += [Problem(at(one.offset), one.text, one.warning) for one in sorted(set(remarks))]
    return set()
