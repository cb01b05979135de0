"""The deployment that is asked, as its operator reaches it, and the connection that is meant."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub_responder import clock
from hub_toolkit.acting import sandbox_time
from hub_toolkit.inventory.history import BUCKET, History
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.problems import unknown
from hub_toolkit.stack import DeploymentError, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub_toolkit.playbooks.load import Project

KIND = "vision_one"
USUAL = "vision-one"
"""The connection that steps ask where they name none."""


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment.

    Attributes:
        project: the playbooks with their settings and connections, of ``stage``.
        connection: the name of the Vision One that is asked.
        now: its time (epoch seconds): a sandbox has a clock of its own.
        sandbox: the sandbox's address, or empty.
    """

    project: Project
    stage: str
    stack: Stack
    endpoint: str | None
    connection: str
    now: float
    sandbox: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The settings' time zone."""
        return ZoneInfo(self.project.settings.timezone)

    @property
    def language(self) -> str:
        """The settings' language."""
        return self.project.settings.language

    def history(self) -> History:
        """Its snapshots.

        Raises:
            DeploymentError: there is no bucket of them, or it cannot be asked for.
        """
        return History(self.stack, self.stack.bucket(BUCKET))


@contextmanager
def reached(
    root: Path, stage: str, *, endpoint: str | None, stack: str, connection: str | None
) -> Iterator[Place]:
    """The deployment of the project at ``root``; without ``endpoint`` the environment's.

    Raises:
        PlaybookErrors: the project is wrong.
        DeploymentError: there is no such connection, or the deployment cannot be asked.
    """
    project = load_project(root.resolve(), stage)
    name = _connection(project, connection)
    endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL") or None
    deployed = Stack(endpoint, stack)
    now = sandbox_time(endpoint)
    try:
        yield Place(
            project=project,
            stage=stage,
            stack=deployed,
            endpoint=endpoint,
            connection=name,
            now=clock.now() if now is None else now,
            sandbox=endpoint or "" if now is not None else "",
        )
    finally:
        deployed.close()


def _connection(project: Project, wanted: str | None) -> str:
    held = project.connections.connections
    known = sorted(name for name, settings in held.items() if settings.get("type") == KIND)
    if wanted is not None:
        if wanted not in known:
            raise DeploymentError(unknown("Vision One connection", wanted, known))
        return wanted
    if USUAL in known or len(known) == 1:
        return USUAL if USUAL in known else known[0]
    if not known:
        raise DeploymentError("connections.yaml has no connection of type vision_one")
    raise DeploymentError(f"which Vision One? Say --connection: {', '.join(known)}")
