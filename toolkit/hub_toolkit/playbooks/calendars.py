"""``calendars`` of ``settings.yaml``: named times, as business hours or a change freeze."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from hub_responder.playbook import Calendar
from hub_toolkit.playbooks.document import Mapping, Node, Scalar, plain
from hub_toolkit.playbooks.fields import Fields, kind
from hub_toolkit.playbooks.problems import Problem, unknown
from hub_toolkit.playbooks.values import PARAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_MAX_DAYS = 400
Days = TypeVar("Days")


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name in the IANA database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder
        return False
    return True


def read(node: Node | None, timezone: str, problems: list[Problem]) -> dict[str, Calendar]:
    """The calendars by name; one without a time zone of its own has ``timezone``."""
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        problems.append(Problem(node.place, f"`calendars` must be a mapping, not {kind(node)}"))
        return {}
    found = {}
    for name, value in node.entries.items():
        if not PARAM.fullmatch(name):
            text = f"`{name[:80]}` is no name of a calendar: a to z, 0 to 9 and _, at most 40"
            problems.append(Problem(node.keys[name], text))
            continue
        found[name] = _calendar(name, value, timezone, problems)
    return found


def _calendar(name: str, node: Node, timezone: str, problems: list[Problem]) -> Calendar:
    known = ("timezone", "weekdays", "hours", "holidays", "dates")
    fields = Fields(node, f"calendar {name}", problems, known=known)
    zone = fields.text("timezone", default=timezone, limit=64)
    zone_node = fields.node("timezone")
    if zone_node is not None and not is_zone(zone):
        fields.report(zone_node.place, f"there is no time zone `{zone}`")
    start, end = _hours(fields)
    weekdays = fields.items("weekdays")
    return Calendar(
        timezone=zone,
        weekdays=tuple(_weekdays(weekdays, problems)) if weekdays is not None else tuple(range(7)),
        start=start,
        end=end,
        holidays=tuple(_each(fields, "holidays", _day, "2026-12-31", problems)),
        dates=tuple(_each(fields, "dates", _range, "2026-12-28/2027-01-03", problems)),
    )


def _hours(fields: Fields) -> tuple[int, int]:
    form = "hours as 09:00-18:00, in quotes"
    text = fields.text("hours", default="00:00-24:00", pattern=_HOURS, form=form)
    found = _HOURS.fullmatch(text)
    if found is None:
        return 0, 1440
    first, second, third, fourth = map(int, found.groups())
    start, end = first * 60 + second, third * 60 + fourth
    node = fields.node("hours")
    if node is not None and (end > 1440 or start == end):  # noqa: PLR2004 - minutes of a day
        fields.report(node.place, f"`hours` {text} is no time of a day: write {form}")
    return start, min(end, 1440)


def _weekdays(nodes: tuple[Node, ...], problems: list[Problem]) -> Iterator[int]:
    for node in nodes:
        value = plain(node)
        if value in WEEKDAYS:
            yield WEEKDAYS.index(value)
        else:
            problems.append(Problem(node.place, unknown("weekday", str(value), WEEKDAYS)))


def _each(
    fields: Fields,
    key: str,
    convert: Callable[[str], Days | None],
    form: str,
    problems: list[Problem],
) -> Iterator[Days]:
    nodes = fields.items(key) or ()
    if len(nodes) > _MAX_DAYS:
        fields.report(fields.place, f"`{key}` has {len(nodes)} entries; at most {_MAX_DAYS}")
    for node in nodes:
        text = node.value if isinstance(node, Scalar) else None
        value = convert(text) if isinstance(text, str) else None
        if value is None:
            problems.append(Problem(node.place, f"`{key}` lists days: write {form}"))
        else:
            yield value


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else None  # noqa: PLR2004
    except ValueError:
        return None


def _range(text: str) -> tuple[str, str] | None:
    first, _, last = text.partition("/")
    start, end = _day(first), _day(last or first)
    return (start, end) if start and end and start <= end else None
