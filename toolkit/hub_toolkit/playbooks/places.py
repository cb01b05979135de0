"""Templates in connections: a channel or project, which gives one of ``allow``, and the further
fields of a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.connections.settings import PLACES, Desk
from hub_toolkit.playbooks import structs
from hub_toolkit.playbooks.connection_types import TYPES
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, Sequence, plain
from hub_toolkit.playbooks.kinds import BOOLEAN, NOTHING, NUMBER, TEXT, Either, Kind, ListOf
from hub_toolkit.playbooks.problems import Problem
from hub_toolkit.playbooks.scope import ROUTE, Around, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEMPLATE = 500
"""Characters, as of a route's ``by``."""
FIELDS = "fields"
_PLAIN = (TEXT, NUMBER, BOOLEAN, NOTHING)
_VALUE = Either((*_PLAIN, ListOf(Either(_PLAIN))))
"""What a field of a ticket takes."""


def known(node: Node) -> Any:
    """A setting's value where it is known now, else UNSET: a template's is not."""
    return plain(node) if not any(_templates(node)) else msgspec.UNSET


def check(
    name: str, kind: str, settings: Mapping, around: Around, problems: list[Problem]
) -> set[str]:
    """The names that the templates of connection ``name``, of type ``kind``, read.

    What is wrong with them and with ``allow`` is added to ``problems``.
    """
    key = PLACES.get(kind, "")
    suitable = [key] if key else []
    suitable += [FIELDS] if issubclass(TYPES[kind], Desk) else []
    used: set[str] = set()
    for other, node in settings.entries.items():
        for where in _templates(node):
            if other == FIELDS and other in suitable:
                used |= _filled(other, where, _VALUE, around, problems)
            elif other != key:
                does = "does" if len(suitable) == 1 else "do"
                takes = f": only {' and '.join(f'`{one}`' for one in suitable)} {does}"
                text = f"`{other}` takes no template{takes if suitable else ''}"
                problems.append(Problem(where.place, text))
    return used | (_place(name, kind, settings, around, problems) if key else set())


def _place(
    name: str, kind: str, settings: Mapping, around: Around, problems: list[Problem]
) -> set[str]:
    """The names that the template of a place reads, if it has one."""
    key = PLACES[kind]
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
    return _filled(key, template, TEXT, around, problems)


def _filled(
    key: str, template: Scalar, wanted: Kind, around: Around, problems: list[Problem]
) -> set[str]:
    """The names that a template reads."""
    if len(str(template.value)) > MAX_TEMPLATE:
        text = f"`{key}` has {len(str(template.value))} characters; at most {MAX_TEMPLATE}"
        problems.append(Problem(template.place, text))
    return Scope(ROUTE, around).template(template, wanted, problems)


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
