"""The sources that the archive's function copies its events to: one for each class of events."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from hub_responder.archive.lake import SOURCES
from hub_responder.archive.layout import SOURCES as CLASSES
from hub_toolkit.lake.custom import MAX_NAME, CustomSources, Trouble, check_role
from hub_toolkit.lake.kept import Kept, Wanted
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.stack import Stack
    from hub_toolkit.trail.operator import Operator

PREFIX = "hub-responder"
_NAMED: dict[int, tuple[str, ...]] = {6003: ("API_ACTIVITY",)}
"""Classes that Security Lake has a name for; it has none for incidents and remediations, and asks
for none ("CreateCustomLogSource", eventClasses)."""
_PREFIX = re.compile(rf"[A-Za-z0-9][\w.-]{{0,{MAX_NAME - 6}}}", re.ASCII)


class Registered(msgspec.Struct, frozen=True):
    """A source: ``new``: this command made it."""

    name: str
    class_uid: int
    location: str
    new: bool


class Standing(msgspec.Struct, frozen=True):
    """How a source is.

    Attributes:
        phase: wanted, active or ending. there: whether Security Lake has it.
        last_key, delivered_at: the last object that was delivered; empty: none was.
        failure, failing_since: why deliveries fail; empty: they do not.
    """

    name: str
    class_uid: int
    phase: str
    there: bool
    location: str
    table: str
    last_key: str
    delivered_at: str
    next_hour: str
    failure: str
    failing_since: str

    @property
    def wrong(self) -> bool:
        """Whether somebody must look."""
        return bool(self.failure) or not self.there or self.phase != "active"


class Status(msgspec.Struct, frozen=True):
    """The sources, and what Security Lake says is wrong in the region."""

    sources: Sequence[Standing]
    troubles: Sequence[Trouble]


class Own:
    """The sources of one stack.

    Raises:
        DeploymentError: here and in all methods: something cannot be asked, or refuses.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sources = CustomSources(stack)
        self._kept = Kept(stack, SOURCES, self._sources)

    def register(
        self, prefix: str, crawler_role: str, why: str, operator: Operator
    ) -> list[Registered]:
        """Make the sources; those that are there stay as they are.

        Args:
            prefix: of their names, which end with the class, as ``hub-responder-7001``.
            crawler_role: the ARN of the role of the Glue crawlers.

        Raises:
            TakenError: a name is taken by somebody else's source; nothing was made.
        """
        if not _PREFIX.fullmatch(prefix):
            raise DeploymentError(
                f"--name takes 1 to {MAX_NAME - 5} of a-z, A-Z, 0-9, '_', '.' and '-': Security"
                f" Lake takes {MAX_NAME}, of which -7001 are 5"
            )
        check_role(crawler_role)
        self._sources.check_lake()
        account = str(self._stack.call("sts", "get_caller_identity")["Account"])
        wanted = [
            Wanted(
                key=str(uid),
                name=f"{prefix}-{uid}",
                classes=_NAMED.get(uid, ()),
                principal=account,
                external_id=secrets.token_hex(16),
                crawler_role=crawler_role,
            )
            for uid in CLASSES
        ]
        self._kept.check(wanted)
        made = [self._kept.make(one, why, operator) for one in wanted]
        return [Registered(one.name, int(one.key), one.location, new) for one, new in made]

    def status(self) -> Status:
        """The sources and how far their deliveries are."""
        held = self._kept.held().values()
        return Status(
            [
                Standing(
                    name=one.name,
                    class_uid=int(one.key),
                    phase=one.phase,
                    there=self._sources.find(one.name) is not None,
                    location=one.location,
                    table=one.table_arn.rpartition("/")[2],
                    last_key=one.last_key,
                    delivered_at=one.delivered_at,
                    next_hour=one.next_hour,
                    failure=one.failure,
                    failing_since=one.failing_since,
                )
                for one in held
            ],
            self._sources.troubles() if held else [],
        )

    def unregister(self, why: str, operator: Operator) -> list[str]:
        """Stop the copies and delete the sources; their names. What was delivered stays."""
        return self._kept.end(why, operator)
