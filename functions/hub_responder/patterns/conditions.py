"""What one value of an event must be like: the comparison operators of event patterns.

The semantics and the refusals are those of AWS's own matcher (github.com/aws/event-ruler) and of
the EventBridge user guide, "Comparison operators for use in event patterns". Text operators match
text only; ``anything-but`` matches every value that is present and not named, of any type.

Case is ignored by comparing lower-case forms; AWS compares letter by letter in both cases, which
differs for a few letters such as the German sharp s. AWS also refuses wildcards that cost its state
machine too much ("Rule is too complex"); here every wildcard costs little and is taken.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from hub_responder.patterns.numbers import comparable, is_number

Predicate = Callable[[Any], bool]

_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_ONE_KEY = "Only one key allowed in match expression"


class Refusal(ValueError):  # noqa: N818 - reads as the fact
    """EventBridge refuses the condition; the text is its reason."""


def condition(expression: dict[str, Any]) -> Predicate:
    """The predicate of a match expression such as ``{"prefix": "a"}``, except ``exists: false``.

    Raises:
        Refusal: EventBridge refuses the expression.
    """
    name, operand = _single(expression, "Match expression name not found")
    if name not in _OPERATORS:
        raise Refusal(f"Unrecognized match type {name}")
    return _OPERATORS[name](operand)


def literal(value: Any) -> Predicate | None:
    """The predicate of a plain value that is no string, or of a string that is an IP address.

    None where comparing the string itself says it all.
    """
    if isinstance(value, str):
        address = _address(value)
        return None if address is None else lambda found: _address(found) == address
    if is_number(value):
        return _number_literal(value)
    return lambda found: found is value


def _single(expression: dict[str, Any], missing: str) -> tuple[str, Any]:
    if not expression:
        raise Refusal(missing)
    if len(expression) > 1:
        raise Refusal(_ONE_KEY)
    return next(iter(expression.items()))


def _number_literal(value: float) -> Predicate:
    wanted = comparable(value)
    if wanted is None:
        return lambda found: type(found) is type(value) and found == value
    return lambda found: comparable(found) == wanted


def _text(operand: Any, operator: str) -> str:
    if not isinstance(operand, str):
        raise Refusal(f"{operator} match pattern must be a string")
    return operand


def _ignoring_case(operand: Any, operator: str) -> str | None:
    """The text inside ``{"equals-ignore-case": ...}``; None where the operand is no object."""
    if not isinstance(operand, dict):
        return None
    name, text = _single(operand, f"{operator.capitalize()} expression name not found")
    if name != "equals-ignore-case":
        raise Refusal(f"Unsupported {operator} pattern: {name}")
    return _text(text, "equals-ignore-case").lower()


def _prefix(operand: Any) -> Predicate:
    folded = _ignoring_case(operand, "prefix")
    if folded is not None:
        return lambda found: isinstance(found, str) and found.lower().startswith(folded)
    text = _text(operand, "prefix")
    return lambda found: isinstance(found, str) and found.startswith(text)


def _suffix(operand: Any) -> Predicate:
    folded = _ignoring_case(operand, "suffix")
    if folded is not None:
        return lambda found: isinstance(found, str) and found.lower().endswith(folded)
    text = _text(operand, "suffix")
    return lambda found: isinstance(found, str) and found.endswith(text)


def _equals_ignore_case(operand: Any) -> Predicate:
    folded = _text(operand, "equals-ignore-case").lower()
    return lambda found: isinstance(found, str) and found.lower() == folded


def _exactly(operand: Any) -> Predicate:
    text = _text(operand, "exact")
    return lambda found: isinstance(found, str) and found == text


def _exists(operand: Any) -> Predicate:
    if operand is not True:
        raise Refusal("exists match pattern must be either true or false.")
    return lambda _found: True


def _wildcard(operand: Any) -> Predicate:
    head, *tail = _wildcard_parts(_text(operand, "wildcard"))
    return lambda found: isinstance(found, str) and _follows(found, head, tail)


def _wildcard_parts(text: str) -> list[str]:
    """The literal texts around the asterisks, escapes resolved."""
    parts = [""]
    position = 0
    while position < len(text):
        sign, following = text[position], text[position + 1 : position + 2]
        # AWS counts bytes from the quotation mark that opens the string.
        place = len(text[:position].encode(errors="surrogatepass")) + 1
        if sign == "*":
            if following == "*":
                raise Refusal(f"Consecutive wildcard characters at pos {place}")
            parts.append("")
        elif sign == "\\":
            if not following or following not in "*\\":
                raise Refusal(f"Invalid escape character at pos {place}")
            parts[-1] += following
            position += 1
        else:
            parts[-1] += sign
        position += 1
    return parts


def _follows(found: str, head: str, tail: list[str]) -> bool:
    """Whether the parts follow each other in ``found``; linear, whatever the text."""
    if not tail:
        return found == head
    last = tail[-1]
    end = len(found) - len(last)
    if end < len(head) or not found.startswith(head) or not found.endswith(last):
        return False
    position = len(head)
    for part in tail[:-1]:
        start = found.find(part, position, end)
        if start < 0:
            return False
        position = start + len(part)
    return True


def _numeric(operand: Any) -> Predicate:
    if not isinstance(operand, list):
        raise Refusal("Value of numeric must be an array.")
    if not operand or not isinstance(operand[0], str):
        raise Refusal(f"Invalid member in numeric match: {operand[0] if operand else ']'}")
    operator = operand[0]
    if operator not in ("=", "<", "<=", ">", ">="):
        raise Refusal(f"Unrecognized numeric range operator: {operator}")
    value = _limit(operand[1:2], "equals" if operator == "=" else operator)
    rest = operand[2:]
    if operator == "=":
        _nothing_more(rest)
        return _between(value, value)
    if operator in ("<", "<="):
        _nothing_more(rest)
        return _between(None, value - (operator == "<"))
    return _between(value + (operator == ">"), _top(rest, value) if rest else None)


def _top(rest: list[Any], bottom: int) -> int:
    operator = rest[0]
    if not isinstance(operator, str):
        raise Refusal(f"Bad value in numeric range: {operator}")
    if operator not in ("<", "<="):
        raise Refusal(f"Bad numeric range operator: {operator}")
    top = _limit(rest[1:2], operator)
    if len(rest) > 2:  # noqa: PLR2004 - an operator and its value
        raise Refusal("Too many terms in numeric range expression")
    if top <= bottom:
        raise Refusal("Bottom must be less than top")
    return top - (operator == "<")


def _nothing_more(rest: list[Any]) -> None:
    if rest:
        raise Refusal("Too many elements in numeric expression")


def _limit(operand: list[Any], operator: str) -> int:
    if not operand or not is_number(operand[0]):
        raise Refusal(f"Value of {operator} must be numeric")
    return _comparable(operand[0])


def _comparable(value: Any) -> int:
    scaled = comparable(value)
    if scaled is None:
        raise Refusal(
            f"Value must be between -5.0E9 and 5.0E9, inclusive, with up to 6 decimals: {value}"
        )
    return scaled


def _between(bottom: int | None, top: int | None) -> Predicate:
    """Both ends belong to the range, in millionths: the smallest step between two numbers."""

    def within(found: Any) -> bool:
        value = comparable(found)
        return value is not None and (
            (bottom is None or value >= bottom) and (top is None or value <= top)
        )

    return within


def _anything_but(operand: Any) -> Predicate:
    if isinstance(operand, dict):
        return _anything_but_like(operand)
    values = operand if isinstance(operand, list) else [operand]
    if not all(isinstance(value, str) or is_number(value) for value in values):
        raise Refusal(
            "Inside anything but list, start|null|boolean is not supported."
            if isinstance(operand, list)
            else "Value of anything-but must be an array or single string/number value."
        )
    kinds = {isinstance(value, str) for value in values}
    if len(kinds) != 1:
        raise Refusal(
            "Inside anything but list, either all values are number or string, "
            "mixed type is not supported"
        )
    if kinds == {True}:
        texts = frozenset(values)
        return lambda found: not (isinstance(found, str) and found in texts)
    numbers = frozenset(_comparable(value) for value in values)
    return lambda found: comparable(found) not in numbers


def _anything_but_like(operand: dict[str, Any]) -> Predicate:
    name, value = _single(operand, "Anything-But expression name not found")
    if name not in ("equals-ignore-case", "prefix", "suffix", "wildcard"):
        raise Refusal(f"Unsupported anything-but pattern: {name}")
    if isinstance(value, dict) or value is None or isinstance(value, bool):
        raise Refusal("Value of anything-but must be an array or single string/number value.")
    texts = value if isinstance(value, list) else [value]
    if not texts:
        raise Refusal("Empty arrays are not allowed")
    for text in texts:
        _check_unwanted(name, text)
    unwanted = [_OPERATORS[name](text) for text in texts]
    return lambda found: not any(predicate(found) for predicate in unwanted)


def _check_unwanted(name: str, text: Any) -> None:
    if not isinstance(text, str):
        raise Refusal(
            {
                "equals-ignore-case": "Inside anything-but/equals-ignore-case list, "
                "number|start|null|boolean is not supported.",
                "wildcard": "wildcard match pattern must be a string",
            }.get(name, "prefix/suffix match pattern must be a string")
        )
    if not text and name in ("prefix", "suffix"):
        raise Refusal("Null prefix/suffix not allowed")


def _address(value: Any) -> tuple[int, int] | None:
    """(4 or 6, address) of a text that is an IP address."""
    if not isinstance(value, str) or not (_IPV4.fullmatch(value) or _IPV6.fullmatch(value)):
        return None
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.version, int(mapped)


def _cidr(operand: Any) -> Predicate:
    if not isinstance(operand, str):
        raise Refusal("prefix match pattern must be a string")
    text, slash, mask = operand.partition("/")
    if not slash or "/" in mask:
        raise Refusal("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"-?[0-9]{1,9}", mask, re.ASCII):
        raise Refusal("Malformed CIDR, mask bits must be an integer")
    bits = int(mask)
    if bits < 0:
        raise Refusal("Malformed CIDR, mask bits must not be negative")
    address = _address(text)
    if address is None:
        raise Refusal(f"Nonstandard IP address: {text}")
    version, bottom = address
    width = 32 if version == 4 else 128  # noqa: PLR2004 - the two versions there are
    if bits >= width:
        raise Refusal(f"IPv{version} mask bits must be < {width}")
    # AWS starts at the address as written, not at the network's first.
    top = bottom | ((1 << (width - bits)) - 1)

    def within(found: Any) -> bool:
        value = _address(found)
        return value is not None and value[0] == version and bottom <= value[1] <= top

    return within


_OPERATORS: dict[str, Callable[[Any], Predicate]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
    "exactly": _exactly,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}
