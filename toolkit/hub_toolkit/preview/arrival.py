"""What a preview starts from: an event with what Vision One answers, or a case of the playbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub_responder.identifiers import ACCOUNT, REGION
from hub_toolkit.dry import givens, stimuli
from hub_toolkit.dry.trial import HOME, start
from hub_toolkit.sandbox import estate
from hub_toolkit.sandbox.identifiers import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub_responder.finding import Finding
    from hub_toolkit.dry.cases import Case, Given
    from hub_toolkit.dry.trial import Seen
    from hub_toolkit.dry.world import World
    from hub_toolkit.playbooks.format import Source


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrives, when and where.

    Attributes:
        event: None: the playbook's schedule starts it, with the findings of ``held``.
        given: the world around; None: the sandbox's invented estate.
        place: the account and region that the event says; None: the usual one.
        language: of the case's messages, or empty.
    """

    event: Mapping[str, Any] | None
    time: float
    findings: Sequence[Finding]
    given: Given | None
    place: Place | None = None
    held: Sequence[dict[str, Any]] = ()
    params: dict[str, Any] = field(default_factory=dict)
    language: str = ""

    def furnish(self, world: World) -> None:
        """Make what is given.

        Raises:
            EstateError, ValueError: it cannot be.
        """
        if self.given is None:
            known = estate.load()
            known.furnish(world.simulators.vision_ones, world.simulators.workload_securities)
            known.provide(world.core.members)
            return
        world.answers |= self.given.answers
        givens.furnish(world, self.given, self.findings)

    def begin(self, world: World, source: Source, seen: Seen) -> None:
        """Let the schedule start the playbook."""
        world.hold(source, self.held)
        start(world, source.name, seen)


def of_event(event: Mapping[str, Any], given: Given | None) -> Arrival:
    """An event as it stands."""
    account, region = str(event.get("account", "")), str(event.get("region", ""))
    place = Place(
        HOME.stack,
        account if ACCOUNT.fullmatch(account) else HOME.account,
        region if REGION.fullmatch(region) else HOME.region,
        HOME.endpoint,
    )
    return Arrival(event, stimuli.time_of(event), stimuli.findings_of(event), given, place)


def of_case(case: Case) -> Arrival:
    """What a case of the playbook says.

    Raises:
        CannotMake: its trigger does not fit.
    """
    given = case.given
    event = stimuli.event_of(case.stimulus, case.source, HOME, tags=given.tags, at=given.time)
    held: list[dict[str, Any]] = []
    findings = stimuli.findings_of(event)
    if event is None:
        held = stimuli.of_insight(case.stimulus, case.source, HOME, tags=given.tags)
        findings = stimuli.decoded(held)
    at = given.time if given.time is not None else stimuli.time_of(event)
    return Arrival(
        event, at, findings, given, held=held, params=given.params, language=case.language
    )
