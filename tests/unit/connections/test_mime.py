"""E-mail as MIME: what a finding says stays where it was put, whoever reads it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factories import NOW, incident, work
from hostile import HOSTILE, message
from hub_responder.connections.mime import compose
from hub_responder.connections.resolve import Connection
from hub_responder.connections.settings import Ses
from hub_responder.markdown.document import Document, Heading, Text
from hub_responder.markdown.email import to_html, to_subject, to_text
from hub_toolkit.sandbox import mail
from mailing import read

SETTINGS = Ses(sender="soc@example.com", to=("a@example.com", "b@example.com"))
HEADERS = {
    *("content-type", "mime-version", "from", "to", "subject", "date", "message-id"),
    *("in-reply-to", "references", "auto-submitted", "x-auto-response-suppress"),
    "content-language",
}


def composed(document: Document, ref: Any = None, **more: Any) -> Any:
    connection = Connection("mail", "ses", {})
    return compose(connection, SETTINGS, document, work(None, **more), ref or {})


@given(HOSTILE)
@example("=?utf-8?q?Bcc:_x?= =?utf-8?b?eA==?=")
@example("\r\nBcc: evil@example.com\r\n\r\n<script>")
@example("緊急: 未保護のインスタンス web-01 に 悪用可能な 脆弱性が あります " * 3)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_title_is_read_back_as_it_was_and_no_header_is_added(value: str) -> None:
    document = message(value, "ja")
    content = composed(document).content
    parsed = read(content)
    assert {name.lower() for name in parsed.keys()} == HEADERS  # noqa: SIM118 - no mapping
    assert parsed["subject"] == to_subject(document)
    assert parsed.get_body(("plain",)).get_content().split() == to_text(document).split()
    assert parsed.get_body(("html",)).get_content().split() == to_html(document, "CRITICAL").split()
    assert mail.parsed(content)["to"] == "a@example.com, b@example.com"


@given(st.text(st.characters(categories=("L", "Zs", "N")), min_size=1, max_size=200))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_spaces_in_a_folded_subject_stay(title: str) -> None:
    document = Document((Heading(1, (Text(title),)),))
    assert read(composed(document).content)["subject"] == to_subject(document)


def test_an_incident_has_one_thread_for_each_of_its_lives_and_connections() -> None:
    first = composed(message("x")).ref["thread"]
    assert composed(message("y"), key="cd" * 20).ref["thread"] == first
    assert composed(message("x"), of=incident(gen=2)).ref["thread"] != first
    other = compose(Connection("other", "ses", {}), SETTINGS, message("x"), work(None), {})
    assert other.ref["thread"] != first


def test_later_messages_keep_the_first_ones_subject() -> None:
    first = composed(message("x"))
    later = composed(message("z" * 300), first.ref)
    parsed = read(later.content)
    assert parsed["subject"] == "Re: Title x"
    assert parsed["references"] == parsed["in-reply-to"] == first.ref["thread"]
    assert later.ref == first.ref


def test_it_is_dated_by_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from hub_responder import clock

    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: NOW))
    parsed = read(composed(message("x")).content)
    assert parsed["date"].datetime.timestamp() == NOW
