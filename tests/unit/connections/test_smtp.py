"""SMTP: what the server is told, what each of its answers means, and when a message is in doubt."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from factories import incident, playbook, runtime, work
from hub_responder import secrets
from hub_responder.actions import notify
from hub_responder.actions.base import Outcome
from hub_responder.deadline import Deadline
from hub_responder.runtime import Runtime
from loopback import Cloud
from mailing import SECRET, MailServer, mail_server

NAME = "hub-responder/test/mail"


@pytest.fixture(scope="module")
def serving() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def server(serving: MailServer) -> MailServer:
    """The mail server, with nothing scripted; what it took before stays."""
    serving.faults.clear()
    serving.mailbox.refuses.clear()
    return serving


@pytest.fixture
def run_with(cloud: Cloud) -> Callable[..., Runtime]:
    """A run whose connection ``mail`` has such settings."""
    cloud.secrets[NAME] = SECRET

    def made(settings: dict[str, Any], **more: Any) -> Runtime:
        return runtime(playbook=playbook(connections={"mail": settings}), **more)

    return made


def tell(run_time: Runtime, **more: Any) -> Outcome:
    (outcome,) = notify.run([work(notify.Params("mail", "message.md.j2"), **more)], run_time)
    return outcome


def test_a_message_goes_over_tls_to_all_recipients(
    server: MailServer, run_with: Callable[..., Runtime]
) -> None:
    outcome = tell(run_with(server.settings(reply_to="team@example.com")))
    assert (outcome.status, outcome.detail) == ("done", "sent to mail")
    body = server.bodies()[-1]
    assert (body["from"], body["to"]) == ("soc@example.com", ["a@example.com", "b@example.com"])
    assert body["subject"] == "UNPROTECTED: CRITICAL on web-01"
    assert "Account: 111122223333" in body["text"]
    assert "<h1" in body["html"]
    headers = body["headers"]
    assert headers["Reply-To"] == "team@example.com"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Message-ID"] == f"<{'ab' * 20}@example.com>"


def test_tls_from_the_beginning_works_too(run_with: Callable[..., Runtime]) -> None:
    with mail_server("tls") as server:
        outcome = tell(run_with(server.settings(security="tls")))
        assert outcome.status == "done", outcome.detail
        assert len(server.bodies()) == 1


def test_later_messages_are_in_the_thread_of_the_first(
    server: MailServer, run_with: Callable[..., Runtime]
) -> None:
    run_time = run_with(server.settings())
    first = tell(run_time)
    later = tell(run_time, of=incident(refs=first.refs), key="cd" * 20)
    assert later.detail == "sent to mail in its thread"
    one, two = server.bodies()[-2:]
    assert two["subject"] == f"Re: {one['subject']}"
    assert two["headers"]["References"] == one["headers"]["References"]
    assert two["headers"]["Message-ID"] != one["headers"]["Message-ID"]
    assert later.refs == first.refs


@pytest.mark.parametrize(
    ("fault", "status", "doubt"),
    [
        ({"status": 451}, "deferred", False),
        ({"status": 552}, "failed", False),
        ({"status": 421}, "deferred", False),
        ({"status": 454, "times": 2}, "deferred", False),
        ({"reset": "before"}, "deferred", True),
        ({"reset": "after"}, "deferred", True),
    ],
)
def test_each_answer_means_what_follows(
    server: MailServer,
    run_with: Callable[..., Runtime],
    fault: dict[str, Any],
    status: str,
    doubt: bool,
) -> None:
    server.faults.add([{"target": "smtp", **fault}])
    before = len(server.bodies())
    outcome = tell(run_with(server.settings()))
    assert (outcome.status, outcome.in_doubt) == (status, doubt), outcome.detail
    assert len(server.bodies()) - before == (fault.get("reset") == "after")
    assert "scripted" not in outcome.detail
    if "status" in fault:
        assert f"{fault['status']}" in outcome.detail


def test_recipients_that_are_refused_are_told_while_the_others_get_it(
    server: MailServer, run_with: Callable[..., Runtime]
) -> None:
    server.mailbox.refuses["b@example.com"] = "550 5.1.1 <script>"
    outcome = tell(run_with(server.settings()))
    said = "1 of 2 recipients were refused: b@example.com (550 5.1.1)"
    assert (outcome.status, outcome.detail) == ("done", f"sent to mail; {said}")
    assert server.bodies()[-1]["to"] == ["a@example.com"]


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        (("550 5.1.1 no", "550 5.1.1 no"), "failed"),
        (("550 5.1.1 no", "451 4.7.1 later"), "deferred"),
    ],
)
def test_a_message_that_nobody_gets_waits_where_somebody_may_get_it_later(
    server: MailServer,
    run_with: Callable[..., Runtime],
    replies: tuple[str, str],
    status: str,
) -> None:
    server.mailbox.refuses |= dict(zip(("a@example.com", "b@example.com"), replies, strict=True))
    before = len(server.bodies())
    outcome = tell(run_with(server.settings()))
    assert (outcome.status, outcome.in_doubt) == (status, False)
    assert "to all of 2 recipients" in outcome.detail
    assert len(server.bodies()) == before


def test_a_refused_login_fails_and_a_rotated_password_is_read_again(
    server: MailServer, run_with: Callable[..., Runtime], cloud: Cloud
) -> None:
    run_time = run_with(server.settings())
    assert tell(run_time).status == "done"
    cloud.secrets[NAME] = {"username": "x", "password": "wr0ng"}
    secrets.forget_all()
    outcome = tell(run_time)
    assert (outcome.status, outcome.detail) == ("failed", "mail refused the login (535 5.7.8)")
    cloud.secrets[NAME] = SECRET
    assert tell(run_time).status == "done"
    assert "wr0ng" not in outcome.detail


def test_a_certificate_of_somebody_else_is_not_trusted(
    server: MailServer, run_with: Callable[..., Runtime]
) -> None:
    before = len(server.bodies())
    outcome = tell(run_with(server.settings(ca="")))
    assert (outcome.status, outcome.in_doubt) == ("deferred", False)
    assert "no trusted TLS connection" in outcome.detail
    assert len(server.bodies()) == before


def test_a_private_address_is_called_only_where_it_is_allowed(
    server: MailServer, run_with: Callable[..., Runtime]
) -> None:
    outcome = tell(run_with(server.settings(private=False)))
    assert outcome.status == "failed"
    assert "a private one that is not allowed" in outcome.detail


def test_nobody_listening_is_no_doubt(run_with: Callable[..., Runtime]) -> None:
    with mail_server() as server:
        settings = server.settings()
    outcome = tell(run_with(settings))
    assert (outcome.status, outcome.in_doubt) == ("deferred", False)
    assert outcome.detail == "mail cannot be reached"


class Script:
    """A server that says its lines, one after each of the client's; then the same, until the client
    goes, or nothing."""

    def __init__(self, *lines: str, forever: bytes = b"") -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.heard: list[bytes] = []
        self.said = 0
        self._lines = lines
        self._forever = forever
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self) -> None:
        try:
            sock, _ = self._listening.accept()
        except OSError:  # nobody came
            return
        with sock, sock.makefile("rb") as read, suppress(OSError):
            for line in self._lines:
                sock.sendall(line.encode() + b"\r\n")
                self.heard.append(read.readline())
            pause = 0.01 if len(self._forever) == 1 else 0.0
            while self._forever and not select.select([sock], [], [], pause)[0]:
                sock.sendall(self._forever)
                self.said += len(self._forever)
            read.read()

    def close(self) -> None:
        """Wait for the client to go."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._listening.close()


def test_a_server_without_tls_gets_neither_the_login_nor_the_message(
    server: MailServer, run_with: Callable[..., Runtime]
) -> None:
    script = Script("220 mail", "250-mail\r\n250 AUTH PLAIN")
    outcome = tell(run_with(server.settings(port=script.port)))
    script.close()
    assert outcome.status == "failed"
    assert "offers no STARTTLS" in outcome.detail
    assert [line.split()[0] for line in script.heard if line.strip()] == [b"ehlo"]


def test_a_server_that_says_nothing_more_is_left_in_time(
    server: MailServer, run_with: Callable[..., Runtime]
) -> None:
    script = Script("220 mail")
    settings = server.settings(port=script.port)
    outcome = tell(run_with(settings, deadline=Deadline.after(2.5)))
    script.close()
    assert (outcome.status, outcome.in_doubt) == ("deferred", False)


@pytest.mark.parametrize("piece", [b"2", b"220-" + b"x" * 900 + b"\r\n"])
def test_a_server_that_never_comes_to_an_end_is_left(
    server: MailServer, run_with: Callable[..., Runtime], piece: bytes
) -> None:
    script = Script(forever=piece)
    settings = server.settings(port=script.port)
    drips = len(piece) == 1
    outcome = tell(run_with(settings, deadline=Deadline.after(2.5 if drips else 60.0)))
    script.close()
    assert (outcome.status, outcome.in_doubt) == ("deferred", False)
    assert script.said < 50_000_000  # most of it is in the sockets' buffers


@pytest.mark.parametrize("secret", [{"username": "u"}, {"username": "ü", "password": "x"}])
def test_a_secret_that_is_none_is_said(
    server: MailServer, run_with: Callable[..., Runtime], cloud: Cloud, secret: dict[str, str]
) -> None:
    run_time = run_with(server.settings())
    cloud.secrets[NAME] = secret
    outcome = tell(run_time)
    assert outcome.status == "failed"
    assert "connection mail" in outcome.detail
