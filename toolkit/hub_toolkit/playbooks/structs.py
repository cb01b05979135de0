"""Checks a mapping against a msgspec struct, field by field, with the place of each error."""

from __future__ import annotations

from collections import abc
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec
from msgspec import inspect

from hub_toolkit.playbooks import demands
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, Sequence, plain
from hub_toolkit.playbooks.kinds import ANYTHING, of_annotation, of_value
from hub_toolkit.playbooks.problems import Problem, unknown
from hub_toolkit.playbooks.values import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub_toolkit.playbooks.kinds import Kind


def check(
    node: Mapping,
    struct: type[msgspec.Struct],
    what: str,
    problems: list[Problem],
    *,
    value_of: Callable[[Node], Any] = plain,
) -> dict[str, Any]:
    """The values of ``node`` that suit ``struct``; what does not is added to ``problems``.

    Args:
        node: what was read.
        struct: what it must be.
        what: its name in problems, as ``notify`` or ``connection soc-chat``.
        problems: where problems are added.
        value_of: the value to check for a node; `msgspec.UNSET` takes it as it is written.

    Durations (``24h``) become seconds where the field is a number.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    before = len(problems)
    for key, place in node.keys.items():
        if key not in fields:
            problems.append(Problem(place, unknown(f"key in {what}:", key, fields)))
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key not in node.entries:
            if field.required:
                problems.append(Problem(node.place, f"{what} lacks `{key}`"))
            continue
        value = node.entries[key]
        entries = _entries(field.type)
        if entries is not None and isinstance(value, Mapping):
            values[key] = _check_entries(value, key, entries, problems, value_of)
            continue
        checked = value_of(value)
        values[key] = plain(value)
        if checked is msgspec.UNSET:
            continue
        seconds = duration(checked)
        if seconds is not None and not mistake(seconds, field.type):
            values[key] = seconds
            continue
        wrong = mistake(checked, field.type)
        if wrong:
            problems.append(Problem(value.place, f"`{key}`: {wrong}"))
    if len(problems) == before and not any(
        mistake(values[key], fields[key].type) for key in values
    ):
        try:
            msgspec.convert(values, struct)
        except msgspec.ValidationError as error:  # what its fields must be together
            problems.append(Problem(node.place, f"{what}: {error}"))
    return values


def _entries(kind: Any) -> tuple[Any, Any] | None:
    """Of the type of a mapping: what its keys and values are."""
    if get_origin(kind) not in (dict, abc.Mapping):
        return None
    key, value = get_args(kind)
    return key, value


def _check_entries(
    node: Mapping,
    name: str,
    wanted: tuple[Any, Any],
    problems: list[Problem],
    value_of: Callable[[Node], Any],
) -> dict[str, Any]:
    """The entries of a mapping, each checked at its own place."""
    values: dict[str, Any] = {}
    for key, value in node.entries.items():
        wrong = mistake(key, wanted[0])
        if wrong:
            problems.append(Problem(node.keys[key], f"`{name}`: {wrong}"))
        checked = value_of(value)
        values[key] = plain(value)
        if checked is msgspec.UNSET:
            continue
        seconds = duration(checked)
        if seconds is not None and not mistake(seconds, wanted[1]):
            values[key] = seconds
            continue
        wrong = mistake(checked, wanted[1])
        if wrong:
            problems.append(Problem(value.place, f"`{name}.{key}`: {wrong}"))
    return values


def mistake(value: Any, kind: Any) -> str:
    """What is wrong with a plain value where ``kind`` is wanted, or empty."""
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        return _say(value, kind, error)
    return ""


def fallback(struct: type[msgspec.Struct], key: str) -> Any:
    """The default of a field, or None."""
    for field in msgspec.structs.fields(struct):
        if field.encode_name == key and field.default is not msgspec.NODEFAULT:
            return field.default
    return None


def kinds(struct: type[msgspec.Struct]) -> dict[str, Kind]:
    """What each field of ``struct`` takes."""
    return {
        field.encode_name: of_annotation(field.type) for field in msgspec.structs.fields(struct)
    }


def texts(node: Node) -> Iterator[tuple[str, Scalar]]:
    """Every text below ``node`` with its node."""
    if isinstance(node, Mapping):
        for value in node.entries.values():
            yield from texts(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from texts(item)
    elif isinstance(node.value, str):
        yield node.value, node


def _say(value: Any, kind: Any, error: msgspec.ValidationError) -> str:
    allowed = list(_literals(inspect.type_info(kind)))
    given = value if isinstance(value, list) else [value]
    wrong = [item for item in given if isinstance(item, str) and item not in allowed]
    if allowed and wrong:
        return unknown("value", wrong[0], allowed)
    wanted = of_annotation(kind)
    if wanted != ANYTHING and demands.fits(of_value(value), wanted):
        return f"must be {wanted}, not {of_value(value)}"
    text = str(error).split(" - at `")[0]
    return text[:1].lower() + text[1:]


def _literals(kind: inspect.Type) -> Iterator[str]:
    if isinstance(kind, inspect.LiteralType):
        yield from (str(value) for value in kind.values)
    elif isinstance(kind, inspect.EnumType):
        yield from (str(member.value) for member in kind.cls)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _literals(one)
    elif isinstance(kind, inspect.CollectionType | inspect.VarTupleType):
        yield from _literals(kind.item_type)
    elif isinstance(kind, inspect.Metadata):
        yield from _literals(kind.type)
