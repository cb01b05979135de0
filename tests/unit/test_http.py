"""The way out over HTTP: what is refused, bounded, and what each failure means."""

from __future__ import annotations

import gzip
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import certifi
import pytest

from hub_responder import http
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError, DeniedError, PermanentError, TransientError
from hub_toolkit.sandbox.certificates import authority
from loopback import Loopback, Reply

DEADLINE = Deadline.after(3600)


def get(server: Loopback, **options: object) -> http.Response:
    return http.call("GET", server.url + "/x", target="them", deadline=DEADLINE, **options)  # type: ignore[arg-type]


def test_a_call_sends_json_as_utf8_and_reads_the_answer(server: Loopback) -> None:
    server.replies(Reply(201, {"id": "1"}, {"X-Thing": "y"}))
    answer = http.call(
        "POST",
        server.url + "/a?b=c",
        target="them",
        deadline=DEADLINE,
        headers={"Authorization": "Bearer t"},
        json={"text": "未保護"},
    )
    assert (answer.status, answer.json(), answer.headers["x-thing"]) == (201, {"id": "1"}, "y")
    sent = server.requests[0]
    assert (sent.method, sent.path, sent.headers["authorization"]) == ("POST", "/a?b=c", "Bearer t")
    assert "未保護".encode() in sent.body
    assert sent.headers["content-type"].startswith("application/json")


def test_an_own_authority_is_trusted_in_place_of_the_public_ones(server: Loopback) -> None:
    own = authority()
    server.speak_tls(own.server)
    server.replies(Reply(200, {}))

    def get_with(ca: str) -> http.Response:
        session = http.session_for(private=True, ca=ca)
        url = server.url + "/x"
        return http.call("GET", url, target="them", deadline=DEADLINE, session=session)

    assert get_with(own.ca).status == 200
    with pytest.raises(TransientError, match="no trusted TLS connection"):
        get_with("")
    with pytest.raises(TransientError, match="no trusted TLS connection"):
        get_with(Path(certifi.where()).read_text(encoding="utf-8"))
    assert len(server.requests) == 1
    http.own_session(True, own.ca).close()


def test_an_own_authority_opens_no_private_address(server: Loopback) -> None:
    own = authority()
    server.speak_tls(own.server)
    session = http.session_for(private=False, ca=own.ca)
    with pytest.raises(PermanentError, match="not allowed"):
        http.call("GET", server.url, target="them", deadline=DEADLINE, session=session)
    session.close()


def test_what_is_no_certificate_is_a_mistake_of_the_connection() -> None:
    for text in (
        "/etc/ssl/own.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ):
        with pytest.raises(ConfigurationError, match="no certificates"):
            http.session_for(private=True, ca=text)


def test_environment_proxies_are_not_used(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.replies(Reply(200, {}))
    assert get(server).status == 200


def test_cookies_are_not_kept(server: Loopback) -> None:
    server.replies(Reply(200, {}, {"Set-Cookie": "a=b"}))
    get(server)
    get(server)
    assert "cookie" not in server.requests[1].headers


def test_redirects_are_not_followed_and_mean_a_wrong_address(server: Loopback) -> None:
    server.replies(Reply(302, None, {"Location": server.url + "/elsewhere"}))
    answer = get(server)
    with pytest.raises(PermanentError, match="redirects are not followed"):
        http.raise_for_status(answer, "them")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::23]/",
        "https://[fd00:ec2::254]/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
        "https://169.254.43518/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://METADATA.google.internal./",
        "https://metadata.google.internal/",
        "https://user:secret@example.com/",
        "https:///path",
        "http://127.0.0.1.example.com/",
        "not a url",
    ],
)
def test_addresses_that_are_never_called_are_refused_without_naming_them(url: str) -> None:
    with pytest.raises(PermanentError) as raised:
        http.call("GET", url, target="them", deadline=DEADLINE)
    assert not raised.value.sent
    assert "secret" not in str(raised.value)
    assert "them" in str(raised.value)


METADATA = ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1%eth0"]


class Sock:
    """A connected socket: where its name has led, whatever it led to when it was looked at."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self.closed = False

    def getpeername(self) -> tuple[str, int]:
        return (self._peer, 80)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("peer", METADATA)
def test_a_name_that_leads_to_the_metadata_service_is_refused(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, peer: str
) -> None:
    """What counts is the connection's peer: a name that changes its address gains nothing."""
    sock = Sock(peer)
    monkeypatch.setattr("urllib3.util.connection.create_connection", lambda *_a, **_k: sock)
    with pytest.raises(PermanentError, match="link-local or metadata"):
        http.call(
            "GET", server.url.replace("127.0.0.1", "localhost"), target="x", deadline=DEADLINE
        )
    assert sock.closed


@pytest.mark.parametrize(
    "peer", ["10.0.0.1", "127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1", *METADATA]
)
def test_a_name_that_leads_to_a_private_address_is_refused_where_none_is_allowed(
    monkeypatch: pytest.MonkeyPatch, peer: str
) -> None:
    sock = Sock(peer)
    monkeypatch.setattr("urllib3.util.connection.create_connection", lambda *_a, **_k: sock)
    session = http.session_for(private=False)
    for url in ("https://example.com/", "https://2130706433/", "https://0177.0.0.1/"):
        with pytest.raises(PermanentError, match="not allowed"):
            http.call("GET", url, target="x", deadline=DEADLINE, session=session)
        assert sock.closed


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, PermanentError),
        (401, DeniedError),
        (403, DeniedError),
        (404, PermanentError),
        (408, TransientError),
        (429, TransientError),
        (500, TransientError),
        (503, TransientError),
        (599, TransientError),
    ],
)
def test_each_status_means_an_error(server: Loopback, status: int, error: type[Exception]) -> None:
    server.replies(Reply(status))
    answer = get(server)
    with pytest.raises(error) as raised:
        http.raise_for_status(answer, "them")
    assert type(raised.value) is error
    assert raised.value.status == status  # type: ignore[attr-defined]


def test_a_throttled_request_had_no_effect_and_a_failed_one_may_have_had(server: Loopback) -> None:
    for status, sent in ((429, False), (500, True)):
        server.replies(Reply(status))
        with pytest.raises(TransientError) as raised:
            http.raise_for_status(get(server), "them")
        assert raised.value.sent is sent


def test_retry_after_is_read_as_seconds_and_as_a_date(server: Loopback) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for text, low, high in (("30", 30, 30), ("1.5", 1.5, 1.5), (later, 80, 90), ("0", 0, 0)):
        server.replies(Reply(429, None, {"Retry-After": text}))
        seconds = http.retry_after(get(server))
        assert seconds is not None
        assert low <= seconds <= high
    for text in ("soon", "-5", "١", "nan", "1e400"):
        answer = http.Response(429, {"retry-after": text}, b"", "them")
        assert http.retry_after(answer) is None


def test_a_body_over_the_limit_is_not_read_to_its_end(server: Loopback) -> None:
    server.replies(Reply(200, b"x" * 5000))
    with pytest.raises(PermanentError, match="more than 1,000 bytes"):
        get(server, max_bytes=1000)


def test_a_compressed_body_counts_as_what_it_unpacks_to(server: Loopback) -> None:
    packed = gzip.compress(b"x" * 3_000_000)
    server.replies(Reply(200, packed, {"Content-Encoding": "gzip"}))
    with pytest.raises(PermanentError, match="more than 2,000,000 bytes"):
        get(server)


def test_an_answer_cut_short_is_transient_and_in_doubt(server: Loopback) -> None:
    server.replies(Reply(200, b'{"a"', {"Content-Length": "500"}))
    with pytest.raises(TransientError) as raised:
        get(server)
    assert raised.value.sent


def test_a_connection_closed_after_the_request_is_in_doubt(server: Loopback) -> None:
    server.replies(Reply(hang_up=True))
    with pytest.raises(TransientError) as raised:
        get(server)
    assert raised.value.sent
    assert "127.0.0.1" not in str(raised.value)


def test_a_refused_connection_is_transient_and_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TransientError, match="cannot be reached") as raised:
        http.call("POST", f"http://127.0.0.1:{port}/s3cret", target="them", deadline=DEADLINE)
    assert not raised.value.sent
    assert "s3cret" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_no_answer_in_time_is_in_doubt() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(TransientError, match="in time") as raised:
            http.call("POST", url, target="them", deadline=DEADLINE, timeout=0.05)
    assert raised.value.sent


def test_nothing_is_called_when_no_time_is_left(server: Loopback) -> None:
    with pytest.raises(TransientError, match="no time left"):
        http.call("GET", server.url, target="them", deadline=Deadline.after(1))
    assert not server.requests


@pytest.mark.parametrize("body", [b"<html>", b'{"a": NaN}', b"", b"[" * 100_000, b"\xff"])
def test_what_is_not_json_is_named_without_its_text(server: Loopback, body: bytes) -> None:
    server.replies(Reply(200, body, {"Content-Type": "text/html"}))
    answer = get(server)
    with pytest.raises(PermanentError, match="not JSON") as raised:
        answer.json()
    assert "<html>" not in str(raised.value)


def test_text_that_cannot_be_encoded_is_refused_before_the_call(server: Loopback) -> None:
    with pytest.raises(PermanentError, match="cannot be encoded"):
        get(server, json={"a": "\ud800"})
    assert not server.requests


def test_a_header_with_a_line_break_is_refused(server: Loopback) -> None:
    with pytest.raises(PermanentError, match="invalid"):
        get(server, headers={"Authorization": "a\r\nX: b"})
    assert not server.requests
