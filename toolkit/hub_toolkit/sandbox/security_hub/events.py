"""What Security Hub sends to EventBridge.

Shapes of the user guide ("Amazon EventBridge event formats for Security Hub") and of captured
events, which differ: an insight's event has the action's ARN in ``resources``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

IMPORTED = "Security Hub Findings - Imported"
IMPORTED_V2 = "Findings Imported V2"
CUSTOM_ACTION = "Security Hub Findings - Custom Action"
INSIGHT_RESULTS = "Security Hub Insight Results"


@dataclass(frozen=True, slots=True)
class Action:
    """A custom action ("action target")."""

    arn: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Makes whole events for one hub."""

    region: str
    account: str

    def imported(self, finding: dict[str, Any], at: float) -> dict[str, Any]:
        """A finding was created or changed: one event each."""
        resource = f"{finding['ProductArn']}/{finding['Id']}"
        return self._event(IMPORTED, [resource], {"findings": [finding]}, at)

    def imported_ocsf(self, finding: dict[str, Any], at: float) -> dict[str, Any]:
        """The new Security Hub's event of one OCSF finding."""
        resource = str(finding["finding_info"]["uid"])
        return self._event(IMPORTED_V2, [resource], {"findings": [finding]}, at)

    def clicked(self, action: Action, findings: list[dict[str, Any]], at: float) -> dict[str, Any]:
        """An analyst sent findings to a custom action. It does not say which analyst."""
        detail = {**_who(action), "findings": findings}
        return self._event(CUSTOM_ACTION, [action.arn], detail, at)

    def insight(
        self,
        action: Action,
        insight: dict[str, Any],
        results: list[tuple[str, int]],
        at: float,
    ) -> dict[str, Any]:
        """An analyst sent results of an insight, at most 100, to a custom action."""
        detail = {
            **_who(action),
            "insightName": insight["Name"],
            "insightArn": insight["InsightArn"],
            "resultType": insight["GroupByAttribute"],
            "insightResults": [{value: count} for value, count in results],
        }
        return self._event(INSIGHT_RESULTS, [action.arn], detail, at)

    def _event(
        self, detail_type: str, resources: list[str], detail: dict[str, Any], at: float
    ) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": "aws.securityhub",
            "account": self.account,
            "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": resources,
            "detail": detail,
        }


def _who(action: Action) -> dict[str, Any]:
    return {"actionName": action.name, "actionDescription": action.description}
