"""The ledger as who follows tickets reads it, and the little that is written there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hub_responder import aws
from hub_responder.errors import TransientError
from hub_responder.ledger import keys, pointers
from hub_responder.ledger.pointers import Pointer
from hub_responder.ledger.state import Item, Member, State, read_member, read_state

_CURSOR = {"pk": {"S": "sync#cursor"}, "sk": {"S": keys.INCIDENT}}


@dataclass(frozen=True, slots=True)
class Held:
    """An incident with its findings, and when the ledger forgets it (epoch seconds)."""

    state: State
    members: Sequence[Member]
    expires: float


class Store:
    """The ledger's table. Every method raises CallError where DynamoDB cannot be asked."""

    def __init__(self, table: str, now: float) -> None:
        self._table = table
        self._now = now

    def cursor(self) -> tuple[str, str]:
        """The playbook and the sort key after which the walk goes on; empty at first."""
        item = self._call("get_item", Key=_CURSOR).get("Item")
        if not item:
            return "", ""
        playbook, after = msgspec.json.decode(item["after"]["S"], type=tuple[str, str])
        return playbook, after

    def keep_cursor(self, playbook: str, after: str) -> None:
        """The next run goes on there."""
        told = msgspec.json.encode((playbook, after)).decode()
        self._call("put_item", Item={**_CURSOR, "after": {"S": told}})

    def page(self, playbook: str, after: str, limit: int) -> tuple[list[Pointer], str]:
        """Pointers of a playbook after a sort key, and the one to go on after; empty: no more."""
        partition = {"S": pointers.partition(playbook)}
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": partition},
            "ConsistentRead": True,
            "Limit": limit,
        }
        if after:
            request["ExclusiveStartKey"] = {"pk": partition, "sk": {"S": after}}
        answer = self._call("query", **request)
        found = [pointers.read(item) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")
        return [one for one in found if one.expires > self._now], last

    def find(self, playbooks: Iterable[str], connection: str, ticket: str) -> list[Pointer]:
        """The pointers of a ticket; none where it is not ours.

        Args:
            playbooks: whose tickets are looked at: fewer than a hundred, since more fit no stack.
        """
        sk = {"S": pointers.sort_key(connection, ticket)}
        keyed = [{"pk": {"S": pointers.partition(name)}, "sk": sk} for name in playbooks]
        request = {self._table: {"Keys": keyed, "ConsistentRead": True}}
        try:
            answer = aws.client("dynamodb").batch_get_item(RequestItems=request)
        except aws.ERRORS as error:
            raise aws.translate(error, "dynamodb") from error
        if answer.get("UnprocessedKeys"):
            raise TransientError("DynamoDB leaves keys unread", target="dynamodb")
        found = [pointers.read(item) for item in answer["Responses"].get(self._table, ())]
        return [one for one in found if one.expires > self._now]

    def incident(self, pk: str) -> Held | None:
        """The incident; None where the ledger has forgotten it."""
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }
        items: list[Item] = []
        while True:
            answer = self._call("query", **request)
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        heads = [item for item in items if item["sk"]["S"] == keys.INCIDENT]
        expires = float(heads[0].get("expires", {}).get("N", 0)) if heads else 0.0
        if expires <= self._now:
            return None
        members = [read_member(item) for item in items if item["sk"]["S"].startswith("F#")]
        return Held(read_state(heads[0]), members, expires)

    def keep(self, pointer: Pointer, handled: str) -> None:
        """What was decided in the ticket is done; empty: it is open again."""
        self._change(pointer, "handled", {"S": handled})

    def extend(self, pointer: Pointer, expires: float) -> None:
        """The pointer stays as long as its incident."""
        self._change(pointer, "expires", {"N": str(int(expires))})

    def _change(self, pointer: Pointer, name: str, value: Mapping[str, str]) -> None:
        """Nothing changes where the incident ended meanwhile: its pointer is over."""
        client = aws.client("dynamodb")
        try:
            client.update_item(
                TableName=self._table,
                Key={
                    "pk": {"S": pointers.partition(pointer.playbook)},
                    "sk": {"S": pointer.sk},
                },
                UpdateExpression="SET #name = :value",
                ConditionExpression="expires = :held",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={
                    ":value": value,
                    ":held": {"N": f"{pointer.expires:.0f}"},
                },
            )
        except client.exceptions.ConditionalCheckFailedException:
            return
        except aws.ERRORS as error:
            raise aws.translate(error, "dynamodb") from error

    def _call(self, name: str, **request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(aws.client("dynamodb"), name)(
                TableName=self._table, **request
            )
        except aws.ERRORS as error:
            raise aws.translate(error, "dynamodb") from error
        return answer
