"""``vision_one.check_coverage``: does Trend Vision One protect the instances of these incidents?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions.base import Action, Outcome, Statement, Work
from hub_responder.behind.kinds import STAND_INS
from hub_responder.behind.permissions import looking_behind
from hub_responder.behind.resolve import behind
from hub_responder.connections.permissions import asking
from hub_responder.connections.resolve import Connection, resolve
from hub_responder.connections.settings import VisionOne, read
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError, ExpressionError
from hub_responder.expressions import StepView
from hub_responder.finding import INSTANCE, Resource
from hub_responder.tally import tally
from hub_responder.vision_one import clues, wording
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one.asking import Question, Tenant, answers
from hub_responder.vision_one.connect import KIND, connect
from hub_responder.vision_one.coverage import Coverage, Demand
from hub_responder.vision_one.modules import MODULES
from hub_responder.vision_one.permissions import snapshots
from hub_responder.vision_one.together import together, without_instances
from hub_responder.workload_security import client as workload_security

if TYPE_CHECKING:
    from hub_responder.playbook import Playbook
    from hub_responder.runtime import Runtime

KINDS = (KIND,)
ENRICH = "enrich.ec2"
Connections = Mapping[str, Mapping[str, Any]]
"""Name -> type and settings."""
FOR_THE_REST_S = 20.0
"""What is left to the steps after this one however slowly Vision One answers, or half of what there
is: an analyst gets an answer in this run, if only that it could not be told."""


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as protected.

    ``stale_after``: seconds without contact that are too long. ``modules``: those that must be on.
    ``connection``: the Vision One to ask.
    """

    stale_after: float = 86_400.0
    modules: list[str] = []
    connection: str = "vision-one"


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """One walk through the inventory for all incidents; then a closer look at those it found."""
    found: dict[int, Coverage] = {}
    groups: list[_Group] = []
    incidents = [work.incident for work in works]
    machines = dict(
        zip(
            map(id, works),
            behind(incidents, runtime.playbook.member_role, runtime.deadline),
            strict=True,
        )
    )
    for work in works:
        try:
            plain = without_instances(machines[id(work)], work.incident.resource)
            if plain is None:
                _join(groups, resolve(runtime.playbook, work.params.connection, work.scope), work)
        except (ConfigurationError, ExpressionError) as error:
            plain = verdicts.unknown(error, "configuration")
        if plain is not None:
            found[id(work)] = plain
    deadline = _deadline(runtime)
    for group in groups:
        asked = [
            _question(work, one, runtime.playbook)
            for work in group.works
            for one in machines[id(work)].instances
        ]
        told = iter(
            judged(
                asked,
                group.params,
                group.connection,
                runtime.playbook.connections,
                stage=runtime.stage,
                deadline=deadline,
            )
        )
        for work in group.works:
            of = machines[id(work)]
            own = list(islice(told, len(of.instances)))
            found[id(work)] = together(own, of, work.incident.resource)
    return [_outcome(found[id(work)], work.incident.resource, runtime.playbook) for work in works]


@dataclass(frozen=True, slots=True)
class _Group:
    """Works that ask the same of the same tenant."""

    params: Params
    connection: Connection
    works: list[Work]


def _join(groups: list[_Group], connection: Connection, work: Work) -> None:
    for group in groups:
        if group.params == work.params and group.connection == connection:
            group.works.append(work)
            return
    groups.append(_Group(work.params, connection, [work]))


def _deadline(runtime: Runtime) -> Deadline:
    rest = min(FOR_THE_REST_S, runtime.deadline.left() / 2)
    return Deadline(lambda: runtime.deadline.left() - rest)


def _question(work: Work, instance: Resource, playbook: Playbook) -> Question:
    incident = work.incident
    return Question(
        clues=clues.of(instance, _described(work, playbook)),
        cves=[cve.id for cve in tally(incident).cves],
        clicked=incident.clicked,
    )


def _described(work: Work, playbook: Playbook) -> Mapping[str, Any]:
    """What a step before has asked EC2 about the instance; nothing where there was none."""
    told: dict[str, Any] = {}
    for step in playbook.steps:
        view = work.scope.get(step.id) if step.uses == ENRICH else None
        if isinstance(view, StepView) and view.status == "done":
            for name in clues.DESCRIBED:
                with suppress(ExpressionError):  # of a run before the action told it
                    told[name] = view[name]
    return told


def judged(
    questions: Sequence[Question],
    params: Params,
    connection: Connection,
    connections: Connections,
    *,
    stage: str,
    deadline: Deadline,
) -> list[Coverage]:
    """The verdicts on instances; trouble that concerns all of them is the verdict of each.

    Args:
        connections: those among which the one that ``connection`` is linked to is found.
    """
    try:
        demand = _demand(params)
        client = connect(connection, stage, deadline)
        linked = read(connection.settings, VisionOne, connection.name).workload_security
    except ConfigurationError as error:
        return [verdicts.unknown(error, "configuration")] * len(questions)
    workload = _workload(connections, linked, stage, deadline) if linked else None
    return answers(Tenant(client, workload), questions, demand)


def _workload(
    connections: Connections, linked: str, stage: str, deadline: Deadline
) -> workload_security.Client | ConfigurationError:
    """Server & Workload Protection of the same tenant, or why it cannot be asked."""
    try:
        return workload_security.connect(connections, linked, stage, deadline)
    except ConfigurationError as error:
        return error


def _demand(params: Params) -> Demand:
    wrong = sorted(set(params.modules) - set(MODULES))
    if wrong:
        raise ConfigurationError(
            f"no module {', '.join(wrong)[:80]}; there are {', '.join(MODULES)}"
        )
    if not params.stale_after > 0:
        raise ConfigurationError("stale_after must be more than nothing")
    return Demand(params.stale_after, params.modules)


def _outcome(found: Coverage, resource: Resource, playbook: Playbook) -> Outcome:
    said = wording.summary(found, resource, language=playbook.language, timezone=playbook.timezone)
    result = msgspec.to_builtins(msgspec.structs.replace(found, summary=said))
    return Outcome("done", said, result=result, retry_after=found.retry_after)


def permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Reading the secrets of the connections and the snapshots of their fleets, and finding the
    instances behind other resources."""
    return [*asking(connections), *snapshots(), *looking_behind()]


ACTION = Action(
    name="vision_one.check_coverage",
    summary="Checks whether Trend Vision One protects the instance, or those behind the resource.",
    effects=False,
    params=Params,
    result=Coverage,
    permissions=permissions,
    example="""\
- id: coverage
  uses: vision_one.check_coverage
  with: {stale_after: 24h, modules: [anti_malware, intrusion_prevention]}
""",
    run=run,
    about=(INSTANCE, *STAND_INS),
    connection_kinds={"connection": KINDS},
    inventory=True,
    in_members=True,
)
