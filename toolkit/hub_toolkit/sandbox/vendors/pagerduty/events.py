"""Which alert events PagerDuty takes.

Field names, enumerations and lengths are those of "Send an Alert Event". The texts about the
routing key are what users report; those about other fields, and that a text which is too long is
refused rather than cut, are guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_BYTES = 512 * 1024
"""Of an event ("API Limits")."""
MAX_DEDUP_KEY = 255
MAX_SUMMARY = 1024
KEY_LENGTH = 32
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")
_TEXTS = ("component", "group", "class")


def problems(event: Mapping[str, Any]) -> list[str]:
    """What is wrong with an event, as PagerDuty's ``errors`` say it."""
    return [*_key(event.get("routing_key")), *_action(event)]


def _key(key: Any) -> Iterator[str]:
    if not isinstance(key, str) or not key:
        yield "'routing_key' is missing or blank"
        return
    if len(key) != KEY_LENGTH:
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    if not re.fullmatch(r"[A-Za-z0-9]*", key):
        yield "'routing_key' cannot contain non-alphanumeric characters."


def _action(event: Mapping[str, Any]) -> Iterator[str]:
    action = event.get("event_action")
    if action not in ACTIONS:
        yield f"'event_action' must be one of {', '.join(ACTIONS)}"
        return
    dedup_key = event.get("dedup_key")
    if dedup_key is None and action != "trigger":
        yield "'dedup_key' is missing or blank"
    elif dedup_key is not None and not _is_text(dedup_key, MAX_DEDUP_KEY):
        yield f"'dedup_key' must be text of 1 to {MAX_DEDUP_KEY} characters"
    if action == "trigger":
        yield from _payload(event.get("payload"))
        yield from _context(event, "links", "href")
        yield from _context(event, "images", "src")
        for name in ("client", "client_url"):
            if not isinstance(event.get(name, ""), str):
                yield f"'{name}' must be text"


def _payload(payload: Any) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing or blank"
        return
    for name in ("summary", "source", "severity"):
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            yield f"'payload.{name}' is missing or blank"
    if len(str(payload.get("summary"))) > MAX_SUMMARY:
        yield f"'payload.summary' must have at most {MAX_SUMMARY} characters"
    if payload.get("severity") and payload["severity"] not in SEVERITIES:
        yield f"'payload.severity' must be one of {', '.join(SEVERITIES)}"
    if "timestamp" in payload and not _TIME.fullmatch(str(payload["timestamp"])):
        yield "'payload.timestamp' must be a time in ISO 8601"
    for name in _TEXTS:
        if not isinstance(payload.get(name, ""), str):
            yield f"'payload.{name}' must be text"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' must be an object"


def _context(event: Mapping[str, Any], name: str, needed: str) -> Iterator[str]:
    """Links and images: a list of objects with an address; images are served over HTTPS only."""
    items = event.get(name, [])
    if not isinstance(items, list):
        yield f"'{name}' must be a list"
        return
    prefixes = ("https://",) if needed == "src" else ("https://", "http://")
    for item in items:
        address = item.get(needed) if isinstance(item, dict) else None
        if not isinstance(address, str) or not address.startswith(prefixes):
            yield f"'{name}' need '{needed}', an address"
            return
        if not all(isinstance(value, str) for value in item.values()):
            yield f"'{name}' hold texts only"
            return


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most
