"""``notify``: send a message to a chat channel or topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.connections.permissions import secrets_of
from hub_responder.connections.resolve import Connection, resolve
from hub_responder.errors import ConfigurationError
from hub_responder.markdown import template

if TYPE_CHECKING:
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

KINDS = ("slack", "slack_webhook", "sns")


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the message goes and what it says.

    ``to`` names a connection or route; ``template`` a Markdown template of the playbook.
    """

    to: str
    template: str


class Result(msgspec.Struct, frozen=True):
    """Whether it was sent, through which connection, and the thread it is in (Slack's bot)."""

    sent: bool
    connection: str
    thread: str = ""


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Send one message for each incident; in a thread where the incident has one there."""
    return each(lambda work: _notify(work, runtime), works)


def _notify(work: Work, runtime: Runtime) -> Outcome:
    params: Params = work.params
    connection = resolve(runtime.playbook, params.to, work.scope)
    document = template.render(
        runtime.directory, params.template, runtime.playbook.language, work.scope
    )
    ref = _send(connection, document, work, runtime)
    thread = str(ref.get("thread", ""))
    return Outcome(
        "done",
        f"sent to {connection.name}" + (" in its thread" if _has_thread(work, connection) else ""),
        result=msgspec.to_builtins(Result(sent=True, connection=connection.name, thread=thread)),
        refs={connection.name: ref} if ref else {},
    )


def _has_thread(work: Work, connection: Connection) -> bool:
    return "thread" in work.incident.refs.get(connection.name, {})


def _send(
    connection: Connection, document: Document, work: Work, runtime: Runtime
) -> Mapping[str, Any]:
    """Send through the connection's type; what is to be kept about it comes back."""
    # Imported here: a playbook that speaks to SNS does not pay for requests.
    match connection.type:
        case "slack":
            from hub_responder.connections import slack

            ref = work.incident.refs.get(connection.name, {})
            return slack.post(connection, document, runtime, ref)
        case "slack_webhook":
            from hub_responder.connections import slack

            slack.post_webhook(connection, document, runtime)
            return {}
        case "sns":
            from hub_responder.connections import sns

            sns.publish(connection, document, work.incident, work.key, runtime)
            return {}
    raise ConfigurationError(
        f"notify cannot use connection {connection.name} of type {connection.type};"
        f" it takes {', '.join(KINDS)}"
    )


def plan(work: Work, runtime: Runtime) -> str:
    """Where the message would go, and its title."""
    connection = resolve(runtime.playbook, work.params.to, work.scope)
    document = template.render(
        runtime.directory, work.params.template, runtime.playbook.language, work.scope
    )
    thread = " in its thread" if _has_thread(work, connection) else ""
    return line(f"would send to {connection.name}{thread}: {document.title}")


def permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Publishing to the topics, and reading the connections' secrets."""
    topics = [
        settings.get("topic_arn") or {"Ref": "NotificationsTopic"}
        for settings in connections.values()
        if settings.get("type") == "sns"
    ]
    publish = [{"Effect": "Allow", "Action": ["sns:Publish"], "Resource": topics}] if topics else []
    return publish + secrets_of(connections)


ACTION = Action(
    name="notify",
    summary="Sends a message, in the incident's thread where it has one.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="- {id: tell, uses: notify, with: {to: soc-chat, template: message.md.j2}}",
    run=run,
    connection_kinds={"to": KINDS},
    tells=True,
    plan=plan,
)
