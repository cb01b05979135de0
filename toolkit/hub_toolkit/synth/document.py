"""The whole template, within CloudFormation's limits."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from hub_toolkit.playbooks import followed, inventory
from hub_toolkit.playbooks.load import FOLDER, load_project
from hub_toolkit.playbooks.overlay import SANDBOX, stages
from hub_toolkit.synth import archive, calls, playbook, roles, shared
from hub_toolkit.synth.emit import emit
from hub_toolkit.synth.naming import logical, ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hub_toolkit.playbooks.load import Project

WARN_AT, REFUSE_AT = 400, 480
"""A stack has 500 resources at most (AWS CloudFormation quotas)."""
_SCHEDULE_RESOURCES = 2  # the rule and the permission that SAM makes of an event

TEMPLATE = "template.yaml"
HEADER = """\
# Written by `hub-responder synth` from playbooks/. Do not edit: change a playbook, write it again.
"""


class SynthError(Exception):
    """CloudFormation would not take the stack."""


def render(root: Path) -> str:
    """``template.yaml`` for the playbooks below ``root``.

    Raises:
        PlaybookErrors: a playbook, or what it shares with others, is wrong in any stage.
        SynthError: more than `REFUSE_AT`, or two playbooks whose logical ids are the same.

    Warns:
        UserWarning: more than `WARN_AT` resources.
    """
    template = build(root)
    count = resource_count(template)
    if count > REFUSE_AT:
        raise SynthError(
            f"the stack would have {count} resources; {REFUSE_AT} are allowed: move playbooks to "
            "a second deployment"
        )
    if count > WARN_AT:
        text = f"the stack has {count} resources; {REFUSE_AT} are refused"
        warnings.warn(text, UserWarning, stacklevel=2)
    return HEADER + emit(template)


def build(root: Path) -> dict[str, Any]:
    """The template as data."""
    base = load_project(root, "")
    load_project(root, SANDBOX)  # its files are checked with the others
    by_stage = {stage: load_project(root, stage) for stage in stages(root / FOLDER)}
    resources = _resources(base, by_stage)
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "hub-responder: acts on Security Hub findings, and proves what it did",
        "Parameters": {**shared.PARAMETERS, **archive.PARAMETERS},
        "Conditions": {
            **archive.CONDITIONS,
            **{roles.condition(stage): {"Fn::Equals": [ref("Stage"), stage]} for stage in by_stage},
            **_enabled_conditions(base, by_stage),
            **_mail_conditions(base, by_stage),
            **_webhook_condition(base, by_stage),
        },
        "Globals": shared.GLOBALS,
        "Resources": resources,
        "Outputs": {
            **shared.OUTPUTS,
            **archive.OUTPUTS,
            **(shared.INVENTORY_OUTPUTS if "InventoryBucket" in resources else {}),
            **_webhook_output(resources),
        },
    }
    return template


def resource_count(template: Mapping[str, Any]) -> int:
    """The stack's resources, with those that SAM makes.

    Functions with a role of their own and layers are one each; a scheduled event is two.
    """
    resources: Mapping[str, Any] = template["Resources"]
    events = (one.get("Properties", {}).get("Events", {}) for one in resources.values())
    return len(resources) + _SCHEDULE_RESOURCES * sum(map(len, events))


def _resources(base: Project, by_stage: Mapping[str, Project]) -> dict[str, Any]:
    conditions = _enabled_conditions(base, by_stage)
    wanted = [
        (number, source, _enabled(source.name) if _enabled(source.name) in conditions else "")
        for number, source in enumerate(base.sources)
        if source.enabled or _enabled(source.name) in conditions
    ]
    queues: dict[str, str] = {}
    scheduled: dict[str, str] = {}
    for _, source, condition in wanted:
        imports, clicks = (logical(source.name, f"{kind}Queue") for kind in ("Imports", "Clicks"))
        queues |= {imports: condition, clicks: condition}
        if source.on.schedule is not None:
            scheduled[imports] = condition
    made: dict[str, Any] = {**shared.resources(queues, scheduled), **archive.resources()}
    if any(source.on.imported is not None for _, source, _ in wanted):
        made |= shared.reconcile()
    if any(roles.suppresses(source) for _, source, _ in wanted):
        made |= shared.lapsed()
    if any(roles.reports(source) for _, source, _ in wanted):
        made |= shared.reports()
    if any(inventory.takes(source) for _, source, _ in wanted):
        staged = {stage: roles.inventory(project) for stage, project in by_stage.items()}
        made |= shared.inventory(roles.by_stage(roles.inventory(base), staged))
    projects = (base, *by_stage.values())
    if any(followed.plan(project).playbooks for project in projects):
        staged = {stage: roles.sync(project) for stage, project in by_stage.items()}
        made |= shared.sync(roles.by_stage(roles.sync(base), staged))
    if any(followed.plan(project).hooked for project in projects):
        staged = {stage: roles.ticket_webhook(project) for stage, project in by_stage.items()}
        held = roles.by_stage(roles.ticket_webhook(base), staged)
        condition = next(iter(_webhook_condition(base, by_stage)), "")
        made |= shared.ticket_webhook(held, condition)
    for number, source, condition in wanted:
        there = {stage: (project.sources[number], project) for stage, project in by_stage.items()}
        statements = roles.statements(source, base, there)
        mails = any(
            roles.mail_sets(one, project.connections)
            for one, project in ((source, base), *there.values())
        )
        own = playbook.resources(source, statements, condition, mails=mails)
        _add(made, own, source.name)
    for name, condition in _mail_sets(base, by_stage).items():
        made |= shared.mail_events(name, condition)
    return made | calls.resources(made)


def _webhook_condition(base: Project, by_stage: Mapping[str, Project]) -> dict[str, Any]:
    """Where only some stages take webhooks: when they do."""
    plain = bool(followed.plan(base).hooked)
    others = [
        stage for stage, one in by_stage.items() if bool(followed.plan(one).hooked) is not plain
    ]
    return {"TicketWebhookUsed": _unless(others, plain)} if others else {}


def _webhook_output(resources: Mapping[str, Any]) -> dict[str, Any]:
    url = resources.get("TicketWebhookUrl")
    return shared.ticket_webhook_output(url.get("Condition", "")) if url else {}


def _mail_sets(base: Project, by_stage: Mapping[str, Project]) -> dict[str, str]:
    """The configuration sets of SES in the stack's own region, each with the condition that holds
    in the stages that send through it, or ""."""
    held = {stage: _sets_of(project) for stage, project in by_stage.items()}
    plain = _sets_of(base)
    found = {}
    for name in sorted(plain.union(*held.values())):
        differs = any((name in sets) is not (name in plain) for sets in held.values())
        found[name] = shared.mail_events_id(name) + "Used" if differs else ""
    return found


def _sets_of(project: Project) -> set[str]:
    return {
        name
        for source in project.sources
        if source.enabled
        for name, region in roles.mail_sets(source, project.connections)
        if not region
    }


def _mail_conditions(base: Project, by_stage: Mapping[str, Project]) -> dict[str, Any]:
    """Of the configuration sets that only some stages send through: when they do."""
    plain = _sets_of(base)
    return {
        condition: _unless(
            [
                stage
                for stage, one in by_stage.items()
                if (name in _sets_of(one)) != (name in plain)
            ],
            name in plain,
        )
        for name, condition in _mail_sets(base, by_stage).items()
        if condition
    }


def _unless(stages: Sequence[str], held: bool) -> dict[str, Any]:
    """Whether something holds that is as ``held`` says, and in these stages the other way."""
    others = [{"Condition": roles.condition(stage)} for stage in stages]
    one_of = others[0] if len(others) == 1 else {"Fn::Or": others}
    return {"Fn::Not": [one_of]} if held else one_of


def _enabled(name: str) -> str:
    """The name of the condition that holds where playbook ``name`` is enabled."""
    return logical(name, "Enabled")


def _enabled_conditions(base: Project, by_stage: Mapping[str, Project]) -> dict[str, Any]:
    """Of the playbooks that some stages enable and others do not: when they are."""
    found = {}
    for number, source in enumerate(base.sources):
        others = [
            stage
            for stage, project in by_stage.items()
            if project.sources[number].enabled is not source.enabled
        ]
        if others:
            found[_enabled(source.name)] = _unless(others, source.enabled)
    return found


def _add(made: dict[str, Any], more: Mapping[str, Any], name: str) -> None:
    taken: Sequence[str] = sorted(set(made) & set(more))
    if taken:
        raise SynthError(
            f"playbook {name} and another would both have the resource {taken[0]}: rename one"
        )
    made.update(more)
