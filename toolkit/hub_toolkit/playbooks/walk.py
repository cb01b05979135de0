"""Reads a template's statements in their order, with the names that each leaves to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from jinja2 import nodes

from hub_toolkit.playbooks.infer import Reader
from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    TEXT,
    ListOf,
    MapOf,
    Record,
    each,
)
from hub_toolkit.playbooks.reading import item
from hub_toolkit.playbooks.trees import sure
from hub_toolkit.playbooks.vocabulary import LOOP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub_toolkit.playbooks.kinds import Kind
    from hub_toolkit.playbooks.names import Names

_NEEDS_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class Walk:
    """Reads one template.

    Args:
        reader: reads its expressions and keeps the remarks.
        shown: says what is wrong with putting out a value of a kind, or nothing.
    """

    def __init__(self, reader: Reader, shown: Callable[[Kind], str]) -> None:
        self._reader = reader
        self._shown = shown

    def body(self, body: Sequence[nodes.Node], names: Names) -> Names:
        """The names behind ``body``."""
        for node in body:
            names = self._statement(node, names)
        return names

    def _statement(self, node: nodes.Node, names: Names) -> Names:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    self._output(part, names)
            case nodes.If():
                return self._if(node, names)
            case nodes.For():
                self._for(node, names)
            case nodes.Assign():
                return self._bound(node.target, self._value(node.node, names), names)
            case nodes.AssignBlock():
                self.body(node.body, names)
                return self._bound(node.target, TEXT, names)
            case nodes.With():
                inner = names
                for target, value in zip(node.targets, node.values, strict=True):
                    inner = self._bound(target, self._reader.value(value, names), inner)
                self.body(node.body, inner)
            case nodes.Macro():
                inner = names.plus({argument.name: ANYTHING for argument in node.args})
                self.body(node.body, inner)
                return names.plus({node.name: ANYTHING})
            case _ if isinstance(node, _NEEDS_FILES):
                kind = type(node).__name__.lower()
                self._reader.say(node.lineno, f"there is nothing to {kind}: templates stand alone")
            case _:
                self._others(node, names)
        return names

    def _others(self, node: nodes.Node, names: Names) -> None:
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                self._reader.value(child, names)
            else:
                self._statement(child, names)

    def _output(self, node: nodes.Expr, names: Names) -> None:
        kind = self._reader.value(node, names)
        wrong = self._shown(kind)
        if wrong:
            self._reader.say(node, wrong)

    def _value(self, node: nodes.Node, names: Names) -> Kind:
        return self._reader.value(cast("nodes.Expr", node), names)

    def _if(self, node: nodes.If, names: Names) -> Names:
        ways, here = [], names
        for one in (node, *node.elif_):
            self._value(one.test, here)
            ways.append(self.body(one.body, here.knowing(sure(one.test, truth=True))))
            here = here.knowing(sure(one.test, truth=False))
        ways.append(self.body(node.else_, here))
        return names.after(ways)

    def _for(self, node: nodes.For, names: Names) -> None:
        kind = self._value(node.iter, names)
        if not any(map(_is_iterable, each(kind))):
            self._reader.say(node.iter, f"`for` goes over a list, not over {kind}")
        inner = self._bound(node.target, TEXT if isinstance(kind, MapOf) else item(kind), names)
        inner = inner.plus({"loop": LOOP})
        if node.test is not None:
            self._value(node.test, inner)
            inner = inner.knowing(sure(node.test, truth=True))
        self.body(node.body, inner)
        self.body(node.else_, names)

    def _bound(self, target: nodes.Node, kind: Kind, names: Names) -> Names:
        """With the names of an assignment's target."""
        if isinstance(target, nodes.Name):
            return names.plus({target.name: kind})
        if isinstance(target, nodes.Tuple):
            for part in target.items:
                names = self._bound(part, item(kind), names)
        return names


def _is_iterable(kind: Kind) -> bool:
    mapping = isinstance(kind, MapOf) or (isinstance(kind, Record) and kind.mapping)
    return mapping or kind == ANYTHING or isinstance(kind, ListOf)
