"""``vision_one.check_coverage``: does Trend Vision One protect the instances of these incidents?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import clock, secrets
from hub_responder.actions.base import Action, Outcome, Statement, Work
from hub_responder.connections.permissions import secrets_of
from hub_responder.connections.resolve import named
from hub_responder.connections.settings import VisionOne, read
from hub_responder.errors import ConfigurationError, HubResponderError
from hub_responder.vision_one import coverage as verdicts
from hub_responder.vision_one import wording
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import Coverage, Demand, has_agent
from hub_responder.vision_one.endpoint import Endpoint
from hub_responder.vision_one.inventory import inventory
from hub_responder.vision_one.modules import MODULES, identity, with_modules
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
    """One walk through the inventory for all incidents; then a closer look at those it found."""
    found: dict[int, Coverage] = {}
    for params, group in _by_params(works):
        answers = _ask(params, [work.incident.resource for work in group], runtime)
        found |= {id(work): answer for work, answer in zip(group, answers, strict=True)}
    return [_outcome(work, found.get(id(work)), runtime) for work in works]


def _by_params(works: Sequence[Work]) -> list[tuple[Params, list[Work]]]:
    """The works that can be asked for, those with equal parameters together."""
    groups: list[tuple[Params, list[Work]]] = []
    for work in works:
        resource = work.incident.resource
        if resource.type != INSTANCE or not resource.instance_id:
            continue
        group = next((group for params, group in groups if params == work.params), None)
        if group is None:
            groups.append((work.params, [work]))
        else:
            group.append(work)
    return groups


def _ask(params: Params, resources: Sequence[Resource], runtime: Runtime) -> list[Coverage]:
    """The verdicts; trouble that concerns all of them is the verdict of each."""
    try:
        demand = _demand(params)
        client = _client(params.connection, runtime)
    except ConfigurationError as error:
        return [verdicts.unknown(error, "configuration")] * len(resources)
    try:
        known = inventory(client, [resource.instance_id for resource in resources])
    except HubResponderError as error:
        return [verdicts.unknown(error)] * len(resources)
    found = [verdicts.find(known, each.account, each.instance_id) for each in resources]
    agents = [each for each in found if isinstance(each, Endpoint) and has_agent(each)]
    asked_at = clock.now()
    closer = with_modules(client, agents, demand.modules) if demand.modules else {}

    def judged(each: Endpoint | Coverage) -> Coverage:
        if isinstance(each, Coverage):
            return each
        now = closer.get(identity(each))
        if now is None:
            return verdicts.judge(each, demand, known.read_at)
        if isinstance(now, HubResponderError):
            return verdicts.unknown(now)
        return verdicts.judge(now, demand, asked_at)

    return [judged(each) for each in found]


def _demand(params: Params) -> Demand:
    wrong = sorted(set(params.modules) - set(MODULES))
    if wrong:
        raise ConfigurationError(
            f"no module {', '.join(wrong)[:80]}; there are {', '.join(MODULES)}"
        )
    if not params.stale_after > 0:
        raise ConfigurationError("stale_after must be more than nothing")
    return Demand(params.stale_after, params.modules)


def _client(name: str, runtime: Runtime) -> Client:
    settings = read(named(runtime.playbook, name).settings, VisionOne, name)

    def with_token(call: Callable[[str], Any]) -> Any:
        return secrets.use(runtime.stage, name, lambda secret: call(_token(secret, name)))

    url = base_url(settings.region, settings.base_url)
    return Client(name, url, with_token, runtime.deadline)


def _token(secret: Mapping[str, str], name: str) -> str:
    """The token, which a header must be able to carry.

    Raises:
        ConfigurationError: there is none, or it has characters that no token has.
    """
    token = secrets.value(secret, "token", name)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(f"the token of connection {name} is no token")
    return token


def _outcome(work: Work, found: Coverage | None, runtime: Runtime) -> Outcome:
    resource, playbook = work.incident.resource, runtime.playbook
    if found is None and resource.type == INSTANCE:
        found = verdicts.no_instance_id()
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
