"""Logs as JSON lines and metrics in embedded format, by Powertools; no event is ever logged."""

from __future__ import annotations

from functools import lru_cache
from traceback import extract_tb

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit


@lru_cache(maxsize=1)
def logger() -> Logger:
    """The one logger; its service and level come from Powertools' environment variables."""
    return Logger()


@lru_cache(maxsize=1)
def _metrics() -> Metrics:
    return Metrics()


def begin(request_id: str, playbook: str, messages: int) -> None:
    """Note the start of a run; its request id is the run's id in the trail."""
    logger().append_keys(run=request_id, playbook=playbook)
    logger().info("batch", extra={"messages": messages})


def log_bug(error: Exception) -> None:
    """Where an error nobody expected came from; without its text, which may quote a finding."""
    frames = [f"{f.filename}:{f.lineno} {f.name}" for f in extract_tb(error.__traceback__)]
    logger().error("internal error", extra={"error": type(error).__name__, "frames": frames})


def count(name: str, value: float = 1) -> None:
    """Add to a metric of this run."""
    _add(name, MetricUnit.Count, value)


def measure(name: str, seconds: float) -> None:
    """Tell a time of this run."""
    _add(name, MetricUnit.Seconds, seconds)


def _add(name: str, unit: MetricUnit, value: float) -> None:
    try:
        _metrics().add_metric(name=name, unit=unit, value=value)
    except Exception as error:  # noqa: BLE001 - a hundred of a kind are written at once: as in `flush`
        log_bug(error)


def end(messages: int, failed: int) -> None:
    """Write the metrics of a run over messages."""
    count("Messages", messages)
    count("ReturnedMessages", failed)
    flush()


def flush() -> None:
    """Write the run's metrics; where that fails, what the run did still counts."""
    try:
        metrics = _metrics()
        metrics.add_dimension(name="playbook", value=logger().get_current_keys()["playbook"])
        metrics.flush_metrics()
    except Exception as error:  # noqa: BLE001 - a missing namespace would bring all messages back
        log_bug(error)
