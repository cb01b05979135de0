"""Whatever a finding says is shown as it is written, and does nothing: in the targets, read by
rules of their own and not by those that wrote it, and in the pages that show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hostile import HOSTILE, message
from hub_responder.connections import sns
from hub_responder.connections.slack import without_previews
from hub_responder.connections.webhook import rendered
from hub_responder.markdown.adaptive_card import to_card
from hub_responder.markdown.adf import to_adf
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.markdown.document import Document
from hub_responder.markdown.email import to_html, to_subject, to_text
from hub_responder.markdown.github import to_github
from hub_responder.markdown.pagerduty import to_details, to_links, to_summary
from hub_responder.markdown.plain import to_markdown
from hub_responder.markdown.servicenow import harmless, to_servicenow
from hub_responder.markdown.wiki import to_wiki
from hub_responder.tickets import github, opscenter, servicenow
from hub_responder.tickets.ticket import MAX_SUMMARY
from hub_toolkit.preview.page import render
from hub_toolkit.preview.taken import Sent, Taken
from hub_toolkit.preview.targets import TARGETS

from .conftest import Outline

LISTED = (
    "\"quoted\" and 'quoted'",
    "<!channel> <@U012ABCDEF> <https://evil.example|click> @here",
    "{{ 7 * 7 }} {% raw %} {{DATE(2026-01-01T00:00:00Z)}} ${x}",
    "x" * 10_000,
    "👩‍💻 🇯🇵 :tada: *b* _i_ ~s~ `c`",
    "\u202egnp.exe\u202c \u200f\u061c right to left",
    "a\x00b\x1b[31mc\x07\r\nBcc: x@evil.example",
    "受付サーバー01 【未保護】 半角ｶﾅ",
    "</td></tr><script>alert(1)</script><img src=x onerror=alert(1)>",
    "](https://evil.example) [x](javascript:alert(1)) #1 @octocat GH-1",
)
"""Titles as the specification of this names them."""
LOOK_ALIKES = str.maketrans(
    {
        "∗": "*",
        "＿": "_",
        "∼": "~",
        "ˋ": "`",
        "꞉": ":",
        "＠": "@",
        "＃": "#",
        "＄": "$",
    }
)
SHORT = st.sampled_from([one for one in LISTED if len(one) < 100]) | st.text(
    st.characters(exclude_categories=()), max_size=40
)

PAYLOADS: Mapping[str, Callable[[Document], dict[str, Any]]] = {
    "slack": without_previews,
    "teams": lambda one: {"attachments": [{"content": to_card(one, "CRITICAL")}]},
    "sns": lambda one: {"Message": sns.notification(one, "key", "thread", ("arn:aws:x",))},
    "email": lambda one: {
        "from": "a@example.com",
        "to": ["b@example.com"],
        "subject": to_subject(one),
        "text": to_text(one),
        "html": to_html(one, "CRITICAL"),
    },
    "pagerduty": lambda one: {
        "payload": {"summary": to_summary(one), "custom_details": to_details(one)},
        "links": to_links(one),
    },
    "webhook": lambda one: {"message": rendered(one)},
    "jira": lambda one: {
        "fields": {
            "summary": shorten(one.title, MAX_SUMMARY) or "-",
            "description": to_adf(one.body),
        }
    },
    "jira-data-center": lambda one: {
        "fields": {
            "summary": shorten(one.title, MAX_SUMMARY) or "-",
            "description": to_wiki(one.body),
        }
    },
    "github": lambda one: {
        "title": shorten(one.title, MAX_SUMMARY) or "-",
        "body": to_github(one.body, github.MAX_BODY),
        "labels": ["hub-responder"],
    },
    "servicenow": lambda one: {
        "short_description": harmless(shorten(one_line(one.title), servicenow.MAX_TITLE)) or "-",
        "description": to_servicenow(one.body, servicenow.MAX_TEXT),
    },
    "opscenter": lambda one: {
        "Title": shorten(one.title, MAX_SUMMARY) or "-",
        "Description": to_markdown(one.body, opscenter.MAX_DESCRIPTION),
    },
}
"""What each target is sent of a document."""


def drawn(name: str, document: Document) -> Outline:
    """What the target shows of it; of an e-mail, what its HTML shows."""
    body = PAYLOADS[name](document)
    return Outline(str(body["html"] if name == "email" else TARGETS[name].draw(body)))


def squeezed(text: str) -> str:
    """Without what targets change on purpose: white space and look-alikes of their markup."""
    return re.sub(r"[\s\u200b]+", "", text.translate(LOOK_ALIKES))


def test_each_target_is_tried() -> None:
    assert set(PAYLOADS) == set(TARGETS)


@pytest.mark.parametrize("name", PAYLOADS)
@settings(max_examples=25, deadline=None, derandomize=True)
@example(x=LISTED[3])
@example(x="<!channel> <https://evil.example|click> https://evil.example")
@given(x=st.sampled_from(LISTED) | HOSTILE)
def test_no_value_links_mentions_marks_up_or_breaks_a_limit(name: str, x: str) -> None:
    outline = drawn(name, message(x))
    links = [value for tag, key, value in outline.attributes if (tag, key) == ("a", "href")]
    assert all(link.startswith("https://a.example/?q=") for link in links), links
    classes = {value for _, key, value in outline.attributes if key == "class"}
    assert not {"mention", "emoji", "unknown"} & classes
    assert not {"script", "img", "iframe", "object", "form", "input", "s"} & set(outline.tags)
    assert not [key for _, key, _ in outline.attributes if key.startswith("on")]
    # In Jira a value's line breaks stay, and each of its lines is a text of its own.
    plains = [drawn(name, message("x" + "\nx" * count)) for count in {0, clean(x).count("\n")}]
    for tag in ("b", "i", "strong", "em", "del", "h1", "h2", "h3", "blockquote", "ul", "ol"):
        assert outline.tags.count(tag) <= max(one.tags.count(tag) for one in plains), tag
    sizes = TARGETS[name].measure(PAYLOADS[name](message(x)))
    assert [one.what for one in sizes if one.size > one.limit] == []


@pytest.mark.parametrize("name", PAYLOADS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(x=SHORT)
def test_a_value_is_shown_as_it_is_written(name: str, x: str) -> None:
    wanted = squeezed(clean(x))
    assert squeezed(drawn(name, message(x)).text).count(wanted) >= 5


@settings(max_examples=25, deadline=None, derandomize=True)
@given(x=st.sampled_from(LISTED) | HOSTILE)
def test_pages_that_show_it_fetch_and_run_nothing(x: str) -> None:
    document = message(x)
    taken = {
        name: Taken(TARGETS[name], x[:80], True, document, (Sent("POST", x[:80], make(document)),))
        for name, make in PAYLOADS.items()
    }
    outline = Outline(render(taken, x[:200], x[:200]))
    assert not {"script", "img", "object", "embed", "form", "input", "link"} & set(outline.tags)
    assert outline.tags.count("style") == outline.tags.count("iframe") == 1
    for tag, key, value in outline.attributes:
        assert not key.startswith("on")
        assert key not in {"src", "action", "formaction", "style", "background"}
        assert key != "href" or value.startswith("https://a.example/?q="), (tag, value)
        assert key != "sandbox" or value == ""
    policies = [
        value for _, key, value in outline.attributes if key == "content" and "-src" in value
    ]
    assert policies[0].startswith("default-src 'none'; style-src 'sha256-")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "type",
                        "text",
                        "blocks",
                        "fields",
                        "content",
                        "attachments",
                        "body",
                        "message",
                    ),
                    *(
                        "attrs",
                        "marks",
                        "href",
                        "items",
                        "inlines",
                        "url",
                        "title",
                        "summary",
                        "html",
                    ),
                    *("description", "Message", "Description", "level", "markdown", "labels", "to"),
                ]
            ),
            inner | st.sampled_from(["doc", "header", "section", "Container", "javascript:x"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(body=st.dictionaries(st.sampled_from(["blocks", "fields", "attachments", "body", "Message",
                                            "message", "html", "text", "title"]), ANY))  # fmt: skip
def test_a_payload_of_another_shape_is_shown_as_data(name: str, body: dict[str, Any]) -> None:
    taken = Taken(TARGETS[name], "c", False, message("x"), (Sent("POST", "/", body),))
    outline = Outline(render({name: taken}, "t", "s"))
    assert not {"script", "img", "object", "form"} & set(outline.tags)
    links = [value for _, key, value in outline.attributes if key == "href"]
    assert all(link.startswith(("https://", "http://")) for link in links)
