"""The language of conditions: what it gives, what it refuses, and that nothing gets out of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from hub_responder.errors import ExpressionError
from hub_responder.expressions import (
    MAX_TEXT,
    MissingResult,
    StepView,
    condition,
    evaluate,
    fill,
    text_of,
)
from hub_responder.severity import Severity

SCOPE = factories.scope()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("finding.severity >= 'MEDIUM'", True),
        ("finding.severity < 'CRITICAL'", False),
        ("coverage.verdict in ['UNPROTECTED', 'DEGRADED']", True),
        ("coverage['verdict'] == 'UNPROTECTED'", True),
        ("incident.findings | length == 1 and not incident.clicked", True),
        ("finding.resource.tags['Name'] == 'web-01'", True),
        ("finding.nothing is defined", False),
        ("'a' in 'abc'", True),
    ],
)
def test_a_condition_is_true_or_false(text: str, value: bool) -> None:
    assert condition(text, SCOPE) is value


@pytest.mark.parametrize(
    "text",
    [
        "finding.severity",
        "1",
        "0",
        "''",
        "[]",
        "none",
        "incident.findings",
        "coverage.reasons",
        "'true'",
    ],
)
def test_what_is_neither_true_nor_false_decides_nothing(text: str) -> None:
    with pytest.raises(ExpressionError, match="not true or false"):
        condition(text, SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "finding.nothing",
        "finding.resource.nothing.more == 1",
        "finding.resource.tags['none'] == ''",
        "nothing == 1",
        "not nothing",
        "nothing and true",
        "nothing | length > 0",
        "coverage.nothing",
    ],
)
def test_what_is_not_defined_decides_nothing(text: str) -> None:
    with pytest.raises(ExpressionError):
        condition(text, SCOPE)


@pytest.mark.parametrize("text", ["", "1 +", "a b", "{{ 1 }}", "{% if %}", "1 }}", "if"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, SCOPE)


LABELS = [severity.value for severity in Severity]


@given(st.sampled_from(LABELS), st.sampled_from(LABELS), st.sampled_from(["<", "<=", ">", ">="]))
def test_severities_are_ordered_as_they_are_ranked(one: str, other: str, sign: str) -> None:
    scope = {"finding": factories.finding(severity=Severity(one))}
    ranks = {"a": LABELS.index(one), "b": LABELS.index(other)}
    assert condition(f"finding.severity {sign} '{other}'", scope) is condition(f"a {sign} b", ranks)
    assert condition(f"finding.severity == '{other}'", scope) is (one == other)


@pytest.mark.parametrize("sign", ["==", "!=", "<", ">=", "in"])
def test_a_severity_that_is_misspelt_decides_nothing(sign: str) -> None:
    operand = "['HIHG']" if sign == "in" else "'HIHG'"
    with pytest.raises(ExpressionError, match="HIHG"):
        condition(f"finding.severity {sign} {operand}", SCOPE)


@pytest.mark.parametrize("status", ["skipped", "failed", "observed", "deferred"])
def test_a_result_of_a_step_that_was_not_done_skips_its_reader(status: str) -> None:
    scope = SCOPE | {"coverage": StepView("coverage", status, {}, "why")}
    for text in ("coverage.verdict == 'X'", "coverage['verdict']", "not coverage.verdict"):
        with pytest.raises(MissingResult, match=status):
            evaluate(text, scope)
    with pytest.raises(MissingResult):
        fill({"note": "it is {{ coverage.summary }} so"}, scope)
    assert condition(f"coverage.status == '{status}'", scope)
    assert evaluate("coverage.detail", scope) == "why"


def test_a_result_that_a_done_step_has_not_is_an_error_and_no_skip() -> None:
    with pytest.raises(ExpressionError) as raised:
        evaluate("coverage.verdikt", SCOPE)
    assert not isinstance(raised.value, MissingResult)


ESCAPES = [
    "''.__class__",
    "''.__class__.__mro__[1].__subclasses__()",
    "''['__class__']",
    "'' | attr('__class__')",
    "'' | attr('__class__') | attr('__mro__')",
    "finding.__class__",
    "finding.__init__.__globals__",
    "finding.fingerprint.__globals__",
    "finding.fingerprint.__func__.__globals__['hashlib']",
    "coverage.__class__",
    "coverage._values",
    "coverage['_values']",
    "incident.findings.__class__",
    "().__class__.__base__",
    "(1).__class__",
    "self.__init__",
    "_TemplateReference__context",
    "cycler",
    "lipsum",
    "lipsum.__globals__['os']",
    "namespace",
    "range(10)",
    "dict()",
    "joiner",
    "get_flashed_messages",
    "''.format_map({})",
    "'{0.__class__}'.format(finding)",
    "'%s' | format(finding)",
    "('{0.__class__.__init__.__globals__}').format(finding)",
    "[finding] | map(attribute='__class__') | first",
    "[finding] | map(attribute='fingerprint.__globals__') | first",
    "params.update({'a': 1})",
    "params.clear()",
    "params.__setitem__('a', 1)",
    "coverage.reasons.append('x')",
    "finding.raw.pop('x')",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_gets_out_of_the_sandbox(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, SCOPE)
    with pytest.raises(ExpressionError):
        fill({"note": f"x {{{{ {text} }}}}"}, SCOPE)


PARTS = ["finding", "coverage", "''", "[]", "incident", "params", "1"]
HOPS = ["__class__", "__mro__", "__subclasses__", "__globals__", "__init__", "__dict__", "gi_frame"]


@given(st.sampled_from(PARTS), st.lists(st.sampled_from(HOPS), min_size=1, max_size=4), st.data())
def test_no_way_through_hidden_attributes_gives_a_value(
    start: str, hops: list[str], data: st.DataObject
) -> None:
    text = start
    for hop in hops:
        text += data.draw(st.sampled_from([f".{hop}", f"['{hop}']", f"|attr('{hop}')"]))
    with pytest.raises(ExpressionError):
        evaluate(text, SCOPE)


MEMORY = [
    "'x' * 10**9",
    "[1] * 10**9",
    "10 ** 99",
    "9 ** 99999999",
    "10**12 * 10**12 * 10**12",
    "'%999999999d' % 1",
    "'x'.ljust(10**9)",
    "'x'.rjust(10**9)",
    "'x'.center(10**9)",
    "'7'.zfill(10**9)",
    "'\t'.expandtabs(10**9)",
    "'{:>999999999}'.format(1)",
    "'x' | center(10**9)",
    "'%999999999d' | format(1)",
    "'x' | indent(10**9)",
    "[1] | batch(10**9, 'x') | list",
    "[1] | slice(10**9) | list",
    "{'a': 1} | tojson(indent=10**9)",
    "[1, 2] | random",
    "'xxxxxxxxxx'" + ".replace('x', 'xxxxxxxxxx')" * 8,
    "'xxxxxxxxxx'" + " | replace('x', 'xxxxxxxxxx')" * 8,
    f"'{'x' * 5000}'.join('{'y' * 5000}')",
    f"'{'x' * 5000}' | join('{'y' * 5000}')",
    f"'{'x' * 5000}'.translate({{120: '{'y' * 5000}'}})",
    f"'{'x ' * 2500}' | wordwrap(1, wrapstring='{'y' * 5000}')",
    "+".join([f"'{'x' * 5000}'"] * 201),
    "~".join(["finding.title"] + [f"'{'x' * 5000}'"] * 201),
    "(" * 3000 + "1" + ")" * 3000,
    "not " * 3000 + "true",
    "finding" + ".title" * 5000,
]


@pytest.mark.parametrize("text", MEMORY)
def test_a_slip_eats_no_memory(text: str) -> None:
    before = time.process_time()
    with pytest.raises(ExpressionError):
        evaluate(text, SCOPE)
    assert time.process_time() - before < 5


def test_what_makes_text_longer_within_bounds_is_pythons() -> None:
    scope = {"t": "a-b", "n": 3, "list": ["x", "y"]}
    for text, value in {
        "t.replace('-', '_')": "a_b",
        "t | replace('-', ' ')": "a b",
        "', '.join(list)": "x, y",
        "list | join('+')": "x+y",
        "list | map('upper') | join": "XY",
        "t ~ n ~ true": "a-b3True",
        "t + '!'": "a-b!",
        "list + ['z']": ["x", "y", "z"],
        "n + 1.5": 4.5,
    }.items():
        assert evaluate(text, scope) == value


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_plain_arithmetic_is_pythons(one: int, other: int) -> None:
    scope = {"a": one, "b": other}
    assert evaluate("a * b + a - b", scope) == one * other + one - other
    if other:
        assert evaluate("a % b", scope) == one % other


@given(st.text(), st.sampled_from(["title", "description", "remediation_text"]))
def test_text_of_a_finding_is_a_value_whatever_it_says(text: str, name: str) -> None:
    """Template code, quotes and braces in a finding are never evaluated (invariant 10)."""
    hostile = f"{{{{ 7*7 }}}}{{% raw %}}{text}"
    scope = SCOPE | {"finding": factories.finding(**{name: hostile})}
    assert evaluate(f"finding.{name}", scope) == hostile
    assert fill(f"say {{{{ finding.{name} }}}}!", scope) == f"say {hostile}!"
    assert condition(f"finding.{name} == 'x'", scope) is False


def test_a_lone_template_keeps_the_type_and_text_around_it_makes_text() -> None:
    scope = {"params": {"n": 5, "list": [1, 2], "no": None}}
    given_ = {"a": "{{ params.n }}", "b": " {{ params.list }} ", "c": "n={{ params.n }}", "d": 7}
    assert fill(given_, scope) == {"a": 5, "b": [1, 2], "c": "n=5", "d": 7}
    assert fill(["{{ params.n }}{{ params.n }}", {"x": ("{{ params.no }}",)}], scope) == [
        "55",
        {"x": [None]},
    ]


def test_text_without_a_template_stays_as_it_is() -> None:
    assert fill("100% {done} {# no #}", {}) == "100% {done} {# no #}"


@pytest.mark.parametrize("text", ["{{ nothing }} x", "x {{ finding.nothing }}", "x {{ 1/0 }}"])
def test_a_template_that_errors_makes_no_text(text: str) -> None:
    with pytest.raises(ExpressionError):
        fill(text, SCOPE)


def test_text_that_is_too_long_is_refused() -> None:
    scope = {"t": "x" * (MAX_TEXT // 2)}
    assert len(fill("{{ t }}{{ t }}", scope)) == MAX_TEXT
    with pytest.raises(ExpressionError, match="characters"):
        fill("{{ t }}{{ t }}.", scope)


@pytest.mark.parametrize("text", ["finding.exploit_available", "none", "[]", "1.5", "finding"])
def test_a_group_is_text_or_a_whole_number(text: str) -> None:
    with pytest.raises(ExpressionError, match="not text"):
        text_of(text, SCOPE)
    assert text_of("finding.account.id", SCOPE) == factories.ACCOUNT
    assert text_of("7", SCOPE) == "7"
    assert text_of("finding.severity", SCOPE) == "CRITICAL"


@given(st.text(max_size=40))
def test_any_text_gives_a_value_or_an_expression_error(text: str) -> None:
    for read in (evaluate, fill):
        try:
            read(text, SCOPE)
        except ExpressionError:
            continue


def test_an_operand_that_raises_is_an_expression_error() -> None:
    class Bad:
        """Raises whatever it is asked."""

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        __hash__ = None  # type: ignore[assignment] # not needed

    scope: dict[str, Any] = {"bad": Bad()}
    with pytest.raises(ExpressionError, match="cannot be evaluated"):
        evaluate("bad == 1", scope)
