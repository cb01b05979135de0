"""The types of connections that the loader takes are those that the functions know."""

from __future__ import annotations

from typing import get_args, get_type_hints

import msgspec
import pytest

from hub_responder import actions
from hub_responder.connections import channels
from hub_responder.connections.settings import CHANNELS, LINKS, WITH_SECRET
from hub_responder.connections.settings import TYPES as KNOWN
from hub_responder.vision_one.regions import BASE_URLS
from hub_toolkit.playbooks.connection_types import TYPES, VisionOne
from hub_toolkit.playbooks.load import load_project


def test_every_type_that_an_action_takes_can_be_declared() -> None:
    wanted = {
        kind
        for name in actions.names()
        for kinds in actions.get(name).connection_kinds.values()
        for kind in kinds
    }
    assert wanted <= set(TYPES)


def test_the_functions_know_the_same_types_and_settings() -> None:
    def settings(kinds: dict[str, type[msgspec.Struct]]) -> dict[str, set[str]]:
        return {
            kind: {field.encode_name for field in msgspec.structs.fields(struct)}
            for kind, struct in kinds.items()
        }

    assert settings(dict(TYPES)) == settings(KNOWN)
    assert set(KNOWN) >= WITH_SECRET
    for kind, links in LINKS.items():
        assert set(links) <= settings(KNOWN)[kind]
        assert {kind for kinds in links.values() for kind in kinds} <= set(KNOWN)
    assert set(channels.MODULES) == set(CHANNELS)


def test_a_step_reaches_the_fallback_of_each_connection_that_it_may_mean(project) -> None:
    project.write(
        "playbooks/connections.yaml",
        """\
connections:
  chat: {type: sns, fallback: hook}
  hook: {type: slack_webhook, fallback: last}
  last: {type: slack_webhook}
  tickets: {type: opscenter}
""",
    )
    loaded = load_project(project.root, "prod")
    assert loaded.connections.behind("chat") == ("chat", "hook")
    assert {"chat", "hook"} <= set(loaded.sources[0].reached)
    assert "last" not in loaded.sources[0].reached


def test_the_regions_are_those_of_the_client() -> None:
    assert set(get_args(get_type_hints(VisionOne)["region"])) == set(BASE_URLS)


@pytest.mark.parametrize(
    "text",
    [
        "{type: slack, channel: C0123456789}",
        "{type: slack_webhook}",
        "{type: sns, topic_arn: 'arn:aws:sns:us-east-1:111122223333:x'}",
        "{type: jira, url: 'https://example.atlassian.net', project: SEC, issue_type: Task}",
        "{type: opscenter}",
        "{type: github, repository: example/findings}",
        "{type: github, repository: a/.github, base_url: 'https://h.example/api/v3'}",
        "{type: servicenow, url: 'https://example.service-now.com', auth: oauth}",
        "{type: servicenow, url: 'https://x.example', table: sn_si_incident, category: c}",
        "{type: servicenow, url: 'https://x.example', priorities: {HIGH: 1/2}, fields: {a: b}}",
        "{type: vision_one, region: jp}",
        "{type: vision_one, base_url: 'https://api.example.com'}",
        "{type: vision_one, isolation: true, requests_per_minute: 60}",
        "{type: workload_security, region: jp-1, key: console}",
        "{type: workload_security, base_url: 'https://workload.example.com'}",
    ],
)
def test_each_type_is_taken_with_its_settings(project, text: str) -> None:
    project.write(
        "playbooks/connections.yaml",
        f"connections:\n  chat: {{type: sns}}\n  tickets: {{type: opscenter}}\n  one: {text}\n",
    )
    settings = load_project(project.root, "prod").connections.connections["one"]
    assert settings["type"] in text
