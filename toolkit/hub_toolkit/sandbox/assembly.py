"""Puts a sandbox together: services, the template's resources, functions, control routes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub_responder import playbook
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.overlay import SANDBOX
from hub_toolkit.playbooks.problems import PlaybookErrors
from hub_toolkit.sandbox import compiled, deploy, estate, functions, outside, routes
from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.control import Control
from hub_toolkit.sandbox.core import Core
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.function_urls import PATH as URLS
from hub_toolkit.sandbox.function_urls import FunctionUrls
from hub_toolkit.sandbox.iam import Roles
from hub_toolkit.sandbox.idle import Idle
from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.kills import Kills
from hub_toolkit.sandbox.pollers import Pollers
from hub_toolkit.sandbox.schedule import Schedule
from hub_toolkit.sandbox.sqs import SqsError
from hub_toolkit.sandbox.stream_pollers import StreamPollers
from hub_toolkit.sandbox.template import plan as read_plan
from hub_toolkit.sandbox.template import with_roles
from hub_toolkit.sandbox.workers.environment import Host
from hub_toolkit.sandbox.workers.pool import Pool
from hub_toolkit.synth import roles as roles_of

if TYPE_CHECKING:
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.sandbox.identifiers import Place
    from hub_toolkit.sandbox.moto_store import MotoStore
    from hub_toolkit.sandbox.simulators import Simulators
    from hub_toolkit.sandbox.template import Plan
    from hub_toolkit.sandbox.workers.process import Zygote
    from hub_toolkit.sandbox.wsgi import App


@dataclass(frozen=True, slots=True)
class Assembled:
    """A sandbox that only needs to be served."""

    app: App
    pool: Pool


def assemble(
    closing: ExitStack,
    root: Path,
    template: Mapping[str, Any],
    *,
    place: Place,
    moto: MotoStore,
    zygote: Zygote,
    speed: float,
    stage: str,
) -> Assembled:
    """Make everything that the template asks for.

    Args:
        closing: takes what is to be done at the end; it runs backwards, so that nobody is left
            waiting for what is gone.
        root: the project.

    Raises:
        TemplateError: the template or a playbook is wrong.
    """
    folder = Path(tempfile.mkdtemp(prefix="hub-responder-sandbox-"))
    closing.callback(shutil.rmtree, folder, ignore_errors=True)
    clock = Clock(speed=speed)
    closing.callback(clock.close)
    core = Core(clock, place, moto)
    closing.callback(core.hooks.close)
    closing.callback(core.queues.close)
    project = _project(root, stage)
    if stage == SANDBOX:
        template = with_roles(template, roles_of.of_stage(project))
    plan = read_plan(template, place, {"Stage": stage})
    workers = _Workers()
    kills = Kills(core.faults, workers.kill, workers.own)
    core.faults.time_out = workers.time_out
    simulators = core.simulators(kills, closing)
    try:
        made = compiled.compile_all(project, folder, simulators.add)
        playbooks = [playbook.load(one) for one in made.playbooks.values()]
        plan.switch_off(place.stack, (one.name for one in playbooks if not one.enabled))
        deploy.deploy(plan, core.services())
        sources = deploy.sources(plan)
    except PlaybookErrors as error:
        raise _wrong(error) from error
    except (AwsError, SqsError, ValueError) as error:
        raise TemplateError(f"the template cannot be deployed: {error}") from error
    core.members.accounts.roles |= {one.member_role for one in playbooks}
    core.state_buckets |= deploy.state_buckets(plan)
    beyond = outside.provide(playbooks, place, moto, core.queues)
    _furnish(core, simulators, stage)
    runnable = functions.runnable(plan.functions.values(), made, root)
    host = Host(place.endpoint, place.region, place.account)
    pool = workers.pool = Pool(zygote, clock, runnable, host=host, logs=folder)
    pollers = Pollers(clock, core.queues, pool, place.region)
    closing.callback(pollers.close)
    closing.callback(pool.close)
    closing.callback(pollers.stop)
    for source in sources:
        pollers.add(source)
    changes = StreamPollers(clock, pool, core.tables.follow)
    closing.callback(changes.close)
    for followed in deploy.streams(plan):
        changes.add(followed)
    schedule = Schedule(plan, place, clock.now, pool.invoke, core.queues.send)
    roles = Roles(plan, place)
    parts = _parts(core, simulators, plan, (pollers, changes), schedule)
    control = Control(routes.table(parts, roles.report), (AwsError, SqsError, ValueError))
    urls: dict[str, App] = {
        name: FunctionUrls(name, plan.public.get(name, ()), pool.invoke, clock.now)
        for name in plan.urls
    }
    if urls:  # a stack has one
        core.hooks.url = f"{place.endpoint}{URLS}/{next(iter(urls))}/"
    return Assembled(core.app(simulators, kills, control, beyond, urls=urls, roles=roles), pool)


def _project(root: Path, stage: str) -> Project:
    try:
        return load_project(root, stage)
    except PlaybookErrors as error:
        raise _wrong(error) from error


def _wrong(error: PlaybookErrors) -> TemplateError:
    return TemplateError(f"playbooks/ is wrong:\n{error}")


class _Workers:
    """The workers as requests show them: by the port that they come from."""

    pool: Pool | None = None

    def own(self, port: int) -> bool:
        return self._owner(port) is not None

    def kill(self, port: int) -> bool:
        pid = self._owner(port)
        return pid is not None and self.pool is not None and self.pool.kill(pid)

    def time_out(self, port: int) -> bool:
        pid = self._owner(port)
        return pid is not None and self.pool is not None and self.pool.time_out(pid)

    def _owner(self, port: int) -> int | None:
        return self.pool.owner_of_port(port) if self.pool else None


def _furnish(core: Core, simulators: Simulators, stage: str) -> None:
    """What is there from the beginning: the connections' secrets, and an estate."""
    simulators.register()
    for name, value in simulators.secrets.items():
        core.moto.put_secret(f"hub-responder/{stage}/{name}", value)
    known = estate.load()
    known.furnish(simulators.vision_ones, simulators.workload_securities)
    known.provide(core.members)


def _parts(
    core: Core,
    simulators: Simulators,
    plan: Plan,
    pollers: tuple[Pollers, StreamPollers],
    schedule: Schedule,
) -> routes.Parts:
    consumed = [source.queue for source in pollers[0].sources]
    tables = {one.environment.get("AUDIT_TABLE") for one in plan.functions.values()}
    return routes.Parts(
        clock=core.clock,
        queues=core.queues,
        events=core.events,
        hub=core.hub,
        tables=core.tables,
        inbox=core.inbox,
        tickets=core.tickets,
        faults=core.faults,
        idle=Idle(
            core.clock,
            core.queues,
            consumed,
            lambda: any(one.running() for one in pollers) or core.clock.busy,
        ),
        members=core.members,
        vision_ones=simulators.vision_ones,
        workload_securities=simulators.workload_securities,
        connections=simulators.led,
        dead_letters=deploy.dead_letter_queues(plan),
        audit_tables=sorted(name for name in tables if name),
        tick=schedule.tick,
    )
