"""A ticket that was closed in its own system closes the findings that it is about.

Worked off: they are RESOLVED. Declined: they are SUPPRESSED, with whose decision it was. What
somebody is done with stays as it is, and each decision is written to a finding once: an analyst who
sets it to NEW again has the last word.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from hub_responder import clock
from hub_responder.actions.batch_update import SETTLED, Change, field_text, merged
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.note import answer_text, quotation

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_responder.ledger.pointers import Pointer
    from hub_responder.tickets.ticket import Standing

FIELD = "hubResponderTicketDecision"
"""UserDefinedField: the ticket's decision that was written to the finding."""
_MAX_TEXT = 80


def token(standing: Standing) -> str:
    """A name for what was decided; another time it is another decision."""
    return f"{standing.state}@{int(standing.closed_at or 0)}"


def mark(ticket: str, standing: Standing) -> str:
    """What `FIELD` holds of a finding to which this decision was written."""
    return field_text(f"{ticket} {token(standing)}")


def key(pointer: Pointer, standing: Standing) -> str:
    """What attempts to write the decision, and what became of them, have in common."""
    named = "\x1f".join((pointer.pk, pointer.ticket, token(standing)))
    return sha256(named.encode()).hexdigest()[:40]


def change(finding: Finding, pointer: Pointer, standing: Standing, language: str) -> Change | None:
    """What the finding, as it is now, is to get; None leaves it as it is.

    One whose own fields cannot be kept stays too: without the mark it would be closed again and
    again.
    """
    decided = mark(pointer.ticket, standing)
    if finding.workflow in SETTLED or finding.record_state == "ARCHIVED":
        return None
    if finding.user_fields.get(FIELD) == decided:
        return None
    fields = merged(finding, {FIELD: decided})
    if not fields:
        return None
    workflow = "SUPPRESSED" if standing.state == "declined" else "RESOLVED"
    text = note(pointer.ticket, standing, language)
    return Change(answer_text(text, quotation(finding.note, language)), workflow, fields)


def note(ticket: str, standing: Standing, language: str) -> str:
    """Which ticket, as what it was closed, by whom and when."""
    name, label, by = (
        shorten(one_line(clean(text)).strip(), _MAX_TEXT)
        for text in (ticket, standing.label, standing.by)
    )
    at = clock.iso(standing.closed_at)[:16] + "Z" if standing.closed_at else ""
    declined = standing.state == "declined"
    if language == "ja":
        head, what = ("【抑制】", "対応しない") if declined else ("【解決】", "完了")
        told = "、".join(filter(None, (by, at)))
        return f"{head}チケット{name}が「{label or what}」としてクローズ" + (
            f"({told})" if told else ""
        )
    head, what = ("Suppressed", "not to be done") if declined else ("Resolved", "done")
    text = f"{head}: {name} was closed as {label or what}"
    text += f" by {by}" if by else ""
    return text + (f" at {at}" if at else "")
