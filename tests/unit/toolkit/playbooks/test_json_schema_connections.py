"""What editors make of connections with ``connections.schema.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub_toolkit.playbooks import json_schema_connections
from hub_toolkit.playbooks.connection_types import TYPES
from hub_toolkit.playbooks.document import parse, plain, read

REPOSITORY = Path(__file__).parents[4]
HEADER = "# yaml-language-server: $schema=connections.schema.json"
FILES = sorted(REPOSITORY.glob("playbooks/connections*.yaml"))
JIRA = "type: jira, url: https://example.atlassian.net"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    made = json.loads(json_schema_connections.render())
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_shipped_connections_are_right_and_name_their_schema(validator, path: Path) -> None:
    assert list(validator.iter_errors(plain(read(path, path.name)))) == []
    assert path.read_text(encoding="utf-8").splitlines()[0] == HEADER


def test_every_type_and_setting_is_known_and_explained(validator) -> None:
    one = validator.schema["properties"]["connections"]["additionalProperties"]
    offered = one["properties"]["type"]["oneOf"]
    assert [kind["const"] for kind in offered] == sorted(TYPES)
    assert all(kind["description"] for kind in offered)
    for branch in one["allOf"]:
        settings = branch["then"]["properties"]
        kind = branch["if"]["properties"]["type"]["const"]
        assert set(settings) == {"type", *TYPES[kind].__struct_encode_fields__}
        assert all(field["description"] for name, field in settings.items() if name != "type")
    slack = next(
        b["then"] for b in one["allOf"] if b["if"]["properties"]["type"]["const"] == "slack"
    )
    assert "gets what this one refuses" in slack["properties"]["fallback"]["description"]


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("{type: slack, channel: C0123456789}", True),
        ("{type: slack}", False),
        ("{type: slak, channel: C0123456789}", False),
        ("{channel: C0123456789}", False),
        ("{type: slack, chanel: C0123456789}", False),
        ("{type: slack, channel: \"{{ tag('Channel') }}\", allow: [C0123456789]}", True),
        ("{type: slack, channel: \"{{ tag('Channel') }}\", allow: []}", False),
        ("{type: slack, channel: \"{{ tag('Channel') }}\"}", False),
        ("{type: slack, channel: C0123456789, allow: [C0123456789]}", False),
        (f"{{{JIRA}, project: SEC}}", True),
        (f"{{{JIRA}, project: S-1}}", False),
        (f"{{{JIRA}, project: \"{{{{ 'A' }}}}\", allow: [A]}}", True),
        (f"{{{JIRA}, project: SEC, due: {{HIGH: 3d}}, priorities: {{HIGH: High}}}}", True),
        (f"{{{JIRA}, project: SEC, due: {{HIHG: 3d}}}}", False),
        (f"{{{JIRA}, project: SEC, due: {{HIGH: soon}}, reopen_within: 7d}}", False),
        (f"{{{JIRA}, project: SEC, fields: {{summary: x}}}}", False),
        ("{type: opscenter}", True),
        ("{type: opscenter, priorities: {HIGH: '6'}}", False),
        ("{type: github, repository: example/findings}", True),
        ("{type: github, repository: example/..}", False),
        ("{type: github, repository: findings}", False),
        ("{type: github}", False),
        ("{type: servicenow, url: 'https://example.service-now.com'}", True),
        ("{type: servicenow}", False),
        ("{type: servicenow, url: 'https://x.example', table: problem}", False),
        ("{type: servicenow, url: 'https://x.example', priorities: {HIGH: P1}}", False),
        ("{type: servicenow, url: 'https://x.example', assignment_group: SOC}", False),
        ("{type: opscenter, region: x}", False),
        ("{type: vision_one, region: mars}", False),
    ],
)
def test_connections_are_underlined_where_check_refuses_them(
    validator, written: str, right: bool
) -> None:
    found: Any = {"connections": {"one": plain(parse(written, "f"))}}
    assert (list(validator.iter_errors(found)) == []) is right


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("{by: finding.account.id, to: {}, default: one}", True),
        ("{by: finding.account.id, to: {x: one}}", False),
        ('{by: "{{ finding.account.id }}", to: {}, default: one}', False),
        ("{by: finding.account.id, to: {x: 1}, default: one}", False),
    ],
)
def test_routes_are_underlined_where_check_refuses_them(
    validator, written: str, right: bool
) -> None:
    found: Any = {"routes": {"way": plain(parse(written, "f"))}}
    assert (list(validator.iter_errors(found)) == []) is right
