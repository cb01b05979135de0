"""Everything at once, in the whole sandbox: 10,000 findings on 40 instances, and a click meanwhile.

The real template, handlers in processes of their own, simulators with their rate limits. A channel
takes about a message a second, and while a function runs the sandbox's clock goes at the wall's:
with more instances the channel's pace would be what is measured.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil
import requests

from attempts import without_outcome
from live import Live, apart

INSTANCES = 40
"""Half of them are protected: each gets a message, the others a ticket too."""
AT_ONCE = 100
"""Findings of one BatchImportFindings at most."""
_LOOKS_S = 0.2
_MINUTES = 10


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
        RuntimeError: a finding was not handled or says what is not so, something was done twice, or
            an attempt has no outcome on record.
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
        _until_idle(live)
        seconds = time.monotonic() - begun
    _check(live, findings, instances)
    return Deluge(
        findings=count,
        seconds=seconds,
        cpu_ms=seen["cpu"] * 1000 / count,
        peak_mb=seen["peak"] / 1e6,
        click_s=seen["click"],
    )


def _until_idle(live: Live) -> None:
    """However long it takes: that is what is measured."""
    url = f"{live.endpoint}/_sandbox/idle?timeout=60"
    for _ in range(_MINUTES):
        if requests.get(url, timeout=120).status_code == HTTPStatus.OK:
            return
    raise RuntimeError(f"something is queued, running or due after {_MINUTES} minutes")


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
    seen = {"peak": 0.0}
    ended = threading.Event()

    def processes() -> list[psutil.Process]:
        return main.children(recursive=True)

    def cpu() -> float:
        times = [one.cpu_times() for one in (main, *processes())]
        return sum(one.user + one.system for one in times)

    def look() -> None:
        while not ended.wait(_LOOKS_S):
            seen["peak"] = max(seen["peak"], 0, *(one.memory_info().rss for one in processes()))

    watcher = threading.Thread(target=look, daemon=True)
    before = cpu()
    watcher.start()
    yield seen
    ended.set()
    watcher.join()
    seen["cpu"] = cpu() - before


def _check(live: Live, findings: Sequence[dict[str, Any]], instances: Sequence[str]) -> None:
    """Each finding came to its end, and says what is so; each instance has one message, and one
    ticket where it has none of Vision One's agents."""
    records = live.control("GET", "audit")
    if letters := live.control("GET", "dlq"):
        raise RuntimeError(f"{len(letters)} dead letters: {letters[0]['reason']}")
    if left := without_outcome(records):
        raise RuntimeError(f"{len(left)} attempts have no outcome: {left[0]}")
    _check_findings(live, records, findings, instances)
    _check_told(live, instances)


def _check_findings(
    live: Live,
    records: Sequence[Mapping[str, Any]],
    findings: Sequence[Mapping[str, Any]],
    instances: Sequence[str],
) -> None:
    """Each was written to once, and holds the verdict of its instance."""
    written = Counter(
        found
        for one in records
        if one["kind"] == "outcome" and one["uses"] == "finding.update" and one["status"] == "done"
        for found in one["findings"]
    )
    pages = live.client("securityhub").get_paginator("get_findings")
    held = {one["Id"]: one for page in pages.paginate(MaxResults=100) for one in page["Findings"]}
    for number, finding in enumerate(findings):
        if (times := written[finding["Id"]]) != 1:
            raise RuntimeError(f"{finding['Id']} was written to {times} times")
        bare = number % len(instances) >= len(instances) // 2
        now = held[finding["Id"]]
        says = (now["UserDefinedFields"]["hubResponderVerdict"], now["Workflow"]["Status"])
        if says != ("UNPROTECTED" if bare else "PROTECTED", "NOTIFIED"):
            raise RuntimeError(f"{finding['Id']} says {says}")


def _check_told(live: Live, instances: Sequence[str]) -> None:
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
