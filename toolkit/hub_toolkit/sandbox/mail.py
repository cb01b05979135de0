"""An e-mail as its reader sees it: what the simulators of SES and SMTP show in the inbox."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

SINGLE = (
    *("Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From"),
    *("In-Reply-To", "Message-ID", "MIME-Version", "References", "Reply-To", "Return-Path"),
    *("Sender", "Subject"),
)
"""Headers that a message has once at most (RFC 5322; "Amazon SES header fields")."""
MAX_LINE = 998
"""Bytes of a line without its end (RFC 5322, 2.1.1)."""
_HEADERS = ("Message-ID", "In-Reply-To", "References", "Auto-Submitted", "Date", "Reply-To")


class MailError(ValueError):
    """What is no message; the text says why."""


def parsed(content: bytes) -> EmailMessage:
    """``content`` as a message.

    Raises:
        MailError: it is not in the form that RFC 5322 and MIME give it.
    """
    if not content.isascii():
        raise MailError("it has bytes that are not ASCII")
    if any(len(line) > MAX_LINE for line in content.split(b"\r\n")):
        raise MailError(f"it has a line of more than {MAX_LINE} bytes")
    if b"\n" in content.replace(b"\r\n", b"") or b"\r" in content.replace(b"\r\n", b""):
        raise MailError("it has a line that does not end in CRLF")
    message = email.message_from_bytes(content, EmailMessage, policy=email.policy.default)
    for name in SINGLE:
        if len(message.get_all(name, [])) > 1:
            raise MailError(f"Duplicate header '{name}'")
    if not message.get("From"):
        raise MailError("Missing required header 'From'")
    if message.defects:
        raise MailError(f"it is malformed: {type(message.defects[0]).__name__}")
    return message


def shown(message: EmailMessage, recipients: Sequence[str]) -> dict[str, Any]:
    """The message as JSON: sender, the envelope's recipients, subject, both bodies, headers."""
    bodies: dict[str, str] = {}
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        bodies[kind] = str(part.get_content()) if part is not None else ""
    return {
        "from": str(message["From"]),
        "to": list(recipients),
        "subject": str(message["Subject"] or ""),
        "text": bodies["plain"],
        "html": bodies["html"],
        "headers": {name: str(message[name]) for name in _HEADERS if message[name]},
    }
