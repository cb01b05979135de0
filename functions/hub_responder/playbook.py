"""The compiled playbook: what `hub-responder build` writes and a Lambda reads from its layer.

``playbook.json`` holds one `Playbook`; ``templates/`` beside it the message templates. Durations
are seconds. No YAML is parsed in a Lambda, and what is read here was validated by the compiler.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from hub_responder import planned

OnError = Literal["retry", "continue", "stop"]


class CustomAction(msgspec.Struct, frozen=True):
    """A button in the Security Hub console (an action target)."""

    id: str
    name: str
    description: str


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Runs by the clock: ``cron`` has EventBridge Scheduler's six fields, in ``timezone``.

    ``insight`` is the ARN of the insight whose findings the run gets; empty: it gets none.
    """

    cron: str
    timezone: str = "UTC"
    insight: str = ""


class Triggers(msgspec.Struct, frozen=True, omit_defaults=True):
    """What starts the playbook. ``imported*`` are EventBridge patterns over one finding."""

    imported: dict[str, Any] | None = None
    imported_v2: dict[str, Any] | None = None
    custom_action: CustomAction | None = None
    schedule: Schedule | None = None


class Calendar(msgspec.Struct, frozen=True, omit_defaults=True):
    """Named time, as business hours or a maintenance window; see `hub_responder.calendars`.

    Attributes:
        timezone: IANA name; hours and dates are its.
        weekdays: 0 (Monday) to 6 (Sunday).
        start, end: minutes since midnight, ``start`` included and ``end`` not; an ``end`` at or
            before ``start`` is the next day's.
        holidays: ISO dates on which it is closed.
        dates: ISO dates from and to (both included) outside of which it is closed; empty: always.
    """

    timezone: str = "UTC"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: int = 0
    end: int = 1440
    holidays: tuple[str, ...] = ()
    dates: tuple[tuple[str, str], ...] = ()


class Wait(msgspec.Struct, frozen=True):
    """Seconds for which a burst of imported findings is collected before a round."""

    first: float = 15.0
    then: float = 120.0


class Step(msgspec.Struct, frozen=True, omit_defaults=True, rename={"if_": "if", "with_": "with"}):
    """One step: an action, its parameters, and when it runs.

    ``needs`` are the ids of the earlier steps that its expressions or its template name.
    """

    id: str
    uses: str
    with_: dict[str, Any] = {}
    if_: str | None = None
    on_error: OnError = "retry"
    needs: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True):
    """Chooses a connection: ``by`` is an expression, ``to`` maps its text to a connection."""

    by: str
    to: dict[str, str]
    default: str


class Playbook(msgspec.Struct, frozen=True, omit_defaults=True):
    """A validated playbook with everything it needs at run time."""

    name: str
    summary: str
    steps: tuple[Step, ...]
    on: Triggers
    version: str
    """Content hash (12 hex digits) of the playbook and the connections it uses."""
    commit: str = ""
    owner: str = ""
    why: str = ""
    runbook: str = ""
    language: Literal["en", "ja"] = "en"
    timezone: str = "UTC"
    params: dict[str, Any] = {}
    group_by: tuple[str, ...] = ("finding.account.id", "finding.region", "finding.resource.id")
    wait: Wait = Wait()
    quiet: float = 14400.0
    give_up_after: float = 86400.0
    resource_types: tuple[str, ...] = ()
    """Resource types (ASFF spelling) that the match names, or without imports the steps' actions;
    empty: the first resource counts."""
    connections: dict[str, dict[str, Any]] = {}
    """The connections that the steps (or their routes) name: type and settings, no secrets."""
    routes: dict[str, Route] = {}
    only_if: tuple[str, ...] = ()
    """Expressions over one finding: all must be true, or it is skipped."""
    always_if: tuple[str, ...] = ()
    """Expressions over one finding: where any is true, ``only_if`` is passed over."""
    mode: Literal["live", "observe"] = "live"
    """observe: all is decided and recorded, nothing is sent."""
    enabled: bool = True
    """False: the stage has switched its rules off."""
    accounts: tuple[str, ...] = ()
    """Accounts whose findings are handled; empty: all."""
    regions: tuple[str, ...] = ()
    """Regions in which instances are looked for; empty: this function's."""
    home_only: bool = False
    """Events that another account or region sent are skipped."""
    member_role: str = ""
    """Name of the role to assume in member accounts for look-ups; empty: only this account."""
    calendars: dict[str, Calendar] = {}
    functions: tuple[str, ...] = ()
    """Which of ``open``, ``seen``, ``tag`` its expressions use; with ``seen`` what it handles is
    remembered."""
    tables: dict[str, Any] = {}
    """``playbooks/tables/*.yaml`` that the expressions and templates name, by file name."""


def load(directory: Path) -> Playbook:
    """Read ``directory/playbook.json``.

    Raises:
        ConfigurationError: the file is missing or is not a compiled playbook.
    """
    return planned.read(directory / "playbook.json", Playbook, "the playbook's layer")
