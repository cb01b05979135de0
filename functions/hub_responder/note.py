"""The note that people read on a finding: at most 512 characters, the answer first.

``UNPROTECTED: no agent on web-01 (i-0abc), 09:03:12 JST | 400 open (12 CRITICAL, 3 exploitable)
-> SEC-123 | run 7F3K``
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from hub_responder.markdown.characters import clean, one_line, shorten, width
from hub_responder.tally import Tally, tally

if TYPE_CHECKING:
    from hub_responder.finding import Note
    from hub_responder.incident import Incident

UPDATED_BY = "hub-responder"
MAX_NOTE = 512
_MAX_QUOTE = 160
_RUN_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 of them, without those that are read as another."""
_QUOTED = re.compile(r" \[(?:earlier note|以前のメモ): .*\]\Z", re.DOTALL)


def run_id(incident: Incident) -> str:
    """Four letters that name this round of this incident, for people to look it up by."""
    digest = hashlib.sha256(f"{incident.key}#{incident.gen}#{incident.round}".encode()).digest()
    return "".join(_RUN_LETTERS[byte % 32] for byte in digest[:4])


def note_text(summary: str, incident: Incident, language: str, quote: str = "") -> str:
    """``summary``, the incident's numbers, its ticket, the run and ``quote`` (see `quotation`).

    The summary is what is cut where it does not fit.
    """
    parts = [_numbers(tally(incident), language)]
    ticket = incident.ticket
    if ticket:
        name = shorten(one_line(clean(str(ticket["id"]))), 60)
        parts[0] += f"→ {name}" if language == "ja" else f" -> {name}"
    run = run_id(incident)
    parts.append(f"実行{run}" if language == "ja" else f"run {run}")
    bar = "|" if language == "ja" else " | "
    return _cut_to(summary, bar + bar.join(parts) + quote)


def answer_text(text: str, quote: str) -> str:
    """``text`` and ``quote``, without numbers; the text is what is cut."""
    return _cut_to(text, quote)


def _cut_to(text: str, tail: str) -> str:
    bare = one_line(clean(text)).strip() or "-"
    return shorten(bare, MAX_NOTE - width(tail)) + tail


def _numbers(numbers: Tally, language: str) -> str:
    japanese = language == "ja"
    count = str(numbers.total)
    if numbers.shown < numbers.total:
        shown = numbers.shown
        count = f"{numbers.total}件中{shown}" if japanese else f"{shown} of {numbers.total}"
    worst = []
    if numbers.critical:
        worst.append(f"CRITICAL {numbers.critical}" if japanese else f"{numbers.critical} CRITICAL")
    if numbers.exploitable:
        number = numbers.exploitable
        worst.append(f"悪用可 {number}" if japanese else f"{number} exploitable")
    if japanese:
        return f"未解決{count}件" + (f"({'、'.join(worst)})" if worst else "")
    return f"{count} open" + (f" ({', '.join(worst)})" if worst else "")


def is_ours(note: Note | None) -> bool:
    """Whether an automatic run may write over ``note``: it is absent, empty or ours."""
    return note is None or not note.text.strip() or note.updated_by == UPDATED_BY


def quotation(note: Note | None, language: str) -> str:
    """How the next note ends: with the person's note that it replaces, or empty.

    A note of ours that quotes a person passes the quotation on.
    """
    said = one_line(clean(note.text)).strip() if note is not None else ""
    if note is None or not said:
        return ""
    if note.updated_by == UPDATED_BY:
        quoted = _QUOTED.search(said)
        return quoted[0] if quoted and width(quoted[0]) <= MAX_NOTE // 2 else ""
    who = shorten(one_line(clean(note.updated_by)).strip(), 40)
    said = shorten(f"{who}: {said}" if who else said, _MAX_QUOTE)
    return f" [{'以前のメモ' if language == 'ja' else 'earlier note'}: {said}]"
