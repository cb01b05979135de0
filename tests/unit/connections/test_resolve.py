"""Names of connections and routes lead to connections; settings are checked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import playbook, scope
from hub_responder.connections.permissions import secrets_of
from hub_responder.connections.resolve import Connection, resolve
from hub_responder.connections.settings import Jira, Slack, SlackWebhook, read
from hub_responder.errors import ConfigurationError, ExpressionError, TransientError
from hub_responder.playbook import Route


def test_a_name_leads_to_its_connection() -> None:
    found = resolve(playbook(), "chat", {})
    assert (found.name, found.type, found.settings["channel"]) == ("chat", "slack", "C1")


@pytest.mark.parametrize(("account", "name"), [("111122223333", "topic"), ("9", "chat")])
def test_a_route_chooses_by_its_expression_or_takes_the_default(account: str, name: str) -> None:
    routed = playbook(routes={"soc": Route("account", {"111122223333": "topic"}, "chat")})
    assert resolve(routed, "soc", {"account": account}).name == name


def test_a_route_that_cannot_be_evaluated_is_an_error() -> None:
    routed = playbook(routes={"soc": Route("nothing", {}, "chat")})
    with pytest.raises(ExpressionError):
        resolve(routed, "soc", scope())


@pytest.mark.parametrize("name", ["missing", "untyped"])
def test_an_unknown_or_untyped_connection_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        resolve(playbook(connections={"untyped": {}}), name, {})


OWN = {"type": "slack", "channel": "{{ table.teams[tag('Owner')].channel }}", "allow": ["C1", "C2"]}
TEAMS = {"teams": {"pay": {"channel": "C2"}, "ops": {"channel": "C9"}, "odd": {"channel": 7}}}


def owned(owner: str, **settings: Any) -> Connection:
    """The place that the owner's connection has, through a route."""
    routed = playbook(
        connections={"team": {**OWN, **settings}, "other": {"type": "sns"}},
        routes={"soc": Route("'x'", {"x": "team"}, "other")},
    )
    return resolve(routed, "soc", {"table": TEAMS, "tag": lambda _key: owner})


def test_a_template_chooses_the_place_among_those_allowed() -> None:
    found = owned("pay")
    assert (found.name, found.settings["channel"]) == ("team", "C2")
    assert found.shown == "team (C2)"
    assert read(found.settings, Slack, "team").channel == "C2"
    jira = {"type": "jira", "project": "{{ 'PAY' }}", "url": "https://x.example", "allow": ["PAY"]}
    made = resolve(playbook(connections={"j": jira}), "j", {})
    assert read(made.settings, Jira, "j").project == "PAY"


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        ("ops", "connection team: `channel` gives 'C9', which is not in `allow`"),
        ("odd", "connection team: `channel` gives int, which is not in `allow`"),
        ("nobody", "connection team: `channel`: .*nobody"),
    ],
)
def test_what_is_not_allowed_or_cannot_be_told_is_refused(owner: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        owned(owner)


@pytest.mark.parametrize(
    "channel", ["{{ tag('Owner') }}", "{{ table.teams[tag('Owner')].channel }}"]
)
def test_a_long_value_is_told_in_part(channel: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        owned("x" * 5000, channel=channel)
    assert len(str(caught.value)) < 300


def test_a_severity_chooses_as_the_text_that_it_is() -> None:
    by_severity = {**OWN, "channel": "{{ incident.severity }}"}
    for allow, good in ((["HIGH", "CRITICAL"], True), (["C1"], False)):
        written = playbook(connections={"team": {**by_severity, "allow": allow}})
        if good:
            assert resolve(written, "team", scope()).settings["channel"] == "CRITICAL"
            continue
        with pytest.raises(ConfigurationError, match="'CRITICAL', which is not in `allow`"):
            resolve(written, "team", scope())


def test_without_a_list_nothing_is_allowed() -> None:
    written = playbook(connections={"team": {"type": "slack", "channel": "{{ 'C1' }}"}})
    with pytest.raises(ConfigurationError, match="'C1', which is not in `allow`"):
        resolve(written, "team", {})


@given(st.sampled_from(["C1", "C2", "c1", " C1", "C1\n", ""]) | st.text(max_size=400))
def test_whatever_a_tag_says_only_what_is_allowed_is_used_and_the_refusal_is_short(
    owner: str,
) -> None:
    if owner in OWN["allow"]:
        assert owned(owner, channel="{{ tag('Owner') }}").settings["channel"] == owner
        return
    with pytest.raises(ConfigurationError) as caught:
        owned(owner, channel="{{ tag('Owner') }}")
    said = str(caught.value)
    assert len(said) < 500
    assert "\n" not in said
    assert said.encode()


def test_a_look_up_that_fails_says_nothing_about_the_place() -> None:
    def fails(_key: str) -> str:
        raise TransientError("down", target="tag.GetResources")

    written = playbook(connections={"team": OWN})
    with pytest.raises(TransientError):
        resolve(written, "team", {"table": TEAMS, "tag": fails})


def test_settings_are_read_and_mistakes_named() -> None:
    assert read({"type": "slack", "channel": "C1"}, Slack, "chat").base_url.startswith("https://")
    for settings, kind in (
        ({"type": "slack"}, Slack),
        ({"channel": "C1", "chanel": "x"}, Slack),
        ({"webhook_url": "https://hooks.slack.com/x"}, SlackWebhook),
        ({"url": "ftp://x", "project": "SEC"}, Jira),
        ({"url": "https://x.example", "project": 'SEC" OR 1=1'}, Jira),
    ):
        with pytest.raises(ConfigurationError, match="connection chat"):
            read(settings, kind, "chat")


def test_only_secrets_of_the_connections_in_use_may_be_read() -> None:
    (statement,) = secrets_of(playbook().connections)
    assert statement["Action"] == ["secretsmanager:GetSecretValue"]
    arns = [resource["Fn::Sub"] for resource in statement["Resource"]]
    assert [arn.rpartition("/")[2] for arn in arns] == [
        "chat-??????",
        "hook-??????",
        "jira-??????",
    ]
    assert all(":secret:hub-responder/${Stage}/" in arn for arn in arns)
    assert secrets_of({"ops": {"type": "opscenter"}}) == []
