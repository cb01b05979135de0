"""Which variables a step's expressions and its message template read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, TemplateError, nodes
from jinja2.meta import find_undeclared_variables

from hub_responder.expressions import environment
from hub_responder.markdown.template import environment as message_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hub_responder.playbook import Step


def of_step(step: Step, templates: Mapping[str, str]) -> list[str]:
    """What ``step`` reads, sorted, as ``coverage.verdict``, ``incident.severity`` or ``now``.

    Args:
        templates: file name -> content of the playbook's message templates, all languages.
    """
    found: set[str] = set()
    if step.if_ is not None:
        found |= _read(environment(), "{{ " + step.if_ + " }}")
    for text in _texts(step.with_):
        found |= _read(environment(), text)
    chosen = step.with_.get("template")
    if isinstance(chosen, str):
        for name in variants(chosen, templates):
            found |= _read(message_environment(), templates[name])
    parts = {one.partition(".")[0] for one in found if "." in one}
    return sorted(found - parts)


def variants(template: str, templates: Iterable[str]) -> list[str]:
    """The file names of ``template`` in its languages: ``message.ja.md.j2``."""
    stem = template.removesuffix(".md.j2")
    return [
        name
        for name in templates
        if name == template or (name.startswith(f"{stem}.") and name.count(".") == _DOTS)
    ]


_DOTS = 3
"""In the name of a language's variant."""


@lru_cache(maxsize=512)
def _read(chosen: Environment, text: str) -> frozenset[str]:
    """The variables of ``text``, each with the first attribute that is read of it."""
    try:
        tree = chosen.parse(text)
    except TemplateError:  # the loader has refused it already
        return frozenset()
    free = find_undeclared_variables(tree)
    found = set(free)
    for name, attribute in (*_attributes(tree), *_items(tree)):
        if name in free:
            found.add(f"{name}.{attribute}")
    return frozenset(found)


def _attributes(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    for read in tree.find_all(nodes.Getattr):
        if isinstance(read.node, nodes.Name):
            yield read.node.name, read.attr


def _items(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    for read in tree.find_all(nodes.Getitem):
        if isinstance(read.node, nodes.Name) and isinstance(read.arg, nodes.Const):
            yield read.node.name, str(read.arg.value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
