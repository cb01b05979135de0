"""Checks Block Kit blocks as Slack does, and words what is wrong as Slack does.

Limits: docs.slack.dev/reference/block-kit. Lengths are counted in code points; Slack does not say
how it counts. Block types that a message of ours may hold are checked whole; of ``rich_text`` only
the outer shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

MAX_BLOCKS = 50
MAX_TOTAL_CHARACTERS = 13_200
"""All text of a message's blocks. Undocumented; slackapi/bolt-js#2509 measured about this."""

_MARKDOWN_CHARACTERS = 12_000
_RICH_TEXT = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
_TEXT_KEYS = {
    "mrkdwn": {"type", "text", "verbatim"},
    "plain_text": {"type", "text", "emoji"},
}
_BUTTON_KEYS = {
    "type",
    "text",
    "action_id",
    "url",
    "value",
    "style",
    "confirm",
    "accessibility_label",
}

Problems = Iterator[str]


def problems(blocks: list[Any]) -> list[str]:
    """What Slack would say of ``blocks``, as ``MESSAGE [json-pointer:/blocks/0/...]``; or []."""
    if len(blocks) > MAX_BLOCKS:
        return [f"no more than {MAX_BLOCKS} items allowed [json-pointer:/blocks]"]
    found: list[str] = []
    seen: set[str] = set()
    for position, block in enumerate(blocks):
        pointer = f"/blocks/{position}"
        found.extend(_block(block, pointer))
        block_id = block.get("block_id") if isinstance(block, dict) else None
        if isinstance(block_id, str):
            if block_id in seen:
                found.append(_at(f"block_id {block_id!r} already exists", pointer))
            seen.add(block_id)
    return found


def characters(value: Any) -> int:
    """Characters of all texts in blocks, whatever the nesting."""
    if isinstance(value, list):
        return sum(characters(entry) for entry in value)
    if isinstance(value, dict):
        return sum(
            len(held) if key == "text" and isinstance(held, str) else characters(held)
            for key, held in value.items()
        )
    return 0


def _at(message: str, pointer: str) -> str:
    return f"{message} [json-pointer:{pointer}]"


def _block(block: Any, pointer: str) -> Problems:
    if not isinstance(block, dict):
        yield _at("must provide an object", pointer)
        return
    kind = block.get("type")
    check = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        yield _at(f"unsupported type: {str(kind)[:50]}", f"{pointer}/type")
        return
    yield from _string(block, "block_id", pointer, 255, required=False)
    yield from check(block, pointer)


def _keys(value: dict[str, Any], allowed: set[str], pointer: str) -> Problems:
    for key in value:
        if key not in allowed:
            yield _at(f"invalid additional property: {key[:50]}", pointer)


def _string(
    holder: dict[str, Any], key: str, pointer: str, limit: int, *, required: bool = True
) -> Problems:
    if key not in holder:
        if required:
            yield _at(f"missing required field: {key}", pointer)
        return
    value, where = holder[key], f"{pointer}/{key}"
    if not isinstance(value, str):
        yield _at("must be a string", where)
    elif not value:
        yield _at("must be more than 0 characters", where)
    elif len(value) > limit:
        yield _at(f"must be less than {limit + 1} characters", where)


def _text(
    holder: dict[str, Any], key: str, pointer: str, limit: int, *, plain: bool = False
) -> Problems:
    if key not in holder:
        yield _at(f"missing required field: {key}", pointer)
        return
    yield from _text_object(holder[key], f"{pointer}/{key}", limit, plain=plain)


def _text_object(value: Any, pointer: str, limit: int, *, plain: bool = False) -> Problems:
    if not isinstance(value, dict):
        yield _at("must provide an object", pointer)
        return
    kind = value.get("type")
    if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        yield _at(f"unsupported type: {str(kind)[:50]}", f"{pointer}/type")
        return
    yield from _keys(value, _TEXT_KEYS[str(kind)], pointer)
    yield from _string(value, "text", pointer, limit)


def _items(holder: dict[str, Any], key: str, pointer: str, limit: int) -> Problems:
    value, where = holder.get(key), f"{pointer}/{key}"
    if not isinstance(value, list):
        yield _at(f"missing required field: {key}", pointer)
    elif not value:
        yield _at("no fewer than 1 items allowed", where)
    elif len(value) > limit:
        yield _at(f"no more than {limit} items allowed", where)


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []


def _section(block: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(block, {"type", "block_id", "text", "fields", "accessory", "expand"}, pointer)
    if "text" not in block and "fields" not in block:
        yield _at("missing required field: text", pointer)
    if "text" in block:
        yield from _text(block, "text", pointer, 3000)
    if "fields" in block:
        yield from _items(block, "fields", pointer, 10)
        for position, field in enumerate(_list(block, "fields")):
            yield from _text_object(field, f"{pointer}/fields/{position}", 2000)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{pointer}/accessory", ("button", "image"))


def _header(block: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(block, {"type", "block_id", "text"}, pointer)
    yield from _text(block, "text", pointer, 150, plain=True)


def _divider(block: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(block, {"type", "block_id"}, pointer)


def _context(block: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(block, {"type", "block_id", "elements"}, pointer)
    yield from _items(block, "elements", pointer, 10)
    for position, element in enumerate(_list(block, "elements")):
        where = f"{pointer}/elements/{position}"
        if isinstance(element, dict) and element.get("type") == "image":
            yield from _image_element(element, where)
        else:
            yield from _text_object(element, where, 3000)


def _actions(block: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(block, {"type", "block_id", "elements"}, pointer)
    yield from _items(block, "elements", pointer, 25)
    for position, element in enumerate(_list(block, "elements")):
        yield from _element(element, f"{pointer}/elements/{position}", ("button",))


def _image(block: dict[str, Any], pointer: str) -> Problems:
    allowed = {"type", "block_id", "image_url", "slack_file", "alt_text", "title"}
    yield from _keys(block, allowed, pointer)
    yield from _image_content(block, pointer)
    if "title" in block:
        yield from _text(block, "title", pointer, 2000, plain=True)


def _image_element(element: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(element, {"type", "image_url", "slack_file", "alt_text"}, pointer)
    yield from _image_content(element, pointer)


def _image_content(holder: dict[str, Any], pointer: str) -> Problems:
    if "slack_file" not in holder:
        yield from _string(holder, "image_url", pointer, 3000)
    yield from _string(holder, "alt_text", pointer, 2000)


def _markdown(block: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(block, {"type", "block_id", "text"}, pointer)
    yield from _string(block, "text", pointer, _MARKDOWN_CHARACTERS)


def _rich_text(block: dict[str, Any], pointer: str) -> Problems:
    yield from _keys(block, {"type", "block_id", "elements"}, pointer)
    yield from _items(block, "elements", pointer, 1000)
    for position, element in enumerate(_list(block, "elements")):
        if not isinstance(element, dict) or element.get("type") not in _RICH_TEXT:
            yield _at("unsupported type", f"{pointer}/elements/{position}")


def _element(element: Any, pointer: str, allowed: tuple[str, ...]) -> Problems:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in allowed:
        yield _at(f"unsupported type: {str(kind)[:50]}", f"{pointer}/type")
    elif kind == "image":
        yield from _image_element(element, pointer)
    else:
        yield from _keys(element, _BUTTON_KEYS, pointer)
        yield from _text(element, "text", pointer, 75, plain=True)
        for key, limit in (("action_id", 255), ("url", 3000), ("value", 2000)):
            yield from _string(element, key, pointer, limit, required=False)
        if element.get("style", "primary") not in ("primary", "danger"):
            yield _at("must be a valid enum value", f"{pointer}/style")


_BLOCKS: dict[str, Callable[[dict[str, Any], str], Problems]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "markdown": _markdown,
    "rich_text": _rich_text,
}
