"""What message templates can call, beyond Jinja's own filters."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import pass_context

from hub_responder.tally import tally

if TYPE_CHECKING:
    from jinja2.runtime import Context

    from hub_responder.finding import Finding

_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-\d{1,2}")
_EQUALS = "%255Coperator%255C%253AEQUALS%255C%253A"
"""``\\operator\\:EQUALS\\:``, encoded twice as the console's own links are."""


def console_url(finding: Finding) -> str:
    """The finding in the Security Hub console of its region; empty for an impossible region.

    The console's address is not documented. This form is what the console itself shows after a
    search, and what AWS's Automated Security Response 3 links to.
    """
    region = finding.region
    if not _REGION.fullmatch(region):
        return ""
    page, key = ("v2/home", "finding_info.uid") if finding.schema == "OCSF" else ("home", "Id")
    found = quote(quote(finding.id, safe="", errors="replace"), safe="")
    return (
        f"https://{console_host(region)}/securityhub/{page}?region={region}"
        f"#/findings?search={key}%3D{_EQUALS}{found}"
    )


def console_host(region: str) -> str:
    """The AWS console's host for ``region``, in its partition."""
    if region.startswith("cn-"):
        return f"{region}.console.amazonaws.cn"
    if region.startswith("us-gov-"):
        return f"{region}.console.amazonaws-us-gov.com"
    return f"{region}.console.aws.amazon.com"


@pass_context
def clock(context: Context, at: Any) -> str:
    """A time of day with its zone, ``09:03:12 JST``, in the playbook's time zone."""
    return _formatted(context, at, "%H:%M:%S %Z")


@pass_context
def when(context: Context, at: Any) -> str:
    """A date and time with its zone, ``2026-11-22 09:03 JST``, in the playbook's time zone."""
    return _formatted(context, at, "%Y-%m-%d %H:%M %Z")


def _formatted(context: Context, at: Any, form: str) -> str:
    moment = _moment(at)
    if moment is None:
        return "" if at is None else str(at)
    playbook = context.resolve("playbook")
    return moment.astimezone(_zone(getattr(playbook, "timezone", "UTC"))).strftime(form)


def _moment(at: Any) -> datetime | None:
    """``at``: epoch seconds, an ISO 8601 text or a datetime; None if it is none of them."""
    try:
        if isinstance(at, int | float) and not isinstance(at, bool):
            return datetime.fromtimestamp(at, UTC)
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    except (ValueError, OverflowError, OSError):
        return None
    if not isinstance(moment, datetime):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=16)
def _zone(name: str) -> tzinfo:
    """The zone, or UTC where the machine lacks it: a message is not lost over a clock's zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


FILTERS = {"clock": clock, "console_url": console_url, "tally": tally, "when": when}
