"""Security Hub's API model as botocore ships it: which requests have the right shape."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import ServiceModel

MAX_PROBLEMS = 5
"""How many problems of one value are told."""


@cache
def _service() -> ServiceModel:
    # The model takes 50 ms to read; a sandbox that is not asked is spared them.
    from botocore.session import get_session

    return get_session().get_service_model("securityhub")


def finding_problems(finding: Any) -> list[str]:
    """Where a finding does not have the shape of ``AwsSecurityFinding``."""
    return bounded(_problems(_service().shape_for("AwsSecurityFinding"), finding, "data"))


def request_problems(operation: str, request: dict[str, Any]) -> list[str]:
    """Where a request does not have the shape of its operation."""
    shape = _service().operation_model(operation).input_shape
    return bounded(_problems(shape, request, operation))


def known_part(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding without nulls and without the fields that the model does not know: AWS drops them.

    The finding must have no `finding_problems`.
    """
    known: dict[str, Any] = _known(_service().shape_for("AwsSecurityFinding"), finding)
    return known


def bounded(problems: Iterator[str]) -> list[str]:
    """The first `MAX_PROBLEMS`, each of bounded length."""
    return [problem[:300] for _, problem in zip(range(MAX_PROBLEMS), problems, strict=False)]


def _problems(shape: Any, value: Any, place: str) -> Iterator[str]:
    kind: str = shape.type_name
    if kind not in _RIGHT_TYPE:
        return
    if not _RIGHT_TYPE[kind](value):
        yield f"{place} should be {_WORDS.get(kind, kind)}"
    elif kind == "structure":
        yield from _of_structure(shape, value, place)
    elif kind == "list":
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{place}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            # Real findings hold empty texts in maps, against the model.
            if item != "":
                yield from _problems(shape.value, item, f"{place}['{key[:64]}']")
    else:
        yield from _of_plain(shape, value, place)


def _of_plain(shape: Any, value: Any, place: str) -> Iterator[str]:
    limits = shape.metadata
    if shape.type_name == "integer":
        if not limits.get("min", value) <= value <= limits.get("max", value):
            yield f"{place} should be from {limits.get('min')} to {limits.get('max')}"
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{place} should be equal to one of the allowed values"
        elif shape.name == "NonEmptyString" and not value.strip():
            yield f"{place} should NOT be shorter than 1 characters"


def _of_structure(shape: Any, value: dict[str, Any], place: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{place} should have required property '{name}'"
    for name, item in value.items():
        # Fields that the model does not know, and null, are dropped on import, not refused.
        if name in shape.members and item is not None:
            yield from _problems(shape.members[name], item, f"{place}.{name}")


def _known(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {
            name: _known(shape.members[name], item)
            for name, item in value.items()
            if name in shape.members and item is not None
        }
    if shape.type_name == "list":
        return [_known(shape.member, item) for item in value]
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_RIGHT_TYPE: dict[str, Callable[[Any], bool]] = {
    "structure": lambda value: isinstance(value, dict),
    "map": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "long": _is_integer,
    "double": _is_number,
    "float": _is_number,
}
_WORDS = {"structure": "object", "map": "object", "list": "array", "double": "number"}
