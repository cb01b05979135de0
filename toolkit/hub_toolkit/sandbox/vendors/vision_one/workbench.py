"""``/v3.0/workbench/alerts``: alerts, their status and their notes.

An alert is given as ``GET /v3.0/workbench/alerts/{id}`` returns it; ``id`` is needed, and a time (a
key that ends with ``DateTime``) can be relative to the clock, ``-PT2H``; left out,
``createdDateTime`` is an hour ago.

Documented (Trend's vision-one-mcp-server, mock and pytmv1): the filters with their fields, the sort
order, the default window of 24 hours, ``ETag`` and ``If-Match`` with 412, 204 for changes, 201 with
``Location`` and no body for a note. Guesses: page sizes, 400 where ``If-Match`` is missing, and
that notes need no more than a text.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from werkzeug.wrappers import Response

from hub_toolkit.sandbox.vendors.base import BodyError, json_response
from hub_toolkit.sandbox.vendors.estate import EstateError, relative_time
from hub_toolkit.sandbox.vendors.vision_one import replies
from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import Field, Language, matches
from hub_toolkit.sandbox.vendors.vision_one.paging import PagingError, Sizes, order
from hub_toolkit.sandbox.vendors.vision_one.tenant import Tenant, expression, zoned

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

PATH = "/v3.0/workbench/alerts"
SIZES = Sizes((50, 100, 200), 50)
WINDOW_S = 86_400.0

Status = Literal["Open", "In Progress", "Closed"]
Result = Literal[
    "No Findings",
    "Noteworthy",
    "True Positive",
    "False Positive",
    "Benign True Positive",
    "Other Findings",
]
Older = Literal[
    "New", "In Progress", "True Positive", "False Positive", "Benign True Positive", "Closed"
]


def _plain(name: str, *values: str) -> tuple[str, Field]:
    return name, Field((name,), frozenset(values) if values else None)


ALERTS = Language(
    dict(
        [
            _plain("id"),
            _plain("status", *Status.__args__),  # type: ignore[attr-defined]
            _plain("investigationStatus", *Older.__args__),  # type: ignore[attr-defined]
            _plain("investigationResult", *Result.__args__),  # type: ignore[attr-defined]
            _plain("alertProvider", "SAE", "TI"),
            _plain("modelId"),
            _plain("model"),
            _plain("modelType", "preset", "custom"),
            _plain("severity", "critical", "high", "medium", "low"),
            _plain("incidentId"),
            ("impactScopeEntityValue", Field()),
            ("indicatorValue", Field()),
        ]
    ),
    5000,
    contains=True,
)
NOTES = Language(
    {name: Field((name,)) for name in ("id", "creatorMailAddress", "creatorName", "lastUpdatedBy")},
    5000,
)
_SORTED = (
    "id caseId name investigationStatus status investigationResult modelId model score severity "
    "createdDateTime updatedDateTime firstInvestigatedDateTime"
)
ORDERS = {name: (name,) for name in _SORTED.split()}


class Change(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """The body of a change of an alert; ``investigationStatus`` is deprecated."""

    status: Status | None = None
    investigation_result: Result | None = None
    investigation_status: Older | None = None


class Text(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a note."""

    content: str


class Reference(msgspec.Struct, forbid_unknown_fields=True):
    """A note to be deleted."""

    id: int | str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert with its notes; ``item`` is never changed."""

    item: Mapping[str, Any]
    notes: tuple[dict[str, Any], ...] = field(default=())
    given: int = 0
    """Notes so far, deleted ones included: their ids are not used again."""

    def shown(self, now: float) -> dict[str, Any]:
        """The alert as the API returns it."""
        return {"createdDateTime": zoned(now - 3600), **_resolved(self.item, now)}

    @property
    def tag(self) -> str:
        """Changes with what the alert holds."""
        return _tag(self.item)


class Workbench:
    """The handlers of these routes."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._alerts: dict[str, Alert] = {}
        self._lock = threading.Lock()

    def replace(self, items: Sequence[object]) -> None:
        """Makes ``items`` all the alerts, without notes.

        Raises:
            EstateError: an item cannot be an alert; the alerts stay as they were.
        """
        found: dict[str, Alert] = {}
        for position, item in enumerate(items):
            name = item.get("id") if isinstance(item, dict) else None
            if not isinstance(item, dict) or not isinstance(name, str) or not name:
                raise EstateError(f"alert {position} is no object with an id")
            if name in found:
                raise EstateError(f"alert {position}: id {name[:100]!r} comes twice")
            found[name] = Alert(item)
        with self._lock:
            self._alerts = found

    def list(self, request: Request) -> Response:
        """Alerts of a time window, in pages."""
        now = self._tenant.now()
        wanted = expression(request, "TMV1-Filter", ALERTS)
        cursor = self._tenant.pages.start(request, SIZES, now)
        query = cursor.query
        inside = _window(query, now)
        found = [alert.shown(now) for alert in self._alerts.values()]
        found = [item for item in found if inside(item)]
        if wanted is not None:
            found = [item for item in found if matches(wanted, _values(item))]
        sortings = order(query.get("orderBy", "createdDateTime"), ORDERS, descending=True)
        for sorting in reversed(sortings):
            found.sort(key=_ranked(sorting.path[0]), reverse=sorting.descending)
        items = cursor.of(found)
        link = self._tenant.pages.link(request, cursor, len(found), now)
        return json_response(
            {"totalCount": len(found), "count": len(items), "items": items, **link}
        )

    def get(self, request: Request, alert: str) -> Response:  # noqa: ARG002
        """One alert, with its ``ETag``."""
        found = self._alerts.get(alert)
        if found is None:
            return replies.not_found()
        return json_response(found.shown(self._tenant.now()), headers=[("ETag", found.tag)])

    def change(self, request: Request, alert: str) -> Response:
        """Set the status or the result of an alert."""
        change = msgspec.to_builtins(_decoded(request, Change))
        if not change:
            raise BodyError("there is nothing to change")
        with self._lock:
            found = self._alerts.get(alert)
            if found is None:
                return replies.not_found()
            if not _matches(request, found.tag):
                return replies.condition_not_met()
            at = zoned(self._tenant.now())
            self._alerts[alert] = replace(
                found, item={**found.item, **change, "updatedDateTime": at}
            )
        return Response(status=204)

    def notes(self, request: Request, alert: str) -> Response:
        """The notes of an alert, the newest first."""
        found = self._alerts.get(alert)
        if found is None:
            return replies.not_found()
        now = self._tenant.now()
        wanted = expression(request, "TMV1-Filter", NOTES)
        cursor = self._tenant.pages.start(request, SIZES, now)
        kept = [
            note
            for note in reversed(found.notes)
            if wanted is None or matches(wanted, _values(note))
        ]
        link = self._tenant.pages.link(request, cursor, len(kept), now)
        return json_response({"items": cursor.of(kept), **link})

    def add_note(self, request: Request, alert: str) -> Response:
        """Add a note: 201, its address, no body."""
        content = _content(request)
        with self._lock:
            found = self._alerts.get(alert)
            if found is None:
                return replies.not_found()
            note = {
                "id": found.given + 1,
                "content": content,
                "creatorMailAddress": None,
                "creatorName": "API key",
                "createdDateTime": zoned(self._tenant.now()),
                "lastUpdatedBy": None,
                "lastUpdatedDateTime": None,
            }
            self._alerts[alert] = replace(found, notes=(*found.notes, note), given=found.given + 1)
        location = f"{request.root_url.rstrip('/')}{PATH}/{alert}/notes/{note['id']}"
        return Response(status=201, headers={"Location": location})

    def note(self, request: Request, alert: str, note: int) -> Response:  # noqa: ARG002
        """One note, with its ``ETag``."""
        found = self._note(alert, note)
        if found is None:
            return replies.not_found()
        return json_response(found, headers=[("ETag", _tag(found))])

    def change_note(self, request: Request, alert: str, note: int) -> Response:
        """Give a note another text."""
        content = _content(request)
        with self._lock:
            found = self._note(alert, note)
            if found is None:
                return replies.not_found()
            if not _matches(request, _tag(found)):
                return replies.condition_not_met()
            at = zoned(self._tenant.now())
            changed = {
                **found,
                "content": content,
                "lastUpdatedBy": "API key",
                "lastUpdatedDateTime": at,
            }
            self._keep(alert, lambda one: changed if one["id"] == note else one)
        return Response(status=204)

    def delete_notes(self, request: Request, alert: str) -> Response:
        """Delete notes; those that are not there are passed over: a guess."""
        wanted = {str(one.id) for one in _decoded(request, list[Reference])}
        with self._lock:
            if alert not in self._alerts:
                return replies.not_found()
            self._keep(alert, lambda one: None if str(one["id"]) in wanted else one)
        return Response(status=204)

    def _note(self, alert: str, number: int) -> dict[str, Any] | None:
        found = self._alerts.get(alert)
        notes = found.notes if found else ()
        return next((one for one in notes if one["id"] == number), None)

    def _keep(self, alert: str, changed: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        found = self._alerts[alert]
        notes = (changed(one) for one in found.notes)
        self._alerts[alert] = replace(found, notes=tuple(one for one in notes if one is not None))


def _decoded(request: Request, kind: Any) -> Any:
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BodyError(str(error)) from None


def _content(request: Request) -> str:
    content: str = _decoded(request, Text).content
    if not content.strip():
        raise BodyError("the note is empty")
    return content


def _tag(value: object) -> str:
    digest = hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
    return f'"{digest[:40]}"'


def _matches(request: Request, tag: str) -> bool:
    """Whether ``If-Match`` names the state that is there.

    Raises:
        BodyError: the header is missing.
    """
    given = request.headers.get("If-Match")
    if given is None:
        raise BodyError("If-Match is needed")
    return given.strip('"') == tag.strip('"')


def _resolved(value: Any, now: float) -> Any:
    """A copy of the alert's own keys with times resolved, written with a zone."""
    resolved = {}
    for key, held in value.items():
        at = relative_time(held, now) if key.endswith("DateTime") else None
        resolved[key] = held if at is None else zoned(at)
    return resolved


def _window(query: Mapping[str, str], now: float) -> Callable[[dict[str, Any]], bool]:
    """Whether an alert is of the time that was asked for, the last 24 hours by default."""
    target = query.get("dateTimeTarget", "createdDateTime")
    if target not in ("createdDateTime", "updatedDateTime"):
        raise PagingError(f"there is no dateTimeTarget {target[:80]!r}")
    end = _instant(query.get("endDateTime"), now)
    start = _instant(query.get("startDateTime"), now - WINDOW_S)

    def inside(item: dict[str, Any]) -> bool:
        try:
            return start <= _instant(item.get(target) or item["createdDateTime"], now) <= end
        except PagingError:
            return False

    return inside


def _instant(text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise PagingError(f"{str(text)[:40]!r} is no time with a zone")
    return at.timestamp()


def _values(item: Mapping[str, Any]) -> Callable[[str], object]:
    """What an alert or a note holds in a field that can be filtered."""

    def value(name: str) -> object:
        if name == "impactScopeEntityValue":
            entities = (item.get("impactScope") or {}).get("entities") or []
            return [text for entity in entities for text in _texts(entity.get("entityValue"))]
        if name == "indicatorValue":
            indicators = item.get("indicators") or []
            return [text for one in indicators for text in _texts(one.get("value"))]
        held = item.get(name)
        return str(held) if isinstance(held, int) else held

    return value


def _texts(value: Any) -> list[str]:
    """A text, or those of a host: its name, its GUID and its addresses."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Mapping):
        return []
    return [value.get("name", ""), value.get("guid", ""), *value.get("ips", [])]


def _ranked(name: str) -> Callable[[dict[str, Any]], tuple[int, float, str]]:
    """Sorts by a member: nothing first, then numbers, then texts."""

    def rank(item: dict[str, Any]) -> tuple[int, float, str]:
        value = item.get(name)
        if isinstance(value, int | float):
            return (1, float(value), "")
        return (0, 0.0, "") if value is None else (2, 0.0, str(value))

    return rank
