"""``python -m benchmarks``: measure everything, or one part, and print the table."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import cold, deluge, fleet, records, sealing, storm, table, told, warm
from benchmarks.cloud import Cloud
from benchmarks.process import Cost, Handler
from benchmarks.table import Row
from benchmarks.warm import Series
from hub_responder.playbook import Wait

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def _cold_rows(rounds: int) -> list[Row]:
    took = cold.import_ms(rounds)
    own = took["nothing"]
    boto3 = took["boto3"] - own
    how = f"median of {rounds} fresh processes each, {took['boto3']:.0f} ms for boto3"
    return [
        Row("import of the handler / import boto3", (took["handler"] - own) / boto3, "x", 1.7, how),
        Row("... with all that the shipped playbook uses", (took["all"] - own) / boto3, "x"),
    ]


def _cpu(cost: Cost) -> float:
    return cost.cpu_ms


def _batch_rows(batch: Series) -> list[Row]:
    how = f"median of {len(batch.samples)} batches of {warm.BATCH}"
    return [
        Row(
            "peak memory of the handler's process",
            batch.peak_mb(),
            "MB",
            90,
            "of 256; S3's client for the snapshot takes 5 of them",
        ),
        Row("batch: CPU per finding", batch.cpu_ms(), "ms", 8, f"{how}; the aim is 5"),
        Row(
            "batch: AWS calls per finding",
            batch.median(Cost.aws),
            "",
            0.6,
            "besides its update (BatchUpdateFindings takes one note) and the next row",
        ),
        Row(
            "... to keep the pace of others, per finding",
            batch.median(Cost.asking),
            "",
            None,
            "each question, message and ticket; and a look for the snapshot, at most one a minute",
        ),
        Row(
            "batch: transactions of the ledger and its records",
            batch.median(Cost.transactions) * warm.BATCH,
            "",
            5,
            "as many as before there were records of messages, or kept findings and texts",
        ),
        Row("batch: updates of findings per finding", batch.median(Cost.updates), "", 1),
        Row(
            "batch: HTTP calls per finding",
            batch.median(Cost.http),
            "",
            None,
            "one message, one ticket, and Vision One for all",
        ),
        Row("batch: time per finding", batch.median(lambda cost: cost.wall_ms), "ms"),
        Row(
            "first batch of a process: CPU",
            batch.first.cpu_ms,
            "ms",
            None,
            "clients, TLS, templates",
        ),
    ]


def _other_rows(click: Series, waiting: Series) -> list[Row]:
    return [
        Row(
            "click of one finding: CPU", click.cpu_ms(), "ms", 25, f"median of {len(click.samples)}"
        ),
        Row("click of one finding: AWS calls", click.median(lambda c: c.aws() + c.updates()), ""),
        Row(
            "with wait: CPU per finding",
            waiting.cpu_ms(),
            "ms",
            None,
            "the playbook as shipped: arrival, and its round 15 s later",
        ),
        Row(
            "with wait: AWS calls per finding",
            waiting.median(Cost.aws),
            "",
            None,
            "besides its update",
        ),
    ]


def _linked_rows(linked: Series) -> list[Row]:
    how = "each instance is searched for there twice, since none of them has an agent"
    return [
        Row("with Server & Workload Protection: CPU per finding", linked.cpu_ms(), "ms", None, how),
        Row("... HTTP calls per finding", linked.median(Cost.http), ""),
        Row("... to ask both, AWS calls per finding", linked.median(Cost.asking), ""),
    ]


def _fleet_rows() -> list[Row]:
    walking, reading = fleet.measure()
    how = f"{fleet.ENDPOINTS:,} endpoints"
    asked = walking.requests
    held = f"with their computers; {walking.stored / 1e6:.1f} MB in S3"
    return [
        Row("walk of the fleet: requests", asked["endpoints"], "", 10, how),
        Row("... for its modules, without computers", asked["modules"], ""),
        Row("... for its computers", asked["computers"], ""),
        Row("snapshot: load", reading.load_ms, "ms", 150, f"{how} {held}"),
        Row("snapshot: held in the process", reading.held_mb, "MB", 25),
        Row("snapshot: look-up of endpoint and computer", reading.look_up_us, "µs", 20),
    ]


def _storm_rows(cloud: Cloud) -> list[Row]:
    """Each in a fresh process: nothing is known there but what the walk left."""
    count = f"{storm.INSTANCES * storm.EACH:,} findings over {storm.INSTANCES} instances"
    rows = []
    for unprotected, most in ((0, 2), (20, 4), (storm.INSTANCES, 20)):
        with Handler(cloud.environment(linked=True)) as handler:
            asked = storm.storm(cloud, handler, unprotected)
        more = f"; {asked.workload_security} to Server & Workload Protection"
        what = f"storm, {unprotected} unprotected: requests to Vision One"
        rows.append(Row(what, asked.vision_one, "", most, f"{count}, a fresh snapshot{more}"))
    return rows


def _told_rows(cloud: Cloud) -> list[Row]:
    with Handler(cloud.environment()) as handler:
        calls = told.told(cloud, handler)
    findings = sum(told.FINDINGS)
    what = f"outbound calls per finding, {findings} findings on {len(told.FINDINGS)} instances"
    how = "; ".join(f"{number} to {name}" for name, number in sorted(calls.items()))
    return [Row(what, sum(calls.values()) / findings, "", 0.2, how)]


def _deluge_rows() -> list[Row]:
    small, large, again = deluge.waves(ROOT, 1_000, 10_000, 10_000)
    how = f"on {deluge.INSTANCES} instances at once, in the sandbox"
    return [
        Row("deluge, 10,000 findings: until all is done", large.seconds, "s", 90, how),
        Row("... a click in the middle of it is answered", large.click_s, "s", 10),
        Row(
            "... CPU per finding, with all simulators",
            large.cpu_ms,
            "ms",
            None,
            f"{small.cpu_ms:.1f} ms of 1,000 findings",
        ),
        Row("... over that of 1,000 findings", large.cpu_ms / small.cpu_ms, "x", 1.5),
        Row(
            "... largest process of a function in a second such deluge, over that of the first",
            again.peak_mb / large.peak_mb,
            "x",
            1.1,
            f"{again.peak_mb:.0f} MB",
        ),
    ]


def _archive_rows() -> list[Row]:
    with Cloud(ROOT) as cloud:
        took = sealing.sealed(cloud)
    how = f"{sealing.RECORDS:,} records in {sealing.RECORDS // sealing.EACH:,} items"
    return [
        Row("archive of an hour: until it is sealed", took.seconds, "s", 5, how),
        Row("... peak memory of the function", took.peak_mb, "MB", 300),
    ]


def _warm_rows(rounds: int) -> list[Row]:
    with Cloud(ROOT) as cloud:
        with Handler(cloud.environment(Wait(0, 0))) as handler:
            batch = warm.measure(cloud, handler, warm.batch, rounds)
            click = warm.measure(cloud, handler, warm.click, rounds)
        with Handler(cloud.environment()) as handler:
            waiting = warm.measure(cloud, handler, warm.waiting, rounds)
        with Handler(cloud.environment(Wait(0, 0), linked=True)) as handler:
            linked = warm.measure(cloud, handler, warm.batch, rounds)
        trail = records.cpu_ms(cloud, rounds)
    how = "of the CPU above; a finding of Inspector and three texts are kept for each"
    row = Row("records and what is kept: CPU per finding", trail, "ms", 2, how)
    return [*_batch_rows(batch), *_other_rows(click, waiting), *_linked_rows(linked), row]


def _asked_rows() -> list[Row]:
    with Cloud(ROOT) as cloud:
        return _storm_rows(cloud) + _told_rows(cloud)


PARTS: Mapping[str, Callable[[int], list[Row]]] = {
    "import": lambda rounds: _cold_rows(max(5, rounds // 3)),
    "batch": _warm_rows,
    "fleet": lambda _rounds: _fleet_rows(),
    "archive": lambda _rounds: _archive_rows(),
    "storm": lambda _rounds: _asked_rows(),
    "deluge": lambda _rounds: _deluge_rows(),
}
"""What can be run alone, given how many batches of each kind: in the order of the table."""


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="this part alone")
    parser.add_argument("--rounds", type=int, default=30, help="batches of each kind")
    parser.add_argument("--write", action="store_true", help=f"renew the table of {DOCUMENT.name}")
    parser.add_argument("--check", action="store_true", help="exit 1 where a limit is exceeded")
    asked = parser.parse_args(arguments)
    if asked.only and asked.write:
        parser.error("--write renews the whole table: leave out --only")
    parts = [asked.only] if asked.only else PARTS
    rows = [row for part in parts for row in PARTS[part](asked.rounds)]
    command = shlex.join(["python", "-m", "benchmarks", *arguments])
    heading = f"`{command}` on {table.machine()}"
    table.show(rows, heading)
    if asked.write:
        table.write(DOCUMENT, table.markdown(rows, heading))
    return 1 if asked.check and any(row.exceeded for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
