"""What is said of restored coverage, in the language of the connection."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub_responder.actions import restored
from hub_responder.expressions import StepView
from hub_responder.markdown import plain


def work(name: str, summary: str) -> Any:
    """As much of a step's work as the message reads."""
    incident = SimpleNamespace(resource=SimpleNamespace(name=name, id="i-1"), count=2)
    check = StepView("check", "done", {"verdict": "PROTECTED", "summary": summary})
    return SimpleNamespace(incident=incident, scope={"check": check})


@pytest.mark.parametrize(
    ("language", "title", "rest"),
    [
        ("en", "Coverage restored: web-01", "Findings still open: 2."),
        ("ja", "保護が回復しました: web-01", "未解決の検出結果は2件あります。"),
    ],
)
def test_it_says_what_protects_it_and_what_is_still_open(
    language: str, title: str, rest: str
) -> None:
    said = restored.document(work("web-01", "PROTECTED: agent running"), language)
    assert said.title == title
    text = plain.to_text(said, 2000)
    assert "PROTECTED: agent running" in text
    assert rest in text


def test_a_name_is_one_line_and_bounded() -> None:
    said = restored.document(work("a\nb" + "c" * 500, "PROTECTED"), "en")
    assert "\n" not in said.title
    assert len(said.title) < 200
