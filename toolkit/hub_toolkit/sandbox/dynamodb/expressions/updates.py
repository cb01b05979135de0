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
from hub_toolkit.sandbox.dynamodb.expressions.operands import refuse_function
from hub_toolkit.sandbox.dynamodb.expressions.paths import (
    DocumentPath,
    read,
    refuse_overlaps,
    resolve,
)
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders, Scope
from hub_toolkit.sandbox.dynamodb.values import AttributeValue, Item, add, kind

Source: TypeAlias = Callable[[Item], AttributeValue]

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
    additions: tuple[tuple[DocumentPath, AttributeValue], ...]
    deletions: tuple[tuple[DocumentPath, AttributeValue], ...]

    @property
    def paths(self) -> tuple[DocumentPath, ...]:
        """Every path that is written, in the order SET, REMOVE, ADD, DELETE."""
        pairs = (*self.assignments, *self.additions, *self.deletions)
        return (*self.removals, *(path for path, _ in pairs))

    def apply(self, item: Item) -> Item:
        """The item after the update; ``item`` itself stays as it is."""
        changes = [(path, source(item)) for path, source in self.assignments]
        changes += [(path, _sum(read(item, path), value)) for path, value in self.additions]
        removed = list(self.removals)
        for path, value in self.deletions:
            left = _difference(read(item, path), value)
            if left is not None:
                changes.append((path, left))
            else:
                removed.append(path)
        draft = Draft(item)
        for path in removed:
            draft.remove(path)
        for path, value in sorted(changes, key=lambda change: _by_index(change[0])):
            draft.put(path, value)
        return draft.finish()


def compile_update(placeholders: Placeholders) -> Update | None:
    """The request's ``UpdateExpression``; None if there is none."""
    parsed = placeholders.parse("UpdateExpression", parser.update)
    if parsed is None:
        return None
    tree, scope = parsed
    update = Update(
        tuple((resolve(each.path, scope), _source(each.source, scope)) for each in tree.set),
        tuple(resolve(path, scope) for path in tree.remove),
        tuple(_change(each, "ADD", scope) for each in tree.add),
        tuple(_change(each, "DELETE", scope) for each in tree.delete),
    )
    refuse_overlaps(update.paths, scope)
    return update


def _by_index(path: DocumentPath) -> tuple[int, ...]:
    """Sorts what is appended to one list by the indexes that were asked for."""
    return tuple(part for part in path if isinstance(part, int))


def _change(
    change: syntax.Change, operator: str, scope: Scope
) -> tuple[DocumentPath, AttributeValue]:
    value = scope.value(change.value.name)
    name = kind(value)
    if name not in _SETS and not (operator == "ADD" and name == "N"):
        scope.refuse(
            f"Incorrect operand type for operator or function; operator: {operator}, operand "
            f"type: {_WORDS[name]}, typeSet: ALLOWED_FOR_{operator}_OPERAND"
        )
    return resolve(change.path, scope), value


def _source(node: syntax.Node, scope: Scope) -> Source:
    """The right side of a SET as a function of the item as it was."""
    match node:
        case syntax.Path():
            path = resolve(node, scope)
            return lambda item: _present(read(item, path))
        case syntax.Value():
            value = scope.value(node.name)
            return lambda _: value
        case syntax.Group(inner):
            return _source(inner, scope)
        case syntax.Arithmetic(left, operator, right):
            one = _typed(left, operator, "N", scope)
            two = _typed(right, operator, "N", scope)
            sign = 1 if operator == "+" else -1
            return lambda item: add(_of("N", one(item)), _of("N", two(item)), sign)
        case syntax.Call("if_not_exists", arguments):
            return _if_not_exists(_counted(node, arguments, scope), scope)
        case syntax.Call("list_append", arguments):
            first, second = (
                _typed(each, "list_append", "L", scope)
                for each in _counted(node, arguments, scope)
            )
            return lambda item: {
                "L": [*_of("L", first(item))["L"], *_of("L", second(item))["L"]]
            }
        case syntax.Call(function):
            refuse_function(function, scope)
    scope.refuse("Syntax error; a condition stands where a value is expected")


def _if_not_exists(arguments: tuple[syntax.Node, ...], scope: Scope) -> Source:
    target, default = arguments
    if not isinstance(target, syntax.Path):
        scope.refuse(
            "Operator or function requires a document path; operator or function: if_not_exists"
        )
    path, otherwise = resolve(target, scope), _source(default, scope)
    return lambda item: value if (value := read(item, path)) is not None else otherwise(item)


def _counted(
    call: syntax.Call, arguments: tuple[syntax.Node, ...], scope: Scope
) -> tuple[syntax.Node, ...]:
    if len(arguments) != 2:  # noqa: PLR2004 - both functions take two
        scope.refuse(
            "Incorrect number of operands for operator or function; operator or function: "
            f"{call.function}, number of operands: {len(arguments)}"
        )
    return arguments


def _typed(node: syntax.Node, operator: str, wanted: str, scope: Scope) -> Source:
    """An operand; a ``:value`` of another type than ``wanted`` is refused beforehand."""
    if isinstance(node, syntax.Value) and (name := kind(scope.value(node.name))) != wanted:
        scope.refuse(
            "Incorrect operand type for operator or function; operator or function: "
            f"{operator}, operand type: {name}"
        )
    return _source(node, scope)


def _present(value: AttributeValue | None) -> AttributeValue:
    if value is None:
        invalid("The provided expression refers to an attribute that does not exist in the item")
    return value


def _of(wanted: str, value: AttributeValue) -> AttributeValue:
    if kind(value) != wanted:
        invalid(_WRONG_TYPE)
    return value


def _sum(old: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    """ADD: a number's sum or a set's union; what is not there counts as zero or empty."""
    if old is None:
        return value
    name = kind(value)
    if kind(old) != name:
        invalid(_WRONG_TYPE)
    return add(old, value) if name == "N" else {name: sorted({*old[name], *value[name]})}


def _difference(old: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    """DELETE: the set without the members; None if nothing is left, as a set is never empty."""
    if old is None:
        return None
    name = kind(value)
    if kind(old) != name:
        invalid(_WRONG_TYPE)
    left = sorted(set(old[name]) - set(value[name]))
    return {name: left} if left else None
