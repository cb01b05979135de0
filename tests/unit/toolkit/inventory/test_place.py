from __future__ import annotations

from pathlib import Path

import pytest

from factories import REPOSITORY
from history_bucket import STACK
from hub_toolkit.inventory import place
from hub_toolkit.playbooks.connections import Connections
from hub_toolkit.playbooks.load import Project
from hub_toolkit.playbooks.settings import Settings
from hub_toolkit.stack import DeploymentError


def project(**kinds: str) -> Project:
    held = {name.replace("_", "-"): {"type": kind} for name, kind in kinds.items()}
    return Project([], Connections(held), Settings(), {})


def test_the_usual_connection_or_the_only_one_is_asked() -> None:
    assert place._connection(project(vision_one="vision_one", other="vision_one"), None) == (
        "vision-one"
    )
    assert place._connection(project(tenant="vision_one", chat="slack"), None) == "tenant"
    assert place._connection(project(a="vision_one", b="vision_one"), "b") == "b"


@pytest.mark.parametrize(
    ("kinds", "wanted", "said"),
    [
        ({"a": "vision_one", "b": "vision_one"}, None, "Say --connection: a, b"),
        ({"chat": "slack"}, None, "no connection of type vision_one"),
        ({"tenant": "vision_one", "chat": "slack"}, "chat", "unknown Vision One connection `chat`"),
    ],
)
def test_what_cannot_be_chosen_is_said(
    kinds: dict[str, str], wanted: str | None, said: str
) -> None:
    with pytest.raises(DeploymentError, match=said):
        place._connection(project(**kinds), wanted)


def test_an_address_of_the_environment_is_used(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    with place.reached(REPOSITORY, "prod", endpoint=None, stack=STACK, connection=None) as found:
        assert found.endpoint == moto
        assert not found.sandbox  # it speaks AWS, and is none of ours
        with pytest.raises(DeploymentError, match="is --stack right"):
            found.history()


def test_an_address_where_nobody_answers_is_told(tmp_path: Path) -> None:
    with (
        place.reached(
            REPOSITORY, "prod", endpoint="http://127.0.0.1:9", stack=STACK, connection=None
        ) as found,
        pytest.raises(DeploymentError, match=r"s3 at http://127\.0\.0\.1:9 cannot be asked"),
    ):
        found.history()
