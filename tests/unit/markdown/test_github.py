"""GitHub's Markdown: nobody is mentioned, nothing is referred to, whatever a value says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from hostile import HOSTILE, message
from hub_responder.markdown.characters import width
from hub_responder.markdown.github import to_github
from hub_responder.markdown.template import compile_template, render_template

_PARSER = MarkdownIt("commonmark")


def outside_of_code(markdown: str) -> str:
    """The text that GitHub would look for mentions and references in, link labels apart."""
    shown: list[str] = []
    for token in _PARSER.parse(markdown):
        inside = 0
        for child in token.children or []:
            inside += (child.type == "link_open") - (child.type == "link_close")
            if child.type == "text":
                shown.append(child.content if not inside else " ")
            else:
                shown.append(" ")
        shown.append("\n")
    return "".join(shown)


def rendered(value: str) -> str:
    template = compile_template("# T\n\nSeen on {{ x }} today, [see {{ x }}](https://a.example/)\n")
    return to_github(render_template(template, {"x": value}, "en").body, 1000)


@pytest.mark.parametrize(
    "value",
    [
        *("@octocat", "@acme/security", "a@b.example", "#123", "GH-7", "gh-7", "acme/app#9"),
        *("0123abc", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "acme/app@0123abc", ":tada:"),
        *("$x^2$", "https://evil.example", "www.evil.example", "<img src=x onerror=y>"),
        *(
            "<!-- hidden",
            "&lt;b&gt;",
            "![x](https://evil.example/p.png)",
            "- [ ] done",
            "`@octocat",
        ),
    ],
)
def test_what_github_would_make_something_of_is_code(value: str) -> None:
    markdown = rendered(value)
    shown = value.replace("`", "ˋ")
    assert f"Seen on `{shown}` today" in markdown
    tail = markdown.rpartition(", [")[2]
    label, _, url = tail.rpartition("](")
    assert url == "https://a.example/)"
    assert not set(label) & set("@#$:<>[]`*_\\")


@pytest.mark.parametrize("value", ["web-01", "CVE-2026-1111", "日本語", "12 of 13", "us-east-1"])
def test_plain_values_stay_text(value: str) -> None:
    assert f"Seen on {value} today" in rendered(value)


@settings(deadline=None)  # a slow machine is no fault
@given(HOSTILE)
def test_no_value_marks_up_or_notifies(x: str) -> None:
    tokens = _PARSER.parse(to_github(message(x), 65_536))
    children = [child for token in tokens for child in token.children or []]
    assert not [t for t in [*tokens, *children] if t.type in ("html_block", "html_inline", "image")]
    links = {str(child.attrs["href"]) for child in children if child.type == "link_open"}
    assert all(url.startswith("https://a.example/") for url in links)
    text = outside_of_code(to_github(message(x), 65_536))
    assert "@" not in text
    assert "#" not in text
    assert "$" not in text
    assert width(to_github(message(x), 500)) <= 500
