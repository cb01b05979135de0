"""``settings.yaml``: what holds for all playbooks of a stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast
from zoneinfo import ZoneInfo

from hub_toolkit.playbooks.fields import Fields
from hub_toolkit.playbooks.overlay import layers

if TYPE_CHECKING:
    from pathlib import Path

    from hub_toolkit.playbooks.document import Mapping
    from hub_toolkit.playbooks.problems import Problem

LATER = frozenset({"accounts", "calendars", "playbooks"})
Language = Literal["en", "ja"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Who answers for playbooks that name nobody, and how messages are written.

    Attributes:
        owner: the default of a playbook's ``owner``.
        language: of messages and notes.
        timezone: IANA name; times in messages are given in it.
    """

    owner: str = ""
    language: Language = "en"
    timezone: str = "UTC"


def load(folder: Path, stage: str, root: Path, problems: list[Problem]) -> Settings:
    """The settings of ``stage``; what is wrong is added to ``problems``.

    Raises:
        PlaybookErrors: a file is not YAML.
    """
    settings = Settings()
    for layer in layers(folder, "settings", stage, root):
        settings = _over(settings, layer, problems)
    return settings


def _over(below: Settings, layer: Mapping, problems: list[Problem]) -> Settings:
    known = ("owner", "language", "timezone")
    fields = Fields(layer, "settings", problems, known=known, later=LATER)
    zone = fields.text("timezone", default=below.timezone, limit=64)
    node = layer.entries.get("timezone")
    if node is not None and not _is_zone(zone):
        fields.report(node.place, f"there is no time zone `{zone}`")
    return replace(
        below,
        owner=fields.text("owner", default=below.owner, limit=100),
        language=cast("Language", fields.choice("language", ("en", "ja"), below.language)),
        timezone=zone,
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder
        return False
    return True
