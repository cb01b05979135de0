"""``notify``: send a message to a channel, or to the one that stands in for it.

In quiet time it sends none, but what it told is brought up to date where the channel can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock
from hub_responder.actions import ended, restored
from hub_responder.actions.base import (
    Action,
    Outcome,
    Statement,
    Work,
    as_sent,
    attempt,
    each,
    line,
)
from hub_responder.connections import channels
from hub_responder.connections.permissions import asking, mailing
from hub_responder.connections.resolve import Connection, chosen, named, placed, reached
from hub_responder.connections.settings import CHANNELS
from hub_responder.errors import (
    CallError,
    ConfigurationError,
    DeniedError,
    PermanentError,
    TransientError,
)
from hub_responder.markdown import template

if TYPE_CHECKING:
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

KINDS = tuple(sorted(CHANNELS))


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the message goes and what it says.

    ``to`` names a connection or route; ``template`` a Markdown template of the playbook, read in
    the connection's language.
    """

    to: str
    template: str


class Result(msgspec.Struct, frozen=True):
    """Whether it was sent, through which connection, and the channel and thread where it has them.

    What some channels only accept, as Teams does, counts as sent. In quiet time nothing is: then
    ``updated`` says that the message that was sent before shows now what is so.
    """

    sent: bool
    connection: str
    updated: bool = False
    thread: str = ""
    channel: str = ""


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Send one message for each incident; in a thread where the incident has one there."""
    return each(lambda work: _notify(work, runtime), works, lambda work: _target(work, runtime))


def _target(work: Work, runtime: Runtime) -> str:
    return chosen(runtime.playbook, work.params.to, work.scope).name


def _notify(work: Work, runtime: Runtime) -> Outcome:
    if work.quiet_until:
        return _update(work, runtime)
    connection = chosen(runtime.playbook, work.params.to, work.scope)
    try:
        return _send(connection, work, runtime)
    except (PermanentError, ConfigurationError) as error:
        return _instead(connection, error, work, runtime)
    except TransientError as error:
        if not work.last:
            raise
        return _instead(connection, error, work, runtime)


def _send(connection: Connection, work: Work, runtime: Runtime) -> Outcome:
    connection, ref = _place(connection, work)
    document = _document(connection, work, runtime)
    kept = channels.find(connection).send(connection, document, work, runtime, ref)
    where, short = _where(connection, ref), kept.get("refused", "")
    return Outcome(
        "done",
        line(f"{_verb(connection)} {where}" + (f"; {short}" if short else "")),
        result=_result(connection, kept, sent=True),
        refs={connection.name: kept} if kept else {},
        sent=as_sent(connection.name, document),
    )


def _result(
    connection: Connection, kept: Mapping[str, Any], *, sent: bool, updated: bool = False
) -> dict[str, Any]:
    thread, channel = str(kept.get("thread", "")), str(kept.get("channel", ""))
    result = Result(sent, connection.name, updated, thread, channel)
    found: dict[str, Any] = msgspec.to_builtins(result)
    return found


def _update(work: Work, runtime: Runtime) -> Outcome:
    """Bring the incident's message up to date; where that cannot be, it stays as it is.

    Raises:
        ConfigurationError, DeniedError, TransientError: as of a message.
    """
    quiet = f"quiet until {clock.iso(work.quiet_until)}"
    told = _told_in(work, runtime)
    channel = channels.updating(told) if told else None
    if told is None or channel is None:
        return Outcome("skipped", quiet)
    ref = work.incident.refs[told.name]
    document = _document(told, work, runtime)
    try:
        kept = channel.update(told, document, work, runtime, ref)
    except DeniedError:
        raise
    except PermanentError as error:  # deleted, or too old to be edited: the next message tells all
        return Outcome("skipped", line(f"{quiet}; {error}"))
    result = _result(told, kept, sent=False, updated=True)
    refs = {told.name: kept}
    detail, sent = f"brought up to date in {told.shown}; {quiet}", as_sent(told.name, document)
    return Outcome("done", detail, result=result, refs=refs, sent=sent)


def _told_in(work: Work, runtime: Runtime) -> Connection | None:
    """The connection in which the incident was told: the step's, or the one that stood in."""
    connection = chosen(runtime.playbook, work.params.to, work.scope)
    for name in (connection.name, connection.settings.get("fallback")):
        if name and work.incident.refs.get(name):
            found = named(runtime.playbook, name)
            return placed(found, work.scope, work.incident.refs[name])
    return None


def updates(work: Work, runtime: Runtime) -> bool:
    """Whether the incident was told where a message can be brought up to date."""
    told = _told_in(work, runtime)
    return told is not None and channels.updating(told) is not None


def closes(work: Work, runtime: Runtime) -> Outcome:
    """Say in the incident's thread that all its findings have left, or resolve what was opened."""
    details: list[str] = []
    refs: dict[str, Mapping[str, Any]] = {}
    sent: dict[str, str] = {}
    for connection, ref in _threads(work, runtime):
        document = ended.document(work.incident, _language(connection, runtime))
        resolving = channels.resolving(connection)
        end = resolving.resolve if resolving else channels.find(connection).send
        kept = end(connection, document, work, runtime, ref)
        refs |= {connection.name: kept} if kept else {}
        sent |= as_sent(connection.name, document)
        details.append(f"{'resolved' if resolving else 'told'} in {connection.shown}")
    if not details:
        return Outcome("skipped", "it was told in no thread")
    return Outcome("done", line("; ".join(details)), refs=refs, sent=sent)


def restores(work: Work, runtime: Runtime) -> Outcome:
    """Say in the incident's thread that its instance is protected again."""
    details: list[str] = []
    refs: dict[str, Mapping[str, Any]] = {}
    sent: dict[str, str] = {}
    for connection, ref in _threads(work, runtime):
        document = restored.document(work, _language(connection, runtime))
        kept = channels.find(connection).send(connection, document, work, runtime, ref)
        refs |= {connection.name: kept} if kept else {}
        sent |= as_sent(connection.name, document)
        details.append(f"{_verb(connection)} {_where(connection, ref)}")
    if not details:
        return Outcome("skipped", "it was told in no thread")
    return Outcome("done", line("; ".join(details)), refs=refs, sent=sent)


def _threads(work: Work, runtime: Runtime) -> Iterator[tuple[Connection, Mapping[str, Any]]]:
    """Where the step told of the incident, with what is kept of it there."""
    for name in reached(runtime.playbook, work.params["to"]):
        ref = work.incident.refs.get(name)
        if ref and "ticket" not in ref:
            yield placed(named(runtime.playbook, name), work.scope, ref), ref


def _language(connection: Connection, runtime: Runtime) -> str:
    return str(connection.settings.get("language") or runtime.playbook.language)


def _instead(
    connection: Connection, error: CallError | ConfigurationError, work: Work, runtime: Runtime
) -> Outcome:
    """Send through the connection's fallback; what that refuses has failed, or waits, itself.

    Raises:
        CallError, ConfigurationError: ``error``, where there is no fallback.
    """
    name = connection.settings.get("fallback")
    if not name:
        raise error
    other = named(runtime.playbook, name)
    outcome = attempt(lambda own: _send(other, own, runtime), work)
    if outcome.status == "done":
        detail = f"{outcome.detail}, the fallback: {error}"
    else:
        detail = f"{error}; the fallback {other.name}: {outcome.detail}"
    return replace(outcome, detail=line(detail))


def _document(connection: Connection, work: Work, runtime: Runtime) -> Document:
    """The message in the connection's language."""
    language = _language(connection, runtime)
    return template.render(runtime.directory, work.params.template, language, work.scope)


def _verb(connection: Connection) -> str:
    return "accepted by" if connection.type in channels.ONLY_ACCEPT else "sent to"


def _place(connection: Connection, work: Work) -> tuple[Connection, Mapping[str, Any]]:
    """The channel, and what is kept of the incident's thread there."""
    ref = work.incident.refs.get(connection.name, {})
    connection = placed(connection, work.scope, ref)
    elsewhere = connection.place and connection.place != ref.get("channel")
    return connection, {} if elsewhere else ref


def _where(connection: Connection, ref: Mapping[str, Any]) -> str:
    return f"{connection.shown}{' in its thread' if 'thread' in ref else ''}"


def plan(work: Work, runtime: Runtime) -> str:
    """Where the message would go, and its title."""
    told = _told_in(work, runtime) if work.quiet_until else None
    if told is not None:
        return line(
            f"would bring up to date in {told.shown}: {_document(told, work, runtime).title}"
        )
    connection = chosen(runtime.playbook, work.params.to, work.scope)
    connection, ref = _place(connection, work)
    channels.find(connection)
    title = _document(connection, work, runtime).title
    return line(f"would send to {_where(connection, ref)}: {title}")


def permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Publishing to the topics, sending e-mail, and reading the connections' secrets."""
    topics = [
        settings.get("topic_arn") or {"Ref": "NotificationsTopic"}
        for settings in connections.values()
        if settings.get("type") == "sns"
    ]
    publish = [{"Effect": "Allow", "Action": ["sns:Publish"], "Resource": topics}] if topics else []
    return publish + mailing(connections) + asking(connections)


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
    updates=updates,
    closes=closes,
    restores=restores,
    plan=plan,
)
