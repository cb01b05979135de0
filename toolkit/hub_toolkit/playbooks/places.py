"""The channel or project of a connection: fixed, or a template that gives one of ``allow``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.connections.settings import PLACES
from hub_toolkit.playbooks import structs
from hub_toolkit.playbooks.connection_types import TYPES
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, Sequence, plain
from hub_toolkit.playbooks.kinds import TEXT
from hub_toolkit.playbooks.problems import Problem
from hub_toolkit.playbooks.scope import ROUTE, Around, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEMPLATE = 500
"""Characters, as of a route's ``by``."""


def known(node: Node) -> Any:
    """A setting's value where it is known now, else UNSET: a template's is not."""
    return plain(node) if not any(_templates(node)) else msgspec.UNSET


def check(
    name: str, kind: str, settings: Mapping, around: Around, problems: list[Problem]
) -> set[str]:
    """The names that the template of connection ``name``, of type ``kind``, reads.

    What is wrong with it and with ``allow`` is added to ``problems``.
    """
    key = PLACES.get(kind, "")
    for other, node in settings.entries.items():
        for where in _templates(node) if other != key else ():
            takes = f": only `{key}` does" if key else ""
            problems.append(Problem(where.place, f"`{other}` takes no template{takes}"))
    if not key:
        return set()
    template, allow = settings.entries.get(key), settings.entries.get("allow")
    if not isinstance(template, Scalar) or not any(_templates(template)):
        if allow is not None:
            text = f"connection {name}: `allow` is for a template in `{key}`, and there is none"
            problems.append(Problem(settings.keys["allow"], text))
        return set()
    if not isinstance(allow, Sequence) or not allow.items:
        place = template.place if allow is None else allow.place
        text = f"connection {name}: `{key}` is a template: list in `allow` all that it may give"
        problems.append(Problem(place, text))
    else:
        _check_allowed(key, kind, allow, problems)
    if len(str(template.value)) > MAX_TEMPLATE:
        text = f"`{key}` has {len(str(template.value))} characters; at most {MAX_TEMPLATE}"
        problems.append(Problem(template.place, text))
    return Scope(ROUTE, around).template(template, TEXT, problems)


def _check_allowed(key: str, kind: str, allow: Sequence, problems: list[Problem]) -> None:
    """Each must be what the setting itself could be."""
    wanted = {one.encode_name: one.type for one in msgspec.structs.fields(TYPES[kind])}[key]
    for node in allow.items:
        value = plain(node)
        mistake = structs.mistake(value, wanted) if isinstance(value, str) else ""
        if mistake and not any(_templates(node)):
            text = f"`allow` holds `{value[:80]}`, which is no {key}: {mistake}"
            problems.append(Problem(node.place, text))


def _templates(node: Node) -> Iterator[Scalar]:
    return (where for text, where in structs.texts(node) if "{{" in text or "{%" in text)
