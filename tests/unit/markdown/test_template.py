"""Templates write markup; values never do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import finding, incident, playbook, scope
from hub_responder.errors import ConfigurationError, ExpressionError
from hub_responder.expressions import MissingResult, StepView
from hub_responder.markdown.document import (
    CodeBlock,
    Document,
    Heading,
    Items,
    Link,
    Paragraph,
    Strong,
    Table,
    Text,
    Value,
)
from hub_responder.markdown.fill import safe_url
from hub_responder.markdown.filters import console_url
from hub_responder.markdown.parse import parse
from hub_responder.markdown.template import (
    compile_template,
    path_of,
    render,
    render_template,
)

MARKUP = """# {{ x }}

{{ x }} **{{ x }}** `{{ x }}` [l]({{ x }}) [q](https://a.example/?q={{ x }})

| A | B |
|---|---|
| {{ x }} | {{ x }} |

- {{ x }}

> {{ x }}

```
{{ x }}
```
"""
HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=80),
    st.sampled_from(
        [
            "**b** [l](https://evil.example) `c` <!channel> | x |\n# h\n\n- i\n```\n",
            "{{ 7*7 }}{% for x in y %}",
            "\U00017000\U00017001",
            "</b><script>",
            "\n\n---\n\n",
        ]
    ),
)


def said(source: str, **names: Any) -> Document:
    return render_template(compile_template(source), names)


def shape(node: Any) -> Any:
    """The tree without texts and addresses; whether the one link is safe depends on the value."""
    if isinstance(node, tuple):
        return tuple(shape(part) for part in node)
    if isinstance(node, Text | Value):
        return type(node).__name__
    if hasattr(node, "__struct_fields__"):
        parts = [getattr(node, name) for name in node.__struct_fields__ if name not in _LEAVES]
        return (type(node).__name__, *[shape(part) for part in parts])
    return node


_LEAVES = {"text", "url"}


@given(HOSTILE)
@settings(max_examples=200)
def test_a_value_never_changes_the_shape_of_a_message(value: str) -> None:
    template = compile_template(MARKUP.replace("[l]({{ x }}) ", ""))
    harmless = render_template(template, {"x": "harmless"})
    assert shape(render_template(template, {"x": value})) == shape(harmless)


@given(HOSTILE)
@settings(max_examples=100)
def test_a_value_as_an_address_is_a_safe_link_or_none(value: str) -> None:
    (paragraph,) = said("[label]({{ x }})", x=value).blocks
    assert isinstance(paragraph, Paragraph)
    (child,) = paragraph.children
    if isinstance(child, Link):
        assert child.url.startswith(("http://", "https://"))
        assert child.url.isascii()
        assert not set(child.url) & set('<>|"` \n\\^{}')


def test_each_kind_of_markup_becomes_its_node() -> None:
    document = said(MARKUP, x="v")
    kinds = [type(block).__name__ for block in document.blocks]
    assert kinds == ["Heading", "Paragraph", "Table", "Items", "Quote", "CodeBlock"]
    table = document.blocks[2]
    assert isinstance(table, Table)
    assert table.is_facts
    assert table.rows == (((Value("v"),), (Value("v"),)),)
    assert document.blocks[-1] == CodeBlock("v")
    assert document.title == "v"
    assert document.body.blocks == document.blocks[1:]


def test_markup_around_a_value_works_also_in_japanese() -> None:
    (paragraph,) = said("判定は**{{ x }}**です", x="未保護").blocks
    assert isinstance(paragraph, Paragraph)
    assert paragraph.children[1] == Strong((Value("未保護"),))


def test_a_value_in_the_middle_of_an_address_is_encoded() -> None:
    (paragraph,) = said("[x](https://a.example/?q={{ x }}&b=1)", x="ü & /?").blocks
    assert isinstance(paragraph, Paragraph)
    assert paragraph.children[0] == Link(
        "https://a.example/?q=%C3%BC%20%26%20%2F%3F&b=1", (Text("x"),)
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://bank.example@evil.example/",
        "https://exämple.com/",
        "https://a b/",
        "https://",
        "//evil.example",
        "https://evil.example\n.com",
        "https://[::1",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_unsafe_addresses_are_no_links(url: str) -> None:
    assert safe_url(url) == ""


def test_safe_addresses_stay_and_are_encoded() -> None:
    assert safe_url("https://a.example/x?y=1#z%20") == "https://a.example/x?y=1#z%20"
    assert safe_url("https://a.example/|<é>") == "https://a.example/%7C%3C%C3%A9%3E"


def test_constants_are_values_too() -> None:
    assert said("{{ '**x**' }}").blocks == (Paragraph((Value("**x**"),)),)


def test_what_is_joined_or_marked_safe_stays_a_value() -> None:
    blocks = said("{{ '**' ~ x }} {{ x|upper }} {{ xs|join(', ') }}", x="*a*", xs=["*", "b"]).blocks
    assert blocks == (
        Paragraph((Value("***a*"), Text(" "), Value("*A*"), Text(" "), Value("*, b"))),
    )
    assert said("{{ x|safe }}", x="**a**").blocks == (Paragraph((Value("**a**"),)),)


def test_numbers_dates_and_nothing_are_written_out() -> None:
    blocks = said("{{ a }}/{{ b }}/{{ c }}/{{ d }}", a=3, b=9.80, c=None, d=True).blocks
    assert blocks == (
        Paragraph(
            (Value("3"), Text("/"), Value("9.8"), Text("/"), Value("—"), Text("/"), Value("true"))
        ),
    )


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ nothing }}", {}),
        ("{{ x.y }}", {"x": {}}),
        ("{{ x }}", {"x": {}}),
        ("{{ x }}", {"x": [1]}),
        ("{{ x.__class__ }}", {"x": "a"}),
        ("{{ ''.join.__globals__ }}", {}),
        ("{{ 1 / 0 }}", {}),
        ("{{ 'a' * 10000000 }}", {}),
        ("{% for i in x %}{{ i }}{% endfor %}", {"x": list(range(5000))}),
        ("{% for i in x %}{% for j in x %}xxxx{% endfor %}{% endfor %}", {"x": list(range(5000))}),
        ("{% set a = 'x' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}", {}),
        ("{% set a = 'x' %}" + "{% set a = a + a %}" * 40 + "{{ a }}", {}),
    ],
)
def test_what_cannot_be_said_is_an_error(source: str, names: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError):
        said(source, **names)


@pytest.mark.parametrize(
    "source",
    [
        "{% macro m() %}x{% endmacro %}",
        "{% set x %}a{% endset %}",
        "{% include 'x' %}",
        "{% filter upper %}a{% endfilter %}",
        "{{ ",
        "\U00017000",
        "{% for a in x %}" * 3 + "{% endfor %}" * 3,
        "{% for a in x recursive %}{{ loop(x) }}{% endfor %}",
        "{% if true %}" * 2000 + "{% endif %}" * 2000,
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    ],
)
def test_templates_that_would_blur_markup_and_values_or_never_end_are_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_template(source)


@pytest.mark.parametrize(
    "source", ["<b>x</b>", "![i](https://a.example/i.png)", "<div>\nx\n</div>"]
)
def test_html_and_images_are_refused(source: str) -> None:
    with pytest.raises(ExpressionError, match="cannot hold"):
        said(source)


def test_a_result_of_a_skipped_step_is_told_apart_from_a_mistake() -> None:
    with pytest.raises(MissingResult):
        said("{{ s.verdict }}", s=StepView("s", "skipped", {}))


def test_values_are_bounded_one_by_one_and_together() -> None:
    (paragraph,) = said("{{ x }}", x="y" * 50_000).blocks
    assert isinstance(paragraph, Paragraph)
    assert len(paragraph.children[0].text) == 20_000  # type: ignore[union-attr]
    document = said("{% for i in xs %}{{ x }} {% endfor %}", xs=range(40), x="y" * 20_000)
    (paragraph,) = document.blocks
    assert isinstance(paragraph, Paragraph)
    assert sum(len(part.text) for part in paragraph.children if isinstance(part, Value)) <= 200_000


def test_markdown_is_parsed_once_for_all_values() -> None:
    template = compile_template("# {{ x }} parsed once")
    parse.cache_clear()
    for number in range(20):
        render_template(template, {"x": number})
    assert parse.cache_info().misses == 1


def test_the_language_chooses_the_file_and_falls_back(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "a.md.j2").write_text("bare")
    assert path_of(tmp_path, "a.md.j2", "ja").name == "a.md.j2"
    (folder / "a.en.md.j2").write_text("english")
    assert path_of(tmp_path, "a.md.j2", "ja").name == "a.en.md.j2"
    (folder / "a.ja.md.j2").write_text("日本語")
    assert render(tmp_path, "a.md.j2", "ja", {}).blocks == (Paragraph((Text("日本語"),)),)


@pytest.mark.parametrize(
    "name", ["../a.md.j2", "a/b.md.j2", "a.txt", "", ".md.j2", "missing.md.j2"]
)
def test_other_files_cannot_be_reached(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        path_of(tmp_path, name, "en")


def test_times_are_shown_in_the_playbooks_zone() -> None:
    names = {
        "playbook": playbook(timezone="Asia/Tokyo"),
        "t": 1795305795.0,
        "i": "2026-11-22T00:03:15Z",
    }
    document = said("{{ t|clock }} {{ i|when }} {{ 'soon'|clock }} {{ none|clock }}", **names)
    assert document.blocks == (
        Paragraph(
            (
                Value("09:03:15 JST"),
                Text(" "),
                Value("2026-11-22 09:03 JST"),
                Text(" "),
                Value("soon"),
                Text(" "),
                Value(""),
            )
        ),
    )


def test_an_unknown_zone_is_utc_rather_than_no_message() -> None:
    document = said("{{ t|clock }}", playbook=playbook(timezone="Nowhere/At_All"), t=0)
    assert document.blocks == (Paragraph((Value("00:00:00 UTC"),)),)


def test_the_console_link_leads_to_the_findings_region_and_partition() -> None:
    assert console_url(finding(id="a:b/c", region="ap-northeast-1")) == (
        "https://ap-northeast-1.console.aws.amazon.com/securityhub/home?region=ap-northeast-1"
        "#/findings?search=Id%3D%255Coperator%255C%253AEQUALS%255C%253Aa%253Ab%252Fc"
    )
    assert "://cn-north-1.console.amazonaws.cn/" in console_url(finding(region="cn-north-1"))
    assert ".console.amazonaws-us-gov.com/" in console_url(finding(region="us-gov-west-1"))
    assert "/securityhub/v2/home" in console_url(finding(schema="OCSF"))
    assert console_url(finding(region="evil.example/#")) == ""


@pytest.mark.parametrize("name", ["message.md.j2", "ticket.md.j2"])
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("verdict", ["PROTECTED", "DEGRADED", "UNPROTECTED", "UNKNOWN"])
def test_the_shipped_templates_say_what_people_need(name: str, language: str, verdict: str) -> None:
    from factories import COVERAGE, REPOSITORY

    of = incident(refs={"jira": {"ticket": "SEC-1", "url": "https://j.example/SEC-1"}})
    view = StepView("coverage", "done", COVERAGE | {"verdict": verdict, "retry_after": 300.0})
    folder = REPOSITORY / "playbooks" / "inspector-coverage"
    document = render(folder, name, language, scope(of, coverage=view))
    text = str(document)
    for part in (
        verdict,
        "web-01",
        "i-0abc1234def567890",
        "111122223333",
        "eu-central-1",
        "CVE-2026-1111",
        "9.8",
        "0.94",
        "matched by instance id",
        "https://fix.example/CVE-2026-1111",
        "https://wiki.example/inspector",
        "console.aws.amazon.com/securityhub",
    ):
        assert part in text
    shield = {"en": "'shieldable, IPS rule'", "ja": "'適用可能なIPSルール'"}[language]
    assert text.index(shield) < text.index("'11, 12, 13'")
    unlinked = StepView("coverage", "done", COVERAGE | {"cves": [], "retry_after": None})
    assert "IPS" not in str(render(folder, name, language, scope(of, coverage=unlinked)))
    assert isinstance(document.blocks[0], Heading)
    words = {
        "PROTECTED": "保護済み",
        "DEGRADED": "保護低下",
        "UNPROTECTED": "未保護",
        "UNKNOWN": "判定不能",
    }
    assert (verdict if language == "en" else words[verdict]) in document.title
    if name == "message.md.j2":
        assert "https://j.example/SEC-1" in text


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", ["message.md.j2", "ticket.md.j2"])
def test_the_shipped_templates_say_unknown_when_coverage_failed(name: str, language: str) -> None:
    from factories import REPOSITORY

    bare = finding(vulnerabilities=(), remediation_url="", title="")
    view = StepView("coverage", "failed", {}, "Vision One answered 401")
    names = scope(incident(findings=(bare,)), coverage=view, playbook=playbook(runbook=""))
    folder = REPOSITORY / "playbooks" / "inspector-coverage"
    document = render(folder, name, language, names)
    assert "UNPROTECTED" not in str(document)
    assert "Vision One answered 401" in str(document)
    assert not any(isinstance(b, Items) and not b.items for b in document.blocks)
