"""Jira's wiki markup: limits kept, text kept, and no value that becomes markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import HOSTILE, message
from hub_responder.markdown.characters import clean, one_line, width
from hub_responder.markdown.template import compile_template, render_template
from hub_responder.markdown.wiki import MAX_TEXT, to_wiki
from hub_responder.tickets.jira_flavour import data_center
from hub_toolkit.sandbox.vendors.jira.wiki import plain

_FENCED = re.compile(r"^\{noformat\}$.*?^\{noformat\}$", re.DOTALL | re.MULTILINE)


def live(text: str) -> str:
    """What Jira reads as markup: outside of fences, without references."""
    assert len(re.findall(r"\{noformat", text)) % 2 == 0
    return re.sub(r"&#\d+;", "", _FENCED.sub("", text))


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
    assert plain(text).strip() == one_line(clean(value)).strip()


@pytest.mark.parametrize(
    "value",
    [
        r"C:\Windows\System32",
        r"\\server\share",
        "R&D",
        "&lt;b&gt; &#92; &amp;",
        "arn:aws:ec2:us-east-1:111122223333:instance/i-0abc",
        "https://evil.example/x",
        "openssl; $HOME 50% :) ;) (y)",
        "{{x}} {code} [~admin] !a.png!",
    ],
)
def test_what_is_written_is_what_is_shown(value: str) -> None:
    """By the renderer's rule: a backslash escapes some characters only, and no entity is split."""
    text = to_wiki(render_template(compile_template("{{ x }}"), {"x": value}))
    assert plain(text) == value
    assert "\\" not in text
    assert "://" not in text


def test_times_arns_and_names_are_left_as_they_are() -> None:
    template = compile_template("{{ x }}")
    for kept in ("09:03:12", "sg_web_01", "arn:aws:ec2:us-east-1:111122223333:instance/i-0abc"):
        assert to_wiki(render_template(template, {"x": kept})) == kept


def test_two_values_beside_each_other_make_no_heading() -> None:
    text = to_wiki(render_template(compile_template("{{ a }}{{ b }}"), {"a": "h1", "b": ". x"}))
    assert text == "&#104;1. x"
    assert plain(text) == "h1. x"


def test_a_quotation_that_is_cut_off_within_is_closed_and_never_nested() -> None:
    template = compile_template("> {{ x }}\n>\n> > {{ x }}\n>\n> {{ x }}\n")
    whole = to_wiki(render_template(template, {"x": "y" * 60}))
    assert [line for line in whole.split("\n") if "{quote}" in line] == ["{quote}", "{quote}"]
    cut = to_wiki(render_template(template, {"x": "y" * 60}), 170)
    assert re.search(r"… and \d+ more", cut)
    assert width(cut) <= 170
    assert cut.count("{quote}") == 2


def test_a_value_that_grows_by_its_escapes_is_shortened_not_dropped() -> None:
    text = to_wiki(render_template(compile_template("{{ x }}"), {"x": "😀{" * 500}), 160)
    assert width(text) <= 160
    assert plain(text).startswith("😀{😀{😀{😀{")
    assert re.fullmatch(r"(?:😀|&#123;)+…", text)


def test_ids_dates_and_japanese_stay_readable() -> None:
    template = compile_template("{{ x }}")
    for kept in ("i-0abc12345def67890", "2026-11-18", "日本語の説明、「対応済み」。"):
        assert to_wiki(render_template(template, {"x": kept})) == kept


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
