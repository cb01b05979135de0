"""``playbooks/playbook.schema.json``: what editors complete, explain and underline.

JSON Schema 2020-12, written from the actions' declarations and ASFF's. It knows one file at a time:
`hub-responder playbook check` says all the rest.
"""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import actions
from hub_toolkit.playbooks import json_schema_match as match
from hub_toolkit.playbooks import params
from hub_toolkit.playbooks.values import ACTION_ID, MAX_NAME, NAME, PARAM, STEP_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub_responder.actions.base import Action

Schema = dict[str, Any]

PATH = "playbooks/playbook.schema.json"
DURATION: Schema = {
    "type": "string",
    "pattern": r"^\d{1,6}[smhd]$",
    "description": "A duration: 15s, 2m, 24h or 7d.",
}
TEMPLATE: Schema = {"type": "string", "pattern": r"\{\{", "description": "A template: {{ ... }}"}
_SENTENCE = re.compile(r"(?<=[.:;])\s+(?=[A-Z`])")


def render() -> str:
    """The whole file, equal for equal declarations."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """The schema of ``playbook.yaml``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A playbook of hub-responder",
        **closed(
            "What to do with findings of AWS Security Hub.",
            KEYS,
            required=("format", "name", "summary", "on", "steps"),
        ),
        "$defs": {
            "duration": DURATION,
            "bare": {
                "type": "string",
                "not": {"pattern": r"\{\{"},
                "description": "A bare expression, without {{ }}.",
            },
            "step": _step(),
            **match.definitions(),
        },
    }


def closed(description: str, properties: Schema, *, required: Iterable[str] = ()) -> Schema:
    """An object with these properties and no others."""
    made: Schema = {"type": "object", "description": description, "properties": properties}
    if required:
        made["required"] = list(required)
    return {**made, "additionalProperties": False}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _whole(pattern: re.Pattern[str]) -> str:
    return f"^(?:{pattern.pattern})$"


def _duration(description: str) -> Schema:
    return {"$ref": "#/$defs/duration", "description": description}


def _expressions(description: str, **more: Any) -> Schema:
    return {"type": "array", "description": description, "items": {"$ref": "#/$defs/bare"}, **more}


_TRIGGERS: Schema = {
    "imported": closed(
        "Findings in ASFF that Security Hub imports or updates.",
        {"match": {"$ref": "#/$defs/asff"}},
        required=("match",),
    ),
    "imported_v2": closed(
        "Findings in OCSF, of the new Security Hub.",
        {"match": {"$ref": "#/$defs/ocsf"}},
        required=("match",),
    ),
    "custom_action": closed(
        "A button in the Security Hub console.",
        {
            "id": _text("1 to 20 letters and digits.", pattern=_whole(ACTION_ID)),
            "name": _text("What the button says: at most 20 characters.", maxLength=20),
            "description": _text("What it does.", maxLength=500),
        },
        required=("id", "name", "description"),
    ),
    "schedule": closed(
        "Runs by the clock.",
        {
            "cron": _text("Six fields, as 0 9 ? * MON *"),
            "timezone": _text("IANA name, as Asia/Tokyo; default: that of settings.yaml."),
            "findings": closed(
                "Which findings the run gets.",
                {"insight": _text("The ARN of an insight.")},
                required=("insight",),
            ),
        },
        required=("cron",),
    ),
}

_PARAM = closed(
    "A value that steps and templates read as params.NAME.",
    {
        "type": {"enum": sorted(params.TYPES), "description": "Its type; default: text."},
        "default": {"description": "Its value, unless a stage's settings say another."},
    },
    required=("default",),
)

_CASE = closed(
    "A case: what arrives, what is given, what must come of it.",
    {
        "name": _text("What the case shows."),
        "event": {"description": "A file of tests/ or events/, or a whole event."},
        "finding": {"type": "object", "description": "Fields laid over the event's finding."},
        "trigger": {"enum": ["imported", "click", "schedule"], "description": "What brings it."},
        "language": {"enum": ["en", "ja"], "description": "Of messages and notes."},
        "given": {"type": "object", "description": "The world that the case finds."},
        "expect": {"type": "object", "description": "What must come of it.", "minProperties": 1},
    },
    required=("name", "expect"),
)

KEYS: Schema = {
    "format": {"const": 1, "description": "The version of the format."},
    "name": _text(
        "The folder's name: a to z, 0 to 9 and single hyphens.",
        pattern=_whole(NAME),
        maxLength=MAX_NAME,
    ),
    "owner": _text("Who answers for it; default: that of settings.yaml.", maxLength=100),
    "summary": _text("What it does, in one line.", maxLength=200),
    "why": _text("Why it is there, for reports.", maxLength=500),
    "runbook": _text("An https:// address, linked in messages.", pattern="^https://"),
    "params": {
        "type": "object",
        "description": "Values that are named once and may differ between stages.",
        "propertyNames": {"pattern": _whole(PARAM)},
        "additionalProperties": _PARAM,
    },
    "on": {**closed("What starts it: any of these.", _TRIGGERS), "minProperties": 1},
    "only_if": _expressions("Expressions over one finding: all must be true.", maxItems=20),
    "always_if": _expressions(
        "Expressions over one finding: where any is true, only_if is passed over.", maxItems=20
    ),
    "group_by": _expressions(
        "Expressions over one finding: findings with equal values are one incident. "
        "Default: account, region and resource.",
        maxItems=8,
    ),
    "wait": closed(
        "How long a burst of imported findings is collected before a round.",
        {
            "first": _duration("Before the first round; default 15s."),
            "then": _duration("Before later rounds; default 2m."),
        },
    ),
    "quiet": _duration("After a message only what is worse sends a new one; default 4h."),
    "give_up_after": _duration("How long what fails is tried again; default 24h."),
    "steps": {
        "type": "array",
        "description": "What is done, in this order.",
        "items": {"$ref": "#/$defs/step"},
        "minItems": 1,
        "maxItems": 20,
    },
    "tests": {
        "type": "array",
        "description": "Cases for `hub-responder playbook test`: one that acts, one that does not.",
        "items": _CASE,
    },
}
"""The keys of ``playbook.yaml``."""


_OWN = "An action of the playbook's own actions.py."


def _step() -> Schema:
    known = [actions.get(name) for name in sorted(actions.names())]
    made = closed(
        "One step: an action, and when it runs.",
        {
            "id": _text("How later steps name it; default: its action.", pattern=_whole(STEP_ID)),
            "uses": {
                "description": "The action.",
                "oneOf": [
                    *({"const": one.name, "description": one.summary} for one in known),
                    {"pattern": r"^own\.[a-z][a-z0-9_]{0,39}$", "description": _OWN},
                ],
            },
            "if": {"$ref": "#/$defs/bare", "description": "An expression that must be true."},
            "on_error": {
                "enum": ["retry", "continue", "stop"],
                "description": "retry (default) holds what needs it, continue goes on without it, "
                "stop skips the rest.",
            },
            "with": {"type": "object"},
        },
        required=("uses",),
    )
    made["allOf"] = [
        {
            "if": {"properties": {"uses": {"const": one.name}}, "required": ["uses"]},
            "then": _then(_with(one)),
        }
        for one in known
    ]
    return made


def _then(with_: Schema) -> Schema:
    needed = {"required": ["with"]} if "required" in with_ else {}
    return {"properties": {"with": with_}, **needed}


def _with(action: Action) -> Schema:
    """What the step of an action takes, with its example."""
    (made,), definitions = msgspec.json.schema_components([action.params], ref_template="#/{name}")
    params_schema = _inlined(made, definitions)
    said = cleandoc(action.params.__doc__ or "").replace("``", "`")
    properties = {}
    for name, one in params_schema.get("properties", {}).items():
        kinds = action.connection_kinds.get(name)
        taken = one if kinds else _taken(one)
        text = about(name, said)
        if kinds:
            text = f"A connection or route: {', '.join(kinds)}. {text}"
        properties[name] = {**taken, "description": text}
    return closed(
        f"{said}\n\n{action.example.strip()}",
        properties,
        required=params_schema.get("required", ()),
    )


def _inlined(made: Any, definitions: Schema) -> Any:
    """``made`` with every reference written out; the actions' parameters do not nest in a ring."""
    if isinstance(made, dict):
        if "$ref" in made:
            return _inlined(definitions[made["$ref"].removeprefix("#/")], definitions)
        return {key: _inlined(value, definitions) for key, value in made.items()}
    return [_inlined(one, definitions) for one in made] if isinstance(made, list) else made


def _taken(one: Schema) -> Schema:
    """A parameter as a playbook may write it: also a template, of a number also a duration."""
    default = {"default": one["default"]} if "default" in one else {}
    bare = {key: value for key, value in one.items() if key != "default"}
    if bare.get("type") == "string" and not {"enum", "pattern", "format"} & set(bare):
        return one
    more = [DURATION, TEMPLATE] if bare.get("type") == "number" else [TEMPLATE]
    if bare.get("type") == "array" and "items" in bare:
        bare = {**bare, "items": _taken(bare["items"]) if bare["items"] else {}}
    return {"anyOf": [*bare.pop("anyOf", [bare]), *more], **default}


def about(name: str, said: str) -> str:
    """The sentences of a declaration's text that name a field; all of them where none does."""
    sentences = _SENTENCE.split(" ".join(said.split()))
    return " ".join(one for one in sentences if f"`{name}`" in one) or " ".join(said.split())
