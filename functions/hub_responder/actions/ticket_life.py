"""What becomes of an incident's ticket after it was opened.

It is told what joins, raised, reopened, followed by another, or closed, as is right by what has
become of it in its own system. Who closed it as not to be done has decided for what comes later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock
from hub_responder.actions import ended, restored
from hub_responder.actions.base import Outcome, Work, as_sent, line
from hub_responder.actions.batch_update import SETTLED, Change, Wanted, merged, write
from hub_responder.actions.current import present
from hub_responder.connections.resolve import Connection, named, reached
from hub_responder.errors import PermanentError, TransientError
from hub_responder.note import answer_text, quotation
from hub_responder.sync import decision
from hub_responder.tickets import draft, registry
from hub_responder.tickets.ticket import label
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime
    from hub_responder.tickets.ticket import Standing, TicketSystem

Opens = Callable[[Work, Connection, str], Outcome]
"""(work, connection, the ticket before) -> what came of opening another ticket."""


class Result(msgspec.Struct, frozen=True):
    """The ticket's id (SEC-123) and address, and whether this step opened or reopened it.

    ``declined``: it was closed as not to be done, in its own system, and stays closed.
    """

    id: str
    url: str
    opened: bool
    reopened: bool = False
    declined: bool = False


def result(ref: Mapping[str, Any], **more: bool) -> dict[str, Any]:
    """What later steps read of the ticket that ``ref`` keeps."""
    told = {"opened": False, **more}
    found: dict[str, Any] = msgspec.to_builtins(
        Result(str(ref["ticket"]), str(ref.get("url", "")), **told)
    )
    return found


def follow(name: str, work: Work, runtime: Runtime, opens: Opens) -> Outcome:
    """Tell the incident's ticket what joined, as is right by what has become of it.

    Args:
        name: the connection that it is in. opens: opens another one in its place.

    Raises:
        ConfigurationError, CallError: as the ticket system's calls.
    """
    ref = work.incident.refs[name]
    ticket = str(ref["ticket"])
    detail = f"{ticket} is open in {name} already"
    if not is_told(name, work, runtime):
        return Outcome("done", line(detail), result(ref))
    connection = named(runtime.playbook, name)
    document = draft.document(work, connection, runtime)
    system = registry.find(connection, runtime, ticket)
    if connection.type not in registry.FOLLOWED:
        detail = _told(detail, ticket, document, work, system)
        return Outcome("done", line(detail), result(ref), sent=as_sent(name, document))
    standing = system.standings([ticket]).get(ticket)
    if standing is None:
        raise TransientError(f"what has become of {ticket} cannot be told yet", target=name)
    if standing.state == "declined":
        return _declined(ref, standing, work, runtime)
    if standing.state == "open":
        sent: dict[str, str] = {}
        if registry.takes_comments(connection.type):
            detail = _told(detail, ticket, document, work, system)
            sent = as_sent(name, document)
        detail += _raised(ticket, standing, connection, work, system)
        return Outcome("done", line(detail), result(ref), sent=sent)
    if standing.state == "done" and not _long_ago(standing, connection):
        with suppress(PermanentError):  # closed for good: ServiceNow lets only administrators
            again = system.reopen(ticket, document, mark(work), in_doubt=work.in_doubt)
            said = f"{ticket} in {name} was closed: {'reopened' if again else 'is open again'}"
            sent = as_sent(name, document) if again else {}
            return Outcome("done", line(said), result(ref, reopened=True), sent=sent)
    return opens(work, connection, ticket)


def is_told(name: str, work: Work, runtime: Runtime) -> bool:
    """Whether the ticket in connection ``name`` is told anything: there is what it does not tell
    yet, in a comment where it takes some."""
    kind = str(runtime.playbook.connections.get(name, {}).get("type"))
    if work.incident.change in ("raised", "reopened"):
        return kind in registry.FOLLOWED or registry.takes_comments(kind)
    return bool(work.incident.new) and registry.takes_comments(kind)


def mark(work: Work) -> str:
    """What a comment of this round ends with, so that it is found again."""
    return f"{label(work.key)}-{work.incident.gen}-{work.incident.round}"


def _told(detail: str, ticket: str, document: Document, work: Work, system: TicketSystem) -> str:
    added = system.comment(ticket, document, mark(work), in_doubt=work.in_doubt)
    what = "told in a comment" if added else "told in a comment before"
    return f"{detail}; {work.incident.new} new findings {what}"


def _long_ago(standing: Standing, connection: Connection) -> bool:
    within = draft.settings_of(connection).reopen_within
    return standing.closed_at is not None and clock.now() - standing.closed_at > within


def _raised(
    ticket: str, standing: Standing, connection: Connection, work: Work, system: TicketSystem
) -> str:
    """The priority follows the severity up, where the connection says what it is."""
    wanted = draft.priority(work, connection)
    if work.incident.change != "raised" or not wanted or wanted == standing.priority:
        return ""
    return f"; priority {wanted}" if system.prioritise(ticket, wanted) else ""


def _declined(ref: Mapping[str, Any], standing: Standing, work: Work, runtime: Runtime) -> Outcome:
    """Its findings are suppressed; an analyst who asks for it is told, and decides."""
    said = f"{ref['ticket']} was closed as {clean(standing.label, 80) or 'not to be done'}"
    if standing.by:
        said += f" by {clean(standing.by, 80)}"
    if work.incident.clicked:
        return Outcome("done", line(f"{said} and stays closed"), result(ref, declined=True))
    now = present(work, runtime.deadline)
    if isinstance(now, Outcome):
        return now
    decided = decision.mark(str(ref["ticket"]), standing)
    text = decision.note(str(ref["ticket"]), standing, runtime.playbook.language)
    wanted: Wanted = [
        (finding, _suppression(finding, decided, text, runtime.playbook.language))
        for finding in now.incident.findings
    ]
    (progress,) = write([wanted], runtime.deadline)
    outcome = progress.outcome("", {})
    detail = f"{said}: {progress.updated} findings suppressed, {progress.left} left as they were"
    if progress.refusals:
        detail += f"; {len(progress.refusals)} refused: {progress.reasons()}"
    status = "done" if outcome.status == "skipped" else outcome.status
    told = result(ref, declined=True)
    wait = outcome.retry_after
    return Outcome(status, line(detail), told, retry_after=wait, sent=outcome.sent)


def _suppression(finding: Finding, decided: str, text: str, language: str) -> Change | None:
    """None too where this decision was written to it before: who opened it again knows of it.

    One whose own fields cannot be kept gets no mark: it is suppressed whenever it joins.
    """
    if finding.user_fields.get(decision.FIELD) == decided:
        return None
    if finding.workflow in SETTLED or finding.record_state == "ARCHIVED":
        return None
    fields = merged(finding, {decision.FIELD: decided})
    return Change(answer_text(text, quotation(finding.note, language)), "SUPPRESSED", fields)


def closes(work: Work, runtime: Runtime) -> Outcome:
    """Close the incident's ticket, whose findings have all left; one that is closed stays so."""
    names = reached(runtime.playbook, work.params["in"])
    for name, ref in work.incident.refs.items():
        if "ticket" in ref and name in names:
            return _close(name, str(ref["ticket"]), work, runtime)
    return Outcome("skipped", "it has no ticket")


def restores(work: Work, runtime: Runtime) -> Outcome:
    """Say in the incident's ticket that its instance is protected again, in a comment."""
    names = reached(runtime.playbook, work.params["in"])
    for name, ref in work.incident.refs.items():
        if "ticket" in ref and name in names:
            return _restored(name, str(ref["ticket"]), work, runtime)
    return Outcome("skipped", "it has no ticket")


def _restored(name: str, ticket: str, work: Work, runtime: Runtime) -> Outcome:
    connection = named(runtime.playbook, name)
    if not registry.takes_comments(connection.type):
        detail = f"{ticket} in {name} stays as it is: {connection.type} takes no comments"
        return Outcome("skipped", line(detail))
    language = connection.settings.get("language") or runtime.playbook.language
    document = restored.document(work, language)
    system = registry.find(connection, runtime, ticket)
    added = system.comment(ticket, document, mark(work), in_doubt=work.in_doubt)
    told = "told in a comment" if added else "told in a comment before"
    sent = as_sent(name, document) if added else {}
    detail = line(f"{ticket} in {name}: {told}")
    return Outcome("done", detail, result(work.incident.refs[name]), sent=sent)


def _close(name: str, ticket: str, work: Work, runtime: Runtime) -> Outcome:
    connection = named(runtime.playbook, name)
    if connection.type not in registry.FOLLOWED:
        detail = f"{ticket} in {name} stays as it is: {connection.type} is not told"
        return Outcome("skipped", line(detail))
    language = connection.settings.get("language") or runtime.playbook.language
    document = ended.document(work.incident, language)
    system = registry.find(connection, runtime, ticket)
    closed = system.close(ticket, document, mark(work), in_doubt=work.in_doubt)
    said = line(f"{ticket} in {name} {'closed' if closed else 'is closed'}")
    return Outcome("done", said, sent=as_sent(name, document) if closed else {})
