"""``on.schedule``: when a playbook runs by the clock, and on which findings.

Sources: "Schedule types in EventBridge Scheduler" (user guide) for the six fields of ``cron``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub_responder.playbook import Schedule
from hub_toolkit.playbooks.calendars import is_zone
from hub_toolkit.playbooks.fields import Fields

if TYPE_CHECKING:
    from hub_toolkit.playbooks.document import Node
    from hub_toolkit.playbooks.problems import Problem

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minutes", 0, 59, []),
    ("hours", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 1, 7, _DAYS),
    ("year", 1970, 2199, []),
)
_MONTH_DAY, _WEEK_DAY = 2, 4
_SPECIAL = {
    _MONTH_DAY: re.compile(r"L|LW|([1-9]|[12]\d|3[01])W"),
    _WEEK_DAY: re.compile(r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
}
_INSIGHT = re.compile(r"arn:aws[a-z-]*:securityhub:[a-z0-9-]*:\d{0,12}:insight/\S{1,512}")


def read(node: Node | None, timezone: str, problems: list[Problem]) -> Schedule | None:
    """The schedule; without a ``timezone`` of its own it has ``timezone``."""
    if node is None:
        return None
    fields = Fields(node, "schedule", problems, known=("cron", "timezone", "findings"))
    cron = fields.text("cron", required=True, limit=200)
    cron_node = fields.node("cron")
    wrong = mistake(cron.split()) if cron else ""
    if wrong and cron_node is not None:
        fields.report(cron_node.place, f"`cron` {wrong}: write as 0 9 ? * MON *")
    zone = fields.text("timezone", default=timezone, limit=64)
    zone_node = fields.node("timezone")
    if zone_node is not None and not is_zone(zone):
        fields.report(zone_node.place, f"there is no time zone `{zone}`")
    return Schedule(" ".join(cron.split()), zone, _insight(fields.node("findings"), problems))


def _insight(node: Node | None, problems: list[Problem]) -> str:
    if node is None:
        return ""
    fields = Fields(node, "findings", problems, known=("insight",))
    form = "the ARN of an insight"
    return fields.text("insight", required=True, limit=600, pattern=_INSIGHT, form=form)


def mistake(given: list[str]) -> str:
    """What is wrong with the fields of a cron expression, or empty."""
    if len(given) != len(_FIELDS):
        return f"has {len(given)} fields, not {len(_FIELDS)}"
    for number, (text, (name, low, high, names)) in enumerate(zip(given, _FIELDS, strict=True)):
        special = _SPECIAL.get(number)
        if special is not None and (text == "?" or special.fullmatch(text)):
            continue
        if not all(_is_part(part, low, high, names) for part in text.split(",")):
            return f"has no {name} in `{text[:40]}`"
    if (given[_MONTH_DAY] == "?") == (given[_WEEK_DAY] == "?"):
        return "needs a ? in one of day of the month and day of the week"
    return ""


def _is_part(text: str, low: int, high: int, names: list[str]) -> bool:
    """A value, a range or *, each with a step or without."""
    base, slash, step = text.partition("/")
    if slash and not (step.isdecimal() and 1 <= int(step) <= high):
        return False
    if base == "*":
        return True
    bounds = [_value(part, names) for part in base.split("-")]
    return len(bounds) <= 2 and all(low <= bound <= high for bound in bounds)  # noqa: PLR2004


def _value(text: str, names: list[str]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + 1
    return int(text) if text.isdecimal() and len(text) <= 4 else -1  # noqa: PLR2004 - a year
