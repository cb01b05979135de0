"""The sources that Trend delivers to: one in Security Lake, then its registration at Trend.

Where the second half fails the first one stays, and the same command goes on from there; to
unregister takes both back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from hub_responder.archive.delivery import placed
from hub_responder.archive.lake import TREND
from hub_responder.errors import CallError
from hub_toolkit.lake.custom import CustomSources, check_role
from hub_toolkit.lake.kept import Kept, Wanted
from hub_toolkit.lake.trend import ACCOUNT, CLASSES
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_responder.archive.lake import Source
    from hub_toolkit.lake.trend import Registration, Registrations
    from hub_toolkit.stack import Stack
    from hub_toolkit.trail.operator import Operator

_TENANT = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
"""What Security Lake takes as an external id."""


class Delivered(msgspec.Struct, frozen=True):
    """An event class.

    Attributes:
        source: our custom source; empty: this stack made none. location: where it lies.
        registered: whether Trend has it. registration: its id there.
    """

    event_class: str
    source: str
    location: str
    registered: bool
    registration: str


class Deliveries:
    """Trend's deliveries to the lake of one stack.

    Raises:
        DeploymentError: here and in all methods: something cannot be asked, or refuses.
    """

    def __init__(self, stack: Stack, registrations: Registrations) -> None:
        self._sources = CustomSources(stack)
        self._kept = Kept(stack, TREND, self._sources)
        self._registrations = registrations

    def register(
        self, classes: Sequence[str], tenant: str, crawler_role: str, why: str, operator: Operator
    ) -> list[Delivered]:
        """Let Trend deliver these event classes; those that it delivers already stay so.

        Args:
            tenant: the tenant's id, the external id of the sources' roles.
            crawler_role: the ARN of the role of the Glue crawlers.
        """
        if not _TENANT.fullmatch(tenant):
            raise DeploymentError("--tenant takes 2 to 1,224 of letters, digits and +=,.@:/-_")
        check_role(crawler_role)
        self._sources.check_lake()
        known = self._registrations.listed()  # the key is valid, before anything is made
        wanted = [
            Wanted(one, CLASSES[one][0], CLASSES[one][1:], ACCOUNT, tenant, crawler_role)
            for one in dict.fromkeys(classes)
        ]
        self._kept.check(wanted)
        self._check_tenant(wanted)
        return [self._one(one, known, why, operator) for one in wanted]

    def listed(self) -> list[Delivered]:
        """Our sources and Trend's registrations, together."""
        held = self._kept.held()
        told = {one.event_class: one for one in self._registrations.listed()}
        return [
            Delivered(
                event_class=name,
                source=held[name].name if name in held else "",
                location=held[name].location if name in held else _location(told[name]),
                registered=name in told,
                registration=told[name].id if name in told else "",
            )
            for name in sorted({*held, *told})
        ]

    def unregister(self, classes: Sequence[str], why: str, operator: Operator) -> list[str]:
        """End the deliveries of event classes, of all if none is named; the sources' names."""
        held = self._kept.held()
        told = self._registrations.listed()

        def first(source: Source) -> None:
            for one in told:
                if not self._is_ours(one, source):
                    continue
                if not one.id:
                    text = f"Trend names no id for {one.event_class}: remove it at Trend first"
                    raise DeploymentError(text)
                self._registrations.delete(one.id)

        meant = [one for name, one in held.items() if not classes or name in classes]
        return [self._kept.end_one(one, why, operator, first) for one in meant]

    def _check_tenant(self, wanted: Sequence[Wanted]) -> None:
        held = self._kept.held()
        for one in wanted:
            source = held.get(one.key)
            if source is not None and source.external_id != one.external_id:
                text = f"{source.name} was made for another tenant: unregister it first"
                raise DeploymentError(text)

    def _one(
        self, wanted: Wanted, known: Sequence[Registration], why: str, operator: Operator
    ) -> Delivered:
        source, _ = self._kept.make(wanted, why, operator)
        found = next((one for one in known if self._is_ours(one, source)), None)
        if found is None:
            found = self._registered(source)
        if found.id != source.registration:
            self._kept.put(replace(source, registration=found.id))
        return Delivered(source.key, source.name, source.location, True, found.id)

    def _registered(self, source: Source) -> Registration:
        try:
            bucket, prefix = placed(source.location)
            return self._registrations.register(source.key, bucket, prefix, source.role_arn)
        except (DeploymentError, CallError) as error:
            raise DeploymentError(
                f"{error}\nThe custom source {source.name} is there, and Trend does not know of it:"
                " give the same command again, or unregister it"
            ) from error

    @staticmethod
    def _is_ours(one: Registration, source: Source) -> bool:
        if one.id and one.id == source.registration:
            return True
        return one.event_class == source.key and one.role_arn == source.role_arn != ""


def _location(one: Registration) -> str:
    return f"s3://{one.bucket}/{one.prefix}" if one.bucket else ""
