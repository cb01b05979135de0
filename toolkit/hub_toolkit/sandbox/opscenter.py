"""Systems Manager OpsCenter: the OpsItem operations that tickets need.

Shapes and limits of the API reference. That an item cannot be opened again while another with its
dedup string is open follows from the errors of UpdateOpsItem. Who created or changed an item is the
account's root here: the sandbox does not know its callers.
"""

from __future__ import annotations

import copy
import json
import re
import secrets
import threading
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.aws_json import json_app
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub.filters import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub_toolkit.sandbox.wsgi import App

OPERATIONS = ("CreateOpsItem", "GetOpsItem", "UpdateOpsItem", "DescribeOpsItems")
MAX_TITLE = 1024
MAX_DESCRIPTION = 2048
MAX_SOURCE = 128
MAX_LABEL = 64
MAX_PRIORITY = 5
MAX_DATA_BYTES = 20 * 1024
"""Of one value of OperationalData (user guide)."""

MAX_PAGE = 50
DEDUP_KEY = "/aws/dedup"

_RESERVED = tuple(
    before + name for before in ("", "/") for name in ("aws", "amazon", "amzn", "ssm", "automation")
)
"""How keys of operational data may not begin ("UpdateOpsItem"); ``automation`` is a guess."""
_ITEM_ID = re.compile(r"oi-[0-9a-f]{12}")
DECLINED = "hub-responder/declined"
"""The key of operational data by which a person says that an item is resolved without being done,
as the documentation of this project asks for."""
_AWS_KEYS = (DEDUP_KEY, "/aws/resources", "/aws/automations")
DONE = frozenset({"Resolved", "Closed"})
_STATUSES = frozenset({"Open", "InProgress", "Resolved"})
_DECISIONS = {"done": "Resolved", "declined": "Resolved", "open": "Open"}
_DATA_TYPES = ("String", "SearchableString")
_KEY = re.compile(r"[\w/. :-]{1,128}")
_TEXTS = {
    "Title": MAX_TITLE,
    "Description": MAX_DESCRIPTION,
    "Source": MAX_SOURCE,
    "Category": MAX_LABEL,
    "Severity": MAX_LABEL,
}
_EDITABLE = (
    *("Title", "Description", "Category", "Severity", "Priority", "Status", "Notifications"),
    *("RelatedOpsItems", "ActualStartTime", "ActualEndTime", "PlannedStartTime"),
    "PlannedEndTime",
)
_LISTED = (
    *("CreatedBy", "CreatedTime", "LastModifiedBy", "LastModifiedTime", "Priority", "Source"),
    *("Status", "OpsItemId", "Title", "OperationalData", "Category", "Severity", "OpsItemType"),
)

Item = dict[str, Any]


class OpsCenter:
    """The OpsItems of one account and region. Safe to use from many threads.

    Args:
        clock: returns epoch seconds.
        region, account: stand in ARNs.
    """

    def __init__(self, clock: Callable[[], float], region: str, account: str) -> None:
        self._clock = clock
        self._user = f"arn:aws:iam::{account}:root"
        self._arn = f"arn:aws:ssm:{region}:{account}:opsitem/"
        self._lock = threading.Lock()
        self._items: dict[str, Item] = {}
        self.app: App = json_app("AmazonSSM", self)
        """The API over WSGI."""

    def items(self) -> list[Item]:
        """Copies of all OpsItems, oldest first."""
        with self._lock:
            return copy.deepcopy([*self._items.values()])

    def decide(self, ticket: str, state: str) -> None:
        """What a person decides in the console: ``done``, ``declined`` (resolved, with the
        operational data that says so) or ``open``.

        Raises:
            KeyError: there is no such OpsItem or state.
        """
        status = _DECISIONS[state]
        with self._lock:
            item = self._items[ticket]
            item["OperationalData"].pop(DECLINED, None)
            if state == "declined":
                reason = {"Type": "String", "Value": "risk accepted"}
                item["OperationalData"][DECLINED] = reason
            item["Status"] = status
            self._changed(item)

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation.

        Raises:
            AwsError: OpsCenter refuses.
        """
        if operation not in OPERATIONS:
            raise AwsError("UnknownOperationException", f"The sandbox has no ssm:{operation}.")
        with self._lock:
            if operation == "CreateOpsItem":
                return self._create(request)
            if operation == "GetOpsItem":
                return {"OpsItem": copy.deepcopy(self._find(request))}
            if operation == "UpdateOpsItem":
                return self._update(request)
            return self._describe(request)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        for name in ("Title", "Description", "Source"):
            if name not in request:
                raise _invalid(name, "is required")
        _check(request)
        data = request.get("OperationalData", {})
        dedup = _dedup(data)
        if dedup:
            self._refuse_second(dedup)
        item_id = f"oi-{secrets.token_hex(6)}"
        now = self._clock()
        given = {name: request[name] for name in (*_TEXTS, *_EDITABLE) if name in request}
        self._items[item_id] = {
            "Notifications": [],
            "RelatedOpsItems": [],
            **copy.deepcopy(given),
            "OperationalData": copy.deepcopy(data),
            "OpsItemType": request.get("OpsItemType", "/aws/issue"),
            "OpsItemId": item_id,
            "OpsItemArn": self._arn + item_id,
            "Status": "Open",
            "Version": "1",
            "CreatedBy": self._user,
            "CreatedTime": now,
            "LastModifiedBy": self._user,
            "LastModifiedTime": now,
        }
        return {"OpsItemId": item_id, "OpsItemArn": self._arn + item_id}

    def _refuse_second(self, dedup: str) -> None:
        """OpsCenter opens no second item of a dedup string while one is not resolved."""
        for item in self._items.values():
            if item["Status"] not in DONE and _dedup(item["OperationalData"]) == dedup:
                item_id = item["OpsItemId"]
                raise AwsError(
                    "OpsItemAlreadyExistsException",
                    f"An OpsItem with the same dedup string exists: {item_id}",
                    OpsItemId=item_id,
                )

    def _find(self, request: dict[str, Any]) -> Item:
        if not _ITEM_ID.fullmatch(str(request.get("OpsItemId"))):
            pattern = "Value at 'opsItemId' must satisfy the pattern ^(oi)-[0-9a-f]{12}$"
            raise AwsError("ValidationException", pattern)
        item = self._items.get(str(request.get("OpsItemId")))
        if item is None:
            raise AwsError(
                "OpsItemNotFoundException", f"OpsItem {request.get('OpsItemId')} does not exist."
            )
        return item

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._find(request)
        _check(request)
        if "Status" in request and request["Status"] not in _STATUSES:
            raise _invalid("Status", f"must be one of {', '.join(sorted(_STATUSES))}")
        dedup = _dedup(item["OperationalData"])
        if dedup and item["Status"] in DONE and request.get("Status", "Resolved") not in DONE:
            self._refuse_second(dedup)
        dropped = request.get("OperationalDataToDelete", [])
        kept = {key: value for key, value in item["OperationalData"].items() if key not in dropped}
        item.update(copy.deepcopy({k: request[k] for k in _EDITABLE if k in request}))
        item["OperationalData"] = {**kept, **copy.deepcopy(request.get("OperationalData", {}))}
        self._changed(item)
        return {}

    def _changed(self, item: Item) -> None:
        item["Version"] = str(int(item["Version"]) + 1)
        item["LastModifiedTime"] = self._clock()
        item["LastModifiedBy"] = self._user

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        tests = [_filter(one) for one in request.get("OpsItemFilters", [])]
        found = [item for item in self._items.values() if all(test(item) for test in tests)]
        token, limit = request.get("NextToken") or "0", request.get("MaxResults", MAX_PAGE)
        if not str(token).isdecimal() or type(limit) is not int or not 1 <= limit <= MAX_PAGE:
            raise _invalid("NextToken or MaxResults", "is not valid")
        start, end = int(token), int(token) + limit
        summaries = [
            {name: copy.deepcopy(item[name]) for name in _LISTED if name in item}
            for item in found[start:end]
        ]
        return {
            "OpsItemSummaries": summaries,
            **({"NextToken": str(end)} if end < len(found) else {}),
        }


def _invalid(name: str, reason: str) -> AwsError:
    return AwsError("OpsItemInvalidParameterException", f"{name} {reason}.", ParameterNames=[name])


def _check(request: dict[str, Any]) -> None:
    for name, most in _TEXTS.items():
        if name not in request:
            continue
        text = request[name]
        if not isinstance(text, str) or not text.strip() or len(text) > most:
            raise _invalid(name, f"must be text of 1 to {most} characters")
    priority = request.get("Priority", 1)
    if type(priority) is not int or not 1 <= priority <= MAX_PRIORITY:
        raise _invalid("Priority", f"must be from 1 to {MAX_PRIORITY}")
    if not isinstance(request.get("OperationalDataToDelete", []), list):
        raise _invalid("OperationalDataToDelete", "must be a list")
    related = request.get("RelatedOpsItems", [])
    if not isinstance(related, list) or not all(map(_is_related, related)):
        raise _invalid("RelatedOpsItems", "must be a list of {OpsItemId}")
    data = request.get("OperationalData", {})
    if not isinstance(data, dict):
        raise _invalid("OperationalData", "must be an object")
    for key, entry in data.items():
        _check_data(key, entry)


def _is_related(one: Any) -> bool:
    return isinstance(one, dict) and bool(_ITEM_ID.fullmatch(str(one.get("OpsItemId"))))


def _check_data(key: str, entry: Any) -> None:
    name = f"OperationalData.{key[:128]}"
    if not _KEY.fullmatch(key):
        raise _invalid(name, "is no valid key")
    if key.startswith(_RESERVED) and key not in _AWS_KEYS:
        raise _invalid(name, "is a reserved key")
    if not isinstance(entry, dict) or not isinstance(entry.get("Value"), str):
        raise _invalid(name, "needs a Value that is text")
    if entry.get("Type", "String") not in _DATA_TYPES:
        raise _invalid(name, f"must have the Type {' or '.join(_DATA_TYPES)}")
    if len(entry["Value"].encode(errors="replace")) > MAX_DATA_BYTES:
        raise _invalid(name, f"must have at most {MAX_DATA_BYTES} bytes")
    if key == DEDUP_KEY and not _dedup({key: entry}):
        raise _invalid(name, 'must be {"dedupString": "..."}')


def _dedup(data: dict[str, Any]) -> str:
    """The dedup string of operational data, or an empty text."""
    try:
        written = json.loads(data[DEDUP_KEY]["Value"])
        dedup = written["dedupString"]
    except (KeyError, TypeError, ValueError):
        return ""
    return dedup if isinstance(dedup, str) else ""


def _filter(one: Any) -> Callable[[Item], bool]:
    if not isinstance(one, dict) or not isinstance(one.get("Values"), list) or not one["Values"]:
        raise _invalid("OpsItemFilters", "need Key, Values and Operator")
    key, operator = str(one.get("Key")), str(one.get("Operator"))
    values = [str(value) for value in one["Values"]]
    if key not in _READERS:
        raise _invalid("OpsItemFilters", f"cannot filter by {key} here")
    compare = (_TIME_OPERATORS if key in _TIMES else _OPERATORS).get(operator)
    if compare is None:
        raise _invalid("OpsItemFilters", f"cannot compare {key} with {operator}")
    read = _READERS[key]
    return lambda item: any(compare(found, value) for found in read(item) for value in values)


def _reader(name: str) -> Callable[[Item], list[str]]:
    return lambda item: [str(item[name])] if name in item else []


def _data_values(item: Item) -> list[str]:
    return [str(entry["Value"]) for entry in item["OperationalData"].values()]


def _data_pairs(item: Item) -> list[str]:
    """As the filter writes a pair: ``{"key":"k","value":"v"}``."""
    return [
        json.dumps({"key": key, "value": entry["Value"]}, separators=(",", ":"))
        for key, entry in item["OperationalData"].items()
    ]


_TIMES = ("CreatedTime", "LastModifiedTime")

_READERS: dict[str, Callable[[Item], list[str]]] = {
    **{
        name: _reader(name)
        for name in (
            *("OpsItemId", "Status", "Title", "Source", "Priority", "Category", "Severity"),
            *("CreatedBy", "OpsItemType", *_TIMES),
        )
    },
    "OperationalDataKey": lambda item: [*item["OperationalData"]],
    "OperationalDataValue": _data_values,
    "OperationalData": _data_pairs,
}
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equal": str.__eq__,
    "Contains": str.__contains__,
}
_TIME_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "GreaterThan": lambda found, value: float(found) > _epoch(value),
    "LessThan": lambda found, value: float(found) < _epoch(value),
}


def _epoch(value: str) -> float:
    at = parse_time(value)
    if at is None:
        raise _invalid("OpsItemFilters", f"need an ISO 8601 time, not {value[:64]}")
    return at
