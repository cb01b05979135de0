"""Security Hub: the operations of its API, and what analysts do in its console."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.security_hub import insights
from hub_toolkit.sandbox.security_hub.actions import Actions
from hub_toolkit.sandbox.security_hub.attributes import ATTRIBUTES, values_at
from hub_toolkit.sandbox.security_hub.batches import import_batch, update_batch
from hub_toolkit.sandbox.security_hub.events import Envelopes
from hub_toolkit.sandbox.security_hub.filters import compile_filters
from hub_toolkit.sandbox.security_hub.findings import Findings, Record
from hub_toolkit.sandbox.security_hub.model import request_problems
from hub_toolkit.sandbox.security_hub.paging import page
from hub_toolkit.sandbox.security_hub.rest import rest_app
from hub_toolkit.sandbox.security_hub.tickets import Connectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub_toolkit.sandbox.wsgi import App

DEFAULT_FINDINGS = 10
"""How many findings a page of GetFindings has if the caller does not say."""

MAX_CLICKED = 20
"""Findings of one custom action event in the user guide of 2020."""


class SecurityHub:
    """The hub of one account and region, with the findings of its members.

    Args:
        clock: returns epoch seconds.
        emit: takes whole events for EventBridge; it is called without a lock held.
        region, account: of the hub.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        emit: Callable[[dict[str, Any]], object],
        region: str,
        account: str,
    ) -> None:
        self._clock = clock
        self._emit = emit
        self._arn = f"arn:aws:securityhub:{region}:{account}:hub/default"
        self._subscribed = _iso(clock())
        self._findings = Findings(region, account)
        self._actions = Actions(region, account)
        self._insights = insights.Insights(region, account)
        self._envelopes = Envelopes(region, account)
        self.connectors = Connectors(self._findings.with_uid, lambda: _iso(clock()))
        self.app: App = rest_app(self)
        """The API over WSGI."""
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "BatchImportFindings": self._import,
            "BatchUpdateFindings": self._update,
            "CreateActionTarget": self._create_action,
            "CreateInsight": self._create_insight,
            "CreateTicketV2": self.connectors.create_ticket,
            "DeleteActionTarget": self._delete_action,
            "DeleteInsight": self._delete_insight,
            "DescribeActionTargets": self._describe_actions,
            "DescribeHub": self._describe_hub,
            "EnableSecurityHub": self._enable,
            "GetConnectorV2": self.connectors.get,
            "GetEnabledStandards": lambda _request: {"StandardsSubscriptions": []},
            "GetFindings": self._get_findings,
            "GetInsightResults": self._insight_results,
            "GetInsights": self._get_insights,
            "UpdateActionTarget": self._update_action,
            "UpdateInsight": self._update_insight,
        }

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation.

        Raises:
            AwsError: Security Hub refuses.
        """
        if operation not in self._operations:
            raise AwsError(
                "UnknownOperationException", f"The sandbox has no securityhub:{operation}.", 404
            )
        # A finding that is wrong must not stop its neighbours: imports check each by itself.
        if operation != "BatchImportFindings":
            problems = request_problems(operation, request)
            if problems:
                raise AwsError("InvalidInputException", f"Invalid request: {problems[0]}")
        return self._operations[operation](request)

    def seed(self, finding: dict[str, Any]) -> None:
        """Keep a finding without telling EventBridge; it needs ``ProductArn`` and ``Id``."""
        self._findings.seed(finding)

    def seed_ocsf(self, finding: dict[str, Any]) -> None:
        """Keep an OCSF finding: BatchUpdateFindings then finds it by its
        ``metadata.product.uid`` and ``finding_info.uid``.

        Raises:
            ValueError: it has no such ids.
        """
        self._findings.seed_ocsf(finding)

    def seed_insight(self, arn: str, name: str, group_by: str) -> None:
        """Keep an insight about all active findings, unless there is one of this ARN.

        Raises:
            AwsError: there is no such attribute to group by.
        """
        active = {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}
        self._insights.seed(arn, name, active, group_by)

    def get(self, finding_id: str) -> dict[str, Any] | None:
        """A copy of the finding of an id, in ASFF; the first where products share it."""
        found = self._findings.with_id(finding_id)
        return copy.deepcopy(found[0]) if found else None

    def click(
        self, action_id: str, finding_ids: Sequence[str], *, per_event: int = 1
    ) -> list[dict[str, Any]]:
        """What an analyst does who selects findings and chooses a custom action.

        Today's user guide says that there is one event for each finding; that of 2020 said up to 20
        findings in one.

        Args:
            action_id: the action's id or ARN.
            finding_ids: the findings' ids.
            per_event: findings in one event, 1 to 20.

        Returns:
            The events that were sent.

        Raises:
            AwsError: there is no such action, or no such finding, or ``per_event`` is wrong.
        """
        if not 1 <= per_event <= MAX_CLICKED or not finding_ids:
            raise AwsError(
                "InvalidInputException", f"findings are needed, 1 to {MAX_CLICKED} an event"
            )
        action = self._actions.get(action_id)
        chosen: list[dict[str, Any]] = []
        for finding_id in finding_ids:
            found = self._findings.with_id(finding_id)
            if not found:
                raise AwsError("ResourceNotFoundException", f"No finding {finding_id}", 404)
            chosen += copy.deepcopy(found)
        groups = [chosen[at : at + per_event] for at in range(0, len(chosen), per_event)]
        events = [self._envelopes.clicked(action, group, self._clock()) for group in groups]
        for event in events:
            self._emit(event)
        return events

    def insight(
        self, insight_arn: str, action_id: str, values: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """What an analyst does who sends results of an insight to a custom action.

        Args:
            insight_arn: which insight.
            action_id: the action's id or ARN.
            values: the results selected; all if None.

        Returns:
            The event that was sent.

        Raises:
            AwsError: there is no such insight, action or result.
        """
        action = self._actions.get(action_id)
        insight = self._insights.get(insight_arn)
        results = self._results(insight)
        if values is not None:
            counts = dict(results)
            missing = [value for value in values if value not in counts]
            if missing:
                raise AwsError("ResourceNotFoundException", f"No result {missing[0]}", 404)
            results = [(value, counts[value]) for value in values]
        event = self._envelopes.insight(action, insight, results, self._clock())
        self._emit(event)
        return event

    def _import(self, request: dict[str, Any]) -> dict[str, Any]:
        return import_batch(
            self._findings,
            request,
            lambda finding: self._emit(self._envelopes.imported(finding, self._clock())),
        )

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        return update_batch(self._findings, request, _iso(self._clock()), self._tell)

    def _tell(self, record: Record) -> None:
        """Every update is an event again; an OCSF finding's in its own form."""
        at = self._clock()
        if record.ocsf is None:
            self._emit(self._envelopes.imported(record.finding, at))
        else:
            self._emit(self._envelopes.imported_ocsf(record.ocsf, at))

    def _get_findings(self, request: dict[str, Any]) -> dict[str, Any]:
        test = compile_filters(request.get("Filters"), self._clock())
        found = [finding for finding in self._findings.all() if test(finding)]
        for criterion in reversed(request.get("SortCriteria") or []):
            _sort(found, criterion)
        return page(request, found, "Findings", default=DEFAULT_FINDINGS)

    def _create_action(self, request: dict[str, Any]) -> dict[str, Any]:
        action = self._actions.create(request["Name"], request["Description"], request["Id"])
        return {"ActionTargetArn": action.arn}

    def _describe_actions(self, request: dict[str, Any]) -> dict[str, Any]:
        arns = request.get("ActionTargetArns")
        actions = [self._actions.get(arn) for arn in arns] if arns else self._actions.list()
        shown = [
            {"ActionTargetArn": one.arn, "Name": one.name, "Description": one.description}
            for one in actions
        ]
        return page(request, shown, "ActionTargets")

    def _update_action(self, request: dict[str, Any]) -> dict[str, Any]:
        self._actions.update(
            request["ActionTargetArn"], request.get("Name"), request.get("Description")
        )
        return {}

    def _delete_action(self, request: dict[str, Any]) -> dict[str, Any]:
        self._actions.delete(request["ActionTargetArn"])
        return {"ActionTargetArn": request["ActionTargetArn"]}

    def _create_insight(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._insights.create(
            request["Name"], request["Filters"], request["GroupByAttribute"]
        )
        return {"InsightArn": arn}

    def _get_insights(self, request: dict[str, Any]) -> dict[str, Any]:
        arns = request.get("InsightArns")
        found = [self._insights.get(arn) for arn in arns] if arns else self._insights.list()
        return page(request, found, "Insights")

    def _insight_results(self, request: dict[str, Any]) -> dict[str, Any]:
        insight = self._insights.get(request["InsightArn"])
        values = [
            {"GroupByAttributeValue": value, "Count": count}
            for value, count in self._results(insight)
        ]
        told = {name: insight[name] for name in ("InsightArn", "GroupByAttribute")}
        return {"InsightResults": {**told, "ResultValues": values}}

    def _results(self, insight: dict[str, Any]) -> list[tuple[str, int]]:
        return insights.results(insight, self._findings.all(), self._clock())

    def _update_insight(self, request: dict[str, Any]) -> dict[str, Any]:
        names = ("Name", "Filters", "GroupByAttribute")
        change = {name: request[name] for name in names if name in request}
        self._insights.update(request["InsightArn"], change)
        return {}

    def _delete_insight(self, request: dict[str, Any]) -> dict[str, Any]:
        self._insights.delete(request["InsightArn"])
        return {"InsightArn": request["InsightArn"]}

    def _describe_hub(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("HubArn", self._arn) != self._arn:
            raise AwsError("ResourceNotFoundException", f"No hub {request['HubArn']}", 404)
        return {
            "HubArn": self._arn,
            "SubscribedAt": self._subscribed,
            "AutoEnableControls": True,
            "ControlFindingGenerator": "SECURITY_CONTROL",
        }

    def _enable(self, _request: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("ResourceConflictException", "Account is already subscribed", 409)


def _sort(findings: list[dict[str, Any]], criterion: dict[str, Any]) -> None:
    """By the first value of an attribute; findings without it come last."""
    name = criterion.get("Field")
    if name not in ATTRIBUTES or not ATTRIBUTES[name][1]:
        raise AwsError("InvalidInputException", f"Invalid parameter SortCriteria.Field: {name}")
    _, path = ATTRIBUTES[name]

    def key(finding: dict[str, Any]) -> tuple[float, str]:
        value = values_at(finding, path)[0]
        number = float(value) if isinstance(value, int | float) else 0.0
        return number, str(value)

    having = [finding for finding in findings if values_at(finding, path)]
    lacking = [finding for finding in findings if not values_at(finding, path)]
    having.sort(key=key, reverse=criterion.get("SortOrder") == "desc")
    findings[:] = [*having, *lacking]


def _iso(at: float) -> str:
    written = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
