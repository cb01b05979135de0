"""Which names an expression or template may use, and whether what it reads of them exists."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import TemplateError, nodes
from jinja2.meta import find_undeclared_variables

from hub_responder.errors import ExpressionError
from hub_responder.expressions import check_expression, check_template, environment
from hub_responder.markdown.template import compile_template
from hub_responder.markdown.template import environment as message_environment
from hub_toolkit.playbooks.problems import unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

FUNCTIONS = frozenset({"open", "seen", "tag"})
EVERYWHERE = FUNCTIONS | {"trigger", "now", "params", "table"}
GROUP = EVERYWHERE | {"finding"}
"""``group_by`` runs before there is an incident."""
STEP = EVERYWHERE | {"incident", "finding", "playbook"}
"""Steps and message templates also see the steps before them; ``finding`` is the worst one."""
ROUTE = STEP - {"params"}
"""Routes are shared by playbooks: they see neither steps nor params."""


def names_of(text: str) -> set[str]:
    """The names that the bare expression ``text``, which was checked, uses."""
    return check_expression(text, STEP | {"table"} | FUNCTIONS)


class Scope:
    """The names at one point of a playbook, and the attributes of those that are known.

    Args:
        names: the names.
        attributes: name -> what can be read of it, for `params` and for steps.
    """

    def __init__(
        self, names: Collection[str], attributes: Mapping[str, Collection[str]] | None = None
    ) -> None:
        self._names = frozenset(names)
        self._attributes = dict(attributes or {})

    def expression(self, text: str) -> set[str]:
        """The names that the bare expression ``text`` uses.

        Raises:
            ExpressionError: it does not parse, or uses what is not there.
        """
        used = check_expression(text, self._names)
        # The parser took the text as one expression, so that nothing in it can close the braces.
        self._check_attributes("{{ " + text + " }}")
        return used

    def template(self, text: str) -> set[str]:
        """The names that the template ``text`` uses.

        Raises:
            ExpressionError: it does not parse, or uses what is not there.
        """
        used = check_template(text, self._names)
        self._check_attributes(text)
        return used

    def message(self, text: str) -> set[str]:
        """The names that the message template ``text`` uses.

        Raises:
            ExpressionError: as `template`; messages have filters of their own, and no macros.
        """
        used, reads = _read_message(text)
        missing = sorted(used - self._names)
        if missing:
            raise ExpressionError(unknown("name", missing[0], self._names))
        self._check_reads(reads)
        return set(used)

    def _check_attributes(self, text: str) -> None:
        try:
            tree = environment().parse(text)
        except TemplateError:  # said better by the check before
            return
        self._check_reads(_reads(tree))

    def _check_reads(self, reads: Iterable[tuple[str, str]]) -> None:
        for name, attribute in reads:
            known = self._attributes.get(name)
            if known is not None and attribute not in known:
                raise ExpressionError(unknown("result", f"{name}.{attribute}", _of(name, known)))


@lru_cache(maxsize=256)
def _read_message(text: str) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """The names that a message uses and what it reads of them; each stage asks for it again."""
    compile_template(text)
    tree = message_environment().parse(text)
    return frozenset(find_undeclared_variables(tree)), tuple(_reads(tree))


def _of(name: str, attributes: Collection[str]) -> list[str]:
    return [f"{name}.{attribute}" for attribute in attributes]


def _reads(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    for read in tree.find_all(nodes.Getattr):
        if isinstance(read.node, nodes.Name):
            yield read.node.name, read.attr
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and isinstance(item.arg, nodes.Const):
            yield item.node.name, str(item.arg.value)
