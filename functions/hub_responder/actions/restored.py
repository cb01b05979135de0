"""What is said where an incident was told unprotected, once its instance is protected again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_responder.expressions import StepView, results_of
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.markdown.document import Document, Heading, Paragraph, Text, Value

if TYPE_CHECKING:
    from hub_responder.actions.base import Work

_MAX_NAME = 128
_MAX_SUMMARY = 600


def document(work: Work, language: str) -> Document:
    """That coverage is restored, by which evidence, and how many findings are still open."""
    japanese = language == "ja"
    incident = work.incident
    resource = incident.resource
    name = Value(shorten(one_line(clean(resource.name or resource.id)), _MAX_NAME))
    title = (
        (Text("保護が回復しました: "), name) if japanese else (Text("Coverage restored: "), name)
    )
    said = (
        f"未解決の検出結果は{incident.count}件あります。"
        if japanese
        else f"Findings still open: {incident.count}."
    )
    evidence = Value(shorten(clean(_summary(work)), _MAX_SUMMARY))
    return Document(
        (Heading(1, title), Paragraph((evidence,)), Paragraph((Text(said),))),
        "ja" if japanese else "en",
    )


def _summary(work: Work) -> str:
    """The sentence of the coverage check of this round."""
    for view in work.scope.values():
        if isinstance(view, StepView) and view.status == "done":
            found = results_of(view)
            if "verdict" in found and "summary" in found:
                return str(found["summary"])
    return "PROTECTED"
