"""Attribute values: checked, normalised, measured, compared.

A value has DynamoDB's wire form, one type descriptor and its content: ``{"S": "x"}``. Normalised
values are in one canonical spelling (numbers plain, sets sorted, binary re-encoded), so two
values are equal exactly when ``==`` says so. They are never changed after that, which lets
items, answers and drafts share them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any, TypeAlias

from hub_toolkit.sandbox.dynamodb.errors import invalid, unserialisable

AttributeValue: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, AttributeValue]
Sortable: TypeAlias = bytes | Decimal
"""How key values are ordered: strings and binary as bytes, numbers by value."""

TYPES = ("S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL")
MAX_ITEM = 400 * 1024
"""Bytes of an item, names and values together."""
MAX_DEPTH = 32
_ARITHMETIC = Context(prec=200, traps=[InvalidOperation, Overflow, Inexact])
_DIGITS = 38
_LARGEST, _SMALLEST = 125, -130
_WHOLE = re.compile(r"0|[1-9][0-9]{0,37}")
"""Numbers that are in canonical spelling already: most of them."""


def kind(value: AttributeValue) -> str:
    """The type descriptor of a normalised value."""
    return next(iter(value))


def number(text: str) -> Decimal:
    """The number that ``text`` spells; refused beyond 38 digits or 1E-130 to 9.9E+125."""
    try:
        result = Decimal(text)
    except InvalidOperation:
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}") from None
    if not result.is_finite() or text != text.strip() or "_" in text:
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    return _in_range(result)


def spell(value: Decimal) -> str:
    """The canonical spelling of a number: no exponent, no trailing zeros, no minus zero."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def add(left: AttributeValue, right: AttributeValue, sign: int = 1) -> AttributeValue:
    """The sum (``sign`` 1) or difference (-1) of two numbers.

    What AWS does with a result of more than 38 digits is not documented: it is refused here.
    """
    operate = _ARITHMETIC.add if sign > 0 else _ARITHMETIC.subtract
    try:
        result = operate(Decimal(left["N"]), Decimal(right["N"]))
    except Inexact:
        raise invalid("Attempting to store more than 38 significant digits in a Number") from None
    return {"N": spell(_in_range(result))}


def _in_range(value: Decimal) -> Decimal:
    if not value:
        return value
    if value.adjusted() > _LARGEST:
        raise invalid(
            "Number overflow. Attempting to store a number with magnitude larger than "
            "supported range"
        )
    if value.adjusted() < _SMALLEST:
        raise invalid(
            "Number underflow. Attempting to store a number with magnitude smaller than "
            "supported range"
        )
    digits = value.as_tuple().digits
    if len(digits) > _DIGITS and any(digits[_DIGITS:]):
        raise invalid("Attempting to store more than 38 significant digits in a Number") from None
    return value


def normalise_item(raw: object) -> Item:
    """The attributes of an item or a key, checked and in canonical spelling."""
    if not isinstance(raw, dict):
        raise unserialisable("Expected map or null")
    return {_string(name, 0): normalise(value) for name, value in raw.items()}


def normalise(raw: object, depth: int = 1) -> AttributeValue:
    """One attribute value, checked and in canonical spelling."""
    if not isinstance(raw, dict):
        raise unserialisable("Expected null")
    if len(raw) != 1:
        if raw:
            raise invalid(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly "
                "one of the supported datatypes"
            )
        raise invalid(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    if depth > MAX_DEPTH:
        raise invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )
    ((name, content),) = raw.items()
    if name == "S" and isinstance(content, str) and content.isascii():
        return {"S": content}  # the commonest case first
    check = _CHECKS.get(name)
    if check is None:
        raise invalid(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    return {name: check(content, depth)}


def _string(content: object, _depth: int) -> str:
    if not isinstance(content, str):
        raise unserialisable(f"{type(content).__name__} can not be converted to an String")
    if not content.isascii():
        try:
            content.encode()
        except UnicodeEncodeError:
            raise unserialisable(
                "A string holds half of a surrogate pair: it is not Unicode text"
            ) from None
    return content


def _number(content: object, depth: int) -> str:
    if isinstance(content, str) and _WHOLE.fullmatch(content):
        return content
    return spell(number(_string(content, depth)))


def _binary(content: object, depth: int) -> str:
    text = _string(content, depth)
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode()
    except (binascii.Error, ValueError):
        raise unserialisable("The value can not be converted to a Blob: it is not Base64") from None


def _bool(content: object, _depth: int) -> bool:
    if not isinstance(content, bool):
        raise unserialisable(f"{type(content).__name__} can not be converted to an Boolean")
    return content


def _null(content: object, depth: int) -> bool:
    if not _bool(content, depth):
        raise invalid(
            "One or more parameter values were invalid: Null attribute value types must have the "
            "value of true"
        )
    return True


def _members(content: object) -> list[Any]:
    if not isinstance(content, list):
        raise unserialisable("Expected list or null")
    return content


def _list(content: object, depth: int) -> list[AttributeValue]:
    return [normalise(member, depth + 1) for member in _members(content)]


def _map(content: object, depth: int) -> Item:
    if not isinstance(content, dict):
        raise unserialisable("Expected map or null")
    return {_string(name, depth): normalise(member, depth + 1) for name, member in content.items()}


def _set_of(
    member: Callable[[object, int], str], empty: str, duplicates: str
) -> Callable[[object, int], list[str]]:
    def check(content: object, depth: int) -> list[str]:
        members = [member(value, depth) for value in _members(content)]
        if not members:
            raise invalid(f"One or more parameter values were invalid: {empty}")
        if len(set(members)) != len(members):
            raise invalid(duplicates.format(", ".join(members)))
        return sorted(members)

    return check


_CHECKS: dict[str, Callable[[object, int], Any]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": _bool,
    "NULL": _null,
    "L": _list,
    "M": _map,
    "SS": _set_of(
        _string,
        "An string set  may not be empty",
        "One or more parameter values were invalid: Input collection [{}] contains duplicates.",
    ),
    "NS": _set_of(
        _number, "An number set  may not be empty", "Input collection contains duplicates"
    ),
    "BS": _set_of(
        _binary,
        "Binary sets should not be empty",
        "One or more parameter values were invalid: Input collection [{}]of type BS contains "
        "duplicates.",
    ),
}


def sortable(value: AttributeValue) -> Sortable:
    """The form in which S, N and B are ordered and used as keys."""
    ((name, content),) = value.items()
    if name == "S":
        return str(content).encode()
    return Decimal(content) if name == "N" else base64.b64decode(content)


def ordered(value: AttributeValue | None) -> bool:
    """Whether ``<`` and its like work on the value at all."""
    return value is not None and kind(value) in ("S", "N", "B")


def item_size(item: Item) -> int:
    """Bytes of an item as the developer guide counts them ("Item sizes and formats")."""
    size = 0
    for name, value in item.items():
        ((kind_name, content),) = value.items()
        size += _text_size(name) + _SIZES[kind_name](content)
    return size


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _number_size(text: str) -> int:
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")


def _binary_size(text: str) -> int:
    return len(text) * 3 // 4 - text[-2:].count("=")


def _size(value: AttributeValue) -> int:
    ((name, content),) = value.items()
    return _SIZES[name](content)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _binary_size,
    "SS": lambda members: sum(map(_text_size, members)),
    "NS": lambda members: sum(map(_number_size, members)),
    "BS": lambda members: sum(map(_binary_size, members)),
    "L": lambda members: 3 + sum(1 + _size(member) for member in members),
    "M": lambda members: 3 + len(members) + item_size(members),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}
