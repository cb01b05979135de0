"""Makes the report's files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from hub_responder.archive.layout import period_at
from hub_toolkit.archive.tables import tables
from hub_toolkit.archive.verify import verify
from hub_toolkit.inventory import moments
from hub_toolkit.report import page, sheet
from hub_toolkit.report.controls import CONTROLS
from hub_toolkit.report.figures import Range, figures
from hub_toolkit.report.said import Said
from hub_toolkit.stack import DeploymentError
from hub_toolkit.trail.showing import zone_of

if TYPE_CHECKING:
    from hub_toolkit.archive.reached import Reached
    from hub_toolkit.archive.verdicts import Report
    from hub_toolkit.report.figures import Figures

NAME = "audit-report"
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_SPAN = re.compile(r"(\d{1,5})([smhd])", re.ASCII)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for, as they write it."""

    start: str
    end: str | None = None
    accounts: Sequence[str] = ()
    framework: str | None = None
    baseline: str = "15m"
    language: str = "en"
    timezone: str = "UTC"

    def range(self, zone: ZoneInfo, now: float) -> Range:
        """What is counted.

        Raises:
            MomentError: a time is none. DeploymentError: something else is not what it should be.
        """
        since = moments.read(self.start, zone, now, option="--from")
        until = now
        if self.end is not None:
            until = moments.read(self.end, zone, now, option="--to", ends=True)
        if until <= since:
            raise moments.MomentError("--to is before --from")
        for account in self.accounts:
            if not _ACCOUNT.fullmatch(account):
                raise DeploymentError(f"--account {account[:40]!r} is no account: it has 12 digits")
        return Range(
            since=int(since * 1000),
            until=int(until * 1000),
            zone=self.timezone,
            accounts=list(self.accounts),
            baseline_s=_seconds(self.baseline),
        )


@dataclass(frozen=True, slots=True)
class Made:
    """The files, and what is to be said of the trail; nothing where all is well."""

    files: Sequence[Path]
    said: list[str] = field(default_factory=list)


def make(reached: Reached, wanted: Wanted, folder: Path, *, given: bool) -> Made:
    """Write the page, the CSV and the JSON.

    Args:
        given: the public key came from outside.

    Raises:
        DeploymentError, MomentError: what is asked for, or the archive, cannot be read; or a file
            cannot be written.
    """
    zone = zone_of(wanted.timezone)
    asked = wanted.range(zone, reached.now)
    first, last = period_at(asked.since / 1000), period_at((asked.until - 1) / 1000)
    due = reached.due_until(last if wanted.end else None)
    with tables(reached.holdings, first, last) as found:
        counted = figures(found, asked)
        known = (found.holdings, reached.keys, reached.name)
        proof = _within(verify(*known, end=last, due=due, only=found.keys), asked)
    said = Said(wanted.language, zone)
    html = page.render(counted, proof, said, wanted.framework, given=given, made=reached.now)
    document = _document(counted, proof, wanted)
    contents = (
        (".html", html.encode()),
        (".csv", sheet.table(counted)),
        (".json", msgspec.json.format(msgspec.json.encode(document), indent=1)),
    )
    return Made([_written(folder, suffix, body) for suffix, body in contents], _said(proof))


def _within(proof: Report, asked: Range) -> Report:
    """The hours that are reported: of the chain all was verified, of the objects what was read."""
    from hub_responder.clock import iso

    first, last = iso(asked.since // 3_600_000 * 3600.0), iso(asked.until / 1000)
    kept = [one for one in proof.periods if not one.start or first <= one.start < last]
    return msgspec.structs.replace(proof, periods=kept)


def _document(counted: Figures, proof: Report, wanted: Wanted) -> dict[str, Any]:
    controls = CONTROLS[wanted.framework] if wanted.framework else ()
    return {
        "framework": wanted.framework,
        "controls": list(controls),
        "figures": counted,
        "integrity": {
            "archive": proof.archive,
            "keys": proof.keys,
            "hours": len(proof.periods),
            "records": proof.records,
            "wrong": proof.wrong,
        },
    }


def _said(proof: Report) -> list[str]:
    if not proof.periods:
        return ["the archive holds nothing of that time"]
    if proof.wrong:
        return [f"{len(proof.wrong)} hours are not as they were sealed: the page names them"]
    return []


def _written(folder: Path, suffix: str, body: bytes) -> Path:
    path = folder / f"{NAME}{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    except OSError as error:
        raise DeploymentError(f"{path}: {error.strerror}") from error
    return path


def _seconds(text: str) -> float:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise DeploymentError(f"--baseline {text[:40]!r} is no length of time: 15m or 4h is one")
    return int(found[1]) * _UNITS[found[2]]
