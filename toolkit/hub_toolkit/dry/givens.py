"""What a case gives, made in a world: a verdict as an estate or as trouble, instances, other
findings, history."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub_responder.ledger import history
from hub_toolkit.dry import coverages, leads, stimuli

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_toolkit.dry.cases import Given
    from hub_toolkit.dry.world import World

Item = dict[str, Any]


def furnish(world: World, given: Given, findings: Sequence[Finding]) -> None:
    """Make the estate that ``given`` says, for the instances of ``findings`` and of the estate.

    Raises:
        EstateError, ValueError: an endpoint, computer, rule or instance of the case cannot be one.
    """
    machines = leads.named(findings) | _provide(world, given, findings)
    made = [
        coverages.cover(world, coverage, machines, findings) for coverage in given.coverage.values()
    ]
    endpoints = [coverages.unrelated(), *(one for each in made for one in each.endpoints)]
    for position, item in enumerate(given.endpoints or []):
        endpoints.append(_laid_over(coverages.model(f"given-{position}"), item))
    for simulator in world.simulators.vision_ones:
        simulator.replace_endpoints(endpoints)
    name, account = next(iter(machines.items()), ("", ""))
    computers = [
        _laid_over(coverages.computer(number, name, account), item)
        for number, item in enumerate(given.computers, 1)
    ]
    computers += [one for each in made for one in each.computers]
    rules = [{"name": f"Rule {one.get('ID')}", **one} for one in given.rules]
    rules += [one for each in made for one in each.rules]
    for manager in world.simulators.workload_securities:
        manager.replace_rules(rules)
        manager.replace_computers(computers)
    for number, changes in enumerate(given.related, 1):
        world.core.hub.seed(stimuli.beside(changes, number, findings, world.place))
    if given.faults:
        world.core.faults.add(list(given.faults))


def _provide(world: World, given: Given, findings: Sequence[Finding]) -> dict[str, str]:
    """Let the member accounts hold what the case gives, or what leads to a verdict that it gives.

    Returns:
        the accounts of the instances in there, by their ids.
    """
    own, members = _place(world, findings), world.core.members
    led = leads.Leads(
        instances=[{**own, **one} for one in given.instances],
        tasks=given.tasks,
        container_instances=given.container_instances,
        groups=[{**own, **one} for one in given.groups],
    )
    verdicts = {coverage.verdict for coverage in given.coverage.values()}
    if verdicts - {"NOT_APPLICABLE"} and not (led.instances or led.tasks or led.groups):
        led = leads.invented(findings)
    members.instances.replace(led.instances)
    members.groups.replace(led.groups)
    members.ecs.replace_tasks(led.tasks)
    members.ecs.replace_container_instances(led.container_instances)
    return {one.instance_id: one.owner_id for one in members.instances.all()}


def _place(world: World, findings: Sequence[Finding]) -> Mapping[str, str]:
    """Where things are that do not say it: where the first resource is."""
    first = next((one for finding in findings for one in finding.resources), None)
    return {
        "OwnerId": first.account if first and first.account else world.place.account,
        "Region": first.region if first and first.region else world.place.region,
    }


def remember(world: World, findings: Sequence[Finding], closed_as: str, at: float) -> None:
    """What an analyst's closing of ``findings`` leaves in the history, for ``seen()``."""
    for finding in findings:
        for resource in finding.resources:
            pk = history.partition(finding.with_resource(resource))
            what = history.closed(closed_as)
            item = history.put(world.ledger_table, pk, finding.id, what, at)
            world.core.tables.handle("PutItem", item["Put"])


def _laid_over(below: Item, changes: Mapping[str, Any]) -> Item:
    made = stimuli.laid_over(copy.deepcopy(below), changes)
    assert isinstance(made, dict)  # noqa: S101 - both are objects
    return made
