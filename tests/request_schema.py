"""Requests that were made, held against the schemas written from a vendor's documentation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from jsonschema import Draft202012Validator

from loopback import Request

SCHEMAS = Path(__file__).with_name("schemas")


def keep_to(vendor: str, requests: Iterable[Request], name_of: Callable[[Request], str]) -> None:
    """Every request with a body keeps to its schema, and each schema was kept to by one.

    Args:
        vendor: whose; the folder of ``requests.json``. name_of: a request's name in it.
    """
    schemas = json.loads((SCHEMAS / vendor / "requests.json").read_text(encoding="utf-8"))
    checked = set()
    for one in (request for request in requests if request.body):
        name = name_of(one)
        schema = {**schemas, "$ref": f"#/$defs/{name.replace('/', '~1').replace(' ', '%20')}"}
        Draft202012Validator(schema).validate(one.json)
        checked.add(name)
    assert checked == set(schemas["$defs"])
