"""A target that stays down: its messages go through the fallback, or end as dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from live import Live, apart, lay_out

PROJECT = Path(__file__).parents[2]
FILES = {
    "connections.yaml": """\
connections:
  chat: {type: slack, channel: C0CHAT00001, fallback: hook}
  hook: {type: webhook, url: 'https://hooks.example.com/findings'}
""",
    "settings.yaml": "owner: tests\n",
    "told/playbook.yaml": """\
format: 1
name: told
summary: Tells of each instance
on: {imported: {match: {ProductFields: {aws/securityhub/ProductName: [Inspector]}}}}
give_up_after: 1h
steps:
  - {id: tell, uses: notify, with: {to: chat, template: note.md.j2}}
  - {id: answer, uses: finding.update, with: {workflow: NOTIFIED}}
""",
    "told/templates/note.md.j2": "# {{ incident.severity }} on {{ incident.resource.id }}\n",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("giving-up")
    with apart(lay_out(root, FILES)) as live:
        yield live


def outage(live: Live, *targets: str) -> tuple[dict[str, Any], str]:
    """A finding that comes while these are down, which they stay for two hours; its instance."""
    for target in targets:
        live.fault(target=target, status=503, times=100_000)
    instance = live.instance()
    made = live.finding(instance)
    live.imported(made | {"ProductFields": {"aws/securityhub/ProductName": "Inspector"}})
    live.settle()
    for _ in range(12):
        live.control("POST", "clock", {"advance_s": 600})
        live.settle()
    live.control("DELETE", "faults", [])
    return made, instance


def through(live: Live, system: str, about: str) -> list[dict[str, Any]]:
    """What a system took that names an instance."""
    inbox = live.control("GET", "inbox")
    return [one for one in inbox if one["system"] == system and about in json.dumps(one["body"])]


def test_a_target_that_stays_down_is_passed_by_the_fallback_once_it_is_given_up(
    own: Live,
) -> None:
    letters = len(own.control("GET", "dlq"))
    finding, instance = outage(own, "slack")
    (message,) = through(own, "webhook", instance)
    assert message["connection"] == "hook"
    assert through(own, "slack", instance) == []
    (told,) = [one for one in own.records(finding, "outcome") if one["step"] == "tell"][-1:]
    assert told["status"] == "done"
    assert told["detail"] == "sent to hook, the fallback: chat answered 503"
    (begun, *_) = own.records(finding, "attempt")
    waited = datetime.fromisoformat(told["at"]) - datetime.fromisoformat(begun["at"])
    assert waited > timedelta(hours=1)
    assert own.held(finding)["Workflow"] == {"Status": "NOTIFIED"}
    assert len(own.control("GET", "dlq")) == letters


def test_where_the_fallback_is_down_too_there_is_a_dead_letter_with_its_reason(own: Live) -> None:
    finding, instance = outage(own, "slack", "webhook")
    assert through(own, "slack", instance) + through(own, "webhook", instance) == []
    (letter,) = [one for one in own.control("GET", "dlq") if finding["Id"] in json.dumps(one)]
    why = "gave up: chat answered 503; the fallback hook: hook answered 503"
    assert (letter["reason"], letter["attributes"]["playbook"]) == (f"tell: {why}", "told")
    ended = [one for one in own.records(finding, "outcome") if one["status"] == "failed"]
    assert [(one["step"], one["detail"]) for one in ended] == [("tell", why)]
    assert own.held(finding)["Workflow"] == {"Status": "NOTIFIED"}, "other steps do not wait"
    resources = yaml.safe_load((PROJECT / "template.yaml").read_text("utf-8"))["Resources"]
    alarm = resources["DeadLetterAlarm"]["Properties"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}
    assert len(own.control("GET", "dlq")) > alarm["Threshold"]
