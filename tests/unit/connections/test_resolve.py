"""Names of connections and routes lead to connections; settings are checked."""

from __future__ import annotations

import pytest

from factories import playbook, scope
from hub_responder.connections.permissions import secrets_of
from hub_responder.connections.resolve import resolve
from hub_responder.connections.settings import Jira, Slack, SlackWebhook, read
from hub_responder.errors import ConfigurationError, ExpressionError
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
