"""The end of a run: its audit trail is sealed as it is every hour, verified and reported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub_toolkit.archive.reached import SLACK_S, deployed
from hub_toolkit.archive.verify import verify
from hub_toolkit.report.making import Wanted, make
from hub_toolkit.stack import DeploymentError, name_of
from hub_toolkit.trip.client import SandboxError

if TYPE_CHECKING:
    from hub_toolkit.archive.verdicts import Report
    from hub_toolkit.trip.client import SandboxClient

FOLDER = Path("build", "audit")


@dataclass(frozen=True, slots=True)
class Proof:
    """What the trail of a run is worth, and the page that reports it."""

    report: Report
    page: Path


def proven(client: SandboxClient, root: Path) -> Proof:
    """Let the hour pass, archive the sandbox's trail, verify it and report it below ``root``.

    Raises:
        SandboxError: that cannot be done.
    """
    client.advance(SLACK_S)
    client.tick("archive")
    try:
        with deployed(client.endpoint, name_of(None, "sandbox"), ()) as found:
            report = verify(found.holdings, found.keys, found.name, due=found.due)
            made = make(found, Wanted("-1d"), root / FOLDER, given=False)
    except DeploymentError as error:
        raise SandboxError(f"the audit trail cannot be verified: {error}") from error
    return Proof(report, made.files[0])
