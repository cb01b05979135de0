"""Patterns, references and IAM statements as people read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def pattern(match: Mapping[str, Any], above: str = "") -> list[str]:
    """One line for each field of an EventBridge pattern: ``Severity.Label: CRITICAL or HIGH``."""
    lines: list[str] = []
    for key, value in match.items():
        path = f"{above}.{key}" if above else key
        if key == "$or":
            branches = (", ".join(pattern(branch, above)) for branch in value)
            lines.append(" or ".join(f"({branch})" for branch in branches))
        elif isinstance(value, dict):
            lines += pattern(value, path)
        else:
            lines.append(f"{path}: {' or '.join(map(_leaf, value))}")
    return lines


def _leaf(value: Any) -> str:
    if not isinstance(value, dict):
        return value if isinstance(value, str) else json.dumps(value)
    ((operator, operand),) = value.items()
    return f"{operator} {_operand(operand)}"


def _operand(value: Any) -> str:
    if isinstance(value, dict):
        return _leaf(value)
    if isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value) if isinstance(value, bool) else str(value)


def reference(value: Any) -> str:
    """A CloudFormation value as text: ``LedgerTable.Arn``, ``NotificationsTopic``, an ARN."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, operand),) = value.items()
        if kind == "Ref":
            return str(operand)
        if kind == "Fn::GetAtt":
            return ".".join(map(str, operand))
        if kind == "Fn::Sub" and isinstance(operand, str):
            return operand
    return value if isinstance(value, str) else json.dumps(value)


def statement(value: Mapping[str, Any]) -> tuple[str, str]:
    """An IAM statement: its actions, and what it allows them on and when."""
    where = ", ".join(map(reference, _listed(value["Resource"])))
    for conditions in value.get("Condition", {}).values():
        for key, wanted in conditions.items():
            where += f", where {key} is {' or '.join(map(reference, _listed(wanted)))}"
    return ", ".join(_listed(value["Action"])), where


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def flat(value: Any) -> str:
    """``value`` as the JSON that EventBridge counts the characters of."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def counted(number: int, what: str) -> str:
    """``1 step``, ``3 steps``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def joined(items: Iterator[str] | list[str]) -> str:
    """``a, b``, or "none"."""
    return ", ".join(items) or "none"
