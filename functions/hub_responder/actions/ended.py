"""What is said where an incident was told, once all its findings have left Security Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_responder.clock import iso
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.markdown.document import Document, Heading, Paragraph, Table, Text, Value

if TYPE_CHECKING:
    from hub_responder.incident import Incident

_MAX_NAME = 128
_JA = {"RESOLVED": "解決済み", "SUPPRESSED": "抑制", "ARCHIVED": "アーカイブ", "PASSED": "合格"}


def document(incident: Incident, language: str) -> Document:
    """That nothing is open any more, how many findings there were, and how they left."""
    japanese = language == "ja"
    resource = incident.resource
    name = Value(shorten(one_line(clean(resource.name or resource.id)), _MAX_NAME))
    left = ", ".join(
        f"{_JA.get(how, how) if japanese else how} {count}" for how, count in incident.left.items()
    )
    told = [("検出結果" if japanese else "Findings", str(incident.count))]
    told.append(("理由" if japanese else "How they left", left))
    seen = [finding.first_seen for finding in incident.findings if finding.first_seen]
    if seen:
        told.append(("最初の検出" if japanese else "First seen", iso(min(seen))))
    if resource.name:
        told.append(("リソース" if japanese else "Resource", shorten(clean(resource.id), 512)))
    title = (
        (name, Text("の検出結果はすべて終了しました"))
        if japanese
        else (Text("All findings have left: "), name)
    )
    said = "未対応の検出結果はありません。" if japanese else "None of them is open any more."
    rows = tuple(((Text(key),), (Value(value),)) for key, value in told)
    header = ((Text("項目" if japanese else "Fact"),), (Text("内容" if japanese else "Value"),))
    return Document(
        (Heading(1, title), Paragraph((Text(said),)), Table(header, rows)),
        "ja" if japanese else "en",
    )
