"""Which blocks Slack takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.vendors.slack.blocks import characters, problems


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": plain(text)}


def section(text: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Open"), "url": "https://example.test", **more}


def actions(*elements: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def test_a_message_as_we_send_it_is_taken() -> None:
    blocks = [
        header("h" * 150),
        section("t" * 3000, block_id="b1"),
        {"type": "section", "fields": [mrkdwn("f" * 2000)] * 10},
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("c"), plain("d")]},
        actions(button(style="danger", action_id="a", value="v")),
        {"type": "image", "image_url": "https://example.test/a.png", "alt_text": "a"},
        section("with a button", accessory=button()),
        {"type": "markdown", "text": "**bold**"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
    ]
    assert problems(blocks) == []


def test_problems_are_worded_and_placed_as_slack_does() -> None:
    found = problems([{"type": "divider"}, section("t" * 3001)])
    assert found == ["must be less than 3001 characters [json-pointer:/blocks/1/text/text]"]
    assert problems([{"type": "chart"}]) == [
        "unsupported type: chart [json-pointer:/blocks/0/type]"
    ]


@pytest.mark.parametrize(
    "block",
    [
        "text",
        {},
        {"type": None},
        {"type": ["section"]},
        header("h" * 151),
        header(""),
        {"type": "header", "text": mrkdwn("h")},
        {"type": "header"},
        {"type": "section"},
        section(""),
        section(block_id="b" * 256),
        section(colour="red"),
        {"type": "section", "text": "plain"},
        {"type": "section", "text": {"type": "html", "text": "x"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}},
        {"type": "section", "text": {"type": "mrkdwn", "text": 7}},
        {"type": "section", "fields": []},
        {"type": "section", "fields": [mrkdwn("f")] * 11},
        {"type": "section", "fields": [mrkdwn("f" * 2001)]},
        section(accessory={"type": "video"}),
        {"type": "context", "elements": []},
        {"type": "context", "elements": [mrkdwn("c")] * 11},
        {"type": "context"},
        actions(),
        actions(*[button()] * 26),
        actions(button(url="https://example.test/" + "u" * 3000)),
        actions(button(text=plain("b" * 76))),
        actions(button(text=mrkdwn("b"))),
        actions(button(style="blue")),
        actions("button"),
        {"type": "divider", "text": mrkdwn("d")},
        {"type": "image", "image_url": "https://example.test/a.png"},
        {"type": "markdown", "text": "m" * 12_001},
        {"type": "rich_text", "elements": [{"type": "text"}]},
    ],
)
def test_what_block_kit_does_not_have_is_refused(block: Any) -> None:
    assert problems([block])


def test_there_are_at_most_50_blocks() -> None:
    assert problems([{"type": "divider"}] * 50) == []
    assert problems([{"type": "divider"}] * 51) == [
        "no more than 50 items allowed [json-pointer:/blocks]"
    ]


def test_a_block_id_stands_once() -> None:
    assert "already exists" in problems([section(block_id="a"), section(block_id="a")])[0]


def test_characters_counts_every_text() -> None:
    blocks = [header("abc"), section("de", fields=[mrkdwn("f")]), {"type": "markdown", "text": "g"}]
    assert characters(blocks) == 7


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "fields", "elements", "accessory", "url", "style"]),
            inner | st.sampled_from(["section", "button", "mrkdwn", "context", "actions"]),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=200)
@given(st.lists(JSON, max_size=4))
def test_any_json_is_judged(blocks: list[Any]) -> None:
    assert all("[json-pointer:/blocks" in problem for problem in problems(blocks))
