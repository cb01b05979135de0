"""Instances now, by the code that playbooks run: EC2 says what they are, Vision One the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import aws, member
from hub_responder.actions import check_coverage, enrich_ec2
from hub_responder.connections.resolve import Connection
from hub_responder.deadline import Deadline
from hub_responder.errors import HubResponderError
from hub_responder.finding import INSTANCE, Resource
from hub_responder.instances import described, resource_of
from hub_responder.vision_one import clues, wording
from hub_responder.vision_one.asking import Question
from hub_responder.vision_one.coverage import Coverage
from hub_toolkit.acting import as_operator, led
from hub_toolkit.inventory.past import Seen, seen
from hub_toolkit.inventory.reading import DamagedError, Reader
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.inventory.place import Place

MOST = 100
"""Instances that are asked about at once; EC2 takes 200 values of a filter."""
ANSWER_WITHIN_S = 90.0
_INSTANCE_ID = re.compile(r"m?i-[0-9a-f]{8,17}")
_WILD = re.compile(r"([*?\\])")
"""What a filter of EC2 takes for a pattern, unless a backslash stands before it."""


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """One instance as it is.

    Attributes:
        state: what EC2 says of it, as ``running``; empty where EC2 does not know it, None where it
            was not asked.
        coverage: the verdict by the usual demand: contact within 24 hours.
    """

    instance: str
    account: str = ""
    region: str = ""
    name: str = ""
    state: str | None = None
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found of everything that was asked for.

    Attributes:
        found: by what was asked for; several where a name is that of several.
        missing: names that neither EC2 nor the last snapshot knows.
        notes: what could not be asked, and why.
    """

    found: Mapping[str, Sequence[Now]]
    missing: Sequence[str]
    notes: Sequence[str]

    @property
    def whole(self) -> bool:
        """All that was asked for has a verdict."""
        told = [one.coverage.verdict for some in self.found.values() for one in some]
        return not self.missing and "UNKNOWN" not in told


@dataclass(frozen=True, slots=True)
class _Known:
    """An instance; ``described`` is what ``enrich.ec2`` tells, which the agent is recognized by."""

    resource: Resource
    state: str | None
    described: Mapping[str, Any] = field(default_factory=dict)


def ask(place: Place, asked: Sequence[str], account: str = "") -> Answer:
    """The coverage of instances, by their id or name; in ``account`` where one is given."""
    deadline = Deadline.after(ANSWER_WITHIN_S)
    with as_operator(place.endpoint, place.stack.region, place.sandbox):
        lookup = _Lookup(place, account, deadline)
        known = lookup.known(asked)
        questions = [
            Question(clues.of(one.resource, one.described), clicked=True)
            for some in known.values()
            for one in some
        ]
        connections = led(place.project.connections.connections, place.sandbox)
        settings = connections[place.connection]
        coverages = iter(
            check_coverage.judged(
                questions,
                check_coverage.Params(connection=place.connection),
                Connection(place.connection, str(settings["type"]), settings),
                connections,
                stage=place.stage,
                deadline=deadline,
            )
        )
        found = {
            each: [_now(one, next(coverages), place) for one in some]
            for each, some in known.items()
        }
    return Answer(
        found={each: some for each, some in found.items() if some},
        missing=[each for each, some in found.items() if not some],
        notes=lookup.notes,
    )


def _now(known: _Known, coverage: Coverage, place: Place) -> Now:
    resource, settings = known.resource, place.project.settings
    said = wording.summary(
        coverage, resource, language=settings.language, timezone=settings.timezone
    )
    return Now(
        instance=resource.instance_id,
        account=resource.account,
        region=resource.region,
        name=resource.name,
        state=known.state,
        coverage=msgspec.structs.replace(coverage, summary=said),
    )


@dataclass(slots=True)
class _Lookup:
    """What the instances are: EC2 tells, in this account and where the last snapshot saw them."""

    place: Place
    account: str
    deadline: Deadline
    notes: list[str] = field(default_factory=list)
    answered: set[tuple[str, str]] = field(default_factory=set)
    """The accounts and regions where EC2 answered."""

    def known(self, asked: Sequence[str]) -> dict[str, list[_Known]]:
        """What is known of each; an id that nobody knows is asked about as it is."""
        rows = self._in_snapshot(asked)
        told = self._in_ec2(asked, rows)
        found: dict[str, list[_Known]] = {}
        for each in asked:
            ids = [row.instance for row in rows if each.lower() in row.names]
            ids += [id_ for id_, one in told.items() if each == one.resource.name]
            ids += [each.lower()] if _INSTANCE_ID.fullmatch(each.lower()) else []
            found[each] = [told.get(id_) or self._untold(id_, rows) for id_ in dict.fromkeys(ids)]
        return found

    def _untold(self, instance: str, rows: Sequence[Seen]) -> _Known:
        """An instance that EC2 does not tell of, as the last snapshot has it."""
        row = next((row for row in rows if row.instance == instance), None)
        resource = Resource(
            type=INSTANCE,
            id=instance,
            instance_id=instance,
            account=row.account if row else self.account,
            region=row.region if row else "",
            tags={"Name": row.name} if row and row.name else {},
        )
        place = (row.account, row.region) if row else None
        was_asked = place in self.answered if place else bool(self.answered)
        return _Known(resource, "" if was_asked else None)

    def _in_snapshot(self, asked: Sequence[str]) -> list[Seen]:
        """Where the last snapshot has them; without a history, EC2 and Vision One can still say."""
        try:
            history = self.place.history()
            last = next(
                (one for one in history.latest() if one.connection == self.place.connection), None
            )
            if last is None:
                return []
            with Reader(history, [last]) as reader:
                return seen(reader, last, asked, self.account)
        except (DeploymentError, DamagedError) as error:
            self.notes.append(f"the history was not looked into: {error}")
            return []

    def _in_ec2(self, asked: Sequence[str], rows: Sequence[Seen]) -> dict[str, _Known]:
        ids = [each.lower() for each in asked if _INSTANCE_ID.fullmatch(each.lower())]
        ids = list(dict.fromkeys([*ids, *(row.instance for row in rows)]))
        names = [_WILD.sub(r"\\\1", each) for each in asked if each.lower() not in ids]
        wanted = [
            [{"Name": filter_, "Values": values}]
            for filter_, values in (("instance-id", ids), ("tag:Name", names))
            if values
        ]
        told: dict[str, _Known] = {}
        for account, region in self._places(rows):
            try:
                for filters in wanted:
                    told |= self._described(account, region, filters)
                self.answered.add((account, region))
            except HubResponderError as error:
                self.notes.append(f"EC2 in {account} {region} was not asked: {error}")
        return told

    def _places(self, rows: Sequence[Seen]) -> list[tuple[str, str]]:
        """This account and region, and where the last snapshot saw the instances."""
        region = self.place.stack.region
        try:
            own = member.own_account(self.deadline)
        except HubResponderError as error:
            self.notes.append(f"EC2 was not asked: {error}")
            return []
        here = (self.account or own, region)
        return list(dict.fromkeys([here, *((row.account, row.region) for row in rows)]))

    def _described(
        self, account: str, region: str, filters: Sequence[Mapping[str, Any]]
    ) -> dict[str, _Known]:
        """The instances of a place that the filters name.

        Raises:
            HubResponderError: EC2 cannot be asked.
        """
        role = self.place.project.settings.member_role
        target = f"ec2.DescribeInstances in {account} {region}"
        told: dict[str, _Known] = {}
        client = member.client("ec2", account, region, role=role, deadline=self.deadline)
        try:
            for item in described(client, filters, target, self.deadline):
                resource = resource_of(item, (account, region), str(client.meta.partition))
                result = enrich_ec2.result_of(item)
                described_as = msgspec.to_builtins(result)
                told[resource.instance_id] = _Known(resource, result.state, described_as)
        except aws.ERRORS as error:
            raise aws.translate(error, target) from error
        return told
