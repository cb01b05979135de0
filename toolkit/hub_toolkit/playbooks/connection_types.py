"""What each type of connection takes in ``connections.yaml``. Secrets stand in none."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

_Https = Annotated[str, msgspec.Meta(pattern=r"^https://[A-Za-z0-9.-]+(:\d{1,5})?(/\S*)?$")]
_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class VisionOne(msgspec.Struct, tag_field="type", tag="vision_one"):
    """Trend Vision One. ``region`` is the console's; ``url`` replaces the region's address."""

    region: Literal["us", "jp", "eu", "au", "in", "sg", "mea", "uk", "ca", "za", "usgov"] = "us"
    url: _Https | None = None


class Slack(msgspec.Struct, tag_field="type", tag="slack"):
    """Slack with a bot token; ``channel`` is the channel's id, not its name."""

    channel: Annotated[str, msgspec.Meta(pattern=r"^[CGD][A-Z0-9]{7,14}$")]


class SlackWebhook(msgspec.Struct, tag_field="type", tag="slack_webhook"):
    """Slack's incoming webhook; its address is the secret."""


class Sns(msgspec.Struct, tag_field="type", tag="sns"):
    """The stack's notifications topic, in the format of Amazon Q Developer in chat."""


class Jira(msgspec.Struct, tag_field="type", tag="jira"):
    """A project of Jira Cloud."""

    url: _Https
    project: Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]{1,9}$")]
    issue_type: _Short = "Task"


class OpsCenter(msgspec.Struct, tag_field="type", tag="opscenter"):
    """AWS Systems Manager OpsCenter in the stack's account."""


TYPES: dict[str, type[msgspec.Struct]] = {
    "jira": Jira,
    "opscenter": OpsCenter,
    "slack": Slack,
    "slack_webhook": SlackWebhook,
    "sns": Sns,
    "vision_one": VisionOne,
}
