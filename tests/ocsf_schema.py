"""Events of OCSF held against its published schema, as tests/schemas/ocsf has it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from hub_responder.archive import ocsf
from hub_responder.archive.digest import Deployment

SCHEMA = json.loads(Path(__file__).with_name("schemas").joinpath("ocsf/events.json").read_text())
DEPLOYMENT = Deployment("111122223333", "us-east-1", "prod")


@lru_cache
def _validator(class_uid: int) -> Draft202012Validator:
    return Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{class_uid}"})


def mapped(record: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The class and the event of a record, without what Parquet holds as NULL."""
    line = msgspec.json.encode(record).decode()
    place = ocsf.Fingerprinted("run-1", 2, 1, "run-1.1", "0" * 64)
    class_uid, event = ocsf.event(line, record, place, DEPLOYMENT)
    told: dict[str, Any] = _without_null(event)
    return class_uid, told


def objections(record: dict[str, Any]) -> list[str]:
    """What the schema has against the event of a record."""
    class_uid, event = mapped(record)
    found = _validator(class_uid).iter_errors(event)
    return [f"{record['kind']}: {error.json_path}: {error.message[:200]}" for error in found]


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(held) for key, held in value.items() if held is not None}
    return [_without_null(held) for held in value] if isinstance(value, list) else value
