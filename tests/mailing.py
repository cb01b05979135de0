"""A mail server on loopback, and messages as their readers see them, for tests."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from hub_toolkit.sandbox import inbox as deliveries
from hub_toolkit.sandbox.faults import Faults, faulty
from hub_toolkit.sandbox.inbox import Inbox
from hub_toolkit.sandbox.vendors.smtp import Mailbox
from hub_toolkit.sandbox.vendors.smtp.listener import HOST, Listener

USER, PASSWORD = "hub-responder@example.com", "s3cret word"
SECRET = {"username": USER, "password": PASSWORD}


@dataclass
class MailServer:
    """A simulated mail server that listens."""

    mailbox: Mailbox
    listener: Listener
    inbox: Inbox
    faults: Faults

    def settings(self, **more: Any) -> dict[str, Any]:
        """A connection that leads there."""
        return {
            "type": "smtp",
            "host": HOST,
            "port": self.listener.port,
            "private": True,
            "ca": self.listener.ca,
            "sender": "soc@example.com",
            "to": ["a@example.com", "b@example.com"],
            **more,
        }

    def bodies(self) -> list[Any]:
        """The messages that it took."""
        return [entry["body"] for entry in self.inbox.deliveries()]


@contextmanager
def mail_server(tls: str = "starttls") -> Iterator[MailServer]:
    """A mail server until the end."""
    inbox, faults = Inbox(lambda: 0.0), Faults(lambda _seconds: None)
    mailbox = Mailbox(**SECRET)
    app = deliveries.record(faulty(mailbox.app, faults, "smtp"), inbox, "smtp", "mail")
    listener = Listener(mailbox, app, faults, "smtp", tls=tls)
    try:
        yield MailServer(mailbox, listener, inbox, faults)
    finally:
        listener.close()


def read(content: bytes) -> EmailMessage:
    """The message as a program of another hand reads it."""
    return email.message_from_bytes(content, EmailMessage, policy=email.policy.default)
