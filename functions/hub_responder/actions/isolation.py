"""What ``endpoint.isolate`` and ``endpoint.restore`` share.

Cutting a machine off is refused unless the connection allows it, and done only to the endpoint that
surely is the instance: the one record of its instance id in its account, with an agent GUID of its
own. The task is not waited for in the run: the step comes again until the task has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.connections.permissions import asking
from hub_responder.connections.resolve import Connection, resolve
from hub_responder.connections.settings import VisionOne, read
from hub_responder.errors import ConfigurationError, PermanentError
from hub_responder.finding import INSTANCE
from hub_responder.vision_one import response
from hub_responder.vision_one.client import TARGET, Client
from hub_responder.vision_one.connect import KIND, connect
from hub_responder.vision_one.inventory import inventory
from hub_responder.vision_one.response import Deed, Task

if TYPE_CHECKING:
    from hub_responder.finding import Resource
    from hub_responder.runtime import Runtime
    from hub_responder.vision_one.endpoint import Endpoint

ASK_AGAIN_S = 30.0
APPROVAL_S = 300.0
"""A person who is to approve it takes longer."""
REF = "vision_one.response"
_WISHED = {"isolate": "on", "restore": "off"}


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``reason`` stands in the task in Vision One, before the playbook's name.

    ``connection`` is a Vision One whose connection says ``isolation: true``.
    """

    reason: str = ""
    connection: str = "vision-one"


class Result(msgspec.Struct, frozen=True):
    """The endpoint, the task that did it, and its end.

    ``status`` is ``succeeded``, or ``already`` where nothing was to do (``task`` is empty then).
    ``summary`` says it in the playbook's language.
    """

    status: Literal["succeeded", "already"]
    endpoint: str
    agent_guid: str
    task: str = ""
    summary: str = ""


_WORDS: Mapping[str, Mapping[tuple[str, str], str]] = {
    "en": {
        ("isolate", "succeeded"): "{name} is isolated from the network (task {task})",
        ("isolate", "already"): "{name} was isolated from the network already",
        ("restore", "succeeded"): "{name} is back on the network (task {task})",
        ("restore", "already"): "{name} is not isolated from the network",
    },
    "ja": {
        ("isolate", "succeeded"): "{name}をネットワークから隔離しました(タスク{task})",
        ("isolate", "already"): "{name}は既にネットワークから隔離されています",
        ("restore", "succeeded"): "{name}の隔離を解除しました(タスク{task})",
        ("restore", "already"): "{name}は隔離されていません",
    },
}


def _run(deed: Deed, work: Work, runtime: Runtime) -> Outcome:
    nothing = _nothing(work)
    if nothing:
        return Outcome("skipped", line(nothing))
    connection = _allowed(work, runtime)
    client = connect(connection, runtime.stage, runtime.deadline)
    task = _kept(deed, work)
    if not task:
        endpoint = _endpoint(client, work.incident.resource)
        if endpoint.isolation == _WISHED[deed]:
            result = Result("already", endpoint.name, endpoint.guid)
            return _done(deed, result, work, runtime)
        about = f"{work.params.reason} ".lstrip() + f"hub-responder {runtime.playbook.name}"
        task, new = response.begin(client, deed, endpoint.guid, about)
        if new:
            return _later(deed, work, task, f"task {task} was sent", ASK_AGAIN_S)
        told = response.follow(client, task)
        if not told.does(deed, endpoint.guid):
            said = f"task {task} ({told.action or 'unknown'}) is at work on {endpoint.name}"
            return Outcome("deferred", line(said), retry_after=ASK_AGAIN_S)
        return _ended(deed, told, work, runtime)
    return _ended(deed, response.follow(client, task), work, runtime)


def _nothing(work: Work) -> str:
    resource = work.incident.resource
    if resource.type != INSTANCE or not resource.instance_id:
        return f"{resource.id} is no instance"
    return ""


def _allowed(work: Work, runtime: Runtime) -> Connection:
    """The connection, if it allows isolation.

    Raises:
        ConfigurationError: it does not, or is none of Vision One.
    """
    connection = resolve(runtime.playbook, work.params.connection, work.scope)
    if connection.type != KIND:
        said = f"connection {connection.name} is of type {connection.type}, not {KIND}"
        raise ConfigurationError(said)
    why = objection(connection.settings)
    if why:
        raise ConfigurationError(f"connection {connection.name} {why}")
    read(connection.settings, VisionOne, connection.name)
    return connection


def objection(settings: Mapping[str, Any]) -> str:
    """Cutting machines off needs the connection's leave."""
    if settings.get("isolation") is True:
        return ""
    return "does not allow it: say `isolation: true` in connections.yaml"


def _endpoint(client: Client, resource: Resource) -> Endpoint:
    """The endpoint that surely is the instance, as it is now.

    Raises:
        TransientError: it cannot be told now.
        PermanentError: there is none, or it is not sure.
    """
    instance = resource.instance_id
    known = inventory(client, [instance])
    found = known.find(instance)
    own = [each for each in found if resource.account and each.account_id == resource.account]
    why = ""
    if not found:
        why = f"Vision One has no endpoint with the instance id {instance}"
    elif not own:
        accounts = ", ".join(sorted({each.account_id or "none" for each in found}))
        why = f"Vision One has {instance} in account {accounts}, not in {resource.account or 'any'}"
    elif len(own) > 1:
        why = f"Vision One has {len(own)} endpoints with the instance id {instance}"
    elif not own[0].guid:
        why = f"the endpoint of {instance} has no agent GUID"
    elif own[0].guid in known.shared:
        why = f"other endpoints share the agent GUID of {instance}"
    if why:
        raise _unsure(why)
    (listed,) = own
    now = client.detail(listed.guid)
    ours = now.instance_id in (instance.lower(), "") and now.account_id in (resource.account, "")
    if not ours:
        raise _unsure(f"the agent of {instance} is another instance's now")
    isolation = now.isolation or listed.isolation
    return msgspec.structs.replace(listed, isolation=isolation)


def _unsure(why: str) -> PermanentError:
    return PermanentError(line(f"nothing was done: {why}"), target=TARGET)


def _kept(deed: Deed, work: Work) -> str:
    """The task that an earlier attempt at this effect left, or empty."""
    key, _, task = str(work.incident.refs.get(REF, {}).get(deed, "")).partition(" ")
    return task if key == work.key else ""


def _later(deed: Deed, work: Work, task: str, said: str, seconds: float) -> Outcome:
    """Again, with the task kept: ``in_doubt``, for it may have had its effect."""
    refs: dict[str, Mapping[str, str]] = {REF: {deed: f"{work.key} {task}"}}
    detail = line(f"{said}; its end is awaited")
    return Outcome("deferred", detail, refs=refs, retry_after=seconds, in_doubt=True)


def _ended(deed: Deed, told: Task, work: Work, runtime: Runtime) -> Outcome:
    """What a task's status means."""
    if told.status == response.DONE:
        result = Result("succeeded", told.endpoint, told.guid, told.id)
        return _done(deed, result, work, runtime)
    if told.status in response.ENDED:
        why = f": {told.error}" if told.error else ""
        said = f"Vision One did not {deed} it: task {told.id} {response.ENDED[told.status]}{why}"
        return Outcome("failed", line(said))
    if told.status in response.WAITING:
        said = f"task {told.id} waits for approval in Vision One"
        return _later(deed, work, told.id, said, APPROVAL_S)
    return _later(deed, work, told.id, f"task {told.id} is {told.status}", ASK_AGAIN_S)


def _done(deed: Deed, result: Result, work: Work, runtime: Runtime) -> Outcome:
    resource = work.incident.resource
    name = f"{resource.name} ({resource.instance_id})" if resource.name else resource.instance_id
    words = _WORDS["ja" if runtime.playbook.language == "ja" else "en"]
    said = line(words[deed, result.status].format(name=name, task=result.task))
    result = msgspec.structs.replace(result, summary=said)
    return Outcome("done", said, result=msgspec.to_builtins(result))


def _plan(deed: Deed, work: Work, runtime: Runtime) -> str:
    nothing = _nothing(work)
    if nothing:
        return line(f"would {deed} nothing: {nothing}")
    _allowed(work, runtime)
    resource = work.incident.resource
    return line(f"would {deed} the endpoint of {resource.instance_id} in {resource.account}")


def _permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Reading Vision One's secret; that of what it is linked to is not needed."""
    return asking({name: one for name, one in connections.items() if one.get("type") == KIND})


def _over_all(deed: Deed, works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    return each(lambda work: _run(deed, work, runtime), works)


def action(deed: Deed, summary: str, example: str) -> Action:
    """The action that does it."""
    return Action(
        name=f"endpoint.{deed}",
        summary=summary,
        effects=True,
        params=Params,
        result=Result,
        permissions=_permissions,
        example=example,
        run=partial(_over_all, deed),
        about=(INSTANCE,),
        connection_kinds={"connection": (KIND,)},
        objection=objection,
        plan=partial(_plan, deed),
    )
