"""``playbooks/connections.schema.json``: what editors know of connections and routes.

Written from the types' declarations. It knows one file at a time: whether a route's or a fallback's
connection exists, `hub-responder playbook check` says.
"""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.connections.settings import PLACES
from hub_responder.severity import Severity
from hub_toolkit.playbooks.connection_types import TYPES
from hub_toolkit.playbooks.json_schema import DURATION, TEMPLATE, about, closed
from hub_toolkit.playbooks.values import MAX_NAME, NAME

if TYPE_CHECKING:
    from hub_toolkit.playbooks.json_schema import Schema

PATH = "playbooks/connections.schema.json"


def render() -> str:
    """The whole file, equal for equal declarations."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """The schema of ``connections.yaml`` and of a stage's ``connections.STAGE.yaml``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Connections and routes of hub-responder",
        **closed(
            "Named places to deliver to, and routes that choose one. No secret stands here.",
            {
                "connections": _named("Places to deliver to, by name.", _connection()),
                "routes": _named("Routes by name, which steps name like connections.", _route()),
            },
        ),
    }


def _named(description: str, one: Schema) -> Schema:
    names = {"pattern": f"^(?:{NAME.pattern})$", "maxLength": MAX_NAME}
    return {
        "type": "object",
        "description": description,
        "propertyNames": names,
        "additionalProperties": one,
    }


def _connection() -> Schema:
    kinds = [
        {"const": kind, "description": _said(struct).partition("\n\n")[0]}
        for kind, struct in sorted(TYPES.items())
    ]
    return {
        "type": "object",
        "properties": {"type": {"description": "What it is.", "oneOf": kinds}},
        "required": ["type"],
        "allOf": [
            {
                "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
                "then": _settings(kind, struct),
            }
            for kind, struct in sorted(TYPES.items())
        ],
    }


def _settings(kind: str, struct: type[msgspec.Struct]) -> Schema:
    """What a connection of one type takes."""
    _, components = msgspec.json.schema_components([struct], ref_template="#/{name}")
    made = components[struct.__name__]
    said = "\n".join(
        cleandoc(one.__doc__ or "")
        for one in struct.__mro__
        if issubclass(one, msgspec.Struct) and one is not msgspec.Struct
    ).replace("``", "`")
    properties: Schema = {"type": {}}
    for name, one in made["properties"].items():
        properties[name] = {**_taken(name, kind, one), "description": about(name, said)}
    whole = closed(_said(struct), properties, required=made.get("required", ()))
    return {**whole, **_allowed(PLACES[kind])} if kind in PLACES else whole


def _taken(name: str, kind: str, one: Schema) -> Schema:
    if PLACES.get(kind) == name:
        return {"anyOf": [{**one, "not": {"pattern": r"\{\{"}}, TEMPLATE]}
    if name == "reopen_within":
        return {"anyOf": [one, DURATION]}
    if name in ("priorities", "due"):
        value = one["additionalProperties"]
        taken = {"anyOf": [value, DURATION]} if name == "due" else value
        names = {"enum": [severity.value for severity in Severity]}
        return {**one, "propertyNames": names, "additionalProperties": taken}
    return {**one, "minItems": 1} if name == "allow" else one


def _allowed(key: str) -> Schema:
    """``allow`` belongs to a template."""
    return {
        "if": {"properties": {key: {"pattern": r"\{\{"}}},
        "then": {"required": ["allow"]},
        "else": {"properties": {"allow": False}},
    }


def _said(struct: type[msgspec.Struct]) -> str:
    return cleandoc(struct.__doc__ or "").replace("``", "`")


def _route() -> Schema:
    name: Schema = {"type": "string", "description": "The name of a connection."}
    by: Schema = {
        "type": "string",
        "description": "A bare expression over the incident that gives text.",
        "not": {"pattern": r"\{\{"},
        "maxLength": 500,
    }
    to: dict[str, Any] = {
        "type": "object",
        "description": "What the expression gives -> a connection.",
        "additionalProperties": name,
    }
    default = {**name, "description": "The connection for all that `to` does not name."}
    return closed(
        "Chooses a connection for each incident.",
        {"by": by, "to": to, "default": default},
        required=("by", "to", "default"),
    )
