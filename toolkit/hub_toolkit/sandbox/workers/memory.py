"""A worker's memory: the limit that MemorySize sets, and the peak that a report names.

Lambda counts pages in use (a control group) and kills the process. Without root the nearest thing
on Linux is RLIMIT_DATA: private writable memory, counted when it is reserved. So that reserve and
use stay close, threads get stacks of 1 MiB instead of 8. Where the limit is met, an allocation
fails and Python raises MemoryError; the worker then kills itself as Lambda would. Code that
catches MemoryError, or a thread that dies of it, can go on here and not in AWS. Files mapped
into memory (libraries) count in AWS and not here. macOS does not enforce RLIMIT_DATA for Python's
memory: there the setting is no limit.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

MIB = 1024 * 1024
STACK = MIB
"""Bytes of a thread's stack."""

STATUS = Path("/proc/self/status")


def limit(mebibytes: int) -> None:
    """Let this process have ``mebibytes`` of private memory, what it holds now included."""
    threading.stack_size(STACK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        wanted = mebibytes * MIB
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def peak_mb() -> float:
    """The most memory this process has had in use so far (resident set), in MiB."""
    if sys.platform == "linux":
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def die() -> NoReturn:
    """End this process as Lambda ends one that is out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)  # not reached
