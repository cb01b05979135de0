"""Sealing an hour of 100,000 records: by the function that archives, as it is deployed."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.cloud import Cloud
from hub_responder import clock
from hub_responder.audit import Audit, lines_of
from hub_responder.playbook import Playbook, Triggers

RECORDS = 100_000
EACH = 10
"""Records of one run: as of a finding's round."""
_OVER_S = 7200.0
"""An hour is sealed once it has been over for twenty minutes: by then it is, whenever it began."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the function took: from its start to its end, and the most memory it had."""

    seconds: float
    peak_mb: float


def sealed(cloud: Cloud) -> Sealed:
    """Write the records, let their hour pass, and seal it.

    Raises:
        RuntimeError: not all of them are in the archive.
    """
    played = Playbook(name="bench", summary="", steps=(), on=Triggers(), version="0" * 12)
    clock.follow(cloud.now)
    try:
        for run in range(RECORDS // EACH):
            audit = Audit(cloud.audit_table, played, f"run-{run}")
            lines = [line for n in range(EACH) for line in lines_of(_record(audit, run, n))]
            cloud.write(audit.append(lines).items)
    finally:
        clock.follow(None)
    cloud.advance(_OVER_S)
    told = cloud.scheduled("archive")
    if told["returned"]["records"] < RECORDS:
        raise RuntimeError(f"not all records were sealed: {told['returned']}")
    return Sealed(told["wall_ms"] / 1000, told["peak_mb"])


def _record(audit: Audit, run: int, number: int) -> dict[str, object]:
    finding = f"arn:aws:inspector2:us-east-1:111122223333:finding/{run:08}"
    return dict(
        audit.record(
            "attempt" if number % 2 else "outcome",
            incident=f"bench#{run:08}",
            gen=1,
            round=1,
            step=f"s{number}",
            uses="notify",
            key=f"{run:040}",
            status="" if number % 2 else "done",
            findings=[finding],
            target={"account": "111122223333", "region": "us-east-1", "resource": f"i-{run:017x}"},
            detail="sent to slack-bot in its thread",
        )
    )
