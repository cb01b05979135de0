"""``vision_one.check_coverage``: does Trend Vision One protect the instances of these incidents?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock, secrets
from hub_responder.actions.base import THREADS, Action, Outcome, Statement, Work
from hub_responder.connections.permissions import secrets_of
from hub_responder.connections.resolve import named
from hub_responder.connections.settings import VisionOne, read
from hub_responder.errors import ConfigurationError, HubResponderError
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one import wording
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import MODULES, Coverage, Demand
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.endpoint import read as read_endpoint
from hub_responder.vision_one.inventory import Inventory, inventory
from hub_responder.vision_one.regions import base_url

if TYPE_CHECKING:
    from hub_responder.finding import Resource
    from hub_responder.runtime import Runtime

INSTANCE = "AwsEc2Instance"


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as protected.

    ``stale_after``: seconds without contact that are too long. ``modules``: those that must be on.
    ``connection``: the Vision One to ask.
    """

    stale_after: float = 86_400.0
    modules: list[str] = []
    connection: str = "vision-one"


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """One walk through the inventory for all incidents; details of the matched endpoints."""
    asked = [work for work in works if work.incident.resource.type == INSTANCE]
    found: dict[int, Coverage] = {}
    for params, group in _by_params(asked):
        answers = _ask(params, [work.incident.resource for work in group], runtime)
        found |= {id(work): answer for work, answer in zip(group, answers, strict=True)}
    return [_outcome(work, found.get(id(work)), runtime) for work in works]


def _by_params(works: Sequence[Work]) -> list[tuple[Params, list[Work]]]:
    groups: list[tuple[Params, list[Work]]] = []
    for work in works:
        for params, group in groups:
            if params == work.params:
                group.append(work)
                break
        else:
            groups.append((work.params, [work]))
    return groups


def _ask(params: Params, resources: Sequence[Resource], runtime: Runtime) -> list[Coverage]:
    """The verdicts; trouble that concerns all of them is the verdict of each."""
    try:
        demand = _demand(params)
        client = _client(params.connection, runtime)
        known = inventory(client, [resource.instance_id for resource in resources])
    except HubResponderError as error:
        return [verdicts.unknown(error)] * len(resources)
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return list(pool.map(lambda resource: _one(resource, known, client, demand), resources))


def _one(resource: Resource, known: Inventory, client: Client, demand: Demand) -> Coverage:
    found = verdicts.find(known, resource.account, resource.instance_id)
    if isinstance(found, Coverage):
        return found
    try:
        checked_at = clock.now()
        detail = read_endpoint(client.detail(found.guid)) if demand.modules else found
    except HubResponderError as error:
        return verdicts.unknown(error)
    return verdicts.judge(_merged(found, detail), demand, checked_at)


def _merged(listed: Endpoint, detail: Endpoint | None) -> Endpoint:
    """The listed endpoint with the features that only the detail has."""
    if detail is None:
        return listed
    return Endpoint(
        **{name: getattr(listed, name) for name in Endpoint.__slots__}
        | {"features": detail.features}
    )


def _demand(params: Params) -> Demand:
    wrong = sorted(set(params.modules) - set(MODULES))
    if wrong:
        raise ConfigurationError(f"no module {', '.join(wrong)}; there are {', '.join(MODULES)}")
    return Demand(params.stale_after, params.modules)


def _client(name: str, runtime: Runtime) -> Client:
    settings = read(named(runtime.playbook, name).settings, VisionOne, name)

    def with_token(call: Any) -> Any:
        return secrets.use(
            runtime.stage, name, lambda secret: call(secrets.value(secret, "token", name))
        )

    return Client(base_url(settings.region, settings.base_url), with_token, runtime.deadline)


def _outcome(work: Work, found: Coverage | None, runtime: Runtime) -> Outcome:
    resource, playbook = work.incident.resource, runtime.playbook
    found = found or verdicts.not_applicable(resource.type)
    said = wording.summary(found, resource, language=playbook.language, timezone=playbook.timezone)
    result = msgspec.to_builtins(msgspec.structs.replace(found, summary=said))
    return Outcome("done", said, result=result, retry_after=found.retry_after)


def permissions(
    with_: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Reading the connection's secret."""
    name = str(with_.get("connection", Params().connection))
    return list(secrets_of({name: connections[name]} if name in connections else {}))


ACTION = Action(
    name="vision_one.check_coverage",
    summary="Checks whether Trend Vision One protects the instance.",
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
    connection_kinds={"connection": ("vision_one",)},
)
