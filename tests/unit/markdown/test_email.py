"""E-mail: what a finding says is text in it, never markup, a header or a link; and how it looks."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import HOSTILE, message
from hub_responder.markdown.characters import clean, one_line, width
from hub_responder.markdown.document import Document, Heading, Link, Paragraph, Text, Value
from hub_responder.markdown.email import (
    MAX_BYTES,
    MAX_SUBJECT,
    MAX_TEXT,
    to_html,
    to_subject,
    to_text,
)
from hub_responder.markdown.template import compile_template, render_template

OURS = "https://a.example/?q="
TAGS = {
    *("html", "head", "meta", "title", "body", "table", "tr", "td", "th", "h1", "h2", "p", "a"),
    *("strong", "em", "code", "br", "hr", "ul", "ol", "li", "blockquote", "div"),
}
ATTRIBUTES = {
    *("lang", "http-equiv", "content", "name", "style", "role", "cellpadding", "cellspacing"),
    *("border", "width", "align", "bgcolor", "href", "scope", "value"),
}
VOID = {"meta", "br", "hr"}
LIST = compile_template("# T\n\n{% for x in xs %}\n- {{ x }}\n{% endfor %}")


class Page(HTMLParser):
    """What a reader sees of HTML, by a parser of another hand."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.odd: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.odd.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    @property
    def links(self) -> list[str]:
        return [value for name, value in self.attributes if name == "href"]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@given(HOSTILE)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_values_are_no_markup_and_the_page_is_whole(value: str) -> None:
    html = to_html(message(value), "HIGH")
    page = Page(html)
    assert (page.open, page.odd) == ([], [])
    assert set(page.tags) <= TAGS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    assert all(link.startswith(OURS) for link in page.links)
    assert len(html.encode()) <= MAX_BYTES
    assert "cid:" not in html
    assert "url(" not in "".join(held for name, held in page.attributes if name == "style")


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=100))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_text_shows_every_character(value: str) -> None:
    document = render_template(compile_template("# T\n\n{{ x }}"), {"x": value})
    shown = " ".join(one_line(clean(value)).split())
    assert Page(to_html(document, "LOW")).text.removeprefix("TT").strip() == shown


@given(HOSTILE)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_subject_and_text_are_bounded_and_encode(value: str) -> None:
    document = message(value)
    subject = to_subject(document)
    assert 0 < width(subject) <= MAX_SUBJECT
    assert subject == " ".join(subject.split())
    assert 0 < width(to_text(document)) <= MAX_TEXT
    (subject + to_text(document)).encode()


@pytest.mark.parametrize(("language", "more"), [("en", r"… and (\d+) more"), ("ja", r"…他(\d+)件")])
def test_what_does_not_fit_is_counted(language: str, more: str) -> None:
    document = render_template(LIST, {"xs": ["漢" * 300] * 300}, language)
    html = to_html(document, "LOW")
    assert len(html.encode()) <= MAX_BYTES
    left_out = re.search(more, Page(html).text)
    assert left_out is not None
    assert html.count("<li>") + int(left_out[1]) == 300


def test_a_long_line_is_cut_between_characters_and_no_link_is() -> None:
    link = Link("https://x.example/", (Text("link"),))
    document = Document((Paragraph((Value("👩‍💻&" * 2000), link)),))
    page = Page(to_html(document, "LOW"))
    assert page.links == []
    assert re.fullmatch(r"hub-responder ?hub-responder ?(👩‍💻&)+(👩‍💻)?…", page.text)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc", " x"])
def test_only_addresses_of_the_web_and_of_mail_are_linked(url: str) -> None:
    document = Document((Paragraph((Text("x "), Link(url, (Text("label"),)))),))
    page = Page(to_html(document, "LOW"))
    assert page.links == []
    assert page.text.endswith("x label")


def test_it_says_its_language_and_severity_and_has_one_title() -> None:
    for severity, colour in {"CRITICAL": "#b42318", "LOW": "#175cd3", "?": "#475467"}.items():
        html = to_html(message("日本語", "ja"), severity)
        assert '<html lang="ja">' in html
        assert f'bgcolor="{colour}"' in html
        assert Page(html).tags.count("h1") == 1
    assert to_subject(message("日本語", "ja")) == "Title 日本語"


def test_a_line_of_links_becomes_buttons_and_facts_a_table() -> None:
    text = "# T\n\n| F | V |\n|---|---|\n| One | **{{ x }}** |\n\n[A](https://x.example/) · [B](https://y.example/)"
    html = to_html(render_template(compile_template(text), {"x": "<&>"}), "LOW")
    assert Page(html).links == ["https://x.example/", "https://y.example/"]
    assert '<th scope="row"' in html
    assert "<strong>&lt;&amp;&gt;</strong>" in html
    assert html.count('bgcolor="#1f4e79"') == 2


def test_a_message_without_anything_has_a_subject_and_a_page() -> None:
    empty = Document((Heading(1, (Value(" \u200b"),)),))
    assert (to_subject(empty), to_text(empty)) == ("hub-responder", "hub-responder")
    assert Page(to_html(empty, "LOW")).open == []
