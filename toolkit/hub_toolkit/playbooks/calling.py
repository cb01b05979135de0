"""What calls and filters give, and what is wrong with their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from hub_toolkit.playbooks import reading
from hub_toolkit.playbooks.kinds import (
    ANYTHING,
    NUMBER,
    TEXT,
    Choice,
    Function,
    ListOf,
    MapOf,
    Record,
    Simple,
    is_text,
    join,
)
from hub_toolkit.playbooks.problems import unknown
from hub_toolkit.playbooks.vocabulary import (
    ATTRIBUTE_FILTERS,
    ITEM_FILTERS,
    NUMBER_FILTERS,
    SAME_LIST_FILTERS,
    TALLY,
    TEXT_FILTERS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hub_toolkit.playbooks.kinds import Kind


def mistakes(
    called: Kind, given: Sequence[Kind], named: Mapping[str, Kind], said: str
) -> Iterator[str]:
    """What is wrong with calling ``called`` with positional and named arguments."""
    if called == ANYTHING:
        return
    if not isinstance(called, Function):
        yield f"`{said}` is {called}, no function" if said else f"{called} is no function"
        return
    if called.required < 0:  # a method of Python's: its own errors say what it takes
        return
    parameters = called.parameters
    form = f"{called.name}({', '.join(parameters)})"
    for key in named:
        if key not in parameters:
            yield unknown(f"argument of {form}:", key, parameters)
    filled = [*list(parameters)[: len(given)], *named]
    if len(given) > len(parameters):
        yield f"{form} takes {len(parameters)}, not {len(given)}"
    elif len(filled) != len(set(filled)):
        yield f"{form} is given an argument twice"
    elif missing := [name for name in list(parameters)[: called.required] if name not in filled]:
        yield f"{form} lacks {', '.join(missing)}"
    for name, kind in [*zip(parameters, given, strict=False), *named.items()]:
        wanted = parameters.get(name, ANYTHING)
        if not _suits(kind, wanted):
            yield f"`{name}` of {form} is {wanted}, not {kind}"


def _suits(kind: Kind, wanted: Kind) -> bool:
    if wanted == TEXT:
        return is_text(kind) or not isinstance(kind, Simple | ListOf | MapOf) or kind == ANYTHING
    if wanted == NUMBER:
        return kind in (NUMBER, ANYTHING) or not isinstance(kind, Simple | Choice | ListOf | MapOf)
    return True


def attribute_node(node: nodes.Filter) -> nodes.Const | None:
    """The constant that names the attribute which a filter reads, if it does."""
    if node.name not in ATTRIBUTE_FILTERS:
        return None
    position = ATTRIBUTE_FILTERS[node.name]
    given = next((one.value for one in node.kwargs if one.key == "attribute"), None)
    if given is None and position is not None and len(node.args) > position:
        given = node.args[position]
    is_text_constant = isinstance(given, nodes.Const) and isinstance(given.value, str)
    return given if is_text_constant and isinstance(given, nodes.Const) else None


def attribute(node: nodes.Filter) -> str:
    """The attribute that a filter reads of the items of a list, or empty."""
    named = attribute_node(node)
    return str(named.value) if named is not None else ""


def filtered(
    name: str, given: Kind, arguments: Sequence[Kind], attribute_name: str
) -> tuple[Kind, str]:
    """What filter ``name`` makes of ``given``, and what is wrong, or empty."""
    read: Kind = ANYTHING
    if attribute_name and isinstance(given, ListOf):
        read, text = given.item, ""
        for one in attribute_name.split("."):
            read, text = reading.part(read, one, "") if not one.isdigit() else (ANYTHING, "")
            if text:
                return ANYTHING, text
    wanted = {"tally": "incident", "console_url": "finding"}.get(name)
    known = isinstance(given, Record | ListOf | MapOf | Choice) or given in (TEXT, NUMBER)
    if wanted and known and not (isinstance(given, Record) and given.name == wanted):
        return ANYTHING, f"`{name}` takes {_article(wanted)}, not {given}"
    return _result(name, given, arguments, read), ""


def is_iterable(kind: Kind) -> bool:
    """Whether one kind has items: a list, a mapping's keys, a text's letters."""
    mapping = isinstance(kind, MapOf) or (isinstance(kind, Record) and kind.mapping)
    return mapping or isinstance(kind, ListOf | Choice) or kind in (TEXT, ANYTHING)


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _result(name: str, given: Kind, arguments: Sequence[Kind], read: Kind) -> Kind:
    item = reading.item(given)
    results: list[tuple[Collection[str], Kind]] = [
        (("tally",), TALLY),
        (TEXT_FILTERS, TEXT),
        (NUMBER_FILTERS, NUMBER),
        (SAME_LIST_FILTERS, ListOf(TEXT) if isinstance(given, MapOf) else ListOf(item)),
        (ITEM_FILTERS, item),
        (("map",), ListOf(read)),
        (("d", "default"), join([given, *arguments[:1]])),
    ]
    return next((kind for names, kind in results if name in names), ANYTHING)
