"""A playbook over an event, dry; and what one step's document becomes in each target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hub_responder.actions import open_ticket
from hub_responder.actions.base import Action, Outcome, Work
from hub_responder.connections import channels
from hub_responder.connections.resolve import Connection, placed
from hub_responder.errors import CallError, ConfigurationError, ExpressionError
from hub_responder.ledger import keys
from hub_responder.markdown import template
from hub_responder.tickets import draft, registry
from hub_toolkit.dry.judge import ended
from hub_toolkit.dry.trial import HOME, Seen, bench, put
from hub_toolkit.dry.world import rewritten
from hub_toolkit.playbooks.problems import unknown
from hub_toolkit.preview import example

if TYPE_CHECKING:
    from hub_responder.markdown.document import Document
    from hub_responder.playbook import Step
    from hub_responder.runtime import Runtime
    from hub_toolkit.dry.world import World
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.preview.arrival import Arrival
    from hub_toolkit.preview.targets import Target
    from hub_toolkit.sandbox.identifiers import Place

TELLING = ("notify", "ticket.open")
"""The actions whose documents can be looked at."""


class NothingToShow(Exception):  # noqa: N818 - reads as the fact
    """The step did not come to send anything; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that the target got: method, path or AWS operation, and the body as data."""

    method: str
    path: str
    body: Any


@dataclass(frozen=True, slots=True)
class Taken:
    """What one target would get.

    Attributes:
        connection: its name. invented: the project has none of this type.
        document: what the template says, in the connection's language.
        sent: in their order; empty where it was refused.
        error: why nothing was sent, or what the simulator refused; else empty.
    """

    target: Target
    connection: str
    invented: bool
    document: Document
    sent: tuple[Sent, ...] = ()
    error: str = ""


def steps_of(source: Source, wanted: str, targets: Mapping[str, Target]) -> dict[str, Step]:
    """The step whose document each target is shown: the named one; else tickets get the first
    ticket's and channels the first message's, where there is one.

    Raises:
        NothingToShow: there is none.
    """
    telling = [step for step in source.steps if step.uses in TELLING]
    if not telling:
        raise NothingToShow(f"playbook {source.name} has no step that notifies or opens a ticket")
    if wanted:
        by_id = {step.id: step for step in telling}
        if wanted not in by_id:
            raise NothingToShow(unknown(f"step of {source.name} to show:", wanted, by_id))
        return dict.fromkeys(targets, by_id[wanted])
    return {
        name: next((step for step in telling if step.uses == target.natural), telling[0])
        for name, target in targets.items()
    }


def take(
    source: Source,
    project: Project,
    arrival: Arrival,
    targets: Mapping[str, Target],
    *,
    step: str = "",
    stage: str,
    language: str = "",
) -> dict[str, Taken]:
    """What each target would get of a step's document.

    Args:
        step: its id; empty: as `steps_of` says.
        language: of the messages; empty: each connection's.

    Raises:
        NothingToShow: the event does not come to that step.
        CannotMake, EstateError, Restless: the event or what is given with it cannot be played.
    """
    steps = steps_of(source, step, targets)
    chosen = {
        name: example.name(project, target, _named(steps[name])) for name, target in targets.items()
    }
    whole = example.with_examples(project, targets, chosen)
    looking = _Looking(steps, whole, targets, chosen, language, project)
    place = arrival.place or HOME
    # An observing playbook decides alike; it is let act here, where nothing is sent.
    live = replace(source, mode="live", enabled=True)
    with bench(whole, stage, place) as where:
        world = where.world([live], arrival.time, language=language, params=arrival.params)
        try:
            seen = _play(world, live, arrival, looking)
        finally:
            world.close()
    missing = next((steps[name] for name in targets if name not in looking.taken), None)
    if missing is not None:
        raise NothingToShow(_why(source, missing.id, seen, place))
    return {name: looking.taken[name] for name in targets}


def _named(step: Step) -> str:
    """The connection or route that a step names."""
    return str(step.with_.get("to") or step.with_.get("in") or "")


def _play(world: World, source: Source, arrival: Arrival, looking: _Looking) -> Seen:
    seen = Seen()
    arrival.furnish(world)
    world.beside = looking.around
    looking.world = world
    if arrival.event is None:
        arrival.begin(world, source, seen)
    else:
        put(world, arrival.event, arrival.findings, seen)
    return seen


def _why(source: Source, step: str, seen: Seen, place: Place) -> str:
    """Why the step sent nothing, from the trail."""
    if seen.crashes:
        return f"playbook {source.name} failed: {seen.crashes[0][1].strip().splitlines()[-1]}"
    if not seen.rules_of(source.name):
        reasons = [
            f"{kind}: {'; '.join(str(one) for one in why[:3])}"
            for kind, why in seen.mismatches_of(source.name).items()
        ]
        told = f" ({' | '.join(reasons)})" if reasons else ""
        return f"no rule of playbook {source.name} matches the event{told}"
    ends = ended(seen.records).get(step, ())
    if ends:
        return f"step {step} sent nothing: {ends[-1].status}, {ends[-1].detail}"
    skipped = [str(one["detail"]) for one in seen.records if one.get("detail")]
    told = f": {skipped[-1]}" if skipped else f" in {place.region}"
    return f"step {step} was not reached{told}"


@dataclass(slots=True)
class _Looking:
    """Beside what the step does, sends its document to every target, once."""

    steps: Mapping[str, Step]
    project: Project
    targets: Mapping[str, Target]
    chosen: Mapping[str, str]
    language: str
    own: Project
    world: World | None = None
    taken: dict[str, Taken] = field(default_factory=dict)

    def around(self, action: Action) -> Action:
        """``action``, which lets us look first."""
        if action.name not in TELLING:
            return action

        def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
            for work in works:
                for name, step in self.steps.items():
                    if name not in self.taken and _is_of(work, action, step):
                        self.taken[name] = self._one(name, work, runtime)
            return action.run(works, runtime)

        return replace(action, run=run)

    def _one(self, name: str, work: Work, runtime: Runtime) -> Taken:
        target, called = self.targets[name], self.chosen[name]
        settings = rewritten(called, self.project.connections.connections[called])
        language = self.language or example.language(settings, runtime.playbook.language)
        document = template.render(runtime.directory, work.params.template, language, work.scope)
        taken = Taken(target, called, called not in self.own.connections.connections, document)
        send = _open if target.is_ticket else _tell
        connection = Connection(called, str(settings["type"]), settings)
        return self._watched(taken, lambda: send(connection, document, work, runtime))

    def _watched(self, taken: Taken, send: Callable[[], None]) -> Taken:
        assert self.world is not None  # noqa: S101 - set before anything runs
        inbox = self.world.core.inbox
        before, refused_before = len(inbox.deliveries()), len(inbox.refused())
        error = ""
        try:
            send()
        except (CallError, ConfigurationError, ExpressionError) as failure:
            error = str(failure)
        sent = inbox.deliveries()[before:]
        refused = inbox.refused()[refused_before:]
        if refused and not error:
            error = f"refused: {refused[-1]['reason'] or refused[-1]['status']}"
        shown = [Sent(one["method"], one["path"], one["body"]) for one in sent or refused]
        return replace(taken, sent=tuple(shown), error=error)


def _is_of(work: Work, action: Action, step: Step) -> bool:
    """Whether the work is of ``step``: its effect's key tells, but for a ticket, which is one."""
    if action.name != step.uses:
        return False
    if action.lasting:
        return bool(work.params.template == step.with_.get("template"))
    of = work.incident
    return work.key == keys.effect(of.key, of.gen, of.round, step.id, lasting=False)


def _tell(connection: Connection, document: Document, work: Work, runtime: Runtime) -> None:
    at = placed(connection, work.scope)
    channels.find(at).send(at, document, work, runtime, {})


def _open(connection: Connection, document: Document, work: Work, runtime: Runtime) -> None:
    """Open the ticket; of a step that notifies, with no more than its template says."""
    params = open_ticket.Params(
        connection=connection.name,
        template=work.params.template,
        priority=getattr(work.params, "priority", ""),
        labels=tuple(getattr(work.params, "labels", ())),
    )
    at = placed(connection, work.scope)
    asked = replace(work, params=params, in_doubt=False)
    made = replace(draft.make(asked, at, runtime), document=document)
    registry.find(at, runtime).open(made)
