"""Which matches can never match, and which are only odd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub_toolkit.playbooks import asff, ocsf
from hub_toolkit.playbooks.document import Mapping, parse
from hub_toolkit.playbooks.kinds import ListOf, MapOf, Record
from hub_toolkit.playbooks.matching import check
from hub_toolkit.playbooks.problems import Problem

EVENTS = Path(__file__).parents[4] / "events"


def _problems(text: str, schema: str = "ASFF") -> list[str]:
    problems: list[Problem] = []
    match = parse(text, "f")
    assert isinstance(match, Mapping)
    check(match, schema, problems)
    return [str(problem) for problem in sorted(problems)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "{Severity: {Lable: [HIGH]}}",
            (
                "f:1:13: `Severity.Lable` is no field of an ASFF finding; did you mean `Label`? "
                "`Severity` has: Label, Normalized, Original, Product"
            ),
        ),
        (
            "{Resources: {Details: {AwsEc2Instance: {Imageid: [b]}}}}",
            (
                "f:1:41: `Resources.Details.AwsEc2Instance.Imageid` is no field of an ASFF "
                "finding; did you mean `ImageId`?"
            ),
        ),
        (
            "{Resources.Type: [a]}",
            "f:1:2: `Resources.Type` is no field of an ASFF finding; write Resources: {Type: ...}",
        ),
        (
            "{Severity: {Label: [High]}}",
            (
                "f:1:21: `Severity.Label` is never `High`; did you mean `HIGH`? It can be: "
                "INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL"
            ),
        ),
        (
            "{Severity: {Label: [{prefix: Crit}]}}",
            (
                "f:1:30: `Severity.Label` is never like this. It can be: INFORMATIONAL, LOW, "
                "MEDIUM, HIGH, CRITICAL"
            ),
        ),
        (
            "{Compliance: {Status: [{equals-ignore-case: fail}]}}",
            (
                "f:1:45: `Compliance.Status` is never like this. It can be: PASSED, WARNING, "
                "FAILED, NOT_AVAILABLE"
            ),
        ),
        (
            "{Severity: [HIGH]}",
            (
                "f:1:12: `Severity` has fields, and no value of its own: match one of them: Label, "
                "Normalized, Original, Product"
            ),
        ),
        ("{Title: {a: [b]}}", "f:1:9: `Title` is text, which has no fields"),
        ("{ProductFields: {a: [3]}}", "f:1:22: `ProductFields.a` is text: write it in quotes"),
        ("{Title: [3]}", "f:1:10: `Title` is text: write it in quotes"),
        (
            "{Vulnerabilities: {ExploitAvailable: [true]}}",
            "f:1:39: `Vulnerabilities.ExploitAvailable` is text: it can be: YES, NO",
        ),
        (
            "{Severity: {Normalized: ['90']}}",
            "f:1:26: `Severity.Normalized` is a number, not text: write it without quotes",
        ),
        (
            "{Sample: [{prefix: t}]}",
            "f:1:12: `prefix` compares text, and `Sample` is true or false",
        ),
        (
            "{Title: [{numeric: ['>', 1]}]}",
            "f:1:11: `numeric` compares numbers, and `Title` is text",
        ),
        (
            "{AwsAccountId: ['1111']}",
            "f:1:17: `AwsAccountId` has 12 digits, which `1111` has not",
        ),
        (
            "{Resources: {Type: ['AWS::EC2::Instance']}}",
            "f:1:21: `Resources.Type` is spelled `AwsEc2Instance` in ASFF",
        ),
        (
            "{Resources: {Type: [AwsEc2Instanc]}}",
            (
                "f:1:21: warning: `AwsEc2Instanc` is no type that Security Hub describes; did you "
                "mean `AwsEc2Instance`?"
            ),
        ),
        (
            "{Note: {Text: [null]}}",
            (
                "f:1:16: warning: `Note.Text`: a finding has no null; {exists: false} matches "
                "where it is absent"
            ),
        ),
    ],
)
def test_what_an_asff_finding_never_has_is_said_at_its_place(text: str, said: str) -> None:
    assert _problems(text) == [said]


@pytest.mark.parametrize(
    "text",
    [
        "{ProductFields: {aws/securityhub/ProductName: [Inspector], anything: [{prefix: x}]}}",
        "{UserDefinedFields: {mine: [{exists: false}]}}",
        "{Resources: {Tags: {env: [prod]}, Details: {Other: {key: [x]}}}}",
        "{Resources: {Type: [AwsEc2Instance, SomethingOfOurs, AwsAccount]}}",
        "{Severity: {Label: [{anything-but: [LOW]}, {wildcard: 'H*'}, {exists: true}]}}",
        "{Severity: {Normalized: [{numeric: ['>=', 70]}, 90]}, AwsAccountId: ['111122223333']}",
        "{$or: [{Title: [a]}, {$or: [{Sample: [true]}, {Types: [b]}]}]}",
    ],
)
def test_what_a_finding_can_have_is_taken(text: str) -> None:
    assert _problems(text) == []


def test_of_ocsf_the_top_severity_and_accounts_are_known() -> None:
    assert _problems(
        "{severity: [CRITICAL], severitty: [x], cloud: {account: {uid: ['11', 111]}}}", "OCSF"
    ) == [
        (
            "f:1:13: `severity` is never `CRITICAL`; did you mean `Critical`? It can be: Unknown, "
            "Informational, Low, Medium, High, Critical, Fatal, Other"
        ),
        "f:1:24: `severitty` is no field of an OCSF finding; did you mean `severity`?",
        "f:1:64: `cloud.account.uid` has 12 digits, which `11` has not",
        "f:1:70: `cloud.account.uid` is text: write it in quotes",
    ]
    assert _problems("{metadata: {product: {name: [3]}}, unmapped: {a: {b: [c]}}}", "OCSF") == []


def _unknown(value: Any, kind: Any, path: str) -> list[str]:
    """Fields of a finding that the schema does not have."""
    if isinstance(kind, ListOf) and isinstance(value, list):
        return [name for item in value for name in _unknown(item, kind.item, path)]
    if isinstance(kind, MapOf) or not isinstance(kind, Record) or not isinstance(value, dict):
        return []
    return [
        name
        for key, inner in value.items()
        for name in (
            _unknown(inner, kind.fields[key], f"{path}.{key}")
            if key in kind.fields
            else [f"{path}.{key}"]
        )
    ]


def test_the_findings_of_the_examples_have_no_field_that_is_not_known() -> None:
    seen = 0
    for path in sorted(EVENTS.glob("*.json")):
        detail = json.loads(path.read_text(encoding="utf-8")).get("detail", {})
        for finding in detail.get("findings", []):
            schema = ocsf.finding() if "class_uid" in finding else asff.finding()
            assert _unknown(finding, schema, path.name) == []
            seen += 1
    assert seen >= 5
