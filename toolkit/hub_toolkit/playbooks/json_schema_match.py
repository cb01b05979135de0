"""The schema's part about ``match``: EventBridge's operators over the fields of a finding."""

from __future__ import annotations

from typing import Any

from hub_toolkit.playbooks import asff, ocsf, patterns
from hub_toolkit.playbooks.kinds import (
    BOOLEAN,
    NUMBER,
    TEXT,
    Choice,
    Kind,
    ListOf,
    MapOf,
    Record,
)

Schema = dict[str, Any]

_DEPTH = 3
"""Levels of a finding that are written out; below, any field is taken: `check` knows them all."""


def definitions() -> Schema:
    """Named schemas: ``asff``, ``ocsf`` and what they refer to."""
    return {
        "asff": _finding(asff.finding(), patterns.ASFF_GUARDED, "ASFF", "asff"),
        "ocsf": _finding(ocsf.finding(), patterns.OCSF_GUARDED, "OCSF", "ocsf"),
        "fields": {
            "description": "Fields with the values that match, or fields below them.",
            "anyOf": [
                {"$ref": "#/$defs/values"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"$ref": "#/$defs/fields"},
                },
            ],
        },
        "operator": _operator(),
        "values": _values({"type": ["string", "number", "boolean", "null"]}),
        "texts": _values({"type": ["string", "null"]}),
        "numbers": _values({"type": ["number", "null"]}),
        "flags": _values({"type": ["boolean", "null"]}),
    }


def _finding(finding: Record, guarded: frozenset[str], name: str, own: str) -> Schema:
    fields = {key: kind for key, kind in finding.fields.items() if key not in guarded}
    made = _record(fields, own, _DEPTH)
    text = f"A pattern of EventBridge over one {name} finding: it becomes the rule."
    return {**made, "description": text, "minProperties": 1}


def _record(fields: dict[str, Kind], own: str, depth: int) -> Schema:
    properties = {key: _field(kind, own, depth - 1) for key, kind in sorted(fields.items())}
    either = {"type": "array", "minItems": 2, "description": "Any of these patterns."}
    items = {"$ref": f"#/$defs/{own}"} if depth == _DEPTH else {"type": "object"}
    return {
        "type": "object",
        "properties": {**properties, "$or": {**either, "items": items}},
        "additionalProperties": False,
    }


def _field(kind: Kind, own: str, depth: int) -> Schema:
    while isinstance(kind, ListOf):
        kind = kind.item
    if isinstance(kind, Record):
        return _record(dict(kind.fields), own, depth) if depth > 0 else _ref("fields")
    if isinstance(kind, Choice):
        return _values({"enum": list(kind.values)})
    named: dict[Kind, str] = {TEXT: "texts", NUMBER: "numbers", BOOLEAN: "flags"}
    if isinstance(kind, MapOf):
        return {"type": "object", "additionalProperties": _ref("texts")}
    return _ref(named.get(kind, "fields"))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _values(literal: Schema) -> Schema:
    return {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [literal, _ref("operator")]},
    }


def _operator() -> Schema:
    """One operator with what it takes, in words."""
    return {
        "type": "object",
        "description": "One operator of EventBridge.",
        "properties": {
            name: {"description": f"Takes {form}."} for name, form in patterns.operators().items()
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
