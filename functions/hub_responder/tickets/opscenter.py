"""AWS Systems Manager OpsCenter: tickets without a secret.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html. OpsCenter
keeps one open OpsItem per deduplication string by itself, so asking twice is safe.

OpsItems have no comments. What is told later stands in operational data (`ADDED`), with its times.
Why one was closed or reopened stands at the end of its description, which people read first, and
whole in operational data; both change in one request with the status. A description that is not
as we left it (`WRITTEN`) is a person's: it is added to where there is room, and nothing in it gives
way.
They know one way of being closed, Resolved, and nothing like "won't do": whoever decides so adds
operational data with the key `DECLINED`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec
from botocore.exceptions import ClientError

from hub_responder import aws, clock
from hub_responder.connections.settings import OpsCenter, read
from hub_responder.errors import ConfigurationError, PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten, width
from hub_responder.markdown.filters import console_host
from hub_responder.markdown.plain import to_markdown
from hub_responder.tickets.ticket import MAX_SUMMARY, Draft, Standing, State, Ticket, label

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MAX_DESCRIPTION = 2048
MAX_DATA = 1000
MAX_REASON = 4000
"""Of operational data that says why, in UTF-16 units: below the 20 KB that a value may have."""
MAX_NOTE = 500
"""Of the same at the end of the description, whose text gives way to it."""
MAX_VALUE = 18_000
"""Bytes that we write into one value of operational data, of the 20 KB that it may have."""
CLOSED, REOPENED = "hub-responder/closed", "hub-responder/reopened"
ADDED = "hub-responder/added"
DECLINED = "hub-responder/declined"
WRITTEN = "hub-responder/written"
"""Keys of operational data; none may begin with ``aws``, ``amazon``, ``amzn`` or ``ssm``."""
_BETWEEN = "\n\n----\n\n"
_BEFORE_NOTE = "\n\n[hub-responder] "
_ITEM = re.compile(r"oi-[0-9a-f]{12}")
_PRIORITIES = ("1", "2", "3", "4", "5")
_STATES: Mapping[str, State] = {
    **dict.fromkeys(("Resolved", "Closed", "CompletedWithSuccess"), "done"),
    **dict.fromkeys(("Cancelled", "Rejected", "Revoked"), "declined"),
}
"""What ends an OpsItem; the rest is open. Items of our type are only ever Open, InProgress and
Resolved ("UpdateOpsItem", Status)."""
_SHOWN = 160


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> OpsItems:  # noqa: ARG001
    """OpsCenter of the function's own account and region, whatever the ticket."""
    return OpsItems(connection, runtime)


class OpsItems:
    """OpsCenter in this account and region, for one invocation."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        read(connection.settings, OpsCenter, connection.name)
        self._name = connection.name
        self._runtime = runtime

    def open(self, draft: Draft) -> Ticket:
        """Create an OpsItem, or find the open one with this key.

        Raises:
            ConfigurationError: a priority other than 1 to 5.
            CallError: OpsCenter refused it or did not answer.
        """
        request = _request(draft, self._name)
        self._runtime.deadline.timeout(10.0, target=self._name)
        client = aws.client("ssm")
        try:
            item, opened = client.create_ops_item(**request).get("OpsItemId"), True
        except aws.ERRORS as error:
            if not _exists(error):
                raise aws.translate(error, self._name) from error
            # The key is this incident's alone, so it is this incident's ticket.
            item, opened = error.response.get("OpsItemId"), draft.in_doubt
        if not isinstance(item, str) or not item:
            raise PermanentError(
                f"{self._name} answered without the id of an OpsItem",
                target=self._name,
                sent=True,
            )
        region = client.meta.region_name
        host = console_host(region)
        url = f"https://{host}/systems-manager/opsitems/{item}/details?region={region}"
        return Ticket(item, url, opened)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:  # noqa: ARG002
        """Add to what was told since the OpsItem was opened, in its operational data.

        The newest stands first, each with its time; the oldest gives way where there is no more
        room. What was told under this mark before is not told again.

        Returns:
            Whether this call added it.
        """
        earlier = _value(self._held(ticket), ADDED).split(_BETWEEN)
        ending = f"\n\n{mark}"
        if any(one.endswith(ending) for one in earlier):
            return False
        begin = f"{clock.iso(clock.now())}\n\n"
        newest = begin + to_markdown(document, MAX_REASON - width(begin + ending)) + ending
        self._update(ticket, OperationalData={ADDED: _text(_joined([newest, *earlier]))})
        return True

    def standings(self, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """What has become of OpsItems, by one request each: the lists of OpsCenter take one id.

        Those that are left when it throttles, or the time is over, are left out.

        Raises:
            CallError: none can be told.
        """
        found: dict[str, Standing] = {}
        for ticket in dict.fromkeys(tickets):
            if not _ITEM.fullmatch(ticket):
                continue  # it is none of OpsCenter's, and the others are asked about
            try:
                item = self._look_up(ticket)
            except TransientError:
                if found:
                    break
                raise
            found[ticket] = Standing("gone") if item is None else _standing(item)
        return found

    def close(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:  # noqa: ARG002
        """Resolve an OpsItem, saying why; status and reason change at once, so that one which is
        not open needs nothing.

        Returns:
            Whether this call resolved it.
        """
        item = self._held(ticket)
        if _state(item) != "open":
            return False
        told = _told(item, document, mark, CLOSED)
        self._update(ticket, Status="Resolved", **told)
        return True

    def reopen(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:  # noqa: ARG002
        """Open a resolved OpsItem again, saying why; who had declined it has been overruled.

        Returns:
            Whether this call opened it.

        Raises:
            CallError: as `_update`; another OpsItem with its deduplication string is open.
        """
        item = self._held(ticket)
        if _state(item) == "open":
            return False
        told = _told(item, document, mark, REOPENED)
        if DECLINED in _data(item):
            told["OperationalDataToDelete"] = [DECLINED]
        self._update(ticket, Status="Open", **told)
        return True

    def prioritise(self, ticket: str, priority: str) -> bool:
        """Set the priority, 1 to 5.

        Returns:
            Whether it was another one.

        Raises:
            ConfigurationError: it is none.
        """
        wanted = _priority(priority, self._name)
        if self._held(ticket).get("Priority") == wanted:
            return False
        self._update(ticket, Priority=wanted)
        return True

    def link(self, ticket: str, earlier: str) -> None:
        """Add ``earlier`` to the related OpsItems; an update replaces them all."""
        self._check_id(earlier)
        held = self._held(ticket).get("RelatedOpsItems")
        ids = [one["OpsItemId"] for one in held or () if one.get("OpsItemId")]
        if earlier not in ids:
            related = [{"OpsItemId": each} for each in [*ids, earlier]]
            self._update(ticket, RelatedOpsItems=related)

    def _held(self, ticket: str) -> Mapping[str, Any]:
        """The OpsItem.

        Raises:
            CallError: it is gone, or OpsCenter did not answer.
        """
        item = self._look_up(ticket)
        if item is None:
            raise PermanentError(f"{self._name}: there is no OpsItem {ticket}", target=self._name)
        return item

    def _look_up(self, ticket: str) -> Mapping[str, Any] | None:
        """The OpsItem; None where there is none of this id."""
        self._check_id(ticket)
        self._runtime.deadline.timeout(10.0, target=self._name)
        try:
            item = aws.client("ssm").get_ops_item(OpsItemId=ticket).get("OpsItem")
        except aws.ERRORS as error:
            if _code(error) == "OpsItemNotFoundException":
                return None
            raise aws.translate(error, self._name) from error
        if not isinstance(item, dict) or not isinstance(item.get("Status"), str):
            said = f"{self._name} answered without the OpsItem {ticket}"
            raise PermanentError(said, target=self._name)
        return item

    def _update(self, ticket: str, **changed: Any) -> None:
        self._runtime.deadline.timeout(10.0, target=self._name)
        try:
            aws.client("ssm").update_ops_item(OpsItemId=ticket, **changed)
        except aws.ERRORS as error:
            raise aws.translate(error, self._name) from error

    def _check_id(self, ticket: str) -> None:
        if not _ITEM.fullmatch(ticket):
            raise PermanentError(f"{ticket[:80]!r} is no OpsItem", target=self._name)


def _state(item: Mapping[str, Any]) -> State:
    state = _STATES.get(item["Status"], "open")
    return "declined" if state == "done" and DECLINED in _data(item) else state


def _standing(item: Mapping[str, Any]) -> Standing:
    """Who changed it last, and when, is who closed it: OpsCenter tells no more."""
    state, priority = _state(item), item.get("Priority")
    label = _shown(item["Status"])
    held = f"{priority}" if isinstance(priority, int) else ""
    if state == "open":
        return Standing("open", label, priority=held)
    said = _value(item, DECLINED)
    label = _shown(f"{label}: {said}") if said else label
    changed = item.get("LastModifiedTime")
    closed_at = changed.timestamp() if isinstance(changed, datetime) else None
    by = _shown(str(item.get("LastModifiedBy") or ""))
    return Standing(state, label, by=by, priority=held, closed_at=closed_at)


def _data(item: Mapping[str, Any]) -> Mapping[str, Any]:
    data = item.get("OperationalData")
    return data if isinstance(data, dict) else {}


def _value(item: Mapping[str, Any], key: str) -> str:
    entry = _data(item).get(key)
    return str(entry.get("Value") or "") if isinstance(entry, dict) else ""


def _told(item: Mapping[str, Any], document: Document, mark: str, key: str) -> dict[str, Any]:
    """The members of an update that say why.

    In a description of ours the newest reason takes the place of an earlier one, and the rest is
    kept as far as there is room; in a person's it is added where there is room.
    """
    note = _BEFORE_NOTE + (to_markdown(document, MAX_NOTE).strip() or "-")
    ending = f"\n\n{mark}"
    reason = to_markdown(document, MAX_REASON - width(ending)) + ending
    told: dict[str, Any] = {"OperationalData": {key: _text(reason)}}
    held = str(item.get("Description") or "")
    if _value(item, WRITTEN) == _digest(held):
        kept = held.partition(_BEFORE_NOTE)[0]
        told["Description"] = shorten(kept, MAX_DESCRIPTION - width(note)) + note
        told["OperationalData"][WRITTEN] = _text(_digest(told["Description"]))
    elif width(held + note) <= MAX_DESCRIPTION:
        told["Description"] = held + note
    return told


def _digest(description: str) -> str:
    return hashlib.sha256(description.encode("utf-8", "replace")).hexdigest()


def _text(value: str) -> dict[str, str]:
    return {"Type": "String", "Value": value}


def _joined(parts: Sequence[str]) -> str:
    """As many of ``parts`` as one value of operational data takes, the first ones first."""
    kept: list[str] = []
    room = MAX_VALUE
    for part in filter(None, parts):
        room -= len((part + _BETWEEN).encode("utf-8", "replace"))
        if room < 0 and kept:
            break
        kept.append(part)
    return _BETWEEN.join(kept)


def _shown(text: str) -> str:
    return shorten(one_line(clean(text)).strip(), _SHOWN)


def _exists(error: Exception) -> TypeGuard[ClientError]:
    return _code(error) == "OpsItemAlreadyExistsException"


def _code(error: Exception) -> str:
    return str(error.response["Error"].get("Code")) if isinstance(error, ClientError) else ""


def _request(draft: Draft, connection: str) -> dict[str, Any]:
    description = to_markdown(draft.document.body, MAX_DESCRIPTION) or "-"
    data = {
        "/aws/dedup": _searchable({"dedupString": label(draft.key)}),
        WRITTEN: _text(_digest(description)),
    }
    if draft.resource.startswith("arn:"):
        data["/aws/resources"] = _searchable([{"arn": draft.resource[:MAX_DATA]}])
    if draft.labels:
        labels = shorten(clean(", ".join(draft.labels)), MAX_DATA)
        data["labels"] = {"Type": "SearchableString", "Value": labels}
    request: dict[str, Any] = {
        "Title": shorten(draft.document.title, MAX_SUMMARY) or "hub-responder",
        "Description": description,
        "Source": "hub-responder",
        "Category": "Security",
        "OperationalData": data,
    }
    if draft.priority:
        request["Priority"] = _priority(draft.priority, connection)
    return request


def _priority(text: str, connection: str) -> int:
    if text not in _PRIORITIES:
        raise ConfigurationError(f"connection {connection}: OpsCenter's priorities are 1 to 5")
    return int(text)


def _searchable(value: Any) -> dict[str, str]:
    return {"Type": "SearchableString", "Value": msgspec.json.encode(value).decode()}
