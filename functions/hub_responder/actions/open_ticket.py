"""``ticket.open``: one ticket per incident; what joins later is told as a comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.connections.permissions import asking
from hub_responder.connections.resolve import chosen, named, resolve
from hub_responder.markdown import template
from hub_responder.tickets import draft, registry
from hub_responder.tickets.ticket import label

if TYPE_CHECKING:
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"connection": "in"}):
    """Where the ticket is opened and what it says.

    ``in`` names a connection or route; ``template`` a Markdown template of the playbook, whose
    first heading becomes the summary. ``priority`` is spelled as the ticket system does (OpsCenter:
    1 to 5); ``labels`` are added to our own.
    """

    connection: str
    template: str
    priority: str = ""
    labels: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """The ticket's id (SEC-123) and address, and whether this step opened it."""

    id: str
    url: str
    opened: bool


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Open a ticket for each incident that has none."""
    return each(lambda work: _open(work, runtime), works, lambda work: _target(work, runtime))


def _target(work: Work, runtime: Runtime) -> str:
    held = [name for name, ref in work.incident.refs.items() if "ticket" in ref]
    return held[0] if held else chosen(runtime.playbook, work.params.connection, work.scope).name


def _open(work: Work, runtime: Runtime) -> Outcome:
    for name, ref in work.incident.refs.items():
        if "ticket" in ref:
            return _joined(name, ref, work, runtime)
    connection = resolve(runtime.playbook, work.params.connection, work.scope)
    system = registry.find(connection, runtime)
    ticket = system.open(draft.make(work, connection, runtime))
    found = " (by an earlier attempt)" if work.in_doubt and ticket.opened else ""
    verb = "opened" if ticket.opened else "is there already:"
    return Outcome(
        "done",
        f"{verb} {ticket.id} in {connection.shown}{found}",
        result=msgspec.to_builtins(Result(ticket.id, ticket.url, ticket.opened)),
        refs={connection.name: {"ticket": ticket.id, "url": ticket.url}},
    )


def _document(work: Work, runtime: Runtime) -> Document:
    return template.render(
        runtime.directory, work.params.template, runtime.playbook.language, work.scope
    )


def _joined(name: str, ref: Mapping[str, Any], work: Work, runtime: Runtime) -> Outcome:
    """The incident's ticket stays the one; new findings are told there where comments exist."""
    ticket = str(ref["ticket"])
    detail = f"{ticket} is open in {name} already"
    if _takes_comment(name, work, runtime):
        mark = f"{label(work.key)}-{work.incident.gen}-{work.incident.round}"
        system = registry.find(named(runtime.playbook, name), runtime, ticket)
        added = system.comment(ticket, _document(work, runtime), mark, in_doubt=work.in_doubt)
        what = "told in a comment" if added else "told in a comment before"
        detail += f"; {work.incident.new} new findings {what}"
    result = Result(ticket, str(ref.get("url", "")), opened=False)
    return Outcome("done", detail, result=msgspec.to_builtins(result))


def _takes_comment(name: str, work: Work, runtime: Runtime) -> bool:
    kind = str(runtime.playbook.connections.get(name, {}).get("type"))
    return bool(work.incident.new) and registry.takes_comments(kind)


def plan(work: Work, runtime: Runtime) -> str:
    """Which ticket would be opened, or be commented on."""
    title = _document(work, runtime).title
    for name, ref in work.incident.refs.items():
        if "ticket" not in ref:
            continue
        if _takes_comment(name, work, runtime):
            return line(f"would comment on {ref['ticket']} in {name}: {title}")
        return line(f"would leave {ref['ticket']} in {name} as it is")
    connection = resolve(runtime.playbook, work.params.connection, work.scope)
    return line(f"would open a ticket in {connection.shown}: {title}")


def permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """What the ticket systems of AWS need, and reading the connections' secrets."""
    kinds = {str(settings.get("type")) for settings in connections.values()}
    actions = sorted({action for kind in kinds for action in registry.aws_actions(kind)})
    # No resource: the ticket does not exist yet.
    own: list[Statement] = [{"Effect": "Allow", "Action": actions, "Resource": ["*"]}]
    return (own if actions else []) + asking(connections)


ACTION = Action(
    name="ticket.open",
    summary="Opens the incident's ticket, once; findings that join later become a comment.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="- {id: ticket, uses: ticket.open, with: {in: soc-tickets, template: ticket.md.j2}}",
    run=run,
    connection_kinds={"in": registry.KINDS},
    lasting=True,
    plan=plan,
)
