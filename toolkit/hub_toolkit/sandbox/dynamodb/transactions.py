"""TransactWriteItems and TransactGetItems.

The store runs one call at a time, so a transaction sees and leaves one state: all conditions are
checked first, and only if all hold is anything changed.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any, get_args

import msgspec

from hub_toolkit.sandbox.dynamodb.actions import Action, Kind, store
from hub_toolkit.sandbox.dynamodb.catalogue import Catalogue, table_name
from hub_toolkit.sandbox.dynamodb.errors import (
    CONDITION_FAILED,
    DynamoDBError,
    cancelled,
    invalid,
)
from hub_toolkit.sandbox.dynamodb.items import read_projection, shown
from hub_toolkit.sandbox.dynamodb.keys import Key
from hub_toolkit.sandbox.dynamodb.requests import (
    as_mapping,
    bad_member,
    mapping,
    optional_text,
    refuse_legacy,
    transact_items,
)
from hub_toolkit.sandbox.dynamodb.table import Record, Table
from hub_toolkit.sandbox.dynamodb.values import normalise_item

MAX_TRANSACTION = 4 * 1024 * 1024
"""Bytes of all items of a transaction."""
TOKEN_SECONDS = 600.0
"""How long a client token is remembered."""
_MAX_TOKEN = 36
_KINDS: tuple[Kind, ...] = get_args(Kind)
_NO_REASON = {"Code": "None"}


class Tokens:
    """The client tokens of the transactions that succeeded in the last ten minutes."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def repeats(self, token: str, digest: bytes, now: float) -> bool:
        """Whether this very transaction was carried out under the token.

        Raises:
            DynamoDBError: another transaction was.
        """
        while self._seen and next(iter(self._seen.values()))[0] <= now - TOKEN_SECONDS:
            self._seen.popitem(last=False)
        seen = self._seen.get(token)
        if seen is not None and seen[1] != digest:
            # The real text is not documented.
            raise DynamoDBError(
                "IdempotentParameterMismatchException",
                "The request used the client token of another request with different parameters.",
            )
        return seen is not None

    def remember(self, token: str, digest: bytes, now: float) -> None:
        """The transaction was carried out."""
        self._seen[token] = (now, digest)


def transact_write_items(
    catalogue: Catalogue, tokens: Tokens, now: float, request: dict[str, Any]
) -> dict[str, Any]:
    """Carry out all actions, or none."""
    token = optional_text(request, "ClientRequestToken")
    if token is not None and len(token) > _MAX_TOKEN:
        constraint = f"Member must have length less than or equal to {_MAX_TOKEN}"
        raise bad_member(token, "clientRequestToken", constraint)
    actions = [_read_action(item) for item in transact_items(request)]
    digest = _digest(request["TransactItems"])
    if token is not None and tokens.repeats(token, digest, now):
        return {}
    places = _places(catalogue, actions)
    results = _results(actions, places)
    for (table, key), action, new in zip(places, actions, results, strict=True):
        if action.kind != "ConditionCheck":
            store(table, key, new)
    if token is not None:
        tokens.remember(token, digest, now)
    return {}


def transact_get_items(catalogue: Catalogue, request: dict[str, Any]) -> dict[str, Any]:
    """Items as they are at one moment, in the order asked for; ``{}`` for one that is not there."""
    gets = []
    for item in transact_items(request):
        if item.keys() != {"Get"}:
            raise bad_member(None, "transactItems.member.get", "Member must not be null")
        get = mapping(item, "Get")
        refuse_legacy(get, ("AttributesToGet",))
        gets.append((table_name(get), normalise_item(mapping(get, "Key")), read_projection(get)))
    tables = [catalogue.find(name) for name, _, _ in gets]
    for table, (_, attributes, _) in zip(tables, gets, strict=True):
        table.schema.refuse_empty(attributes)
    reasons, records = [], []
    for table, (_, attributes, _) in zip(tables, gets, strict=True):
        reason, record = _NO_REASON, None
        try:
            record = table.get(table.schema.of_key(attributes))
        except DynamoDBError as error:
            reason = _validation_reason(error)
        reasons.append(reason)
        records.append(record)
    _refuse_reasons(reasons)
    _refuse_repeated(
        [
            (table, table.schema.of_key(attributes))
            for table, (_, attributes, _) in zip(tables, gets, strict=True)
        ]
    )
    _refuse_large(sum(record.size for record in records if record))
    return {
        "Responses": [
            {} if record is None else {"Item": shown(record.item, paths)}
            for record, (_, _, paths) in zip(records, gets, strict=True)
        ]
    }


def _read_action(item: dict[str, Any]) -> Action:
    kinds = [kind for kind in _KINDS if item.get(kind) is not None]
    if len(kinds) != 1 or len(item) != 1:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    return Action.read(kinds[0], as_mapping(item[kinds[0]]))


def _places(catalogue: Catalogue, actions: list[Action]) -> list[tuple[Table, Key]]:
    """The table and key of each action."""
    tables = [catalogue.find(action.table_name) for action in actions]
    for table, action in zip(tables, actions, strict=True):
        action.refuse_empty_key(table)
    places, reasons = [], []
    for table, action in zip(tables, actions, strict=True):
        try:
            places.append((table, action.key(table)))
            reasons.append(_NO_REASON)
        except DynamoDBError as error:
            reasons.append(_validation_reason(error))
    _refuse_reasons(reasons)
    _refuse_repeated(places)
    return places


def _results(actions: list[Action], places: list[tuple[Table, Key]]) -> list[Record | None]:
    """What each action leaves behind, if all conditions hold.

    The size that counts toward 4 MB is a guess: the larger of the item before and after.
    """
    results: list[Record | None] = []
    reasons, size = [], 0
    for (table, key), action in zip(places, actions, strict=True):
        old = table.get(key)
        new, reason = _result(action, old)
        results.append(new)
        reasons.append(reason)
        size += max(old.size if old else 0, new.size if new else 0)
    _refuse_large(size)
    _refuse_reasons(reasons)
    return results


def _result(action: Action, old: Record | None) -> tuple[Record | None, dict[str, Any]]:
    if not action.allows(old):
        shown = {"Item": old.item} if action.shows_failed and old is not None else {}
        return None, {"Code": "ConditionalCheckFailed", "Message": CONDITION_FAILED, **shown}
    try:
        return action.result(old), _NO_REASON
    except DynamoDBError as error:
        return None, _validation_reason(error)


def _validation_reason(error: DynamoDBError) -> dict[str, Any]:
    return {"Code": "ValidationError", "Message": error.message}


def _refuse_reasons(reasons: list[dict[str, Any]]) -> None:
    if any(reason is not _NO_REASON for reason in reasons):
        raise cancelled(reasons)


def _refuse_repeated(places: list[tuple[Table, Key]]) -> None:
    if len({(table.name, key) for table, key in places}) != len(places):
        raise invalid("Transaction request cannot include multiple operations on one item")


def _refuse_large(size: int) -> None:
    """The real text is not documented."""
    if size > MAX_TRANSACTION:
        raise invalid("The aggregate size of the items in the transaction cannot exceed 4 MB")


def _digest(items: list[Any]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(items, order="sorted")).digest()
