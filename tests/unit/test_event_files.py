"""The example events: all readable, all invented, each what its name says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub_responder.events import decode

PATHS = sorted((Path(__file__).parents[2] / "events").glob("*.json"))
OF_NAME = {path.stem: path for path in PATHS}
ACCOUNTS = {"111122223333", "444455556666", "333344445555"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_event_reads_without_a_problem(path: Path) -> None:
    trigger = decode(path.read_text("utf-8"))
    assert trigger.unreadable == ()
    assert trigger.problems == ()
    assert all(not finding.problems for finding in trigger.findings)
    assert (trigger.account, trigger.region) == ("111122223333", "us-east-1")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_event_holds_an_account_that_is_not_an_example(path: Path) -> None:
    found = set(re.findall(r"(?<![0-9a-f-])\d{12}(?![0-9a-f])", path.read_text("utf-8")))
    assert found <= ACCOUNTS


def test_events_and_findings_have_ids_of_their_own() -> None:
    triggers = [decode(path.read_text("utf-8")) for path in PATHS]
    ids = [finding.id for trigger in triggers for finding in trigger.findings]
    instances = [i for t in triggers for i in {i for f in t.findings for i in f.instance_ids}]
    assert len({trigger.event_id for trigger in triggers}) == len(triggers)
    assert len(set(ids)) == len(ids)
    assert len(set(instances)) == len(instances)


def test_the_insight_names_instances_of_the_other_events() -> None:
    triggers = [decode(path.read_text("utf-8")) for path in PATHS]
    known = {r.id for t in triggers for finding in t.findings for r in finding.resources}
    insight = decode(OF_NAME["insight-results"].read_text("utf-8")).insight
    assert insight is not None
    assert {value for value, _ in insight.values} <= known


@pytest.mark.parametrize(
    ("name", "severity", "state", "type_"),
    [
        ("inspector-critical-ec2-unprotected", "CRITICAL", "ACTIVE", "AwsEc2Instance"),
        ("inspector-high-ec2-ocsf", "HIGH", "ACTIVE", "AwsEc2Instance"),
        ("inspector-medium-ec2", "MEDIUM", "ACTIVE", "AwsEc2Instance"),
        ("inspector-archived", "CRITICAL", "ARCHIVED", "AwsEc2Instance"),
        ("click-not-an-instance", "HIGH", "ACTIVE", "AwsS3Bucket"),
    ],
)
def test_an_event_is_what_its_name_says(name: str, severity: str, state: str, type_: str) -> None:
    (finding,) = decode(OF_NAME[name].read_text("utf-8")).findings
    assert (finding.severity.value, finding.record_state) == (severity, state)
    assert finding.resource.type == type_
