"""Reads expressions before they run: what each part gives, and what cannot be right.

A mistake is said once, at the character where it stands; what it is part of is then `ANYTHING`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jinja2 import nodes

from hub_toolkit.playbooks import arguments, calling, comparing, reading
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
    of_value,
    without_nothing,
)
from hub_toolkit.playbooks.parsing import Remark
from hub_toolkit.playbooks.problems import unknown
from hub_toolkit.playbooks.trees import path, start, sure
from hub_toolkit.playbooks.vocabulary import ITERATING_FILTERS, LOOKED_UP

if TYPE_CHECKING:
    from collections.abc import Collection

    from jinja2 import Environment

    from hub_toolkit.playbooks.kinds import Kind
    from hub_toolkit.playbooks.names import Names


@dataclass(slots=True)
class Reader:
    """Reads the expressions of one text.

    Attributes:
        environment: whose filters and tests there are.
        calendars: those of the stage's settings; None: not known.
        lasting: the text is about an incident, whose findings may have lost their ``raw``.
        remarks: what was found.
        looked_up: which look-ups it makes, of `LOOKED_UP`.
    """

    environment: Environment
    calendars: Collection[str] | None = None
    lasting: bool = False
    remarks: list[Remark] = field(default_factory=list)
    looked_up: set[str] = field(default_factory=set)

    @property
    def wrong(self) -> bool:
        """Something is wrong, not only unwise."""
        return any(not remark.warning for remark in self.remarks)

    def say(self, node: nodes.Node | int, text: str, *, warning: bool = False) -> None:
        """Remark on a node, or on the character at an offset."""
        offset = node if isinstance(node, int) else start(node)
        self.remarks.append(Remark(offset, text, warning))

    def value(self, node: nodes.Expr, names: Names) -> Kind:
        """The kind of what ``node`` gives, which is no function."""
        kind = self.kind(node, names)
        if isinstance(kind, Function):
            form = f"{kind.name}({', '.join(kind.parameters)})"
            self.say(node, f"`{kind.name}` is a function: write {form}")
            return ANYTHING
        return kind

    def kind(self, node: nodes.Expr, names: Names) -> Kind:
        """The kind of what ``node`` gives; functions too."""
        read = getattr(self, f"_{type(node).__name__.lower()}", None)
        if read is not None:
            found: Kind = read(node, names)
            return found
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                self.value(child, names)
        return ANYTHING

    # Names and literals

    def _name(self, node: nodes.Name, names: Names) -> Kind:
        if node.name in names.kinds:
            kind = names.kinds[node.name]
            return without_nothing(kind) if node.name in names.sure else kind
        if node.name in names.later:
            self.say(node, names.later[node.name])
        else:
            self.say(node, unknown("name", node.name, names.kinds))
        return ANYTHING

    def _const(self, node: nodes.Const, _names: Names) -> Kind:
        if node.value is None:
            return NOTHING
        return Choice((node.value,)) if isinstance(node.value, str) else of_value(node.value)

    def _templatedata(self, _node: nodes.TemplateData, _names: Names) -> Kind:
        return TEXT

    def _list(self, node: nodes.List | nodes.Tuple, names: Names) -> Kind:
        return ListOf(join([self.value(item, names) for item in node.items]))

    _tuple = _list

    def _dict(self, node: nodes.Dict, names: Names) -> Kind:
        for pair in node.items:
            self.value(pair.key, names)
        return MapOf(join([self.value(pair.value, names) for pair in node.items]))

    # Parts of values

    def _getattr(self, node: nodes.Getattr, names: Names) -> Kind:
        return self._part(node, node.attr, names)

    def _getitem(self, node: nodes.Getitem, names: Names) -> Kind:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._part(node, node.arg.value, names)
        base = self.value(node.node, names)
        if isinstance(node.arg, nodes.Slice):
            for bound in (node.arg.start, node.arg.stop, node.arg.step):
                if bound is not None:
                    self.value(bound, names)
            return base if isinstance(base, ListOf) else TEXT if is_text(base) else ANYTHING
        self.value(node.arg, names)
        return reading.item(base)

    def _part(self, node: nodes.Getattr | nodes.Getitem, name: str, names: Names) -> Kind:
        base = self.value(node.node, names)
        said = path(node.node)
        if NOTHING in each(base) and base != NOTHING and said not in names.sure:
            about = said or "this"
            text = f"`{about}` can be none, which has no `{name}`: ask `if {about}` before"
            self.say(node.node, text, warning=True)
        if name == "raw" and self.lasting and getattr(base, "name", "") == "finding":
            text = "`raw` is empty once findings have waited: read it in only_if or group_by"
            self.say(node.lineno + 1, text, warning=True)
        found, text = reading.part(without_nothing(base), name, said)
        if text:
            self.say(node.lineno + 1, text)
        records = (one.name for one in each(base) if isinstance(one, Record))
        self.looked_up.update(
            LOOKED_UP[key] for one in records if (key := (one, name)) in LOOKED_UP
        )
        return without_nothing(found) if path(node) in names.sure else found

    # Operators

    def _not(self, node: nodes.Not, names: Names) -> Kind:
        self.value(node.node, names)
        return BOOLEAN

    def _and(self, node: nodes.And, names: Names) -> Kind:
        left = self.value(node.left, names)
        right = self.value(node.right, names.knowing(sure(node.left, truth=True)))
        return join([left, right])

    def _or(self, node: nodes.Or, names: Names) -> Kind:
        left = self.value(node.left, names)
        right = self.value(node.right, names.knowing(sure(node.left, truth=False)))
        return join([without_nothing(left) if left != NOTHING else right, right])

    def _condexpr(self, node: nodes.CondExpr, names: Names) -> Kind:
        self.value(node.test, names)
        yes = self.value(node.expr1, names.knowing(sure(node.test, truth=True)))
        if node.expr2 is None:
            return yes
        return join([yes, self.value(node.expr2, names.knowing(sure(node.test, truth=False)))])

    def _compare(self, node: nodes.Compare, names: Names) -> Kind:
        left_node, left = node.expr, self.value(node.expr, names)
        for operand in node.ops:
            right = self.value(operand.expr, names)
            if operand.op in ("gt", "gteq", "lt", "lteq"):
                for one, kind in ((left_node, left), (operand.expr, right)):
                    self._never_none(one, kind, "order")
            elif operand.op in comparing.MEMBERSHIP:
                self._never_none(operand.expr, right, "items")
            said = f"`{path(left_node)}`" if path(left_node) else str(left)
            listed = operand.expr
            if isinstance(listed, nodes.List | nodes.Tuple) and operand.op in comparing.MEMBERSHIP:
                for item in listed.items:
                    kind = self.value(item, names)
                    self._compared("eq", (left_node, left), (item, kind), said)
            else:
                self._compared(operand.op, (left_node, left), (operand.expr, right), said)
            left_node, left = operand.expr, right
        return BOOLEAN

    def _compared(
        self,
        operator: str,
        left: tuple[nodes.Expr, Kind],
        right: tuple[nodes.Expr, Kind],
        said: str,
    ) -> None:
        """Say what is wrong for all kinds of both sides; for some of them it is a warning."""
        pairs = [
            list(comparing.mistakes(operator, one, other, said))
            for one in each(without_nothing(left[1]))
            for other in each(without_nothing(right[1]))
        ]
        wrong = next((found for found in pairs if found), [])
        harmless = operator in comparing.EQUALITY and SEVERITY not in (left[1], right[1])
        if not wrong or (harmless and not all(pairs)):
            return
        for at_left, text in wrong:
            self.say(left[0] if at_left else right[0], text, warning=not all(pairs))

    def _never_none(self, node: nodes.Expr, kind: Kind, lacks: str) -> None:
        """Warn where ``node`` can be none, which has no order, no items, no sum."""
        if NOTHING in each(kind) and kind != NOTHING:
            said = path(node) or "this"
            text = f"`{said}` can be none, which has no {lacks}"
            number = without_nothing(kind) == NUMBER
            hint = f"write `({said} or 0)`" if number else f"ask `{said} and` before"
            self.say(node, f"{text}: {hint}", warning=True)

    def _add(self, node: nodes.Add, names: Names) -> Kind:
        left, right = self.value(node.left, names), self.value(node.right, names)
        for side, kind in ((node.left, left), (node.right, right)):
            self._never_none(side, kind, "sum")
        left, right = without_nothing(left), without_nothing(right)
        sums = [comparing.added(one, other) for one in each(left) for other in each(right)]
        if None in sums:
            hint = ": write `~`" if NUMBER in (left, right) else ""
            self.say(node.right, f"`+` cannot add {right} to {left}{hint}", warning=any(sums))
        return join([one for one in sums if one is not None])

    def _arithmetic(self, node: nodes.BinExpr, names: Names) -> Kind:
        for side in (node.left, node.right):
            kind = self.value(side, names)
            self._never_none(side, kind, "sum")
            if without_nothing(kind) not in (NUMBER, BOOLEAN, ANYTHING):
                self.say(side, f"`{node.operator}` works on numbers, not on {kind}")
        return NUMBER

    _sub = _mul = _div = _floordiv = _mod = _pow = _arithmetic

    def _neg(self, node: nodes.UnaryExpr, names: Names) -> Kind:
        self.value(node.node, names)
        return NUMBER

    _pos = _neg

    def _concat(self, node: nodes.Concat, names: Names) -> Kind:
        for part in node.nodes:
            self.value(part, names)
        return TEXT

    # Calls

    def _call(self, node: nodes.Call, names: Names) -> Kind:
        called = self.kind(node.node, names)
        given = [self.value(one, names) for one in node.args]
        named = {one.key: self.value(one.value, names) for one in node.kwargs}
        for text in calling.mistakes(called, given, named, path(node.node)):
            self.say(node.node, text)
        if not isinstance(called, Function):
            return ANYTHING
        for argument, text in arguments.mistakes(called, node, self.calendars):
            self.say(argument, text)
        return called.gives(given)

    def _filter(self, node: nodes.Filter, names: Names) -> Kind:
        given = self.value(node.node, names) if node.node is not None else TEXT
        given_to = [self.value(one, names) for one in node.args]
        keywords = {one.key: one.value for one in node.kwargs}
        for one in keywords.values():
            self.value(one, names)
        if node.name not in self.environment.filters:
            self.say(node, unknown("filter", node.name, self.environment.filters))
            return ANYTHING
        if node.name in ITERATING_FILTERS and node.node is not None:
            self._never_none(node.node, given, "items")
            possible = each(without_nothing(given))
            wrong = [one for one in possible if not calling.is_iterable(one)]
            if wrong:
                text = f"`{node.name}` takes a list or a text, not {wrong[0]}"
                self.say(node, text, warning=len(wrong) < len(possible))
        attribute = calling.attribute(node)
        result, text = calling.filtered(node.name, given, given_to, attribute)
        if text:
            self.say(calling.attribute_node(node) or node, text)
        return result

    def _test(self, node: nodes.Test, names: Names) -> Kind:
        if not (node.name in ("defined", "undefined") and isinstance(node.node, nodes.Name)):
            self.value(node.node, names)
        for one in [*node.args, *(keyword.value for keyword in node.kwargs)]:
            self.value(one, names)
        if node.name not in self.environment.tests:
            words = [name for name in self.environment.tests if name.isidentifier()]
            self.say(node.lineno, unknown("test", node.name, words))
        return BOOLEAN
