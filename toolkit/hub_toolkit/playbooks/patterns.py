"""EventBridge patterns: what a playbook's ``match`` may hold.

Sources: "Comparison operators for use in event patterns" and "Amazon EventBridge quotas" in the
EventBridge user guide.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from hub_responder.identifiers import asff_type
from hub_toolkit.playbooks import matching
from hub_toolkit.playbooks.document import Mapping, Node, Sequence, plain
from hub_toolkit.playbooks.fields import kind
from hub_toolkit.playbooks.problems import Problem, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASFF_GUARDED = frozenset({"RecordState", "Workflow", "WorkflowState"})
OCSF_GUARDED = frozenset({"activity_id", "activity_name", "status", "status_id"})
"""Fields that the rules match themselves: live findings act, finished ones close."""

MAX_PATTERN = 2048
"""Characters of a rule's pattern as JSON; a higher quota can be asked for, but is not assumed."""
_MAX_DEPTH = 12
_COMPARISONS = ("<", "<=", "=", ">=", ">")


def check(match: Node, schema: str, problems: list[Problem]) -> dict[str, Any]:
    """The pattern in ``match``, over one finding of ``schema`` (ASFF or OCSF)."""
    if not isinstance(match, Mapping):
        text = f"`match` must be a mapping of fields, not {kind(match)}"
        problems.append(Problem(match.place, text))
        return {}
    if not match.entries:
        problems.append(Problem(match.place, "`match` is empty: it would match every finding"))
    for field, place in _top_level(match):
        if field in (ASFF_GUARDED if schema == "ASFF" else OCSF_GUARDED):
            text = f"`{field}` cannot be matched: the rules do it (live findings act, others close)"
            problems.append(Problem(place, text))
    _object(match, "match", 0, problems)
    matching.check(match, schema, problems)
    pattern: dict[str, Any] = plain(match)
    return pattern


def _top_level(match: Mapping) -> Iterator[tuple[str, Any]]:
    for key, place in match.keys.items():
        node = match.entries[key]
        if key == "$or" and isinstance(node, Sequence):
            for item in node.items:
                if isinstance(item, Mapping):
                    yield from _top_level(item)
        else:
            yield key, place


def _object(node: Mapping, path: str, depth: int, problems: list[Problem]) -> None:
    if depth > _MAX_DEPTH:
        problems.append(Problem(node.place, f"{path} is nested too deep"))
        return
    for key, value in node.entries.items():
        here = f"{path}.{key}"
        if key == "$or":
            _alternatives(value, here, depth, problems)
        elif isinstance(value, Mapping):
            if value.entries:
                _object(value, here, depth + 1, problems)
            else:
                problems.append(Problem(value.place, f"{here} is an empty mapping"))
        elif isinstance(value, Sequence):
            _leaf(value, here, problems)
        else:
            text = f"{here} must be a list of values, as [{plain(value)}]"
            problems.append(Problem(value.place, text))


def _alternatives(node: Node, path: str, depth: int, problems: list[Problem]) -> None:
    items = node.items if isinstance(node, Sequence) else ()
    mappings = [item for item in items if isinstance(item, Mapping) and item.entries]
    if len(mappings) <= 1 or len(mappings) < len(items):
        problems.append(Problem(node.place, f"{path} must be a list of two or more mappings"))
        return
    for item in mappings:
        _object(item, path, depth + 1, problems)


def _leaf(node: Sequence, path: str, problems: list[Problem]) -> None:
    if not node.items:
        problems.append(Problem(node.place, f"{path} is an empty list: it would match nothing"))
    for item in node.items:
        if isinstance(item, Sequence):
            problems.append(Problem(item.place, f"{path} holds a list in a list"))
        elif isinstance(item, Mapping):
            _operator(item, path, problems)


def _operator(node: Mapping, path: str, problems: list[Problem]) -> None:
    if len(node.entries) != 1:
        problems.append(Problem(node.place, f"{path}: one operator for each {{ }}"))
        return
    ((name, operand),) = node.entries.items()
    if name not in _OPERATORS:
        text = f"{path}: {unknown('operator', name, _OPERATORS)}"
        problems.append(Problem(node.keys[name], text))
        return
    test, form = _OPERATORS[name]
    if not test(plain(operand)):
        problems.append(Problem(operand.place, f"{path}: `{name}` takes {form}"))


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _cased_text(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == {"equals-ignore-case"} and _text(value["equals-ignore-case"])
    return _text(value)


def _wildcard(value: Any) -> bool:
    return _text(value) and "**" not in value


def _texts(value: Any, test: Callable[[Any], bool] = _text) -> bool:
    return test(value) or (isinstance(value, list) and bool(value) and all(map(test, value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _anything_but(value: Any) -> bool:
    if isinstance(value, dict):
        if len(value) != 1:
            return False
        ((name, operand),) = value.items()
        if name == "wildcard":
            return _texts(operand, _wildcard)
        return name in {"prefix", "suffix", "equals-ignore-case"} and _texts(operand)
    return _is_number(value) or _texts(value) or (_texts(value, _is_number))


def _numeric(value: Any) -> bool:
    if not isinstance(value, list) or len(value) not in (2, 4):
        return False
    operators, numbers = value[::2], value[1::2]
    if not all(op in _COMPARISONS for op in operators) or not all(map(_is_number, numbers)):
        return False
    # Two comparisons make a range: a lower bound, then a greater upper one.
    return len(operators) == 1 or (
        operators[0] in (">", ">=") and operators[1] in ("<", "<=") and numbers[0] < numbers[1]
    )


def _cidr(value: Any) -> bool:
    try:
        ipaddress.ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        return False
    return "/" in value


_OPERATORS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "prefix": (_cased_text, "text, or {equals-ignore-case: text}"),
    "suffix": (_cased_text, "text, or {equals-ignore-case: text}"),
    "equals-ignore-case": (_text, "text"),
    "wildcard": (_wildcard, "text with * but no two in a row"),
    "anything-but": (
        _anything_but,
        "text or numbers, one or a list, or {prefix, suffix, equals-ignore-case or wildcard: text}",
    ),
    "numeric": (_numeric, 'a comparison as [">", 0] or a range as [">=", 0, "<", 10]'),
    "exists": (lambda value: isinstance(value, bool), "true or false"),
    "cidr": (_cidr, "an address range as 10.0.0.0/24"),
}


def operators() -> dict[str, str]:
    """EventBridge's operators, with what each takes, in words."""
    return {name: form for name, (_, form) in _OPERATORS.items()}


def resource_types(
    imported: dict[str, Any] | None, imported_v2: dict[str, Any] | None
) -> tuple[str, ...]:
    """The resource types that the patterns name, in ASFF's spelling and in order of appearance.

    Empty where a pattern names none, or uses an operator: then any resource may be meant.
    """
    found: list[str] = []
    for pattern, field, key in (
        (imported, "Resources", "Type"),
        (imported_v2, "resources", "type"),
    ):
        if pattern is None:
            continue
        leaves = list(_leaves(pattern, field, key))
        if not leaves or not all(isinstance(leaf, str) for leaf in leaves):
            return ()
        found += [asff_type(leaf) for leaf in leaves]
    return tuple(dict.fromkeys(found))


def _leaves(pattern: dict[str, Any], field: str, key: str) -> Iterator[Any]:
    for name, value in pattern.items():
        if name == "$or":
            for item in value:
                yield from _leaves(item, field, key)
        elif name == field and isinstance(value, dict):
            yield from _leaves(value, key, "")
        elif name == field and isinstance(value, list):
            yield from value
