"""Update expressions: checked, then applied to an item as a whole.

Every right side reads the item as it was; list indexes mean the list as it was too. What is
removed from a list closes up at the end, what is set beyond its end is appended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hub_toolkit.sandbox.dynamodb.errors import invalid
from hub_toolkit.sandbox.dynamodb.expressions import parser, syntax
from hub_toolkit.sandbox.dynamodb.expressions.drafts import Draft
from hub_toolkit.sandbox.dynamodb.expressions.operands import (
    compile_operand,
    refuse_type,
    unknown_function,
)
from hub_toolkit.sandbox.dynamodb.expressions.paths import (
    DocumentPath,
    read,
    refuse_overlaps,
    resolve,
)
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope, Values
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, Item, add, kind

Source: TypeAlias = Callable[[Item, Values], AttributeValue]

_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_SETS = ("SS", "NS", "BS")
_WORDS = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "L": "LIST",
    "M": "MAP",
}


@dataclass(frozen=True, slots=True)
class Update:
    """A compiled update expression; ``paths`` are all that it may change."""

    assignments: tuple[tuple[DocumentPath, Source], ...]
    removals: tuple[DocumentPath, ...]
    additions: tuple[tuple[DocumentPath, str], ...]
    deletions: tuple[tuple[DocumentPath, str], ...]
    paths: tuple[DocumentPath, ...]

    def apply(self, item: Item, values: Values) -> Item:
        """The item after the update; ``item`` itself stays as it is."""
        changes = [(path, source(item, values)) for path, source in self.assignments]
        changes += [(path, _sum(read(item, path), values[name])) for path, name in self.additions]
        removed = list(self.removals)
        for path, name in self.deletions:
            left = _difference(read(item, path), values[name])
            if left is not None:
                changes.append((path, left))
            else:
                removed.append(path)
        draft = Draft(item)
        for path in removed:
            draft.remove(path)
        for path, value in sorted(changes, key=_by_index):
            draft.put(path, value)
        return draft.finish()


def compile_update(placeholders: Placeholders) -> Update | None:
    """The request's ``UpdateExpression``; None if there is none."""
    return placeholders.compile("UpdateExpression", parser.update, _compile)


def _compile(tree: syntax.Update, scope: Scope) -> Update:
    assignments = tuple(
        (resolve(each.path, scope), _source(each.source, scope)) for each in tree.set
    )
    removals = tuple(resolve(path, scope) for path in tree.remove)
    additions = tuple(_change(each, "ADD", scope) for each in tree.add)
    deletions = tuple(_change(each, "DELETE", scope) for each in tree.delete)
    pairs = (*assignments, *additions, *deletions)
    paths = (*removals, *(path for path, _ in pairs))
    refuse_overlaps(paths, scope)
    return Update(assignments, removals, additions, deletions, paths)


def _by_index(change: tuple[DocumentPath, AttributeValue]) -> tuple[int, ...]:
    """Sorts what is appended to one list by the indexes that were asked for."""
    return tuple(part for part in change[0] if isinstance(part, int))


def _change(change: syntax.Change, operator: str, scope: Scope) -> tuple[DocumentPath, str]:
    name = scope.value(change.value.name)

    def check(values: Values) -> None:
        found = kind(values[name])
        if found not in _SETS and not (operator == "ADD" and found == "N"):
            raise scope.fault(
                f"Incorrect operand type for operator or function; operator: {operator}, operand "
                f"type: {_WORDS[found]}, typeSet: ALLOWED_FOR_{operator}_OPERAND"
            )

    scope.check(check)
    return resolve(change.path, scope), name


def _source(node: syntax.Node, scope: Scope) -> Source:
    """The right side of a SET as a function of the item as it was."""
    match node:
        case syntax.Path():
            path = resolve(node, scope)
            return lambda item, _: _present(read(item, path))
        case syntax.Value():
            name = scope.value(node.name)
            return lambda _, values: values[name]
        case syntax.Group(inner):
            return _source(inner, scope)
        case syntax.Arithmetic(left, operator, right):
            one = _typed(left, operator, "N", scope)
            two = _typed(right, operator, "N", scope)
            sign = 1 if operator == "+" else -1
            return lambda item, values: add(
                _of("N", one(item, values)), _of("N", two(item, values)), sign
            )
        case syntax.Call("if_not_exists", arguments):
            return _if_not_exists(_counted(node, arguments, scope), scope)
        case syntax.Call("list_append", arguments):
            first, second = (
                _typed(each, "list_append", "L", scope) for each in _counted(node, arguments, scope)
            )
            return lambda item, values: {
                "L": [*_of("L", first(item, values))["L"], *_of("L", second(item, values))["L"]]
            }
        case syntax.Call(function):
            raise unknown_function(function, scope)
    raise scope.fault("Syntax error; a condition stands where a value is expected")


def _if_not_exists(arguments: tuple[syntax.Node, ...], scope: Scope) -> Source:
    target, default = arguments
    if not isinstance(target, syntax.Path):
        raise scope.fault(
            "Operator or function requires a document path; operator or function: if_not_exists"
        )
    path, otherwise = resolve(target, scope), _source(default, scope)

    def present_or_default(item: Item, values: Values) -> AttributeValue:
        value = read(item, path)
        return otherwise(item, values) if value is None else value

    return present_or_default


def _counted(
    call: syntax.Call, arguments: tuple[syntax.Node, ...], scope: Scope
) -> tuple[syntax.Node, ...]:
    if len(arguments) != 2:  # noqa: PLR2004 - both functions take two
        raise scope.fault(
            "Incorrect number of operands for operator or function; operator or function: "
            f"{call.function}, number of operands: {len(arguments)}"
        )
    return arguments


def _typed(node: syntax.Node, operator: str, wanted: str, scope: Scope) -> Source:
    """An operand; a ``:value`` of another type than ``wanted`` is refused beforehand."""
    if isinstance(node, syntax.Value):
        refuse_type(operator, compile_operand(node, scope), (wanted,), scope)
    return _source(node, scope)


def _present(value: AttributeValue | None) -> AttributeValue:
    if value is None:
        raise invalid(
            "The provided expression refers to an attribute that does not exist in the item"
        )
    return value


def _of(wanted: str, value: AttributeValue) -> AttributeValue:
    if kind(value) != wanted:
        raise invalid(_WRONG_TYPE)
    return value


def _sum(old: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    """ADD: a number's sum or a set's union; what is not there counts as zero or empty."""
    if old is None:
        return value
    name = kind(value)
    if kind(old) != name:
        raise invalid(_WRONG_TYPE)
    return add(old, value) if name == "N" else {name: sorted({*old[name], *value[name]})}


def _difference(old: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    """DELETE: the set without the members; None if nothing is left, as a set is never empty."""
    if old is None:
        return None
    name = kind(value)
    if kind(old) != name:
        raise invalid(_WRONG_TYPE)
    left = sorted(set(old[name]) - set(value[name]))
    return {name: left} if left else None
