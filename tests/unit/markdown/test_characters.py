"""Text is made harmless and shortened without cutting a character apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_responder.markdown.characters import clean, escape, one_line, shorten, width

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)


@given(ANY_TEXT)
@settings(max_examples=200)
def test_clean_text_can_be_encoded_and_holds_no_control_or_override(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    for character in cleaned:
        assert unicodedata.category(character) != "Cc" or character in "\n\t"
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    "text", ["未保護: web-01", "naïve café", "👩‍💻 done", "عربى", "क्षि", "a\nb\tc", "𠮷野家"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_what_hides_or_reorders_text_is_made_visible_or_dropped() -> None:
    assert clean("a\u202etxt.exe\x00\ud800") == "a\ufffdtxt.exe\ufffd\ufffd"
    assert clean("a\u200b\ufeff\U000e0041b") == "ab"
    assert clean("a\r\nb\rc\u2028d") == "a\nb\nc\nd"


def test_one_line_joins_lines() -> None:
    assert one_line("a\n\n  b\tc  d") == "a b c  d"


@given(st.text(max_size=60), st.integers(0, 40))
@settings(max_examples=200)
def test_shortened_text_keeps_the_limit_and_the_beginning(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert width(short) <= limit
    if width(text) <= limit:
        assert short == text
    elif limit:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("abcdef", 4, "abc…"),
        ("ab👩‍💻cd", 5, "ab…"),
        ("abe\u0301cd", 5, "abe\u0301…"),
        ("abe\u0301cd", 4, "ab…"),
        ("🇯🇵🇩🇪", 6, "🇯🇵…"),
        ("👍🏽x👍🏽", 3, "…"),
        ("a&amp;bcd", 5, "a…"),
        ("a&amp;bcd", 7, "a&amp;…"),
    ],
)
def test_no_character_or_entity_is_cut_apart(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


def test_a_flood_of_marks_does_not_take_the_text_away() -> None:
    assert len(shorten("e" + "\u0301" * 5000, 500)) > 400


def test_width_counts_as_utf16_does() -> None:
    assert (width("abc"), width("日本"), width("👍")) == (3, 2, 2)


def test_escape_disarms_slacks_control_characters() -> None:
    assert escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"
