"""The last step of a round in which something failed: it says so where people look.

Telling fails loud: what could not be decided or done goes to the default connection (the
deployment's notification topic). An analyst who clicked always finds an answer on the finding
itself, also where the playbook's own answer was skipped or has failed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.actions.base import Action, Outcome, Work, each
from hub_responder.errors import CallError
from hub_responder.playbook import Playbook, Step

if TYPE_CHECKING:
    from hub_responder.engine.rounds import Round
    from hub_responder.runtime import Runtime

TOPIC = "NOTIFICATIONS_TOPIC_ARN"


class Nothing(msgspec.Struct, frozen=True):
    """No parameters and no results."""


def is_due(one: Round, runtime: Runtime) -> bool:
    """Something failed for good that was not told yet, or an analyst got no answer."""
    if one.lost:
        return False
    steps = runtime.playbook.steps
    told = one.steps.get(STEP.id, {}).get("r", {}).get("told", ())
    if any(one.status(step.id) == "failed" and step.id not in told for step in steps):
        return True
    if one.ended(STEP.id) or one.waits():
        return False
    return one.incident.clicked and not answered(one.status, runtime)


def _topic(playbook: Playbook) -> str:
    """The default connection; none where nothing is to be sent."""
    return "" if playbook.mode == "observe" else os.environ.get(TOPIC, "")


def answered(status: Callable[[str], str], runtime: Runtime) -> bool:
    """Some step that answers on the finding is done, as ``status`` says of steps by their ids."""
    return any(
        status(step.id) == "done" and runtime.action(step.uses).answers
        for step in runtime.playbook.steps
    )


def lines(scope: Mapping[str, Any], playbook: Playbook) -> list[str]:
    """What failed or was skipped, a line for each step."""
    views = [(step, scope[step.id]) for step in playbook.steps]
    failed = [(step, view) for step, view in views if view.status == "failed"]
    others = [(step, view) for step, view in views if view.status in ("observed", "skipped")]
    shown = failed or others
    return [f"{step.id} ({step.uses}): {view.detail}" for step, view in shown]


def _say(work: Work, runtime: Runtime) -> Outcome:
    playbook = runtime.playbook
    resource = work.incident.resource.instance_id or work.incident.resource.id
    failed = [step.id for step in playbook.steps if work.scope[step.id].status == "failed"]
    observes = playbook.mode == "observe"
    verb = "only observes" if observes else "had nothing to do"
    verb = "could not do everything" if failed else verb
    title = f"{playbook.name} {verb} for {resource}"
    said = lines(work.scope, playbook)
    told: list[str] = []
    sent: dict[str, str] = {}
    if work.incident.clicked and not answered(lambda step: work.scope[step].status, runtime):
        from hub_responder.actions import update_finding

        update_finding.answer(work.incident.findings, "; ".join([title, *said]), runtime)
        told.append("the finding")
        sent["securityhub"] = "; ".join([title, *said])
    topic = _topic(playbook)
    if failed and topic:
        from hub_responder.connections import sns

        sns.publish_lines(topic, title, said, runtime)
        told.append("the default connection")
        sent["notifications"] = "\n".join([title, *said])
    detail = f"told {' and '.join(told)}" if told else "nobody to tell"
    return Outcome("done", detail, {"told": failed}, sent=sent)


def tell(title: str, lines: Sequence[str], runtime: Runtime) -> str:
    """Say in the default connection what is not about one round; what became of it, in words.

    Raises:
        CallError: it cannot be told.
    """
    topic = _topic(runtime.playbook)
    if not topic:
        return "nobody to tell"
    from hub_responder.connections import sns

    sns.publish_lines(topic, title, lines, runtime)
    return "told the default connection"


def tell_returned(lines: Sequence[str], runtime: Runtime) -> str:
    """Say in the default connection that a message came back; what became of it, in words."""
    topic = _topic(runtime.playbook)
    if not topic:
        return "nobody to tell"
    from hub_responder.connections import sns

    title = f"{runtime.playbook.name}: a message did not arrive as it should"
    try:
        sns.publish_lines(topic, title, lines, runtime)
    except CallError as error:  # it is in the trail, and its text on another way
        return f"the default connection: {error}"
    return "told the default connection"


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Say what failed, for each incident."""
    return each(lambda work: _say(work, runtime), works)


STEP = Step(id="_notice", uses="notice")
ACTION = Action(
    name="notice",
    summary="Says what could not be decided or done. The engine's own; playbooks cannot use it.",
    effects=True,
    params=Nothing,
    result=Nothing,
    permissions=lambda _with, _connections: [],  # every role has them: see the template
    example="",
    run=run,
)
