"""The archive that a command is about: a deployment's, or a copy of one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub_responder import clock
from hub_responder.archive.layout import Period, period_at
from hub_toolkit.acting import sandbox_time
from hub_toolkit.archive import keys
from hub_toolkit.archive.holdings import Bucket, Copy, Holdings
from hub_toolkit.stack import DeploymentError, Stack

BUCKET = "ArchiveBucket"
"""Its logical id in the template."""
SLACK_S = 3 * 3600.0
"""An hour that was over so long ago must be sealed; the function's alarm goes by the same."""


@dataclass(frozen=True, slots=True)
class Reached:
    """An archive.

    Attributes:
        name: for people. now: its time (epoch seconds): a sandbox has a clock of its own.
        due: the newest hour that must have been sealed; None where that cannot be told.
    """

    holdings: Holdings
    keys: keys.Keys
    name: str
    now: float
    due: Period | None = None

    def due_until(self, last: Period | None) -> Period | None:
        """The newest hour up to ``last`` that must be sealed; of a copy, what is asked for."""
        if self.due is None or last is None:
            return self.due or last
        return min(self.due, last)


def copied(folder: Path, public_keys: Sequence[Path]) -> Reached:
    """A copy in a folder.

    Raises:
        DeploymentError: there is no folder, or no key that can be read.
    """
    if not public_keys:
        raise DeploymentError("a copy is verified by --public-key: say which")
    return Reached(Copy(folder), keys.of_files(public_keys), str(folder), clock.now())


@contextmanager
def deployed(endpoint: str | None, stack: str, public_keys: Sequence[Path]) -> Iterator[Reached]:
    """The archive of a stack; its own key, where none is given.

    Raises:
        DeploymentError: it cannot be asked, or has no archive.
    """
    endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL") or None
    told = sandbox_time(endpoint)
    now = clock.now() if told is None else told
    with closing(Stack(endpoint, stack)) as made:
        bucket = made.bucket(BUCKET)
        known = keys.of_files(public_keys) if public_keys else keys.of_kms(made, alias(stack))
        due = period_at(now - SLACK_S).before(1)
        # a sandbox's S3 goes by the machine's clock
        holdings = Bucket(made, bucket, tells_time=told is None)
        yield Reached(holdings, known, f"s3://{bucket}", now, due)


def alias(stack: str) -> str:
    """What KMS knows a stack's key by."""
    return f"alias/{stack}-audit"
