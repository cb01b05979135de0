"""What editors make of a playbook with ``playbook.schema.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub_responder import actions
from hub_toolkit.playbooks import format as playbook_file
from hub_toolkit.playbooks import json_schema
from hub_toolkit.playbooks.document import parse, plain, read

REPOSITORY = Path(__file__).parents[4]
BROKEN = Path(__file__).parent / "broken"
SHIPPED = sorted(REPOSITORY.glob("playbooks/*/playbook.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    made = json.loads(json_schema.render())
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def _wrong(validator: Draft202012Validator, playbook: Any) -> list[str]:
    """Where an editor would underline, deepest first."""
    found = list(validator.iter_errors(playbook))
    return [".".join(map(str, error.absolute_path)) + f": {error.message}" for error in found]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_shipped_playbooks_are_right(validator, path: Path) -> None:
    assert _wrong(validator, plain(read(path, path.name))) == []


def test_the_small_project_is_right(validator, project) -> None:
    path = project.root / "playbooks/tell-them/playbook.yaml"
    assert _wrong(validator, plain(read(path, path.name))) == []


def test_every_key_and_every_action_is_known_and_explained(validator) -> None:
    made = validator.schema
    assert set(made["properties"]) == set(playbook_file.KEYS)
    assert all(one["description"] for one in made["properties"].values())
    step = made["$defs"]["step"]
    offered = step["properties"]["uses"]["oneOf"]
    assert [one["const"] for one in offered if "const" in one] == sorted(actions.names())
    assert all(one["description"] for one in offered)
    for one in step["allOf"]:
        action = actions.get(one["if"]["properties"]["uses"]["const"])
        with_ = one["then"]["properties"]["with"]
        assert set(with_["properties"]) == set(action.params.__struct_encode_fields__)
        assert all(field["description"] for field in with_["properties"].values())
        assert action.example.strip() in with_["description"]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (
            "summary:",
            "sumary:",
            ": Additional properties are not allowed ('sumary' was unexpected)",
        ),
        ("name: tell-them", "name: Tell Them", "name: 'Tell Them' does not match"),
        ("Label: [CRITICAL]", "Lable: [CRITICAL]", "on.imported.match.Severity: Additional prop"),
        ("[CRITICAL]", "[Critical]", "on.imported.match.Severity.Label.0: 'Critical' is not valid"),
        ("[CRITICAL]", "[{prefx: C}]", "on.imported.match.Severity.Label.0: {'prefx': 'C'} is not"),
        ("[CRITICAL]", "[{prefix: C, suffix: L}]", "on.imported.match.Severity.Label.0: {'prefix"),
        ("[CRITICAL]", "CRITICAL", "on.imported.match.Severity.Label: 'CRITICAL' is not of type"),
        ("id: TellThem", "id: Tell-Them", "on.custom_action.id: 'Tell-Them' does not match"),
        ("uses: notify", "uses: notfy", "steps.1.uses: 'notfy' is not valid under any"),
        ("{to: chat, ", "{too: chat, ", "steps.1.with: Additional properties are not allowed"),
        ("if: ticket.opened", "if: '{{ ticket.opened }}'", "steps.1.if: '{{ ticket.opened }}'"),
        ("if: ticket.opened", "on_error: stopp", "steps.1.on_error: 'stopp' is not one of"),
        ("steps:", "quiet: 4 hours\nsteps:", "quiet: '4 hours' does not match"),
        ("steps:", "only_if: [true]\nsteps:", "only_if.0: True is not of type 'string'"),
    ],
)
def test_typical_mistakes_are_underlined(validator, project, old, new, where: str) -> None:
    project.replace(old, new)
    path = project.root / "playbooks/tell-them/playbook.yaml"
    wrong = _wrong(validator, plain(read(path, path.name)))
    assert any(one.startswith(where) for one in wrong), wrong


def _step(text: str) -> Any:
    return {
        "format": 1,
        "name": "a",
        "summary": "a",
        "on": {"imported_v2": {"match": {"severity": ["High"], "cloud": {"x": {"y": ["z"]}}}}},
        "steps": [plain(parse(text, "f"))],
    }


@pytest.mark.parametrize(
    ("step", "right"),
    [
        ("{uses: vision_one.check_coverage}", True),
        ("{uses: vision_one.check_coverage, with: {stale_after: 24h}}", True),
        ("{uses: vision_one.check_coverage, with: {stale_after: 90}}", True),
        ('{uses: vision_one.check_coverage, with: {stale_after: "{{ params.x }}"}}', True),
        ("{uses: vision_one.check_coverage, with: {stale_after: a day}}", False),
        ("{uses: finding.update, with: {workflow: RESOLVED}}", True),
        ('{uses: finding.update, with: {workflow: "{{ params.x }}"}}', True),
        ("{uses: finding.update, with: {workflow: CLOSED}}", False),
        ("{uses: notify}", False),
        ("{uses: notify, with: {to: chat, template: a.md.j2}}", True),
    ],
)
def test_a_parameter_is_its_type_or_a_template_and_a_number_also_a_duration(
    validator, step: str, right: bool
) -> None:
    assert (_wrong(validator, _step(step)) == []) is right


def test_the_schema_takes_what_check_takes(validator) -> None:
    """What only warns is no mistake for editors either."""
    for case in sorted(BROKEN.iterdir()):
        said = (case / "messages.txt").read_text(encoding="utf-8").splitlines()
        if all("warning: " in line for line in said):
            path = case / "playbook.yaml"
            assert _wrong(validator, plain(read(path, case.name))) == []
