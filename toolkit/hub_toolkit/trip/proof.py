"""The end of a run: its audit trail is sealed as it is every hour, and verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_toolkit.archive.reached import SLACK_S, deployed
from hub_toolkit.archive.verify import verify
from hub_toolkit.stack import DeploymentError, name_of
from hub_toolkit.trip.client import SandboxError

if TYPE_CHECKING:
    from hub_toolkit.archive.verdicts import Report
    from hub_toolkit.trip.client import SandboxClient


def proven(client: SandboxClient) -> Report:
    """Let the hour pass, archive the sandbox's trail and verify it.

    Raises:
        SandboxError: that cannot be done.
    """
    client.advance(SLACK_S)
    client.tick("archive")
    try:
        with deployed(client.endpoint, name_of(None, "sandbox"), ()) as found:
            return verify(found.holdings, found.keys, found.name)
    except DeploymentError as error:
        raise SandboxError(f"the audit trail cannot be verified: {error}") from error
