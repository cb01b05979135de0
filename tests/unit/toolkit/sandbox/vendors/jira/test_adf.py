"""Which Atlassian documents are valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.vendors.jira.adf import AdfError, plain, validate


def doc(*content: Any) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


def text(value: str = "x", *marks: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **({"marks": list(marks)} if marks else {})}


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind}
    if attrs:
        found["attrs"] = attrs
    if content:
        found["content"] = list(content)
    return found


def paragraph(*content: Any) -> dict[str, Any]:
    return node("paragraph", *(content or (text(),)))


def item(*content: Any) -> dict[str, Any]:
    return node("listItem", *(content or (paragraph(),)))


STRONG = {"type": "strong"}
CODE = {"type": "code"}
LINK = {"type": "link", "attrs": {"href": "https://example.test"}}

WHOLE = doc(
    node("heading", text("Verdict"), level=2),
    paragraph(text("bold", STRONG, LINK), node("hardBreak"), text("code", CODE, LINK)),
    {"type": "paragraph"},
    node("bulletList", item(), item(paragraph(), node("orderedList", item(), order=3))),
    node("codeBlock", text("ls -l"), language="sh"),
    node("blockquote", paragraph()),
    node("rule"),
    node("panel", paragraph(node("status", text="open", color="red")), panelType="warning"),
    node("expand", paragraph(), title="More"),
    node(
        "table",
        node("tableRow", node("tableHeader", paragraph()), node("tableCell", paragraph())),
        layout="default",
    ),
    node("taskList", node("taskItem", text("do"), localId="2", state="TODO"), localId="1"),
)


def test_a_document_of_every_kind_is_valid() -> None:
    validate(WHOLE)
    validate(doc())


def test_plain_has_a_line_per_block() -> None:
    assert plain(WHOLE).split("\n")[:4] == ["Verdict", "bold", "code", "x"]
    assert "open" in plain(WHOLE)


@pytest.mark.parametrize(
    "document",
    [
        "text",
        None,
        [],
        {},
        {"type": "doc", "version": 2, "content": []},
        {"type": "doc", "version": 1},
        {"type": "paragraph", "version": 1, "content": []},
        {**doc(), "attrs": {}},
        {"type": "doc", "version": 1, "content": {}},
        doc("text"),
        doc(text()),
        doc(node("listItem", paragraph())),
        doc(node("script")),
        doc({"type": ["paragraph"]}),
        doc(node("media", id="1")),
        doc(paragraph(paragraph())),
        doc(paragraph(text(""))),
        doc(paragraph({"type": "text"})),
        doc(paragraph({"type": "text", "text": 7})),
        doc(paragraph({**text(), "attrs": {}})),
        doc(paragraph(text("x", {"type": "blink"}))),
        doc(paragraph(text("x", {"type": "link"}))),
        doc(paragraph(text("x", {"type": "link", "attrs": {"href": 7}}))),
        doc(paragraph(text("x", "strong"))),
        doc(paragraph(text("x", STRONG, STRONG))),
        doc(paragraph(text("x", STRONG, CODE))),
        doc(paragraph({**text(), "marks": STRONG})),
        doc({**paragraph(), "style": "big"}),
        doc({**paragraph(), "attrs": {"style": "big"}}),
        doc({**paragraph(), "attrs": []}),
        doc(node("heading", text())),
        doc(node("heading", text(), level=7)),
        doc(node("heading", text(), level=True)),
        doc(node("heading", text(), level="2")),
        doc({"type": "bulletList"}),
        doc(node("bulletList", paragraph())),
        doc(node("bulletList", node("listItem"))),
        doc(node("bulletList", item(node("heading", text(), level=1)))),
        doc(node("bulletList", item(node("bulletList", item())))),
        doc(node("orderedList", item(), order=-1)),
        doc(node("codeBlock", text("x", STRONG))),
        doc(node("codeBlock", node("hardBreak"))),
        doc(node("blockquote", node("heading", text(), level=1))),
        doc(node("rule", paragraph())),
        doc(node("panel", paragraph())),
        doc(node("panel", paragraph(), panelType="danger")),
        doc(node("panel", node("panel", paragraph(), panelType="info"), panelType="info")),
        doc(node("table", node("tableCell", paragraph()))),
        doc(node("table", node("tableRow", node("tableCell")))),
        doc(node("table", node("tableRow", node("tableCell", text())))),
        doc(node("taskList", node("taskItem", text(), localId="2", state="TODO"))),
        doc(paragraph(node("status", text="open", color="pink"))),
        doc(paragraph(node("mention", id="1"))),
    ],
)
def test_what_the_schema_does_not_have_is_refused(document: Any) -> None:
    with pytest.raises(AdfError):
        validate(document)


KINDS = ["doc", "text", "paragraph", "bulletList", "listItem", "panel", "strong", "link", "table"]
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=4) | st.sampled_from(KINDS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "content", "attrs", "marks", "text", "version", "level"]),
            inner | st.sampled_from(KINDS),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=200)
@given(st.lists(JSON, max_size=4))
def test_any_json_is_judged(content: list[Any]) -> None:
    document = doc(*content)
    try:
        validate(document)
    except AdfError:
        return
    assert isinstance(plain(document), str)
