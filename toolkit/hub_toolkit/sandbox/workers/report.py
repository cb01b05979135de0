"""The lines that Lambda adds to a function's log, as CloudWatch shows them.

REPORT also names the CPU time of the invocation, which AWS shows in Lambda Insights only.
"""

from __future__ import annotations

import math


def start(request_id: str, version: str) -> str:
    """Before the handler runs."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(
    request_id: str,
    *,
    duration_s: float,
    memory_mb: int,
    peak_mb: float | None = None,
    cpu_s: float | None = None,
    status: str = "",
) -> str:
    """After it ended; what only the process itself could tell is left out if it died.

    Args:
        request_id: of the invocation.
        duration_s: how long it took.
        memory_mb: what the function may use.
        peak_mb: the most it has used.
        cpu_s: processor time of this invocation.
        status: ``timeout`` or ``error`` if the process was ended.
    """
    fields = [
        f"Duration: {duration_s * 1000:.2f} ms",
        f"Billed Duration: {math.ceil(duration_s * 1000)} ms",
        f"Memory Size: {memory_mb} MB",
    ]
    if peak_mb is not None:
        fields.append(f"Max Memory Used: {math.ceil(peak_mb)} MB")
    if cpu_s is not None:
        fields.append(f"CPU Time: {cpu_s * 1000:.2f} ms")
    if status:
        fields.append(f"Status: {status}")
    report = "\t".join(fields)
    return f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\t{report}\n"
