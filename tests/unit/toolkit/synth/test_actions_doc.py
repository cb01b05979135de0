"""``docs/actions.md`` says what the actions' declarations say."""

from __future__ import annotations

import msgspec

from hub_responder import actions
from hub_toolkit.synth import actions_doc


def _section(name: str) -> str:
    return actions_doc.render().split(f"\n## {name}\n")[1].split("\n## ")[0]


def test_every_action_is_told_with_all_its_parameters_and_results() -> None:
    for name in actions.names():
        action, section = actions.get(name), _section(name)
        assert action.summary in section.replace("\n", " ")
        assert action.example.strip() in section
        for struct in (action.params, action.result):
            for field in msgspec.structs.fields(struct):
                assert f"| `{field.encode_name}` |" in section


def test_types_and_defaults_are_written_as_playbooks_write_them() -> None:
    coverage = _section("vision_one.check_coverage")
    assert "| `stale_after` | number or duration | `86400` |" in coverage
    assert "| `connection` | a connection or route: vision_one | `vision-one` |" in coverage
    assert "| `retry_after` | number or nothing |" in coverage
    kinds = "github, jira, jira_data_center, opscenter, security_hub, servicenow"
    takes = f"| `in` | a connection or route: {kinds} | required |"
    assert takes in _section("ticket.open")
    update = _section("finding.update")
    workflows = "NEW or NOTIFIED or RESOLVED or SUPPRESSED or nothing"
    assert f"| `workflow` | {workflows} | none |" in update
    assert "| `updated` | integer |" in update


def test_what_it_may_do_in_aws_is_told_for_each_type_of_connection() -> None:
    assert "- with a connection of type sns: `dynamodb:UpdateItem`, `sns:Publish`" in _section(
        "notify"
    )
    section = _section("ticket.open")
    (line,) = [one for one in section.splitlines() if "connection of type opscenter" in one]
    assert line.endswith("`ssm:CreateOpsItem`, `ssm:GetOpsItem`, `ssm:UpdateOpsItem`")
    assert "\n- `securityhub:BatchUpdateFindings`" in _section("finding.update")
