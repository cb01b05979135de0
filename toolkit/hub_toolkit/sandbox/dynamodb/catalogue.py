"""The tables that exist, by name or ARN."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hub_toolkit.sandbox.dynamodb.errors import DynamoDBError, not_found
from hub_toolkit.sandbox.dynamodb.requests import bad_member, text
from hub_toolkit.sandbox.dynamodb.table import Table

_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_MAX_NAME = 255


class Catalogue:
    """The tables of one account in one region; ``clock``: epoch seconds."""

    def __init__(self, region: str, account: str, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._prefix = f"arn:aws:dynamodb:{region}:{account}:table/"
        self._tables: dict[str, Table] = {}

    def __iter__(self) -> Iterator[Table]:
        return iter(self._tables.values())

    def arn(self, name: str) -> str:
        """The ARN of a table's name."""
        return self._prefix + name

    def find(self, name: str) -> Table:
        """The table with a name or an ARN."""
        table = self._tables.get(name.removeprefix(self._prefix))
        if table is None:
            raise not_found()
        return table

    def of(self, request: dict[str, Any]) -> Table:
        """The table of a request's ``TableName``."""
        return self.find(table_name(request))

    def add(self, table: Table) -> None:
        """Take a new table in."""
        if table.name in self._tables:
            raise DynamoDBError("ResourceInUseException", f"Table already exists: {table.name}")
        self._tables[table.name] = table

    def remove(self, table: Table) -> None:
        """Forget a table and its items."""
        del self._tables[table.name]


def table_name(request: dict[str, Any]) -> str:
    """A request's ``TableName``, a name or an ARN."""
    name = text(request, "TableName")
    if not name:
        raise bad_member(name, "tableName", "Member must have length greater than or equal to 1")
    if name.startswith("arn:"):
        return name
    if len(name) > _MAX_NAME:
        raise bad_member(name, "tableName", "Member must have length less than or equal to 255")
    if not _NAME.fullmatch(name):
        raise bad_member(
            name,
            "tableName",
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        )
    return name
