"""Everything at once, in the whole sandbox: 10,000 findings on 40 instances, and a click meanwhile.

The real template, handlers in processes of their own, simulators with their rate limits. A channel
takes about a message a second, and while a function runs the sandbox's clock goes at the wall's:
with more instances the channel's pace would be what is measured.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from live import Live, apart

INSTANCES = 40
"""Half of them are protected: each gets a message, the others a ticket too."""
AT_ONCE = 100
"""Findings of one BatchImportFindings at most."""
_LOOKS_S = 0.2


@dataclass(frozen=True, slots=True)
class Deluge:
    """What it took.

    Attributes:
        seconds: until nothing was left to be done. cpu_ms: of the functions' processes and all that
            stands for AWS and the vendors, per finding. peak_mb: of the largest function process.
        click_s: until a click that came in the middle was answered on its finding.
    """

    findings: int
    seconds: float
    cpu_ms: float
    peak_mb: float
    click_s: float


def waves(root: Path, *counts: int) -> list[Deluge]:
    """So many findings at once, one wave after the other, in one sandbox.

    Raises:
        RuntimeError: a finding was not handled, or something was done twice.
    """
    with apart(root) as live:
        return [_wave(live, count) for count in counts]


def _wave(live: Live, count: int) -> Deluge:
    instances = [live.instance() for _ in range(INSTANCES)]
    live.protect(*instances[: INSTANCES // 2])
    clicked = live.finding(live.instance())
    live.imported(clicked)
    findings = [live.finding(instances[n % INSTANCES]) for n in range(count)]
    with _watched(live) as seen:
        begun = time.monotonic()
        _import(live, findings[: count // 2])
        answer = threading.Thread(target=lambda: seen.update(click=_click(live, clicked)))
        answer.start()
        _import(live, findings[count // 2 :])
        answer.join()
        live.control("GET", "idle?timeout=110")
        seconds = time.monotonic() - begun
    _check(live, findings, instances)
    return Deluge(
        findings=count,
        seconds=seconds,
        cpu_ms=seen["cpu"] * 1000 / count,
        peak_mb=seen["peak"] / 1e6,
        click_s=seen["click"],
    )


def _import(live: Live, findings: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(findings), AT_ONCE):
        client = live.client("securityhub")
        client.batch_import_findings(Findings=findings[start : start + AT_ONCE])


def _click(live: Live, finding: dict[str, Any]) -> float:
    """Seconds until a click is answered on its finding."""
    before = live.held(finding)["Note"]
    begun = time.monotonic()
    live.control("POST", "click", {"action_id": "CheckCoverage", "finding_ids": [finding["Id"]]})
    while live.held(finding)["Note"] == before:
        time.sleep(_LOOKS_S)
    return time.monotonic() - begun


@contextmanager
def _watched(live: Live) -> Iterator[dict[str, float]]:
    """CPU seconds and the largest function process, while it lasts."""
    main = psutil.Process(live.pid)
    seen: dict[str, float] = {"peak": 0.0}
    ended = threading.Event()

    def processes() -> list[psutil.Process]:
        return main.children(recursive=True)

    def cpu() -> float:
        times = [one.cpu_times() for one in (main, *processes())]
        return sum(one.user + one.system for one in times)

    def look() -> None:
        while not ended.wait(_LOOKS_S):
            seen["peak"] = max(seen["peak"], *(one.memory_info().rss for one in processes()))

    watcher = threading.Thread(target=look, daemon=True)
    before = cpu()
    watcher.start()
    yield seen
    ended.set()
    watcher.join()
    seen["cpu"] = cpu() - before


def _check(live: Live, findings: Sequence[dict[str, Any]], instances: Sequence[str]) -> None:
    """Each finding came to its end, with one message an instance and one ticket where it has none
    of Vision One's agents."""
    ids = {finding["Id"] for finding in findings}
    records = live.control("GET", "audit")
    ended = {
        found
        for record in records
        if record["kind"] in ("finished", "repeat")
        for found in record["findings"]
    }
    if ids - ended:
        raise RuntimeError(f"{len(ids - ended)} findings were not handled")
    if letters := live.control("GET", "dlq"):
        raise RuntimeError(f"{len(letters)} dead letters: {letters[0]['reason']}")
    begun = [
        str(one["body"])
        for one in live.control("GET", "inbox")
        if one["path"].endswith("chat.postMessage") and "thread_ts" not in one["body"]
    ]
    half = len(instances) // 2
    for number, instance in enumerate(instances):
        threads = sum(instance in text for text in begun)
        tickets = len(live.tickets(instance))
        if (threads, tickets) != (1, number >= half):
            raise RuntimeError(f"{instance} has {threads} messages and {tickets} tickets")
