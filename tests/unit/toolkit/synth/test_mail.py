"""What the template has for e-mail: sending as one sender, and what comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint

from hub_toolkit import synth
from hub_toolkit.synth.shared import mail_events_id

RULE = "InspectorCoverageMailRule"


def use_mail(root: Path, file: str = "connections.yaml", settings: str = "") -> None:
    """Let ``soc-chat``, where most playbooks tell, be e-mail."""
    path = root / "playbooks" / file
    text = path.read_text("utf-8") if path.exists() else "connections: {}\n"
    loaded = yaml.safe_load(text)
    mail = {"type": "ses", "sender": "soc@example.com", "to": ["a@example.com"]}
    loaded["connections"]["soc-chat"] = {**mail, **json.loads(settings or "{}")}
    path.write_text(json.dumps(loaded), encoding="utf-8")


def template(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(synth.render(root))
    return loaded


def events_of(made: dict[str, Any]) -> dict[str, Any]:
    kind = "AWS::SES::ConfigurationSetEventDestination"
    return {name: one for name, one in made["Resources"].items() if one["Type"] == kind}


def test_what_comes_back_reaches_the_playbook_that_sent_it(root: Path) -> None:
    use_mail(root, settings='{"configuration_set": "soc"}')
    made = template(root)
    pattern = made["Resources"][RULE]["Properties"]["EventPattern"]
    assert pattern["source"] == ["aws.ses"]
    assert pattern["detail"]["mail"]["tags"] == {
        "hub-responder-playbook": ["inspector-coverage"],
        "hub-responder-stage": [{"Ref": "Stage"}],
    }
    (target,) = made["Resources"][RULE]["Properties"]["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["InspectorCoverageImportsQueue", "Arn"]}
    alarm = made["Resources"]["InspectorCoverageMailAlarm"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": {"Ref": RULE}}]
    assert alarm["AlarmActions"] == [{"Ref": "NotificationsTopic"}]
    ((name, told),) = events_of(made).items()
    assert name == mail_events_id("soc")
    assert "Condition" not in told
    assert told["Properties"]["ConfigurationSetName"] == "soc"
    destination = told["Properties"]["EventDestination"]
    assert destination["MatchingEventTypes"] == ["bounce", "complaint", "reject"]


@pytest.mark.parametrize("settings", ["", '{"region": "us-east-1", "configuration_set": "soc"}'])
def test_without_a_configuration_set_of_the_region_nothing_of_ses_is_changed(
    root: Path, settings: str
) -> None:
    use_mail(root, settings=settings)
    made = template(root)
    assert events_of(made) == {}
    assert (RULE in made["Resources"]) is bool(settings)  # the events may be sent here


def test_the_shipped_template_has_nothing_of_it(root: Path) -> None:
    made = template(root)
    assert events_of(made) == {}
    assert RULE not in made["Resources"]


def test_a_configuration_set_of_one_stage_is_told_in_that_stage(root: Path) -> None:
    use_mail(root, "connections.dev.yaml", '{"configuration_set": "soc-dev"}')
    made = template(root)
    ((name, told),) = events_of(made).items()
    assert told["Condition"] == f"{name}Used"
    assert made["Conditions"][f"{name}Used"] == {"Condition": "DevStage"}
    use_mail(root, settings='{"configuration_set": "soc"}')
    made = template(root)
    base = mail_events_id("soc")
    assert set(events_of(made)) == {name, base}
    assert made["Conditions"][f"{base}Used"] == {"Fn::Not": [{"Condition": "DevStage"}]}


def test_cloudformation_takes_it(root: Path) -> None:
    use_mail(root, settings='{"configuration_set": "soc"}')
    use_mail(root, "connections.dev.yaml", '{"configuration_set": "soc-dev"}')
    found = lint(synth.render(root), None, ["us-east-1"])
    assert [str(one) for one in found if one.rule.severity == "error"] == []
