"""Secrets: cached, never shown, read again after a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub_responder import secrets
from hub_responder.errors import ConfigurationError, DeniedError, TransientError
from loopback import Cloud, error

NAME = "hub-responder/test/jira"


def test_a_secret_is_read_once_by_ten_threads(cloud: Cloud) -> None:
    cloud.secrets[NAME] = {"token": "t"}
    with ThreadPoolExecutor(10) as pool:
        values = list(pool.map(lambda _: secrets.get("test", "jira"), range(10)))
    assert values == [{"token": "t"}] * 10
    assert len(cloud.called("GetSecretValue")) == 1


def test_a_forgotten_secret_is_read_again(cloud: Cloud) -> None:
    cloud.secrets |= {NAME: {"token": "old"}, "hub-responder/test/other": {"token": "o"}}
    secrets.get("test", "jira")
    secrets.get("test", "other")
    cloud.secrets[NAME] = {"token": "new"}
    secrets.forget("test", "jira")
    assert secrets.get("test", "jira") == {"token": "new"}
    secrets.get("test", "other")
    assert len(cloud.called("GetSecretValue")) == 3


@pytest.mark.parametrize("value", ["hunter2-not-json", '["hunter2"]', '{"token": {"hunter2": 1}}'])
def test_a_secret_of_the_wrong_shape_is_named_but_not_shown(cloud: Cloud, value: str) -> None:
    cloud.secrets[NAME] = value
    with pytest.raises(ConfigurationError, match=NAME) as raised:
        secrets.get("test", "jira")
    assert "hunter2" not in str(raised.value)


def test_a_missing_secret_is_named(cloud: Cloud) -> None:
    with pytest.raises(ConfigurationError, match=f"{NAME}.*there is none"):
        secrets.get("test", "jira")


def test_a_secret_that_may_not_be_read_is_a_wrong_configuration(cloud: Cloud) -> None:
    cloud.secrets[NAME] = error("AccessDeniedException", "no")
    with pytest.raises(ConfigurationError, match="AccessDenied"):
        secrets.get("test", "jira")


def test_throttling_is_transient(cloud: Cloud) -> None:
    cloud.secrets[NAME] = error("ThrottlingException", "slow down")
    with pytest.raises(TransientError):
        secrets.get("test", "jira")


def test_a_refused_call_is_made_again_with_a_rotated_secret(cloud: Cloud) -> None:
    cloud.secrets[NAME] = {"token": "old"}
    secrets.get("test", "jira")
    cloud.secrets[NAME] = {"token": "new"}
    used = []

    def call(secret: Mapping[str, str]) -> str:
        used.append(secret["token"])
        if secret["token"] == "old":
            raise DeniedError("no", target="jira")
        return "done"

    assert secrets.use("test", "jira", call) == "done"
    assert used == ["old", "new"]


def test_a_refused_call_is_not_repeated_with_the_same_secret(cloud: Cloud) -> None:
    cloud.secrets[NAME] = {"token": "wrong"}
    used = []

    def call(secret: Mapping[str, str]) -> None:
        used.append(secret["token"])
        raise DeniedError("no", target="jira")

    with pytest.raises(DeniedError):
        secrets.use("test", "jira", call)
    assert used == ["wrong"]


def test_an_empty_part_of_a_secret_is_named() -> None:
    with pytest.raises(ConfigurationError, match="jira has no 'token'"):
        secrets.value({"token": " "}, "token", "jira")
