"""Reading the members of a request, with AWS's refusals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, invalid, unserialisable

MAX_TRANSACTION_ITEMS = 100


def bad_member(value: object, member: str, constraint: str) -> DynamoDBError:
    """A member of the request breaks a constraint; ``value`` is quoted."""
    shown = "null" if value is None else f"'{value}'"
    return invalid(
        f"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: "
        f"{constraint}"
    )


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def required(request: dict[str, Any], name: str) -> Any:
    """A member that must be there."""
    value = request.get(name)
    if value is None:
        raise bad_member(None, _lower(name), "Member must not be null")
    return value


def text(request: dict[str, Any], name: str) -> str:
    """A required string."""
    return as_text(required(request, name))


def optional_text(request: dict[str, Any], name: str) -> str | None:
    """A string that need not be there."""
    value = request.get(name)
    return None if value is None else as_text(value)


def as_text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise unserialisable(f"{type(value).__name__} can not be converted to an String")
    return value


def mapping(request: dict[str, Any], name: str) -> dict[str, Any]:
    """A required structure or map."""
    return as_mapping(required(request, name))


def as_mapping(value: object) -> dict[str, Any]:
    """A structure or map."""
    if not isinstance(value, dict):
        raise unserialisable("Expected map or null")
    return value


def sequence(request: dict[str, Any], name: str) -> list[Any]:
    """A required list."""
    return as_sequence(required(request, name))


def as_sequence(value: object) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise unserialisable("Expected list or null")
    return value


def flag(request: dict[str, Any], name: str, *, default: bool = False) -> bool:
    """An optional boolean."""
    value = request.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise unserialisable(f"{type(value).__name__} can not be converted to an Boolean")
    return value


def whole(request: dict[str, Any], name: str, least: int = 1) -> int | None:
    """An optional integer of at least ``least``."""
    value = request.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise unserialisable(f"{type(value).__name__} can not be converted to an Integer")
    if value < least:
        constraint = f"Member must have value greater than or equal to {least}"
        raise bad_member(value, _lower(name), constraint)
    return value


def choice(request: dict[str, Any], name: str, options: Sequence[str], default: str) -> str:
    """An optional member of a set of words."""
    value = request.get(name)
    if value is None:
        return default
    if value not in options:
        constraint = f"Member must satisfy enum value set: [{', '.join(options)}]"
        raise bad_member(value, _lower(name), constraint)
    return str(value)


def refuse_legacy(request: dict[str, Any], names: Iterable[str]) -> None:
    """The parameters that expressions replaced in 2014 are not carried here."""
    for name in names:
        if request.get(name) is not None:
            raise invalid(f"The sandbox has no {name}: use an expression parameter instead")


def transact_items(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The 1 to 100 ``TransactItems`` of a transaction."""
    items = sequence(request, "TransactItems")
    if not items:
        constraint = "Member must have length greater than or equal to 1"
        raise bad_member([], "transactItems", constraint)
    if len(items) > MAX_TRANSACTION_ITEMS:
        constraint = f"Member must have length less than or equal to {MAX_TRANSACTION_ITEMS}"
        raise bad_member(f"[{len(items)} items]", "transactItems", constraint)
    return [as_mapping(item) for item in items]
