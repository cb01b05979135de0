"""Import times: each import in a fresh process, in turns, so that noise meets all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from statistics import median

HANDLER = "hub_responder.handlers.playbook"
SHIPPED_STEPS = (
    "hub_responder.actions.check_coverage",
    "hub_responder.actions.notify",
    "hub_responder.actions.open_ticket",
    "hub_responder.actions.update_finding",
    "hub_responder.connections.slack",
    "hub_responder.tickets.jira",
    "aws_lambda_powertools.utilities.parameters",
)
"""What the handler imports when the shipped playbook first needs it."""
STATEMENTS: Mapping[str, str] = {
    "nothing": "pass",
    "boto3": "import boto3",
    "handler": f"import {HANDLER}",
    "all": "import " + ", ".join((HANDLER, *SHIPPED_STEPS)),
}
_TIMED = """
import time
began = time.process_time()
{statement}
print((time.process_time() - began) * 1000)
"""


def import_ms(rounds: int) -> dict[str, float]:
    """Median milliseconds of processor time of each of `STATEMENTS`.

    Processor time is what a cold start waits for once its files are cached, and other programs
    disturb it less than wall time.
    """
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for number in range(rounds + 1):
        for name, statement in STATEMENTS.items():
            found = _once(statement)
            if number:  # the first round compiles and fills the file cache
                taken[name].append(found)
    return {name: median(values) for name, values in taken.items()}


def _once(statement: str) -> float:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile all again
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(statement=statement)],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return float(done.stdout)
