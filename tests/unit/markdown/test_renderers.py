"""Every renderer: limits kept, text kept, and no value that becomes markup."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import mistune
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import HOSTILE, PIECES, message
from hub_responder.markdown.adf import to_adf
from hub_responder.markdown.characters import clean, width
from hub_responder.markdown.document import Document, Link
from hub_responder.markdown.plain import to_markdown, to_text
from hub_responder.markdown.q_developer import to_client_markdown, to_title
from hub_responder.markdown.slack import to_slack
from hub_responder.markdown.template import compile_template, render_template
from hub_toolkit.sandbox.vendors.jira import adf as jira_adf
from hub_toolkit.sandbox.vendors.slack import blocks as slack_blocks


def texts(payload: dict[str, Any]) -> list[str]:
    found = []
    for block in payload["blocks"]:
        holders = [block["text"]] if "text" in block else block.get("fields", [])
        found += [holder["text"] for holder in holders]
    return found


def outside_code(mrkdwn: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", mrkdwn, flags=re.DOTALL)


@given(HOSTILE)
@settings(max_examples=60, deadline=None)
def test_slack_takes_the_blocks_and_no_mention_gets_through(value: str) -> None:
    payload = to_slack(message(value))
    assert slack_blocks.problems(payload["blocks"]) == []
    assert slack_blocks.characters(payload["blocks"]) <= 13_000
    assert 0 < len(payload["text"]) <= 1000
    json.loads(msgspec.json.encode(payload))
    for text in [payload["text"], *texts(payload)]:
        for inner in re.findall(r"<([^>]*)", text):
            assert inner.startswith("https://a.example/?q="), inner
        assert re.search(r"&(?!amp;|lt;|gt;)", text) is None


@given(st.lists(PIECES, max_size=8).map("".join))
@settings(max_examples=60, deadline=None)
def test_slack_shows_no_value_as_bold_italic_struck_or_emoji(value: str) -> None:
    template = compile_template("{{ x }}")
    for text in texts(to_slack(render_template(template, {"x": value}))):
        bare = outside_code(text)
        assert not set("*~`") & set(bare)
        assert not re.search(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", bare)
        assert ":tada:" not in bare
        assert not bare.lstrip().startswith("&gt;")


@given(HOSTILE)
@settings(max_examples=60, deadline=None)
def test_jira_takes_the_document_and_text_stays_text(value: str) -> None:
    made = to_adf(message(value))
    jira_adf.validate(made)
    encoded = msgspec.json.encode(made)
    assert len(encoded) <= 32_000
    links = re.findall(rb'"href":"([^"]*)"', encoded)
    assert all(link.startswith(b"https://a.example/?q=") for link in links)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_jira_keeps_every_character(value: str) -> None:
    made = to_adf(render_template(compile_template("{{ x }}"), {"x": value}))
    content = made["content"][0]["content"]
    kept = "".join("\n" if node["type"] == "hardBreak" else node["text"] for node in content)
    assert kept == clean(value)


@given(HOSTILE)
@settings(max_examples=60, deadline=None)
def test_markdown_read_again_holds_no_other_link_or_html(value: str) -> None:
    text = to_markdown(message(value), 2048)
    assert 0 < width(text) <= 2048
    page = mistune.html(text)
    assert isinstance(page, str)
    for href in re.findall(r'href="([^"]*)"', page):
        assert html.unescape(href).startswith("https://a.example/?q=")
    assert not re.search(r"<(script|img|b>|div)", page)


@given(HOSTILE)
@settings(max_examples=60, deadline=None)
def test_q_developer_gets_no_mention_or_link_from_a_value(value: str) -> None:
    document = message(value)
    for text in (to_client_markdown(document.body, 3000), to_title(document, 250)):
        assert 0 < width(text) <= 3000
        assert "<" not in text
        bare = outside_code(text)
        assert "](" not in bare
        for url in re.findall(r"https?://\S+", bare):
            assert url.startswith("https://a.example/?q=")
    assert width(to_title(document, 250)) <= 250


@given(HOSTILE, st.integers(50, 400))
@settings(max_examples=100, deadline=None)
def test_bare_text_keeps_its_limit(value: str, limit: int) -> None:
    assert width(to_text(message(value), limit)) <= limit


def test_japanese_survives_everywhere() -> None:
    document = message("日本語の説明", "ja")
    for shown in (
        str(to_slack(document)),
        str(to_adf(document)),
        to_markdown(document, 2048),
        to_text(document, 2000),
        to_client_markdown(document, 3000),
    ):
        assert "日本語の説明" in shown


def test_slack_shows_the_title_as_header_and_facts_as_fields() -> None:
    blocks = to_slack(message("v"))["blocks"]
    assert blocks[0] == {
        "type": "header",
        "text": {"type": "plain_text", "text": "Title v", "emoji": False},
    }
    assert [field["text"] for field in blocks[2]["fields"]] == ["*One*\nv", "*v*\n*v*"]
    assert blocks[1]["text"]["text"] == (
        "Text v and *bold v*, _it v_, `v`, <https://a.example/?q=v|link v>."
    )
    assert {"type": "mrkdwn", "text": "• v\n    ◦ v", "verbatim": True} in [
        block.get("text") for block in blocks
    ]


def test_slack_shows_a_value_with_markup_as_code() -> None:
    def shown(value: str) -> str:
        return texts(to_slack(render_template(compile_template("{{ x }}"), {"x": value})))[0]

    assert shown("sg_web_prod 09:03:12 a-b") == "sg_web_prod 09:03:12 a-b"
    assert shown("*bold*") == "`*bold*`"
    assert shown("a `b` c") == "`a ˋbˋ c`"
    assert shown("_x_ & y") == "`_x_ &amp; y`"
    assert shown("> quoted") == "`&gt; quoted`"
    assert shown("one\ntwo") == "one two"


def test_a_long_slack_list_says_how_many_more_there_are() -> None:
    template = compile_template("{% for x in xs %}\n- {{ x }}\n{% endfor %}")
    for language, more in (("en", r"… and (\d+) more"), ("ja", r"…他(\d+)件")):
        document = render_template(template, {"xs": ["y" * 90] * 100}, language)
        (text,) = texts(to_slack(document))
        found = re.search(more, text)
        assert found
        assert int(found[1]) + text.count("•") == 100


def test_a_slack_message_of_too_many_blocks_says_how_many_more_there_are() -> None:
    template = compile_template("{% for x in xs %}\n{{ x }}\n\n{% endfor %}")
    blocks = to_slack(render_template(template, {"xs": range(80)}))["blocks"]
    assert len(blocks) == 50
    assert blocks[-1]["text"]["text"] == "… and 31 more"


@pytest.mark.parametrize("length", range(1, 3200, 411))
def test_slack_never_cuts_a_link(length: int) -> None:
    template = compile_template("{{ x }} [label](https://a.example/{{ y }}) end {{ x }}")
    document = render_template(template, {"x": "a" * length, "y": "b" * 1500})
    (text,) = texts(to_slack(document))
    assert width(text) <= 3000
    assert text.count("<") == text.count(">")
    assert "<" not in text or f"<https://a.example/{'b' * 1500}|label>" in text


def test_a_ticket_too_long_for_jira_counts_what_is_left_out() -> None:
    template = compile_template("start\n\n{% for x in xs %}\n- {{ x }}\n{% endfor %}\n\nend")
    made = to_adf(render_template(template, {"xs": ["y" * 500] * 200}))
    jira_adf.validate(made)
    text = jira_adf.plain(made)
    kept = text.count("y" * 500)
    assert 0 < kept < 200
    assert f"… and {200 - kept} more" in text
    assert "… and 1 more" in text


def test_one_text_too_long_for_jira_is_shortened() -> None:
    made = to_adf(render_template(compile_template("{{ x }}"), {"x": "日" * 20_000}))
    assert len(msgspec.json.encode(made)) <= 32_000
    assert jira_adf.plain(made).strip().endswith("…")


def test_markdown_keeps_facts_and_links() -> None:
    text = to_markdown(message("v"), 2048)
    assert "**Title v**\n\nText v and **bold v**" in text
    assert "- **One:** v\n" in text
    assert "[link v](https://a.example/?q=v)" in text


def test_an_address_with_brackets_ends_where_it_should() -> None:
    document = Document((_paragraph(Link("https://a.example/(x)", ())),))
    assert to_markdown(document, 100) == ("[https://a.example/%28x%29](https://a.example/%28x%29)")


def _paragraph(link: Link) -> Any:
    from hub_responder.markdown.document import Paragraph

    return Paragraph((link,))
