"""What we write to a finding never causes an effect of ours (invariant 8)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from hub_responder.finding import Finding
from world import World, event, finding

INSTANCE = "arn:aws:ec2:us-east-1:111122223333:instance/i-00000000000000001"


def ocsf(finding_id: str, *, exploit: bool | None, fix: bool, severity: str, status: str) -> str:
    """The event of the new Security Hub about the same finding."""
    vulnerability: dict[str, Any] = {"cve": {"uid": "CVE-2026-0001"}, "is_fix_available": fix}
    if exploit is not None:
        vulnerability["is_exploit_available"] = exploit
    body = {
        "class_uid": 2002,
        "metadata": {
            "uid": "m-1",
            "product": {
                "uid": "arn:aws:securityhub:us-east-1::product/aws/inspector",
                "name": "Inspector",
            },
        },
        "finding_info": {
            "uid": finding_id,
            "title": "CVE-2026-0001",
            "modified_time_dt": "2026-11-20T00:00:01Z",
        },
        "cloud": {"account": {"uid": "111122223333"}, "region": "us-east-1"},
        "severity": severity,
        "status": status,
        "activity_name": "Update",
        "resources": [{"type": "AWS::EC2::Instance", "uid": INSTANCE}],
        "vulnerabilities": [vulnerability],
    }
    envelope = json.loads(event(finding(1)))
    envelope |= {"detail-type": "Findings Imported V2", "detail": {"findings": [body]}}
    envelope["id"] = f"v2-{status}-{next(_numbers)}"
    return json.dumps(envelope)


_numbers = itertools.count()


def asff(**extra: Any) -> dict[str, Any]:
    """The finding, as ASFF; a vulnerability says what ``extra`` says."""
    made = finding(1)
    made["Vulnerabilities"] = [{"Id": "CVE-2026-0001", **extra}]
    return made


def echoed(body: dict[str, Any]) -> dict[str, Any]:
    """As Security Hub sends it again after our update: same UpdatedAt, other note and workflow."""
    note = {"Text": "UNPROTECTED", "UpdatedBy": "hub-responder"}
    return body | {"Workflow": {"Status": "NOTIFIED"}, "Note": note}


def rounds(world: World) -> int:
    """How many rounds there were."""
    return sum(int(item["round"]["N"]) for item in world.incidents())


def test_the_echo_of_an_asff_finding_is_a_repeat(make_world: Any) -> None:
    world = make_world()
    world.echo = lambda _finding: [event(echoed(asff()))]
    world.send(event(asff()))
    world.drain(limit_s=600)
    assert rounds(world) == 1
    assert len(world.told) == 1
    assert [r["kind"] for r in world.records()].count("repeat") == 1


def test_the_echo_of_an_ocsf_finding_is_a_repeat(make_world: Any) -> None:
    world = make_world()
    same = {"exploit": True, "fix": True, "severity": "High"}
    name = finding(1)["Id"]
    world.echo = lambda _finding: [ocsf(name, status="In Progress", **same)]
    world.send(ocsf(name, status="New", **same))
    world.drain(limit_s=600)
    assert rounds(world) == 1
    assert len(world.told) == 1


@pytest.mark.parametrize("exploit", [None, True, False])
@pytest.mark.parametrize("fix", [True, False])
@pytest.mark.parametrize("severity", ["High", "Critical"])
def test_two_hubs_that_tell_of_one_finding_differently_do_not_answer_each_other(
    make_world: Any, exploit: bool | None, fix: bool, severity: str
) -> None:
    world = make_world()
    name = finding(1)["Id"]
    said = {"exploit": exploit, "fix": fix, "severity": severity}

    def echo(_finding: Finding) -> list[str]:
        return [event(echoed(asff())), ocsf(name, status="In Progress", **said)]

    world.echo = echo
    world.send(event(asff()))
    world.send(ocsf(name, status="New", **said))
    world.drain(batch=1, runs=1, limit_s=600)
    assert rounds(world) <= 2
    assert len(world.opened) == 1


def test_after_both_forms_came_a_real_change_is_still_seen(make_world: Any) -> None:
    world = make_world()
    name = finding(1)["Id"]
    world.send(event(asff()))
    world.drain()
    world.send(ocsf(name, exploit=False, fix=True, severity="High", status="New"))
    world.drain()
    before = rounds(world)
    raised = asff() | {"Severity": {"Label": "CRITICAL"}, "UpdatedAt": "2026-11-20T00:00:07Z"}
    world.send(event(raised))
    world.drain()
    assert rounds(world) == before + 1


def test_closing_in_one_form_and_coming_back_in_the_other_is_seen(make_world: Any) -> None:
    world = make_world()
    name = finding(1)["Id"]
    world.send(event(asff()))
    world.drain()
    world.send(event(asff() | {"RecordState": "ARCHIVED", "UpdatedAt": "2026-11-20T00:00:01Z"}))
    world.drain()
    assert world.incidents()[0]["members"]["N"] == "0"
    world.send(ocsf(name, exploit=None, fix=False, severity="High", status="New"))
    world.drain()
    assert world.incidents()[0]["members"]["N"] == "1"
    assert len(world.told) == 2
