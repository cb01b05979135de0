"""What a connection's settings make of an incident: the draft of its ticket."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock, expressions
from hub_responder.connections.resolve import at, has_template
from hub_responder.connections.settings import TYPES, Desk, Planner, Tracker, read
from hub_responder.errors import ConfigurationError, ExpressionError
from hub_responder.markdown import template
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.tickets.ticket import Draft

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.finding import Finding
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MAX_TEXT = 255
"""Characters of a text in a field: what Jira's and ServiceNow's one-line fields take."""
MAX_VALUE = 8_000
"""Bytes of a field's value as JSON; a template may give a list."""
_DEEPEST = 4


def settings_of(connection: Connection) -> Tracker:
    """The settings of a ticket system, whether its place is chosen or still a template.

    Raises:
        ConfigurationError: its type takes no tickets, or a setting is wrong.
    """
    if has_template(connection):
        connection = at(connection, next(iter(connection.settings.get("allow", ())), ""))
    found = read(connection.settings, TYPES[connection.type], connection.name)
    if not isinstance(found, Tracker):
        raise ConfigurationError(
            f"connection {connection.name} of type {connection.type} takes no tickets"
        )
    return found


def document(work: Work, connection: Connection, runtime: Runtime) -> Document:
    """The text of the step's template, in the language of the connection."""
    language = connection.settings.get("language") or runtime.playbook.language
    return template.render(runtime.directory, work.params.template, language, work.scope)


def priority(work: Work, connection: Connection) -> str:
    """As the ticket system spells it: the step's own, else that of the severity; or empty.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    by_severity = settings_of(connection).priorities.get(work.incident.severity.value, "")
    return str(work.params.priority or by_severity)


def make(work: Work, connection: Connection, runtime: Runtime) -> Draft:
    """The ticket that a step asks for; what the step itself says wins.

    Raises:
        ConfigurationError: a setting is wrong, or a field's template cannot be evaluated.
        ExpressionError: the message's template cannot be.
        CallError: a look-up of a template failed.
    """
    settings = settings_of(connection)
    incident, params = work.incident, work.params
    planned = settings if isinstance(settings, Planner) else Planner()
    return Draft(
        document(work, connection, runtime),
        work.key,
        resource=incident.resource.id,
        finding_uid=next((one.metadata_uid for one in incident.findings if one.metadata_uid), ""),
        priority=priority(work, connection),
        due=_due(incident.findings, planned.due),
        labels=tuple(dict.fromkeys((*params.labels, *settings.labels))),
        components=getattr(settings, "components", ()),
        assignee=planned.assignee,
        fields=_fields(
            settings.fields if isinstance(settings, Desk) else {}, work.scope, connection.name
        ),
        in_doubt=work.in_doubt,
        attempted_at=work.attempted_at,
    )


def _due(findings: tuple[Finding, ...], allowed: Mapping[Any, float]) -> float | None:
    """When the first of ``findings`` is to be done with: each has its own severity and age."""
    now = clock.now()
    ends = [
        # A finding says itself when it was first seen; it was not in the future.
        max(0.0, min(now, now if one.first_seen is None else one.first_seen))
        + allowed[one.severity.value]
        for one in findings
        if one.severity.value in allowed
    ]
    return min(ends, default=None)


def _fields(
    written: Mapping[str, Any], scope: Mapping[str, Any], connection: str
) -> dict[str, Any]:
    return {name: _field(name, value, scope, connection) for name, value in written.items()}


def _field(name: str, written: Any, scope: Mapping[str, Any], connection: str) -> Any:
    where = f"connection {connection}: `fields.{name}`"
    try:
        value = _bounded(expressions.fill(written, scope), where)
    except ExpressionError as error:
        why = shorten(one_line(clean(str(error))), 200)
        raise ConfigurationError(f"{where}: {why}") from error
    size = len(msgspec.json.encode(value))
    if size > MAX_VALUE:
        raise ConfigurationError(f"{where} gives {size:,} bytes; at most {MAX_VALUE:,} are allowed")
    return value


def _bounded(value: Any, where: str, depth: int = 1) -> Any:
    """``value`` as plain JSON with clean, short texts: it may hold what a finding says."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str):
        return shorten(clean(str(value)), MAX_TEXT)
    if depth <= _DEEPEST and isinstance(value, Mapping):
        return {
            shorten(clean(str(key)), MAX_TEXT): _bounded(one, where, depth + 1)
            for key, one in value.items()
        }
    if depth <= _DEEPEST and isinstance(value, list | tuple):
        return [_bounded(one, where, depth + 1) for one in value]
    raise ConfigurationError(
        f"{where} gives {type(value).__name__}; a field takes text, a number, true or false,"
        f" or lists and mappings of these, at most {_DEEPEST} deep"
    )
