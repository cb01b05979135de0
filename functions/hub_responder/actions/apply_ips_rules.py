"""``vision_one.apply_ips_rules``: the intrusion prevention rules that shield the instance now.

The rules are looked up by the incident's CVEs and added to the instance's computer in Server &
Workload Protection. What is there already is looked at before anything is assigned, so an attempt
in doubt repeats nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.connections.permissions import asking
from hub_responder.connections.resolve import resolve
from hub_responder.errors import PermanentError
from hub_responder.finding import INSTANCE
from hub_responder.tally import tally
from hub_responder.workload_security import shields, wording
from hub_responder.workload_security.applying import Applied, apply
from hub_responder.workload_security.client import KIND, TARGET, Client, connect, linked

if TYPE_CHECKING:
    from hub_responder.finding import Resource
    from hub_responder.incident import Incident
    from hub_responder.runtime import Runtime
    from hub_responder.workload_security.computer import Computer

KINDS = ("vision_one", KIND)
_SHOWN = 5
_Most = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``most`` rules are assigned at once (1 to 100).

    ``connection`` is Server & Workload Protection, or the Vision One that is linked to it.
    """

    most: _Most = 20
    connection: str = "vision-one"


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Assign the rules that each incident's instance lacks."""
    return each(lambda work: _apply(work, runtime), works)


def _apply(work: Work, runtime: Runtime) -> Outcome:
    resource, params = work.incident.resource, work.params
    cves, left_out = shields.asked(_cves(work.incident))
    nothing = _nothing(resource, cves)
    if nothing:
        return Outcome("skipped", line(nothing))
    name = resolve(runtime.playbook, params.connection, work.scope).name
    client = connect(runtime.playbook, name, runtime.stage, runtime.deadline)
    since = work.attempted_at if work.in_doubt else None
    done = apply(client, _computer(client, resource), cves, params.most, since)
    done = msgspec.structs.replace(
        done, name=resource.name or done.name or resource.instance_id, left_out=left_out
    )
    said = wording.applied(done, language=runtime.playbook.language)
    result = msgspec.to_builtins(msgspec.structs.replace(done, summary=said))
    return Outcome("done", line(said), result=result)


def _cves(incident: Incident) -> list[str]:
    """The incident's CVEs, the most urgent first."""
    urgent = [cve.id for cve in tally(incident).cves]
    return [*urgent, *(cve for finding in incident.findings for cve in finding.cves)]


def _nothing(resource: Resource, cves: Sequence[str]) -> str:
    """Why there is nothing to assign, or empty."""
    if resource.type != INSTANCE or not resource.instance_id:
        return f"{resource.id} is no instance"
    return "" if cves else "the findings name no CVE"


def _computer(client: Client, resource: Resource) -> Computer:
    """The one computer that surely is the instance, with an agent.

    Raises:
        TransientError: it cannot be told now.
        PermanentError: there is none, none of that account, several, or none with an agent.
    """
    instance = resource.instance_id
    found = client.by_instance(instance)
    own = [each for each in found if each.account_id == resource.account]
    why = ""
    if not found:
        why = f"there is no computer for {instance}"
    elif not own:
        accounts = ", ".join(sorted({each.account_id or "none" for each in found}))
        why = f"{instance} is a computer of account {accounts}, not of {resource.account}"
    elif len(own) > 1:
        numbers = ", ".join(str(each.id) for each in own)
        why = f"{instance} is {len(own)} computers ({numbers}); nobody can tell which one runs"
    elif own[0].has_agent is False:
        why = f"computer {own[0].id} of {instance} has no agent, so that no rule could act"
    if why:
        raise PermanentError(line(f"no rule was assigned: {why}"), target=TARGET)
    return own[0]


def plan(work: Work, runtime: Runtime) -> str:
    """For which CVEs rules would be assigned."""
    resource, params = work.incident.resource, work.params
    cves, _ = shields.asked(_cves(work.incident))
    nothing = _nothing(resource, cves)
    if nothing:
        return line(f"would assign no rule: {nothing}")
    linked(runtime.playbook, resolve(runtime.playbook, params.connection, work.scope).name)
    more = f" and {len(cves) - _SHOWN} more" if len(cves) > _SHOWN else ""
    about = f"{', '.join(cves[:_SHOWN])}{more}"
    return line(f"would assign to {resource.instance_id} the IPS rules that it lacks for {about}")


def objection(settings: Mapping[str, Any]) -> str:
    """A Vision One without Server & Workload Protection has no rules."""
    if settings.get("type") != "vision_one" or settings.get("workload_security"):
        return ""
    return "has no `workload_security`: name the connection to its Server & Workload Protection"


def permissions(
    _params: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Reading the secret of Server & Workload Protection; Vision One's own is not needed."""
    return asking({name: one for name, one in connections.items() if one.get("type") == KIND})


ACTION = Action(
    name="vision_one.apply_ips_rules",
    summary="Assigns the intrusion prevention rules that shield the instance from its CVEs.",
    effects=True,
    params=Params,
    result=Applied,
    permissions=permissions,
    example="- {id: shield, uses: vision_one.apply_ips_rules, with: {most: 20}}",
    run=run,
    about=(INSTANCE,),
    connection_kinds={"connection": KINDS},
    objection=objection,
    plan=plan,
)
