"""``ticket.open``: one ticket per incident; what joins later is told as a comment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions import batch_update, ticket_life
from hub_responder.actions.base import Action, Outcome, Statement, Work, as_sent, each, line
from hub_responder.connections.permissions import asking
from hub_responder.connections.resolve import Connection, chosen, named, resolve
from hub_responder.errors import CallError
from hub_responder.tickets import draft, registry

if TYPE_CHECKING:
    from hub_responder.runtime import Runtime
    from hub_responder.tickets.ticket import TicketSystem


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"connection": "in"}):
    """Where the ticket is opened and what it says.

    ``in`` names a connection or route; ``template`` a Markdown template of the playbook, whose
    first heading becomes the summary. ``priority`` is spelled as the ticket system does (OpsCenter:
    1 to 5, ServiceNow: impact and urgency as 1/2); ``labels`` are added to our own.
    """

    connection: str
    template: str
    priority: str = ""
    labels: tuple[str, ...] = ()


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Open a ticket for each incident that has none."""
    return each(lambda work: _open(work, runtime), works, lambda work: _target(work, runtime))


def _target(work: Work, runtime: Runtime) -> str:
    held = [name for name, ref in work.incident.refs.items() if "ticket" in ref]
    return held[0] if held else chosen(runtime.playbook, work.params.connection, work.scope).name


def _open(work: Work, runtime: Runtime) -> Outcome:
    def another(of: Work, connection: Connection, before: str) -> Outcome:
        return _new(of, connection, runtime, before)

    for name, ref in work.incident.refs.items():
        if "ticket" in ref:
            return ticket_life.follow(name, work, runtime, another)
    return _new(work, resolve(runtime.playbook, work.params.connection, work.scope), runtime)


def _new(work: Work, connection: Connection, runtime: Runtime, before: str = "") -> Outcome:
    """Open a ticket, which follows the one ``before``, where there was one."""
    made = draft.make(work, connection, runtime)
    if before:
        key = hashlib.sha256(f"{work.key}|{before}".encode()).hexdigest()[: len(work.key)]
        made = replace(made, key=key)
    system = registry.find(connection, runtime)
    ticket = system.open(made)
    found = " (by an earlier attempt)" if work.in_doubt and ticket.opened else ""
    verb = "opened" if ticket.opened else "is there already:"
    detail = f"{verb} {ticket.id} in {connection.shown}{found}"
    ref = {"ticket": ticket.id, "url": ticket.url}
    if before:
        detail += f", after {before}{_linked(system, ticket.id, before)}"
    if ticket.lacks:
        detail += f"; {ticket.lacks}"
    result = ticket_life.result(ref, opened=ticket.opened)
    sent = as_sent(connection.name, made.document) if ticket.opened else {}
    return Outcome("done", line(detail), result=result, refs={connection.name: ref}, sent=sent)


def _linked(system: TicketSystem, ticket: str, before: str) -> str:
    try:
        system.link(ticket, before)
    except CallError as error:  # it is the right ticket all the same
        return f", not linked: {error}"
    return ""


def plan(work: Work, runtime: Runtime) -> str:
    """Which ticket would be opened, or be commented on."""
    for name, ref in work.incident.refs.items():
        if "ticket" not in ref:
            continue
        if ticket_life.is_told(name, work, runtime):
            title = draft.document(work, named(runtime.playbook, name), runtime).title
            kind = str(runtime.playbook.connections[name]["type"])
            what = "comment on" if registry.takes_comments(kind) else "look after"
            return line(f"would {what} {ref['ticket']} in {name}: {title}")
        return line(f"would leave {ref['ticket']} in {name} as it is")
    connection = resolve(runtime.playbook, work.params.connection, work.scope)
    title = draft.document(work, connection, runtime).title
    return line(f"would open a ticket in {connection.shown}: {title}")


def permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """What the ticket systems of AWS need, and reading the connections' secrets."""
    kinds = {str(settings.get("type")) for settings in connections.values()}
    follows = batch_update.permissions({}, {}) if kinds & registry.FOLLOWED else []
    return registry.statements(connections.values()) + follows + asking(connections)


ACTION = Action(
    name="ticket.open",
    summary="Opens the incident's ticket, once; findings that join later become a comment.",
    effects=True,
    params=Params,
    result=ticket_life.Result,
    permissions=permissions,
    example="- {id: ticket, uses: ticket.open, with: {in: soc-tickets, template: ticket.md.j2}}",
    run=run,
    connection_kinds={"in": registry.KINDS},
    lasting=True,
    closes=ticket_life.closes,
    restores=ticket_life.restores,
    plan=plan,
)
