"""Alarms, which all speak on the notifications topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hub_toolkit.synth.naming import named, ref

if TYPE_CHECKING:
    from collections.abc import Mapping

METRICS = "HubResponder"
"""The namespace of the functions' own metrics."""


def alarm(
    told: str,
    metric: tuple[str, str],
    dimensions: Mapping[str, Any],
    statistic: Literal["Sum", "Maximum", "Minimum"],
    *,
    threshold: float = 0,
    period: int = 300,
    periods: int = 1,
    below: bool = False,
    missing: Literal["breaching", "notBreaching"] = "notBreaching",
    ends: bool = True,
) -> dict[str, Any]:
    """The resource.

    Args:
        told: its description. metric: its namespace and name.
        period: seconds over which the statistic is taken; periods: how many in a row are over the
            threshold, or ``below`` it.
        missing: what no data mean. ends: it is also told when it is over.
    """
    topic = [ref("NotificationsTopic")]
    namespace, name = metric
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": told,
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": period,
            "EvaluationPeriods": periods,
            "Threshold": threshold,
            "ComparisonOperator": "LessThanThreshold" if below else "GreaterThanThreshold",
            "TreatMissingData": missing,
            "AlarmActions": topic,
            **({"OKActions": topic} if ends else {}),
        },
    }


def own(metric: str) -> tuple[str, str]:
    """A metric of the functions' own."""
    return METRICS, metric


def of_function(name: str) -> dict[str, Any]:
    """The dimensions of what the scheduled function writes: metrics of two stacks in one account
    must not mix, so its service is the stack's own name for it."""
    return {"service": named(name), "playbook": name}
