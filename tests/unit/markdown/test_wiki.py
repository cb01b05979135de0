"""Jira's wiki markup: limits kept, text kept, and no value that becomes markup."""

from __future__ import annotations

import html
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import HOSTILE, message
from hub_responder.markdown.characters import clean, one_line, width
from hub_responder.markdown.template import compile_template, render_template
from hub_responder.markdown.wiki import MAX_TEXT, to_wiki
from hub_responder.tickets.jira_flavour import data_center

_FENCED = re.compile(r"^\{noformat\}$.*?^\{noformat\}$", re.DOTALL | re.MULTILINE)


def live(text: str) -> str:
    """What Jira reads as markup: outside of fences, without what is escaped."""
    assert len(re.findall(r"\{noformat", text)) % 2 == 0
    return re.sub(r"\\[^\\]", "", _FENCED.sub("", text))


@given(HOSTILE)
@settings(max_examples=150, deadline=None)
def test_no_value_becomes_a_link_a_macro_an_image_or_a_mention(value: str) -> None:
    text = to_wiki(message(value))
    assert width(text) <= MAX_TEXT
    bare = live(text)
    assert "\\" not in bare
    for inner in re.findall(r"\[([^\]]*)\]", bare):
        assert inner.rpartition("|")[2].startswith("https://a.example/?q="), inner
    for macro in re.findall(r"\{+[^{}]*\}+", bare):
        assert re.fullmatch(r"\{\{[^{}]*\}\}|\{quote\}", macro), macro
    assert not re.search(r"[!~^?@]", re.sub(r"\[[^\]]*\]", "", bare))


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
@settings(max_examples=150, deadline=None)
def test_every_character_is_kept(value: str) -> None:
    text = to_wiki(render_template(compile_template("{{ x }}"), {"x": value}))
    assert html.unescape(re.sub(r"\\(.)", r"\1", text)).strip() == one_line(clean(value)).strip()


def test_ids_dates_and_japanese_stay_readable() -> None:
    template = compile_template("{{ x }}")
    for plain in ("i-0abc12345def67890", "2026-11-18", "日本語の説明、「対応済み」。"):
        assert to_wiki(render_template(template, {"x": plain})) == plain


def test_a_message_is_headings_lists_tables_and_code() -> None:
    lines = to_wiki(message("v")).split("\n")
    for line in (
        "h2. Title v",
        "Text v and *bold v*, it v, {{v}}, [link v|https://a.example/?q=v].",
        "||One|v|",
        "* v",
        "** v",
        "# v",
        "||A||B||C||",
        "|v|v|v|",
        "h3. Second v",
        "{noformat}",
    ):
        assert line in lines, (line, lines)


def test_a_block_that_is_cut_off_within_is_closed() -> None:
    template = compile_template("```\n{{ x }}\n```")
    text = to_wiki(render_template(template, {"x": "\n".join(["y" * 90] * 1000)}), 2000)
    assert width(text) <= 2000
    assert text.count("{noformat}") == 2


def test_a_long_comment_keeps_its_mark_within_the_limit() -> None:
    template = compile_template("{% for x in xs %}\n- {{ x }}\n{% endfor %}")
    document = render_template(template, {"xs": ["y" * 90] * 1000})
    text = data_center().comment(document, "mark-1-2")
    assert width(text) <= MAX_TEXT
    assert text.endswith("{{mark-1-2}}")
    assert re.search(r"… and \d+ more", text)
