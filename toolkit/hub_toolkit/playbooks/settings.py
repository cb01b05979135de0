"""``settings.yaml``: what holds for all playbooks of a stage, and what a stage says of each."""

from __future__ import annotations

import re
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, cast

from hub_responder.playbook import Calendar
from hub_toolkit.playbooks import calendars
from hub_toolkit.playbooks.document import Mapping, Node, plain
from hub_toolkit.playbooks.fields import Fields, kind
from hub_toolkit.playbooks.overlay import layers
from hub_toolkit.playbooks.problems import Place, Problem, unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

KEYS = ("owner", "language", "timezone", "accounts", "regions", "home_only", "member_role",
        "calendars", "playbooks")  # fmt: skip
Language = Literal["en", "ja"]
Mode = Literal["live", "observe"]
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}")
MAX_REGIONS = 40
_ROLE = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")
"""A role's name without a path (IAM user guide, "IAM and AWS STS quotas")."""


@dataclass(frozen=True, slots=True)
class Override:
    """What a stage says of one playbook.

    Attributes:
        enabled: False: its rules are off and its button is gone.
        mode: observe: everything is decided and recorded, nothing is sent.
        params: name -> node of the value; checked where the playbook's params are read.
        place: where it is said.
    """

    enabled: bool = True
    mode: Mode = "live"
    params: Table[str, Node] = field(default_factory=dict)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Who answers for playbooks that name nobody, how messages are written, what is in scope.

    Attributes:
        owner: the default of a playbook's ``owner``.
        language: of messages and notes.
        timezone: IANA name; times in messages are given in it.
        accounts: those whose findings are handled; empty: all.
        regions: where instances are looked for; empty: the deployment's own.
        home_only: events that another account or region sent are skipped.
        member_role: name of the role that is assumed in member accounts for look-ups, or empty.
        calendars: named times, for ``open()``.
        playbooks: name -> what this stage says of it.
    """

    owner: str = ""
    language: Language = "en"
    timezone: str = "UTC"
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    home_only: bool = False
    member_role: str = ""
    calendars: Table[str, Calendar] = field(default_factory=dict)
    playbooks: Table[str, Override] = field(default_factory=dict)

    def of(self, playbook: str) -> Override:
        """What this stage says of ``playbook``."""
        return self.playbooks.get(playbook, Override())

    def unknown(self, known: Collection[str]) -> Iterator[Problem]:
        """Names of playbooks that are none of ``known``."""
        for name, override in self.playbooks.items():
            if name not in known and override.place is not None:
                yield Problem(override.place, unknown("playbook", name, known))


def load(folder: Path, stage: str, root: Path, problems: list[Problem]) -> Settings:
    """The settings of ``stage``; what is wrong is added to ``problems``.

    Raises:
        PlaybookErrors: a file is not YAML.
    """
    settings = Settings()
    for layer in layers(folder, "settings", stage, root, problems):
        settings = _over(settings, layer, problems)
    return settings


def _over(below: Settings, layer: Mapping, problems: list[Problem]) -> Settings:
    fields = Fields(layer, "settings", problems, known=KEYS)
    zone = fields.text("timezone", default=below.timezone, limit=64)
    node = layer.entries.get("timezone")
    if node is not None and not calendars.is_zone(zone):
        fields.report(node.place, f"there is no time zone `{zone}`")
    accounts, regions = _accounts(fields), _regions(fields)
    form = "a role's name, without its path"
    return replace(
        below,
        owner=fields.text("owner", default=below.owner, limit=100),
        language=cast("Language", fields.choice("language", ("en", "ja"), below.language)),
        timezone=zone,
        accounts=below.accounts if accounts is None else accounts,
        regions=below.regions if regions is None else regions,
        home_only=_flag(fields, "home_only", default=below.home_only),
        member_role=fields.text(
            "member_role", default=below.member_role, pattern=_ROLE, form=form, limit=64
        ),
        calendars={
            **below.calendars,
            **calendars.read(fields.node("calendars"), zone, problems),
        },
        playbooks={**below.playbooks, **_overrides(fields, below, problems)},
    )


def _flag(fields: Fields, key: str, *, default: bool) -> bool:
    node = fields.node(key)
    value = plain(node) if node is not None else default
    if isinstance(value, bool):
        return value
    if node is not None:
        fields.report(node.place, f"`{key}` must be true or false, not {kind(node)}")
    return default


def _accounts(fields: Fields) -> tuple[str, ...] | None:
    nodes = fields.items("accounts")
    if nodes is None:
        return None
    if not nodes and (node := fields.node("accounts")) is not None:
        text = "`accounts` lists at least one account; leave it away for all"
        fields.report(node.place, text)
    found = []
    for node in nodes:
        value = plain(node)
        if isinstance(value, str) and _ACCOUNT.fullmatch(value):
            found.append(value)
        else:
            fields.report(node.place, '`accounts` lists account ids: write "111122223333"')
    return tuple(found)


def _regions(fields: Fields) -> tuple[str, ...] | None:
    nodes = fields.items("regions")
    if nodes is None:
        return None
    if len(nodes) > MAX_REGIONS and (whole := fields.node("regions")) is not None:
        fields.report(whole.place, f"`regions` lists {MAX_REGIONS} regions at most")
    found = []
    for node in nodes:
        value = plain(node)
        if isinstance(value, str) and _REGION.fullmatch(value):
            found.append(value)
        else:
            fields.report(node.place, "`regions` lists AWS regions: write eu-central-1")
    return tuple(dict.fromkeys(found))


def _overrides(fields: Fields, below: Settings, problems: list[Problem]) -> dict[str, Override]:
    node = fields.node("playbooks")
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        fields.report(node.place, f"`playbooks` must be a mapping, not {kind(node)}")
        return {}
    found = {}
    for name, value in node.entries.items():
        one = Fields(value, f"playbooks.{name}", problems, known=("enabled", "mode", "params"))
        held, params = below.of(name), one.node("params")
        if params is not None and not isinstance(params, Mapping):
            one.report(params.place, f"`params` must be a mapping, not {kind(params)}")
        given = params.entries if isinstance(params, Mapping) else {}
        found[name] = Override(
            enabled=_flag(one, "enabled", default=held.enabled),
            mode=cast("Mode", one.choice("mode", ("live", "observe"), held.mode)),
            params={**held.params, **given},
            place=node.keys[name],
        )
    return found
