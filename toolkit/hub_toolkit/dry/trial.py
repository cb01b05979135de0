"""One case: run in a world of its own, and held against what it expects."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hub_toolkit.dry import givens, stimuli, wires
from hub_toolkit.dry.claims import RULES
from hub_toolkit.dry.judge import Failure, judge
from hub_toolkit.dry.variants import Variants
from hub_toolkit.dry.world import ENDPOINT, STACK, Restless, World, host, stack
from hub_toolkit.sandbox.event_plane.explain import Mismatch, explain
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.vendors.estate import EstateError
from hub_toolkit.sandbox.workers import environment
from hub_toolkit.trip.outcome import added

if TYPE_CHECKING:
    from hub_responder.finding import Finding
    from hub_toolkit.dry.cases import Case, Earlier
    from hub_toolkit.dry.traffic import Call, Delivery
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.sandbox.template import Plan

HOME = Place(STACK, "111122223333", "us-east-1", ENDPOINT)
"""Where cases find themselves deployed: the account and region of the example events."""
_APART_S = 600.0
"""Between repetitions of something earlier."""


@dataclass(slots=True)
class Seen:
    """What came of an event.

    Attributes:
        rules: the rules that it matched, as ``PLAYBOOK-imported``.
        mismatches: of the rules that it did not match, why.
        records: the audit trail's. findings: as Security Hub holds them now, by id.
        crashes: of invocations that failed as a whole: the playbook and the traceback.
    """

    rules: list[str] = field(default_factory=list)
    mismatches: dict[str, list[Mismatch]] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)
    crashes: list[tuple[str, str]] = field(default_factory=list)

    def rules_of(self, playbook: str) -> list[str]:
        """The kinds of a playbook's rules that matched, as ``imported``."""
        return [kind for kind in RULES if f"{playbook}-{kind}" in self.rules]

    def mismatches_of(self, playbook: str) -> dict[str, list[Mismatch]]:
        """Why a playbook's other rules did not match, by kind."""
        named = {kind: self.mismatches.get(f"{playbook}-{kind}") for kind in RULES}
        return {kind: why for kind, why in named.items() if why}


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went; ``seconds`` are real ones."""

    case: Case
    failures: tuple[Failure, ...]
    seen: Seen
    seconds: float

    @property
    def passed(self) -> bool:
        """All that it expects is so."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Bench:
    """Where dry runs are made: this process's wires and a stage's playbooks."""

    wires: wires.Wires
    project: Project
    variants: Variants
    stage: str
    place: Place
    _stacks: dict[tuple[str, ...], Plan] = field(default_factory=dict)

    def world(
        self,
        sources: Sequence[Source],
        start: float,
        *,
        language: str = "",
        params: dict[str, Any] | None = None,
    ) -> World:
        """A new deployment of these playbooks."""
        compiled = {
            source.name: (
                source,
                self.variants.folder(source, language=language, params=params),
            )
            for source in sources
        }
        return World(
            self.wires,
            self.project,
            compiled,
            self._stack(sources),
            place=self.place,
            stage=self.stage,
            start=start,
        )

    def _stack(self, sources: Sequence[Source]) -> Plan:
        """Read once for the same playbooks: nothing changes it."""
        names = tuple(source.name for source in sources)
        if names not in self._stacks:
            self._stacks[names] = stack(sources, self.place, self.stage, self.project.connections)
        return self._stacks[names]


@contextmanager
def bench(project: Project, stage: str, place: Place = HOME) -> Iterator[Bench]:
    """A bench, whose wires are laid until the end."""
    given = environment.variables(
        host(place), name="", handler="", memory_mb=256, directory="", log_stream="", template={}
    )
    with (
        TemporaryDirectory(prefix="hub-responder-dry-") as folder,
        wires.installed(given) as installed,
    ):
        yield Bench(installed, project, Variants(project, Path(folder)), stage, place)


def run(case: Case, where: Bench) -> Result:
    """Run one case; nothing is left of it."""
    began = time.perf_counter()
    seen = Seen()
    try:
        _run(case, where, seen)
        failures = judge(case, seen)
    except (stimuli.CannotMake, EstateError, ValueError, Restless) as error:
        failures = [Failure("the case", "to be run", str(error))]
    return Result(case, tuple(failures), seen, time.perf_counter() - began)


def _run(case: Case, where: Bench, seen: Seen) -> None:
    given, source = case.given, case.source
    event = stimuli.event_of(case.stimulus, source, where.place, tags=given.tags, at=given.time)
    at = given.time if given.time is not None else stimuli.time_of(event)
    findings, held = stimuli.findings_of(event), list[dict[str, Any]]()
    if event is None:
        held = stimuli.of_insight(case.stimulus, source, where.place, tags=given.tags)
        findings = stimuli.decoded(held)
    past = _past(case, where, event, at)
    first = min([at, *(when for when, _, _ in past)])
    world = where.world([source], first, language=case.language, params=given.params)
    try:
        world.answers |= given.answers
        givens.furnish(world, given, findings)
        for when, earlier_event, closed_as in past:
            world.clock.advance_to(when)
            world.put(earlier_event)
            world.drain()
            if closed_as:
                earlier_findings = stimuli.findings_of(earlier_event)
                givens.remember(world, earlier_findings, closed_as, when)
        world.clock.advance_to(at)
        if event is None:
            world.hold(source, held)
            start(world, source.name, seen)
        else:
            put(world, event, findings, seen)
    finally:
        world.close()


def _past(
    case: Case, where: Bench, event: Mapping[str, Any] | None, at: float
) -> list[tuple[float, dict[str, Any], str]]:
    """What is handled before, in the order of time: when, the event, as what it was closed."""
    found: list[tuple[float, dict[str, Any], str]] = []
    number = 0
    for one in case.given.earlier:
        model = _model(case, one, where, event)
        for back in range(one.times):
            number += 1
            when = at - one.ago - back * _APART_S
            found.append((when, stimuli.again(model, number, when), one.closed_as))
    return sorted(found, key=lambda item: item[0])


def _model(
    case: Case, one: Earlier, where: Bench, event: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """The event that was handled earlier: one of its own, or the case's, with its changes."""
    own = one.stimulus
    if own.event is None:
        if event is None:
            raise stimuli.CannotMake("`earlier` needs an `event`: the case itself has none")
        own = type(own)(dict(event), own.finding, own.trigger, own.place)
    made = stimuli.event_of(own, case.source, where.place, tags=case.given.tags, at=None)
    if made is None:
        raise stimuli.CannotMake("`earlier` cannot be a schedule's run")
    return made


def put(world: World, event: Mapping[str, Any], findings: Sequence[Finding], seen: Seen) -> None:
    """Put an event on the bus, and take what comes of it into ``seen``.

    Raises:
        Restless: it does not come to an end.
    """
    seen.rules = world.put(event)
    seen.mismatches = {
        name: explain(pattern, event)
        for name, pattern in world.patterns().items()
        if name not in seen.rules
    }
    _drain(world, [finding.id for finding in findings], seen)


def start(world: World, playbook: str, seen: Seen) -> None:
    """Let the schedule of ``playbook`` start it, and take what comes of it into ``seen``.

    Raises:
        ControlError: it has none.
        Restless: it does not come to an end.
    """
    world.start(playbook)
    seen.rules = [f"{playbook}-schedule"]
    _drain(world, [], seen)


def _drain(world: World, finding_ids: Sequence[str], seen: Seen) -> None:
    before, happened = world.records(), world.happened
    calls, deliveries = len(happened.calls), len(happened.deliveries)
    refused, crashes = len(happened.refused), len(happened.crashes)
    try:
        world.drain()
    finally:
        seen.records = [dict(record) for record in added(before, world.records())]
        seen.calls = happened.calls[calls:]
        seen.deliveries = happened.deliveries[deliveries:]
        seen.refused = happened.refused[refused:]
        seen.crashes = happened.crashes[crashes:]
        seen.tickets = world.tickets()
        ids = [*finding_ids]
        ids += [name for record in seen.records for name in record.get("findings", ())]
        held = {name: world.finding(name) for name in dict.fromkeys(ids)}
        seen.findings = {name: finding for name, finding in held.items() if finding}
