"""What is said of expressions and templates before they run, against what happens when they do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from hub_responder.errors import ExpressionError
from hub_responder.expressions import condition
from hub_responder.finding import Note
from hub_responder.markdown.template import compile_template, render_template
from hub_toolkit.playbooks import vocabulary
from hub_toolkit.playbooks.document import Scalar
from hub_toolkit.playbooks.problems import Place, Problem
from hub_toolkit.playbooks.scope import STEP, Scope
from hub_toolkit.playbooks.vocabulary import FUNCTIONS

SCOPE = Scope(STEP, more={"params": vocabulary.tables({"age": 3, "word": "x"})})


def _condition(text: str) -> list[str]:
    problems: list[Problem] = []
    SCOPE.condition(Scalar(text, Place("f")), problems)
    return [problem.text for problem in problems]


def _message(text: str) -> list[str]:
    problems: list[Problem] = []
    SCOPE.message(text, "f", problems)
    return [str(problem) for problem in problems]


def _seen_at_run_time() -> dict[str, Any]:
    incident = factories.incident(findings=(factories.finding(note=Note("x"), first_seen=1.0),))
    functions = {
        "tag": lambda key: "v" if key else "",
        "open": lambda _: True,
        "seen": lambda *_: 2,
    }
    assert set(functions) == set(FUNCTIONS)
    return factories.scope(incident, params={"age": 3, "word": "x"}, table={}, **functions)


@pytest.mark.parametrize(
    "text",
    [
        "finding.severity >= 'MEDIUM'",
        "finding.severity in ['HIGH', 'CRITICAL'] and not incident.clicked",
        "tag('priority') == '緊急'",
        "open(calendar='office') or seen(30, 'FALSE_POSITIVE') < 5",
        "(finding.max_cvss or 0) >= 9 or finding.exploit_available is true",
        "finding.max_cvss is not none and finding.max_cvss > 7.5",
        "finding.max_cvss is number and finding.max_cvss > 7.5 and finding.max_epss is number",
        "finding.max_cvss is none or finding.max_cvss > 7.5",
        "not finding.note or finding.note.text == 'x'",
        "finding.note.text == 'x' if finding.note else false",
        "false if finding.max_cvss is none else finding.max_cvss > 7",
        "finding.resource.tags.get('env', '') in ('prod', 'staging')",
        "finding.resource.tags.get('tier', 'x') < 'y'",
        "'a' in finding.resource.tags.get('b', '')",
        "(finding.resource.tags or {}).get('env', '') == 'prod'",
        "'x' in (incident.ticket or {}).get('id', '')",
        "'prod' in finding.resource.tags and finding.resource.tags['env'].startswith('pr')",
        "finding.resources[0].name == 'web' or finding.resources|length > 1",
        "'web' in finding.resources|map(attribute='name')",
        "finding.types|select('equalto', 'x')|list|length == 0",
        "params.age > 2 and params['word'] != 'y'",
        "(now - finding.updated) / 86400 > 30",
        "trigger.kind == 'custom_action'",
        "finding.severity.rank > 2 and finding.title|lower == 'x'",
        "1 < incident.count < 10",
        "incident.related|length > 0 and incident.related[0].severity >= 'HIGH'",
        "incident.more_related or incident.related|length > 9",
        "'GuardDuty' in incident.related|map(attribute='product')",
    ],
)
def test_right_conditions_get_no_word(text: str) -> None:
    assert _condition(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{% for one in incident.findings if one.max_cvss %}{{ one.max_cvss > 9 }}{% endfor %}",
        "{% for key, value in finding.resource.tags.items() %}{{ key }}={{ value }}{% endfor %}",
        "{% if incident.ticket %}{{ incident.ticket.id }}{% endif %}",
        "{% set name = finding.resource.name or 'none' %}{{ name|upper }}",
        "{% for one in finding.cves %}{{ loop.index }}/{{ loop.length }} {{ one }}{% endfor %}",
        "{% with count = incident|tally %}{{ count.cves[0].id }}{% endwith %}",
        "{{ finding|console_url }} {{ now|clock }} {{ finding.cves|join(', ') }}",
        "{% if finding.note is none %}no{% elif finding.note.text %}yes{% endif %}",
        "{% raw %}{{ nothing.here }}{% endraw %}{# {{ nothing }} #}{{ incident.count ~ 'x' }}",
    ],
)
def test_right_messages_get_no_word_and_can_be_made(text: str) -> None:
    assert _message(text) == []
    render_template(compile_template(text), _seen_at_run_time())


def test_names_of_a_branch_or_loop_are_known_as_far_as_they_reach() -> None:
    both = "{% if incident.new %}{% set a = 1 %}{% else %}{% set a = finding %}{% endif %}"
    assert _message(both + "{{ a.title }}") == []
    (said,) = _message("{% for one in finding.cves %}{% set b = 1 %}{% endfor %}{{ b }}")
    assert said.startswith("f:1:60: unknown name `b`. There is: finding, incident, now, ")
    assert _message("{% macro x(y) %}{{ y.z }}{% endmacro %}")[-1].endswith("have no Macro")


def test_another_value_of_a_name_may_be_none_again() -> None:
    again = "{% if finding.note %}{% set finding = incident.findings[0] %}"
    (said,) = _message(again + "{{ finding.note.text }}{% endif %}")
    assert said == (
        "f:1:65: warning: `finding.note` can be none, which has no `text`: "
        "ask `if finding.note` before"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("finding.resource.tags.get('tier') < 'y'", "which has no order"),
        ("finding.resource.tags.get('tier', none) < 'y'", "which has no order"),
        ("'a' in (finding.resource.tags or incident.refs).get('b')", "which has no items"),
        ("finding.resource.tags.get('tier', 3) > 2", "cannot compare text with a number"),
    ],
)
def test_a_part_that_may_be_missing_is_what_stands_in_for_it(text: str, said: str) -> None:
    (found,) = _condition(text)
    assert said in found


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("seen(3, days=4) > 1", "seen(days, closed_as) is given an argument twice"),
        ("seen(0) > 1", "`days` is more than 0 and at most 366"),
        ("seen('3') > 1", "`days` of seen(days, closed_as) is a number, not text"),
        ("tag(3) == 'x'", "`key` of tag(key) is text, not a number"),
    ],
)
def test_what_functions_are_called_with_is_checked(call: str, said: str) -> None:
    assert _condition(call) == [said]


def test_what_nests_too_deeply_is_said_and_does_not_end_the_check() -> None:
    for text in ("(" * 5000, "not " * 20_000 + "true", " + ".join(["1"] * 20_000) + " > 0"):
        assert any("nests too deeply to be read" in one for one in _condition(text))
        assert any("nests too deeply to be read" in one for one in _message(f"{{{{ {text} }}}}"))


# Any expression of these parts: what gets no word must run, and give true or false.

_PATHS = [
    f"{name}.{field}"
    for name in ("finding", "incident")
    for field in vocabulary.variables(frozenset())[name].fields  # type: ignore[union-attr]
] + ["finding.resource.tags", "finding.resource.name", "incident.findings[0].title", "now",
     "params.age", "tag('a')", "seen(3)", "open('x')", "finding.nothing", "nothing"]  # fmt: skip
_CONSTANTS = ["'HIGH'", "'high'", "'opened'", "'x'", "3", "2.5", "true", "none", "['HIGH', 'LOW']"]
_VALUES = st.sampled_from(_PATHS + _CONSTANTS)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["==", "!=", "<", ">=", "in", "not in", "and", "or", "+", "~", "-"])
    pairs = st.tuples(inner, operators, inner)
    return st.one_of(
        pairs.map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
        inner.map(lambda one: f"(not {one})"),
        st.tuples(inner, st.sampled_from(["none", "true", "number", "string", "defined"])).map(
            lambda one: f"({one[0]} is {one[1]})"
        ),
        st.tuples(inner, st.sampled_from(["length", "upper", "list", "first"])).map(
            lambda one: f"({one[0]}|{one[1]})"
        ),
        st.tuples(inner, inner, inner).map(lambda o: f"({o[0]} if {o[1]} else {o[2]})"),
    )


def _depends_on_the_finding(error: str) -> bool:
    """A text that is no severity, the first of an empty list, a number over the bounds."""
    return any(one in error for one in ("is no severity", "sequence was empty", "numbers up to"))


@given(st.recursive(_VALUES, _larger, max_leaves=6))
def test_what_gets_no_word_runs_and_gives_true_or_false(text: str) -> None:
    if _condition(text):
        return
    try:
        condition(text, _seen_at_run_time())
    except ExpressionError as error:
        if _depends_on_the_finding(str(error)):
            return
        pytest.fail(f"{text}: {error}")


@given(st.text("{}%# \n'\"|.()[]abc=<>-1éあ", max_size=60))
def test_any_text_is_read_to_an_end(text: str) -> None:
    _condition(text)
    for said in _message(text):
        assert said.startswith("f:")
