"""One playbook in one stage, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import secrets
from hub_responder.connections.settings import PLACES, WITH_SECRET
from hub_toolkit.about import reads, words
from hub_toolkit.playbooks import patterns, structs
from hub_toolkit.playbooks.compile import compile_playbook
from hub_toolkit.playbooks.document import plain, read
from hub_toolkit.playbooks.problems import PlaybookErrors
from hub_toolkit.playbooks.values import written
from hub_toolkit.synth import playbook, roles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hub_responder.playbook import Step
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project

ANY_STAGE = "STAGE"
"""Stands in secrets' names where no stage is meant."""


class Trigger(msgspec.Struct, frozen=True):
    """What starts it. ``kind`` is the key under ``on``; ``on`` says in lines what must hold."""

    kind: str
    title: str
    on: list[str]


class StepFacts(msgspec.Struct, frozen=True, rename={"if_": "if"}):
    """A step.

    Attributes:
        does: the action's summary. effects: whether it changes anything outside.
        if_: its condition, or empty.
        reads: variables, as ``coverage.verdict``. gives: results, as ``ticket.id``.
        to: the connection or route that it names. connections: those that it can reach.
        template: file name of its message, or empty.
    """

    id: str
    uses: str
    does: str
    effects: bool
    if_: str
    on_error: str
    reads: list[str]
    gives: list[str]
    to: str
    connections: list[str]
    template: str


class ConnectionFacts(msgspec.Struct, frozen=True):
    """A connection that steps reach.

    Attributes:
        secret: its secret's name; empty: it needs none.
        place: the template that chooses its channel or project, empty where it is fixed.
        allow: all that the template may give.
    """

    name: str
    type: str
    secret: str
    routes: list[str]
    place: str = ""
    allow: list[str] = []


class RouteFacts(msgspec.Struct, frozen=True):
    """A route that steps name: the expression, and value -> connection."""

    name: str
    by: str
    to: dict[str, str]
    default: str


class Rule(msgspec.Struct, frozen=True):
    """An EventBridge rule. ``size``: characters of the pattern, of ``limit``."""

    name: str
    pattern: dict[str, Any]
    size: int
    limit: int = patterns.MAX_PATTERN


class Limit(msgspec.Struct, frozen=True):
    """A number that bounds it, with what it means."""

    what: str
    value: str


class Facts(msgspec.Struct, frozen=True):
    """What is known of one playbook; durations as people write them.

    Attributes:
        stage: whose settings and connections hold; empty: no stage's own.
        statements: IAM statements of its role, with CloudFormation intrinsics.
        resources: logical id -> type, of those in the stack.
        cases: names of its test cases.
    """

    name: str
    stage: str
    summary: str
    owner: str
    why: str
    runbook: str
    enabled: bool
    mode: str
    version: str
    params: dict[str, Any]
    triggers: list[Trigger]
    always_if: list[str]
    only_if: list[str]
    group_by: list[str]
    steps: list[StepFacts]
    connections: list[ConnectionFacts]
    routes: list[RouteFacts]
    rules: list[Rule]
    statements: list[dict[str, Any]]
    limits: list[Limit]
    resources: dict[str, str]
    cases: list[str]

    def reached(self) -> list[str]:
        """The connections by name."""
        return [one.name for one in self.connections]


def of(source: Source, project: Project, stage: str) -> Facts:
    """What is known of ``source``, a playbook of ``project``, which was loaded for ``stage``."""
    compiled = compile_playbook(source, project, "")
    statements = roles.statements(source, project, {})
    resources = playbook.resources(source, statements)
    steps = [_step(step, source, project) for step in source.steps]
    return Facts(
        name=source.name,
        stage=stage,
        summary=source.summary,
        owner=compiled.owner,
        why=source.why,
        runbook=source.runbook,
        enabled=source.enabled,
        mode=source.mode,
        version=compiled.version,
        params=source.params,
        triggers=list(_triggers(source)),
        always_if=list(source.always_if),
        only_if=list(source.only_if),
        group_by=list(source.group_by),
        steps=steps,
        connections=[
            ConnectionFacts(
                name,
                kind := str(settings["type"]),
                secrets.name_of(stage or ANY_STAGE, name) if kind in WITH_SECRET else "",
                [r for r in source.used_routes if name in project.connections.behind(r)],
                str(settings[PLACES[kind]]) if settings.get("allow") else "",
                list(settings.get("allow", ())),
            )
            for name, settings in compiled.connections.items()
        ],
        routes=[RouteFacts(name, r.by, r.to, r.default) for name, r in compiled.routes.items()],
        rules=list(_rules(resources, source)),
        statements=statements,
        limits=list(_limits(source)),
        resources={logical: str(one["Type"]) for logical, one in resources.items()},
        cases=cases(source),
    )


def cases(source: Source) -> list[str]:
    """The names of the test cases in the playbook and in files of its ``tests/``, in their order.

    A case that cannot be read counts without a name: reading them properly is what testing does.
    """
    nodes = [plain(node) for node in source.tests]
    for path in sorted(source.directory.glob("tests/*.y*ml")):
        try:
            held = plain(read(path, path.name))
        except PlaybookErrors:
            continue
        inner = held.get("tests", held) if isinstance(held, dict) else held
        nodes += inner if isinstance(inner, list) else [inner]
    return [str(one.get("name", "")) if isinstance(one, dict) else "" for one in nodes]


def _triggers(source: Source) -> Iterator[Trigger]:
    on = source.on
    if on.imported is not None:
        yield Trigger("imported", "Finding imported (ASFF)", words.pattern(on.imported))
    if on.imported_v2 is not None:
        yield Trigger("imported_v2", "Finding imported (OCSF)", words.pattern(on.imported_v2))
    if on.custom_action is not None:
        action = on.custom_action
        title = f"Custom action {action.name} ({action.id}), on findings and on insights"
        yield Trigger("custom_action", title, [action.description])
    if on.schedule is not None:
        schedule = on.schedule
        findings = [f"with the findings of {schedule.insight}"] if schedule.insight else []
        title = f"Schedule cron({schedule.cron}), {schedule.timezone}"
        yield Trigger("schedule", title, findings)


def _step(step: Step, source: Source, project: Project) -> StepFacts:
    action = source.action(step.uses)
    named = [
        step.with_.get(key, structs.fallback(action.params, key)) for key in action.connection_kinds
    ]
    template = step.with_.get("template")
    return StepFacts(
        id=step.id,
        uses=step.uses,
        does=action.summary,
        effects=action.effects,
        if_=step.if_ or "",
        on_error=step.on_error,
        reads=reads.of_step(step, source.templates),
        gives=[f"{step.id}.{one.encode_name}" for one in msgspec.structs.fields(action.result)],
        to=", ".join(name for name in named if isinstance(name, str)),
        connections=roles.reached(step, action, project.connections),
        template=template if isinstance(template, str) else "",
    )


def _rules(resources: Mapping[str, Any], source: Source) -> Iterator[Rule]:
    for resource in resources.values():
        if resource["Type"] != "AWS::Events::Rule":
            continue
        properties = resource["Properties"]
        pattern = dict(properties["EventPattern"])
        if "resources" in pattern and source.on.custom_action is not None:
            # The rule names the action target's ARN; the stack knows it when it is deployed.
            target = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}"
            pattern["resources"] = [f"{target}:action/custom/{source.on.custom_action.id}"]
        name = words.reference(properties["Name"])
        yield Rule(name, pattern, len(words.flat(pattern)))


def _limits(source: Source) -> Iterator[Limit]:
    wait = source.wait
    if source.on.imported is not None or source.on.imported_v2 is not None:
        text = f"{written(wait.first)}, then {written(wait.then)} between rounds"
        yield Limit("a burst of imports is collected for", text)
    yield Limit("after a message only what is worse tells again within", written(source.quiet))
    yield Limit("what cannot be done now is tried again for", written(source.give_up_after))
    yield Limit("longest run of its function", written(playbook.FUNCTION_TIMEOUT_S))
    yield Limit("a queued message is seen again after", written(playbook.VISIBILITY_S))
    yield Limit("receives before a message is dead", str(playbook.MAX_RECEIVES))
    yield Limit("batches of imports at once", str(playbook.IMPORTS_CONCURRENCY))
