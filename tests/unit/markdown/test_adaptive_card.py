"""Adaptive Cards: what Teams takes, whatever a finding says; and how a message looks in it."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hostile import HOSTILE, message
from hub_responder.markdown.adaptive_card import MAX_BYTES, to_card
from hub_responder.markdown.characters import clean, one_line
from hub_responder.markdown.document import Document
from hub_responder.markdown.template import compile_template, render_template
from hub_toolkit.sandbox.vendors.teams import cards

OURS = "https://a.example/?q="
FACT = compile_template("| Fact | Value |\n|---|---|\n| {{ x }} | {{ x }} |")
FACT_BESIDES = compile_template("| Fact | Value |\n|---|---|\n| A | {{ y }}{{ x }}**{{ y }}** |")
LIST = compile_template("# T\n\n{% for x in xs %}\n- {{ x }}\n{% endfor %}")
BAR = compile_template("# T\n\n{% for u in us %}[{{ u }}]({{ u }}) · {% endfor %}\n")


def envelope(card: dict[str, Any]) -> dict[str, Any]:
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def found(value: Any, key: str) -> list[Any]:
    """Every value of ``key``, wherever it stands."""
    if isinstance(value, list):
        return [one for item in value for one in found(item, key)]
    if isinstance(value, dict):
        inner = [one for held in value.values() for one in found(held, key)]
        return [value[key], *inner] if key in value else inner
    return []


def facts(card: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["title"], one["value"]) for set_ in found(card, "facts") for one in set_]


def run_texts(card: dict[str, Any]) -> list[str]:
    inlines = [run for runs in found(card, "inlines") for run in runs]
    return [run if isinstance(run, str) else run["text"] for run in inlines]


def shown(markdown: str) -> tuple[str, list[str]]:
    """The text that a client shows of a fact, and the addresses that it links."""
    blocks = MarkdownIt("js-default").parse(markdown)
    assert [token.type for token in blocks] in (
        [],
        ["paragraph_open", "inline", "paragraph_close"],
    ), markdown
    children = [child for token in blocks for child in token.children or ()]
    kinds = {"text", "text_special", "strong_open", "strong_close", "link_open", "link_close"}
    assert {child.type for child in children} <= kinds, markdown
    links = [str(child.attrGet("href")) for child in children if child.type == "link_open"]
    return "".join(child.content for child in children), links


@given(HOSTILE)
@settings(max_examples=80, deadline=None)
def test_teams_takes_the_card_and_values_are_no_markup(value: str) -> None:
    card = to_card(message(value), "HIGH")
    assert cards.problem(envelope(card)) == ""
    assert len(msgspec.json.encode(card)) <= MAX_BYTES
    assert all(url.startswith(OURS) for url in found(card, "url"))
    for text in run_texts(card):
        assert "{{DATE(" not in text
        assert "\n" not in text
    for pair in facts(card):
        for markdown in pair:
            text, links = shown(markdown)
            assert all(link.startswith(OURS) for link in links)
            # phones look at no backslash before a bracket
            assert not re.search(r"\]\((?!https://a\.example/)", markdown)
            assert "{{DATE(" not in markdown


@given(
    st.one_of(st.text(st.characters(exclude_categories=("Cs",)), max_size=60), HOSTILE),
    st.sampled_from(["", "]", "[x", "*", "{", "&", "\\", "1"]),
)
@example("1. [x](https://evil.example) *b* _i_ `c` &lt; {{DATE(2026-01-01T00:00:00Z)}}", "]")
@settings(max_examples=200, deadline=None)
def test_a_fact_shows_every_character_also_beside_others(value: str, beside: str) -> None:
    written = one_line(clean(beside + value + beside)).strip()
    if len(written) > 450:  # each character may need a backslash
        return
    for template in (FACT, FACT_BESIDES):
        document = render_template(template, {"x": value, "y": beside})
        wanted = one_line(clean(value)).strip() if template is FACT else written
        ((_, markdown),) = facts(to_card(document, "LOW"))
        text, links = shown(markdown)
        assert links == []
        assert " ".join(text.split()) == " ".join((wanted or "—").split())


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=80))
@settings(max_examples=80, deadline=None)
def test_a_text_shows_every_character(value: str) -> None:
    card = to_card(render_template(compile_template("{{ x }}"), {"x": value}), "LOW")
    written = one_line(clean(value)).strip()
    assert "".join(run_texts(card)).replace("\u200b", "").strip() == written


def test_the_verdict_leads_in_the_colour_of_the_severity() -> None:
    for severity, style in {
        "CRITICAL": "attention",
        "MEDIUM": "warning",
        "LOW": "accent",
        "INFORMATIONAL": "emphasis",
    }.items():
        head = to_card(message("v"), severity)["body"][0]
        assert (head["type"], head["style"]) == ("Container", style)
        (run,) = head["items"][0]["inlines"]
        assert (run["text"], run["weight"], run["size"]) == ("Title v", "Bolder", "Large")


def test_the_card_is_wide_and_says_its_language_and_title_without_a_card() -> None:
    card = to_card(message("日本語", "ja"), "LOW")
    assert (card["version"], card["lang"], card["msteams"]) == ("1.4", "ja", {"width": "Full"})
    assert card["fallbackText"] == "Title 日本語"


def test_facts_are_one_set_with_bold_and_links() -> None:
    template = compile_template(
        "| Fact | Value |\n|---|---|\n| One | **{{ a }}**, x |\n| Two | [{{ b }}]({{ u }}) |"
    )
    scope = {"a": "UNPROTECTED", "b": "SEC-[1]", "u": "https://j.example/a(b)"}
    card = to_card(render_template(template, scope), "LOW")
    assert facts(card) == [
        ("One", "**UNPROTECTED**, x"),
        ("Two", "[SEC-\\[1\\]](https://j.example/a%28b%29)"),
    ]
    assert [one["type"] for one in card["body"]] == ["FactSet"]


def test_text_has_bold_italic_code_and_links() -> None:
    (block,) = to_card(
        render_template(compile_template("A **b** *i* `c` [l](https://x.example/) z"), {}), "LOW"
    )["body"]
    assert block["inlines"] == [
        "A ",
        {"type": "TextRun", "text": "b", "weight": "Bolder"},
        " ",
        {"type": "TextRun", "text": "i", "italic": True},
        " ",
        {"type": "TextRun", "text": "c", "fontType": "Monospace"},
        " ",
        {
            "type": "TextRun",
            "text": "l",
            "selectAction": {"type": "Action.OpenUrl", "url": "https://x.example/"},
        },
        " z",
    ]


def test_a_line_of_links_becomes_buttons() -> None:
    urls = [f"https://x.example/{n}" for n in range(3)]
    card = to_card(render_template(BAR, {"us": urls}), "LOW")
    assert [button["url"] for button in card["actions"]] == urls
    assert len(card["body"]) == 1


def test_links_that_are_no_buttons_stay_in_the_text() -> None:
    urls = [f"https://x.example/{n}" for n in range(8)]
    card = to_card(render_template(BAR, {"us": urls}), "LOW")
    assert len(card["actions"]) == 5
    assert found(card["body"], "url") == urls[5:]
    long = [f"https://x.example/{n}{'y' * 1900}" for n in range(5)]
    card = to_card(render_template(BAR, {"us": long}), "LOW")
    assert len(card["actions"]) == 2
    assert len(msgspec.json.encode(card)) <= MAX_BYTES


@pytest.mark.parametrize(("language", "more"), [("en", r"… and (\d+) more"), ("ja", r"…他(\d+)件")])
def test_what_does_not_fit_is_counted(language: str, more: str) -> None:
    document = render_template(LIST, {"xs": ["漢" * 90] * 300}, language)
    card = to_card(document, "LOW")
    assert len(msgspec.json.encode(card)) <= MAX_BYTES
    *items, last = run_texts(card)[1:]
    left_out = re.fullmatch(more, last)
    assert left_out is not None
    assert sum(text.startswith("漢") for text in items) + int(left_out[1]) == 300


def test_a_table_with_more_columns_is_rows_of_text() -> None:
    template = compile_template("| A | B | C |\n|---|---|---|\n| 1 | **2** | {{ x }} |")
    card = to_card(render_template(template, {"x": "3"}), "LOW")
    rows = ["".join(map(str, run_texts({"body": [row]}))) for row in card["body"]]
    assert rows == ["A · B · C", "1 · 2 · 3"]


def test_a_message_without_anything_is_a_card_too() -> None:
    card = to_card(Document(()), "LOW")
    assert cards.problem(envelope(card)) == ""
    assert card["fallbackText"] == "hub-responder"
