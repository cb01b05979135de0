"""All actions in one playbook of its own, through the real template, handlers and workers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub_toolkit.synth import generated
from live import ACCOUNT, FINANCE, REGION, Live, apart

PROJECT = Path(__file__).parents[2]
LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:find-owner"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:quarantine"
PLAYBOOK = f"""\
format: 1
name: everything
summary: Uses every action once
on:
  imported:
    match:
      Severity: {{Label: [CRITICAL]}}
      Resources: {{Type: [AwsEc2Instance]}}
wait: {{first: 0s, then: 0s}}
only_if: ["tag('stage') == 'prod'"]
steps:
  - {{id: ec2, uses: enrich.ec2}}
  - {{id: threat, uses: enrich.inspector}}
  - {{id: where, uses: own.desk, with: {{prefix: "{{{{ ec2.name }}}}"}}}}
  - id: cmdb
    uses: call
    with: {{to: cmdb, payload: {{floor: "{{{{ where.floor }}}}"}}, answer: {{received: boolean}}}}
  - {{id: owner, uses: lambda.invoke, with: {{function: "{LAMBDA}"}}}}
  - {{id: machine, uses: stepfunctions.start, with: {{state_machine: "{MACHINE}"}}}}
  - id: scan
    uses: ssm.run_document
    with: {{document: AWS-RunPatchBaseline, allow: [AWS-RunPatchBaseline]}}
  - {{id: s3, uses: forward, with: {{target: "arn:aws:s3:::example-findings/hub"}}}}
  - {{id: kinesis, uses: forward, with: {{target: "arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/f"}}}}
  - {{id: sns, uses: forward, with: {{target: "arn:aws:sns:{REGION}:{ACCOUNT}:forwarded"}}}}
  - {{id: sqs, uses: forward, with: {{target: "arn:aws:sqs:{REGION}:{ACCOUNT}:forwarded"}}}}
  - id: suppress
    uses: finding.suppress
    with: {{reason: tried out, owner: "{{{{ ec2.owner }}}}", days: 3, even_if_exploited: true}}
"""
ACTIONS = '''\
import msgspec

from hub_responder.actions.own import action


class Params(msgspec.Struct):
    """What the floor's name begins with."""

    prefix: str


class Desk(msgspec.Struct):
    """Where it stands."""

    floor: str


@action("Finds the floor that a machine stands on.", params=Params, result=Desk)
def desk(work, runtime):
    return Desk(f"{work.params.prefix} on the 3rd floor")
'''


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A sandbox of a project with this one playbook."""
    root = tmp_path_factory.mktemp("project")
    folder = root / "playbooks" / "everything"
    folder.mkdir(parents=True)
    (folder / "playbook.yaml").write_text(PLAYBOOK, encoding="utf-8")
    (folder / "actions.py").write_text(ACTIONS, encoding="utf-8")
    (root / "playbooks" / "connections.yaml").write_text(
        "connections:\n  cmdb: {type: webhook, url: 'https://cmdb.example.com/'}\n"
    )
    (root / "playbooks" / "settings.yaml").write_text("owner: us\nmember_role: look-up\n")
    shutil.copytree(PROJECT / "functions" / "hub_responder", root / "functions" / "hub_responder")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copyfile(PROJECT / name, root / name)
    generated.write(root)
    with apart(root) as live:
        yield live


def hold(live: Live, *instances: str, **more: Any) -> None:
    tags = {"Name": "web-01", "Owner": "pay", "stage": "prod"}
    live.control(
        "PUT",
        "ec2/instances",
        [
            {"InstanceId": name, "OwnerId": FINANCE, "Region": REGION, "Tags": tags, **more}
            for name in instances
        ],
    )


def sent(live: Live, system: str, finding: dict[str, Any]) -> list[dict[str, Any]]:
    """The deliveries of a system that name the finding's instance or id."""
    arn = finding["Resources"][0]["Id"]
    names = (arn, arn.rsplit("/", 1)[-1], finding["Id"])
    return [
        one
        for one in live.control("GET", "inbox")
        if one["system"] == system and any(name in json.dumps(one) for name in names)
    ]


def ended(live: Live, finding: dict[str, Any]) -> dict[str, str]:
    """How each step ended."""
    return {one["step"]: one["status"] for one in live.records(finding, "outcome")}


def test_every_action_works_once_in_an_instance_of_a_member_account(own: Live) -> None:
    instance = own.instance()
    hold(own, instance)
    finding = own.finding(instance, account=FINANCE)
    own.imported(finding)
    steps = ["ec2", "threat", "where", "cmdb", "owner", "machine", "scan"]
    steps += ["s3", "kinesis", "sns", "sqs", "suppress"]
    assert ended(own, finding) == dict.fromkeys(steps, "done"), own.records(finding, "outcome")
    for system in ("lambda", "stepfunctions", "ssm", "s3", "kinesis", "sns", "sqs"):
        assert len(sent(own, system, finding)) == 1, system
    (call,) = [one for one in own.control("GET", "inbox") if one["system"] == "webhook"]
    assert call["body"]["floor"] == "web-01 on the 3rd floor"
    (command,) = sent(own, "ssm", finding)
    assert command["body"]["DocumentName"] == "AWS-RunPatchBaseline"
    held = own.held(finding)
    assert held["Workflow"]["Status"] == "SUPPRESSED"
    assert "tried out | owner: pay" in held["Note"]["Text"]
    assert own.control("GET", "dlq") == []


def test_a_tag_that_says_otherwise_leaves_the_finding_alone(own: Live) -> None:
    instance = own.instance()
    hold(own, instance, Tags={"stage": "dev"})
    finding = own.finding(instance, account=FINANCE)
    own.imported(finding)
    assert ended(own, finding) == {}
    assert sent(own, "lambda", finding) == []


def test_an_account_without_the_role_changes_nothing_and_the_default_connection_is_told(
    own: Live,
) -> None:
    hold(own)
    finding = own.finding(own.instance(), account="999988887777")
    own.imported(finding)
    assert sent(own, "lambda", finding) == []
    assert ended(own, finding) == {"_notice": "done"}
    told = [one for one in own.control("GET", "inbox") if one["system"] == "sns"]
    assert "sts.AssumeRole of look-up in 999988887777" in json.dumps(told)


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 400, "body": {"__type": "Throttling", "message": "Rate exceeded"}},
        {"reset": "before"},
        {"truncate": True},
    ],
    ids=lambda trouble: "-".join(map(str, trouble)),
)
def test_a_role_that_cannot_be_taken_for_a_while_costs_nothing(
    own: Live, trouble: dict[str, Any]
) -> None:
    instance = own.instance()
    hold(own, instance)
    finding = own.finding(instance, account=FINANCE)
    own.kill_workers()  # the next ones have to take the role again
    own.control("POST", "faults", [{"target": "sts", "times": 4, **trouble}])
    own.imported(finding)
    assert own.control("GET", "faults") == []
    assert set(ended(own, finding).values()) == {"done"}
    for system in ("lambda", "stepfunctions", "ssm"):
        assert len(sent(own, system, finding)) == 1, system
    own.reset()


@pytest.mark.parametrize("point", ["before_effect", "after_effect"])
def test_a_run_that_dies_around_an_effect_starts_the_machine_once(own: Live, point: str) -> None:
    instance = own.instance()
    hold(own, instance)
    finding = own.finding(instance, account=FINANCE)
    own.control("POST", "faults", [{"target": "lambda", "kill": point, "times": 3}])
    own.imported(finding)
    machines = {one["body"]["name"] for one in sent(own, "stepfunctions", finding)}
    assert len(machines) == 1
    assert len(sent(own, "ssm", finding)) == 1
    assert ended(own, finding)["suppress"] == "done"
