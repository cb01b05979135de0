"""A source in Security Lake and what the ledger keeps of it.

Both are written in an order that lets a command that died be given again: the item before the
source, and the item's end after the source's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hub_responder.archive import lake
from hub_toolkit.lake.custom import Made, TakenError, is_definite, taken
from hub_toolkit.pausing.pausing import RECORDED, TABLE
from hub_toolkit.stack import DeploymentError

if TYPE_CHECKING:
    from hub_toolkit.lake.custom import CustomSources
    from hub_toolkit.stack import Stack
    from hub_toolkit.trail.operator import Operator


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source that is to be there: see `CustomSources.create`; ``key`` is its own here."""

    key: str
    name: str
    classes: Sequence[str]
    principal: str
    external_id: str
    crawler_role: str


class Kept:
    """The sources of one partition of the ledger.

    Raises:
        DeploymentError: here and in all methods: the deployment cannot be asked.
    """

    def __init__(self, stack: Stack, partition: str, sources: CustomSources) -> None:
        self._stack = stack
        self._partition = partition
        self._sources = sources
        self._table = stack.table(TABLE)

    def held(self) -> dict[str, lake.Source]:
        """What is kept, by key."""
        request = lake.query(self._table, self._partition)
        answer = self._stack.call("dynamodb", "query", **request)
        return {one.key: one for one in map(lake.read, answer["Items"])}

    def check(self, wanted: Sequence[Wanted]) -> None:
        """Make sure that all of it can be made, before any is.

        Raises:
            TakenError: there is a source of such a name that is not ours.
            DeploymentError: one is kept by another name, or is being removed.
        """
        held = self.held()
        for one in wanted:
            source = held.get(one.key)
            if source is None and self._sources.find(one.name) is not None:
                raise TakenError(taken(one.name))
            if source is not None and source.phase == lake.ENDING:
                text = f"{source.name} is being removed: run unregister again first"
                raise DeploymentError(text)
            if source is not None and source.name != one.name:
                text = f"{one.key} is registered as {source.name}: unregister it first"
                raise DeploymentError(text)

    def make(self, wanted: Wanted, why: str, operator: Operator) -> tuple[lake.Source, bool]:
        """The source as it is kept, made where it is not there; and whether it was not.

        Raises:
            TakenError: somebody else made one of that name meanwhile.
        """
        source = self.held().get(wanted.key)
        if source is not None and source.phase == lake.ACTIVE:
            return source, False
        if source is None:
            source = lake.Source(wanted.key, wanted.name, wanted.external_id)
            detail = f"Security Lake source {source.name}"
            operator.record(RECORDED, "registered", [self._new(source)], detail=detail, why=why)
            made = self._create(source, wanted)
        else:  # a command died: it may have made the source
            made = self._sources.find(source.name) or self._again(source, wanted)
        active = replace(
            source,
            phase=lake.ACTIVE,
            location=made.location,
            role_arn=made.role_arn,
            table_arn=made.table_arn,
        )
        self.put(active)
        return active, True

    def end(
        self, why: str, operator: Operator, first: Callable[[lake.Source], None] | None = None
    ) -> list[str]:
        """Delete all sources of the partition; their names.

        Args:
            first: called with each, after nothing is copied to it any more and before it goes.
        """
        return [self.end_one(one, why, operator, first) for one in self.held().values()]

    def end_one(
        self,
        source: lake.Source,
        why: str,
        operator: Operator,
        first: Callable[[lake.Source], None] | None = None,
    ) -> str:
        """Delete one source; its name."""
        if source.phase != lake.ENDING:
            ending = replace(source, phase=lake.ENDING)
            detail = f"Security Lake source {source.name}"
            operator.record(RECORDED, "unregistered", [self._put(ending)], detail=detail, why=why)
        if first is not None:
            first(source)
        self._sources.delete(source.name)
        self._remove(source)
        return source.name

    def put(self, source: lake.Source) -> None:
        """Keep a source as it is now."""
        item = lake.item_of(self._partition, source)
        self._stack.call("dynamodb", "put_item", TableName=self._table, Item=item)

    def _create(self, source: lake.Source, wanted: Wanted, *, again: bool = False) -> Made:
        try:
            return self._sources.create(
                source.name,
                wanted.classes,
                principal=wanted.principal,
                external_id=source.external_id,
                crawler_role=wanted.crawler_role,
            )
        except DeploymentError as error:
            if is_definite(error) and not (again and isinstance(error, TakenError)):
                self._remove(source)
            raise

    def _again(self, source: lake.Source, wanted: Wanted) -> Made:
        """As `_create`, for one that may be there and was not listed yet."""
        try:
            return self._create(source, wanted, again=True)
        except TakenError:
            made = self._sources.find(source.name)
            if made is None:
                raise
            return made

    def _new(self, source: lake.Source) -> dict[str, Any]:
        put = self._put(source)
        put["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
        return put

    def _put(self, source: lake.Source) -> dict[str, Any]:
        item = lake.item_of(self._partition, source)
        return {"Put": {"TableName": self._table, "Item": item}}

    def _remove(self, source: lake.Source) -> None:
        key = lake.key_of(self._partition, source.key)
        self._stack.call("dynamodb", "delete_item", TableName=self._table, Key=key)
