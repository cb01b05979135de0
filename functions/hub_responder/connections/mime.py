"""A message as MIME: what SES and an SMTP server both take.

Made with the old policy (``compat32``) and `email.header`: `email.message.EmailMessage` of Python
3.11 drops spaces where it folds Japanese, and decodes ``=?utf-8?q?...?=`` that stands in a title.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from hub_responder import clock
from hub_responder.markdown.characters import shorten
from hub_responder.markdown.email import MAX_SUBJECT, to_html, to_subject, to_text

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.connections.settings import Ses, Smtp
    from hub_responder.markdown.document import Document

_AGAIN = "Re: "


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that is ready to be sent, and what is kept of it.

    Attributes:
        content: headers and bodies, with CRLF, ASCII only.
        ref: ``thread`` is the id that all messages about the incident refer to, ``subject`` that of
            the first: Gmail parts what has another.
    """

    content: bytes
    ref: Mapping[str, str]


def compose(
    connection: Connection,
    settings: Ses | Smtp,
    document: Document,
    work: Work,
    ref: Mapping[str, Any],
) -> Mail:
    """The message about an incident.

    It refers to an id of the incident (RFC 5322, ``References``), which no message has: SES gives
    its messages ids of its own. Its own ``Message-ID`` is the effect's key, so that of one that is
    sent again mail programs may show one.
    """
    domain = settings.sender.rpartition("@")[2]
    thread = str(ref.get("thread") or _root(connection.name, work, domain))
    first = str(ref.get("subject") or "")
    subject = first or to_subject(document)
    message = MIMEMultipart("alternative", boundary=_boundary(work.key))
    headers = {
        "From": settings.sender,
        "To": ", ".join(settings.to),
        "Reply-To": settings.reply_to,
        "Subject": shorten(_AGAIN + first, MAX_SUBJECT) if first else subject,
        "Date": formatdate(clock.now()),
        "Message-ID": f"<{work.key}@{domain}>",
        "In-Reply-To": thread,
        "References": thread,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": document.language,
    }
    for name, value in headers.items():
        if value:
            message.add_header(name, _header(name, value).encode())
    message.attach(MIMEText(to_text(document), "plain", "utf-8"))
    html = to_html(document, str(work.incident.severity))
    message.attach(MIMEText(html, "html", "utf-8"))
    content = message.as_bytes(policy=compat32.clone(linesep="\r\n"))
    return Mail(content, {"thread": thread, "subject": subject})


def _root(connection: str, work: Work, domain: str) -> str:
    """The id of the incident's thread; an incident that came again has another."""
    incident = work.incident
    text = f"{incident.key}#{incident.gen}|{connection}"
    return f"<{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:40]}@{domain}>"


def _boundary(key: str) -> str:
    """No line of base64 has a hyphen, so that no body can hold it."""
    return f"--hub-responder-{key}"


def _header(name: str, value: str) -> Header:
    """``value`` in one header: nothing in it can begin another one, or be decoded as what it is
    not."""
    value = " ".join(value.splitlines())
    if value.isascii() and value.isprintable() and "=?" not in value:
        return Header(value, "us-ascii", header_name=name)
    return Header(value.encode("utf-8", "replace").decode(), "utf-8", header_name=name)
