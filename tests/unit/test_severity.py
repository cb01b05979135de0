"""Severity: ordered, equal to its label, strict about other text."""

from __future__ import annotations

import json

import msgspec
import pytest
from jinja2.sandbox import SandboxedEnvironment

from hub_responder.severity import Severity, from_normalized


def test_order_is_by_severity_not_by_alphabet() -> None:
    labels = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
    assert [s.value for s in sorted(Severity(label) for label in reversed(labels))] == labels
    assert max(Severity.LOW, Severity.CRITICAL, Severity.MEDIUM) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("severity >= 'MEDIUM'", True),
        ("severity > 'HIGH'", False),
        ("severity < 'CRITICAL'", True),
        ("severity <= 'LOW'", False),
        ("'MEDIUM' <= severity", True),
        ("'CRITICAL' == severity", False),
        ("severity == 'HIGH'", True),
        ("severity != 'HIGH'", False),
        ("severity in ['HIGH', 'CRITICAL']", True),
        ("severity not in ['HIGH']", False),
    ],
)
def test_compares_with_labels_inside_a_sandboxed_expression(
    expression: str, *, expected: bool
) -> None:
    compiled = SandboxedEnvironment().compile_expression(expression)
    assert compiled(severity=Severity.HIGH) is expected


@pytest.mark.parametrize("expression", ["s >= 'HIHG'", "s == 'high'", "s != ''", "'x' < s"])
def test_unknown_label_is_an_error_not_false(expression: str) -> None:
    compiled = SandboxedEnvironment().compile_expression(expression)
    with pytest.raises(ValueError, match="is no severity"):
        compiled(s=Severity.HIGH)


def test_no_text_is_never_equal_and_never_ordered() -> None:
    assert Severity.LOW != 1
    assert Severity.LOW is not None
    with pytest.raises(TypeError):
        _ = Severity.LOW < 3  # type: ignore[operator]


def test_is_its_label_in_text_json_and_dictionaries() -> None:
    assert f"{Severity.LOW}" == "LOW"
    assert json.loads(json.dumps({"s": Severity.LOW})) == {"s": "LOW"}
    assert msgspec.json.encode(Severity.LOW) == b'"LOW"'
    assert {"LOW": 1}[Severity.LOW] == 1


@pytest.mark.parametrize(
    ("score", "label"),
    [
        (0, "INFORMATIONAL"),
        (1, "LOW"),
        (39, "LOW"),
        (40, "MEDIUM"),
        (69, "MEDIUM"),
        (70, "HIGH"),
        (89, "HIGH"),
        (90, "CRITICAL"),
        (100, "CRITICAL"),
    ],
)
def test_normalized_scores_have_labels(score: int, label: str) -> None:
    assert from_normalized(score).value == label


@pytest.mark.parametrize("score", [-1, 101, float("nan")])
def test_scores_off_the_scale_are_refused(score: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        from_normalized(score)
