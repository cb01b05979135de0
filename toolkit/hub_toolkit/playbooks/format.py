"""``playbook.yaml``, format 1: the keys that work, and by name those that do not yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import actions
from hub_responder.playbook import CustomAction, Playbook, Step, Triggers, Wait
from hub_toolkit.playbooks import own as own_actions
from hub_toolkit.playbooks import params, patterns, rules, schedules
from hub_toolkit.playbooks.connections import NAME_FORM, Connections
from hub_toolkit.playbooks.document import Node, Scalar, at, plain, read
from hub_toolkit.playbooks.fields import Fields
from hub_toolkit.playbooks.problems import Place, Problem
from hub_toolkit.playbooks.scope import Around, before_steps, names_of
from hub_toolkit.playbooks.steps import StepReader
from hub_toolkit.playbooks.templates import Templates
from hub_toolkit.playbooks.values import ACTION_ID, DAY, is_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as Table
    from pathlib import Path

    from hub_responder.actions.base import Action
    from hub_toolkit.playbooks.settings import Mode, Settings

FORMAT = 1
TAKEN = frozenset(
    {
        *(
            "all",
            "archive",
            "dlq",
            "guard",
            "history",
            "inventory",
            "lake",
            "lapsed",
            "pace",
            "pause",
            "restored",
        ),
        *("reconcile", "sync", "ticket-webhook", "unanswered"),
    }
)
"""Names of our own functions, of partitions of the ledger, and of what records are about: a role
reaches the partitions that begin with its playbook's name."""
KEYS = ("format", "name", "owner", "summary", "why", "runbook", "params", "on", "only_if",
        "always_if", "group_by", "wait", "quiet", "give_up_after", "steps", "tests")  # fmt: skip
MAX_GROUP = 8
MAX_CONDITIONS = 20
_HTTPS = re.compile(r"https://[^\s\x00-\x1f]+")
_DEFAULTS = {one.name: one for one in msgspec.structs.fields(Playbook)}


@dataclass(frozen=True, slots=True)
class Source:
    """A playbook that was read and checked.

    Attributes:
        name: also the folder's.
        directory: the folder.
        templates: file name -> content, of the message templates that steps name.
        reached: names of the connections that steps deliver to, sorted.
        used_routes: names of the routes that steps name, sorted.
        owner: empty where settings say it.
        quiet: seconds; the other durations likewise.
        only_if, always_if: conditions on a finding.
        tests: the cases that the file holds, as they are written.
        used: every name that its expressions, templates, routes and connections read, and `RELATED`
            where they look up the other findings on a resource.
        enabled, mode: what the stage says of it.
        own: its own actions, by name. code: the text of its actions.py, where a step uses it.
        button: where the id of its custom action stands.
    """

    name: str
    directory: Path
    place: Place
    summary: str
    on: Triggers
    steps: tuple[Step, ...]
    owner: str = ""
    why: str = ""
    runbook: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    wait: Wait = field(default_factory=Wait)
    quiet: float = 0.0
    templates: dict[str, str] = field(default_factory=dict)
    reached: tuple[str, ...] = ()
    used_routes: tuple[str, ...] = ()
    only_if: tuple[str, ...] = ()
    always_if: tuple[str, ...] = ()
    give_up_after: float = 86_400.0
    tests: tuple[Node, ...] = ()
    used: frozenset[str] = frozenset()
    enabled: bool = True
    mode: Mode = "live"
    button: Place | None = None
    own: Table[str, Action] = field(default_factory=dict)
    code: bytes = b""

    def action(self, name: str) -> Action:
        """The action that a step of this playbook means by ``name``.

        Raises:
            ConfigurationError: there is none of that name.
        """
        return self.own[name] if name in self.own else actions.get(name)


def load(
    directory: Path,
    root: Path,
    connections: Connections,
    settings: Settings,
    problems: list[Problem],
    *,
    tables: Table[str, Any] | None = None,
) -> Source:
    """The playbook in ``directory``; what is wrong is added to ``problems``.

    Args:
        settings: of the stage; they may say something of this playbook.
        tables: the look-up tables by name, where they are known.

    Raises:
        PlaybookErrors: the file is not YAML.
    """
    shown = (directory / "playbook.yaml").relative_to(root).as_posix()
    node = read(directory / "playbook.yaml", shown, problems)
    fields = Fields(node, "playbook", problems, known=KEYS)
    override, timezone = settings.of(directory.name), settings.timezone
    _check_format(fields)
    values = params.values(fields.node("params"), problems, override.params)
    on = _triggers(fields, timezone, problems)
    button = at(node, "on", "custom_action", "id")
    around = Around(_schemas(on), settings.calendars, tables)
    own = own_actions.load(directory, root, problems)
    reader = StepReader(values, connections, Templates(directory, root), problems, around, own)
    steps = reader.read(fields.items("steps", required=True), fields.place)
    finding = before_steps(values, around, reader.ids())
    only_if = _expressions(fields, "only_if", MAX_CONDITIONS, finding.condition, problems)
    always_if = _expressions(fields, "always_if", MAX_CONDITIONS, finding.condition, problems)
    group_by = _expressions(fields, "group_by", MAX_GROUP, finding.text, problems)
    return Source(
        name=_name(fields, directory),
        directory=directory,
        place=Place(shown),
        summary=fields.text("summary", required=True),
        on=on,
        steps=steps,
        owner=fields.text("owner", limit=100),
        why=fields.text("why", limit=500),
        runbook=fields.text("runbook", limit=500, pattern=_HTTPS, form="an https:// address"),
        params=values,
        only_if=only_if or (),
        always_if=always_if or (),
        group_by=_DEFAULTS["group_by"].default if group_by is None else group_by,
        wait=_wait(fields, problems),
        quiet=fields.duration("quiet", _DEFAULTS["quiet"].default, most=30 * DAY),
        give_up_after=fields.duration(
            "give_up_after", _DEFAULTS["give_up_after"].default, most=13 * DAY
        ),
        templates=dict(sorted(reader.templates.used.items())),
        reached=tuple(sorted(reader.reached)),
        used_routes=tuple(sorted(reader.routes)),
        tests=fields.items("tests") or (),
        used=frozenset(
            reader.names.union(
                *map(names_of, [*(only_if or ()), *(always_if or ()), *(group_by or ())]),
                *(connections.used.get(name, ()) for name in reader.routes | reader.reached),
            )
        ),
        enabled=override.enabled,
        mode=override.mode,
        button=button.place if button is not None else None,
        own=own,
        code=own_actions.code(directory) if any(step.uses in own for step in steps) else b"",
    )


def _check_format(fields: Fields) -> None:
    node = fields.node("format", required=True)
    if node is not None and plain(node) != FORMAT:
        fields.report(node.place, f"`format` is {plain(node)!r}; this version reads {FORMAT}")


def _name(fields: Fields, directory: Path) -> str:
    name = fields.text("name", required=True, default=directory.name)
    node = fields.node("name")
    if node is not None and name != directory.name:
        fields.report(node.place, f"`name` is {name} but the folder is {directory.name}")
    elif node is not None and not is_name(name):
        fields.report(node.place, f"`{name}` is no name: {NAME_FORM}")
    elif node is not None and name in TAKEN:
        fields.report(node.place, f"`{name}` is the name of a part of hub-responder: take another")
    return name


def _schemas(on: Triggers) -> frozenset[str]:
    """Those in which findings reach the playbook; clicks and insights bring ASFF."""
    asff = on.imported is not None or on.custom_action is not None or on.schedule is not None
    named = {"ASFF": asff, "OCSF": on.imported_v2 is not None}
    return frozenset(name for name, comes in named.items() if comes)


def _expressions(
    fields: Fields,
    key: str,
    most: int,
    check: Callable[[Scalar, list[Problem]], set[str]],
    problems: list[Problem],
) -> tuple[str, ...] | None:
    """The list of expressions at ``key``; None where it is absent."""
    nodes = fields.items(key)
    if nodes is None:
        return None
    if len(nodes) > most:
        fields.report(fields.place, f"`{key}` has {len(nodes)} expressions; at most {most}")
    texts = []
    for node in nodes:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            fields.report(node.place, f"`{key}` is a list of expressions")
            continue
        check(node, problems)
        texts.append(node.value)
    return tuple(texts)


def _wait(fields: Fields, problems: list[Problem]) -> Wait:
    node = fields.node("wait")
    if node is None:
        return Wait()
    inner = Fields(node, "wait", problems, known=("first", "then"))
    default = Wait()
    return Wait(
        first=inner.duration("first", default.first, most=DAY),
        then=inner.duration("then", default.then, most=DAY),
    )


def _triggers(fields: Fields, timezone: str, problems: list[Problem]) -> Triggers:
    node = fields.node("on", required=True)
    if node is None:
        return Triggers()
    known = ("imported", "imported_v2", "custom_action", "schedule")
    inner = Fields(node, "on", problems, known=known)
    triggers = Triggers(
        imported=_match(inner.node("imported"), "imported", "ASFF", problems),
        imported_v2=_match(inner.node("imported_v2"), "imported_v2", "OCSF", problems),
        custom_action=_action(inner.node("custom_action"), problems),
        schedule=schedules.read(inner.node("schedule"), timezone, problems),
    )
    if not any(inner.node(key) for key in known):
        inner.report(node.place, f"`on` names no trigger. There is: {', '.join(sorted(known))}")
    imports = triggers.imported is not None or triggers.imported_v2 is not None
    if imports and triggers.custom_action is not None and triggers.schedule is not None:
        text = "`schedule` beside both imported and custom_action is over the 12 resources"
        inner.report(node.place, f"{text} that a playbook has: make two playbooks of it")
    _check_rules(triggers, node.place, problems)
    return triggers


def _match(
    node: Node | None, what: str, schema: str, problems: list[Problem]
) -> dict[str, Any] | None:
    if node is None:
        return None
    match = Fields(node, what, problems, known=("match",)).node("match", required=True)
    return patterns.check(match, schema, problems) if match is not None else {}


def _action(node: Node | None, problems: list[Problem]) -> CustomAction | None:
    if node is None:
        return None
    fields = Fields(node, "custom_action", problems, known=("id", "name", "description"))
    return CustomAction(
        id=fields.text("id", required=True, pattern=ACTION_ID, form="1 to 20 letters and digits"),
        name=fields.text("name", required=True, limit=20),
        description=fields.text("description", required=True, limit=500),
    )


def _check_rules(triggers: Triggers, place: Place, problems: list[Problem]) -> None:
    """The rules that the triggers become must fit EventBridge's limits."""
    for what, made in (("imported", rules.imported), ("lifecycle", rules.lifecycle)):
        pattern = made(triggers)
        if pattern is None:
            continue
        size, combined = rules.length(pattern), rules.combinations(pattern)
        if size > patterns.MAX_PATTERN:
            text = (
                f"the {what} rule's pattern has {size} characters; at most {patterns.MAX_PATTERN}"
            )
            problems.append(Problem(place, f"{text}: match less"))
        if combined > rules.MAX_COMBINATIONS:
            text = f"$or makes {combined} combinations; at most {rules.MAX_COMBINATIONS}"
            problems.append(Problem(place, text))
