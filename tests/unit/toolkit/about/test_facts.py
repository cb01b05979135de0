"""What is told of a playbook is what its parts say."""

from __future__ import annotations

from pathlib import Path

from hub_toolkit.about import facts, printed, readme
from hub_toolkit.about.facts import Facts
from hub_toolkit.playbooks.load import load_project


def _facts(root: Path, stage: str = "prod") -> Facts:
    project = load_project(root, stage)
    return facts.of(project.sources[0], project, stage)


def test_triggers_are_told_field_by_field(root: Path) -> None:
    imported, action = _facts(root).triggers
    assert imported.kind == "imported"
    assert imported.on == [
        "Severity.Label: CRITICAL or prefix HI",
        "Resources.Type: AwsEc2Instance",
    ]
    assert action.title == "Custom action Tell them (TellThem), on findings and on insights"


def test_steps_tell_what_they_read_give_and_reach(root: Path) -> None:
    coverage, ticket, tell = _facts(root).steps
    assert coverage.reads == ["params.age"]
    assert "coverage.verdict" in coverage.gives
    assert (coverage.to, coverage.connections) == ("vision-one", ["vision-one"])
    assert (ticket.if_, ticket.on_error) == ("coverage.verdict == 'UNPROTECTED'", "continue")
    # Of all languages of its template, and of its condition.
    both = ["coverage.summary", "coverage.verdict", "incident.severity", "now"]
    assert ticket.reads == both
    assert (tell.to, tell.connections) == ("chat", ["slack-a", "topic"])
    assert tell.effects
    assert not coverage.effects


def test_connections_tell_their_secret_of_the_stage_and_the_route_to_them(root: Path) -> None:
    found = {one.name: one for one in _facts(root).connections}
    assert found["slack-a"].secret == "hub-responder/prod/slack-a"
    assert found["slack-a"].routes == ["chat"]
    assert found["tickets"].secret == ""
    assert found["tickets"].routes == []
    (route,) = _facts(root).routes
    assert (route.to, route.default) == ({"444455556666": "slack-a"}, "topic")


def test_a_place_that_a_template_chooses_is_told_with_all_that_it_may_be(root: Path) -> None:
    assert not any(one.place or one.allow for one in _facts(root).connections)
    path = root / "playbooks" / "connections.yaml"
    text = path.read_text(encoding="utf-8")
    chosen = "channel: \"{{ tag('Channel') }}\", allow: [C0123456789, C0123456780]"
    path.write_text(text.replace("channel: C0123456789", chosen), encoding="utf-8")
    found = {one.name: one for one in _facts(root).connections}["slack-a"]
    assert (found.place, found.allow) == ("{{ tag('Channel') }}", ["C0123456789", "C0123456780"])
    line = "at one of C0123456789, C0123456780, by {{ tag('Channel') }}"
    assert any(line in one for one in printed.lines(_facts(root)))
    at = "at one of `C0123456789`, `C0123456780` by `{{ tag('Channel') }}`"
    assert at in readme.texts(root)["playbooks/tell-them/README.md"]


def test_rules_are_as_in_the_template_with_their_size(root: Path) -> None:
    imported, lifecycle, action = _facts(root).rules
    assert imported.pattern["detail"]["findings"]["RecordState"] == ["ACTIVE"]
    assert imported.size == len(
        '{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],'
        '"detail":{"findings":{"Severity":{"Label":["CRITICAL",{"prefix":"HI"}]},'
        '"Resources":{"Type":["AwsEc2Instance"]},"RecordState":["ACTIVE"],'
        '"Workflow":{"Status":["NEW","NOTIFIED"]}}}}'
    )
    assert imported.limit == 2048
    assert lifecycle.name == "${AWS::StackName}-tell-them-lifecycle"
    assert action.pattern["resources"][0].endswith(":action/custom/TellThem")


def test_the_role_has_what_steps_and_expressions_need(root: Path) -> None:
    granted = {word for one in _facts(root).statements for word in one["Action"]}
    steps = {"secretsmanager:GetSecretValue", "ssm:CreateOpsItem", "sns:Publish"}
    assert granted >= {*steps, "sqs:ReceiveMessage", "tag:GetResources"}


def test_a_stage_has_its_own_owner_mode_and_version(root: Path) -> None:
    prod, dev = _facts(root), _facts(root, "dev")
    assert (prod.owner, prod.mode) == ("us", "live")
    assert (dev.owner, dev.mode) == ("them", "observe")
    assert prod.version != dev.version


def test_cases_are_those_of_the_playbook_and_of_its_tests_folder(root: Path) -> None:
    assert _facts(root).cases == ["it tells", "it tells more"]


def test_resources_are_those_of_the_stack(root: Path) -> None:
    found = _facts(root).resources
    assert found["TellThemFunction"] == "AWS::Serverless::Function"
    assert found["TellThemActionTarget"] == "AWS::SecurityHub::ActionTarget"
