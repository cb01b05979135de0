"""A deployment with a history of its inventory, as commands of the toolkit ask it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from estate_history import CONNECTION, moment, snapshot
from factories import REPOSITORY
from hub_responder.inventory import history
from hub_responder.inventory.history import Row
from hub_toolkit.cli import application
from hub_toolkit.inventory.history import History
from hub_toolkit.stack import Stack

STACK = "hub-responder-prod"
BUCKET = f"{STACK}-inventorybucket-1a2b3c4d5e6f"
NOON = moment("2026-11-22T12:00")
"""What the wall clock says."""


@dataclass
class Done:
    """What a command did."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Deployed:
    """A deployment with a history."""

    endpoint: str
    s3: Any
    stack: Stack
    root: Path = REPOSITORY
    keys: list[str] = field(default_factory=list)

    @property
    def history(self) -> History:
        return History(self.stack, BUCKET)

    def walked(self, at: float, *rows: Row, connection: str = CONNECTION) -> str:
        """Write the snapshot of a walk; its key."""
        return self.holds(history.key(connection, at), snapshot(at, rows))

    def holds(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.keys.append(key)
        return key

    def empty(self) -> None:
        """Delete all that was written."""
        while self.keys:
            self.s3.delete_object(Bucket=BUCKET, Key=self.keys.pop())

    def run(self, *words: str) -> Done:
        """A command of the toolkit against it."""
        options = ["--endpoint", self.endpoint, "--root", str(self.root)]
        options += [] if "--stack" in words else ["--stack", STACK]
        done = CliRunner().invoke(application(), [*words, *options])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    def report(self, *words: str) -> Any:
        """The report as JSON."""
        done = self.run("inventory", "report", "--json", *words)
        assert done.exit_code == 0, done.stderr
        return done.json
