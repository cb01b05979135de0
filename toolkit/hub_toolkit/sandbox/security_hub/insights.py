"""Saved filters that group findings by one attribute."""

from __future__ import annotations

import copy
import threading
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub import managed
from hub_toolkit.sandbox.security_hub.attributes import ATTRIBUTES, values_at
from hub_toolkit.sandbox.security_hub.filters import compile_filters

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_INSIGHTS = 100
MAX_RESULTS = 100
"""Values that an insight's results hold (user guide, "Insights")."""


class Insights:
    """The insights of an account by ARN: custom ones, and Security Hub's own. Safe for threads."""

    def __init__(self, region: str, account: str) -> None:
        self._prefix = f"arn:aws:securityhub:{region}:{account}:insight/{account}/custom/"
        self._lock = threading.Lock()
        self._insights: dict[str, dict[str, Any]] = {}

    def create(self, name: str, filters: dict[str, Any], group_by: str) -> str:
        """Add an insight.

        Returns:
            Its ARN.

        Raises:
            AwsError: filters or attribute are not valid, or there are too many insights.
        """
        compile_filters(filters, 0.0)
        _check_attribute(group_by)
        with self._lock:
            if len(self._insights) >= MAX_INSIGHTS:
                raise AwsError("LimitExceededException", f"At most {MAX_INSIGHTS} insights", 429)
            arn = self._prefix + str(uuid.uuid4())
            self._insights[arn] = _shown(arn, name, filters, group_by)
            return arn

    def seed(self, arn: str, name: str, filters: dict[str, Any], group_by: str) -> None:
        """Keep an insight under an ARN of its own, unless there is one.

        Raises:
            AwsError: filters or attribute are not valid.
        """
        compile_filters(filters, 0.0)
        _check_attribute(group_by)
        if arn in managed.by_arn():
            return
        with self._lock:
            self._insights.setdefault(arn, _shown(arn, name, filters, group_by))

    def get(self, arn: str) -> dict[str, Any]:
        """An insight, as the API shows it.

        Raises:
            AwsError: there is none.
        """
        if arn in managed.by_arn():
            return copy.deepcopy(managed.by_arn()[arn])
        if arn not in self._insights:
            raise AwsError("ResourceNotFoundException", f"No insight {arn}", 404)
        return self._insights[arn]

    def list(self) -> list[dict[str, Any]]:
        """The custom ones, in the order of their creation: Security Hub lists no others."""
        return [*self._insights.values()]

    def update(self, arn: str, change: dict[str, Any]) -> None:
        """Change name, filters or attribute.

        Raises:
            AwsError: there is no such insight, or the change is not valid.
        """
        self._check_own(arn)
        if "Filters" in change:
            compile_filters(change["Filters"], 0.0)
        if "GroupByAttribute" in change:
            _check_attribute(change["GroupByAttribute"])
        with self._lock:
            self._insights[arn] = {**self.get(arn), **copy.deepcopy(change)}

    def delete(self, arn: str) -> None:
        """Remove an insight.

        Raises:
            AwsError: there is none, or it is Security Hub's own.
        """
        self._check_own(arn)
        with self._lock:
            self.get(arn)
            del self._insights[arn]

    def _check_own(self, arn: str) -> None:
        if arn in managed.by_arn():
            message = f"{arn} is a managed insight: it cannot be changed"
            raise AwsError("InvalidInputException", message)


def results(
    insight: dict[str, Any], findings: Iterable[dict[str, Any]], now: float
) -> list[tuple[str, int]]:
    """The values of the insight's attribute and how many findings have each, most first."""
    test = compile_filters(insight["Filters"], now)
    _, path = ATTRIBUTES[insight["GroupByAttribute"]]
    counts = Counter(
        value
        for finding in findings
        if test(finding)
        for value in {str(value) for value in values_at(finding, path)}
    )
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_RESULTS]


def _shown(arn: str, name: str, filters: dict[str, Any], group_by: str) -> dict[str, Any]:
    return {
        "InsightArn": arn,
        "Name": name,
        "Filters": copy.deepcopy(filters),
        "GroupByAttribute": group_by,
    }


def _check_attribute(name: str) -> None:
    if name not in ATTRIBUTES or not ATTRIBUTES[name][1]:
        raise AwsError(
            "InvalidInputException", f"Invalid parameter GroupByAttribute: {name} is no attribute"
        )
