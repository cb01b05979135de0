"""A tenant of Server & Workload Protection for tests: the simulator behind a loopback server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from werkzeug.test import Client as Wsgi

from factories import ACCOUNT, INSTANCE, NOW
from hub_responder.workload_security.computer import NO_VERSION
from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity
from loopback import Loopback, Reply, Request

KEY = "api-k3y"


def computer(instance: str = INSTANCE, account: str = ACCOUNT, **overrides: Any) -> dict[str, Any]:
    """A managed computer that an AWS connector tells of, intrusion prevention on, as it is sent."""
    values: dict[str, Any] = {
        "ID": 34,
        "agentGUID": f"GUID-{instance}",
        "hostName": "ip-10-20-1-12.ec2.internal",
        "displayName": instance,
        "agentVersion": "20.0.2.1234",
        "agentFingerPrint": "F9:51:00:11",
        "lastAgentCommunication": int((NOW - 300) * 1000),
        "policyID": 3,
        "computerStatus": {"agentStatus": "active", "agentStatusMessages": ["Managed (Online)"]},
        "ec2VirtualMachineSummary": {
            "accountID": account,
            "instanceID": instance,
            "state": "POWER ON",
        },
        "intrusionPrevention": {
            "state": "prevent",
            "moduleStatus": {"agentStatus": "active", "agentStatusMessage": "On, Prevent, 2 rules"},
            "ruleIDs": [11, 12],
        },
        "antiMalware": {"state": "on"},
    }
    return values | overrides


def bare(instance: str = INSTANCE, account: str = ACCOUNT, **overrides: Any) -> dict[str, Any]:
    """An instance without an agent, which an AWS connector tells of."""
    without: dict[str, Any] = {
        "agentGUID": None,
        "agentVersion": NO_VERSION,
        "agentFingerPrint": None,
        "lastAgentCommunication": None,
        "policyID": None,
        "computerStatus": {
            "agentStatus": "inactive",
            "agentStatusMessages": ["Unmanaged (Unknown)"],
        },
        "intrusionPrevention": {
            "state": "off",
            "moduleStatus": {"agentStatus": "inactive", "agentStatusMessage": "Not Activated"},
            "ruleIDs": [],
        },
        "antiMalware": {"state": "off"},
    }
    return computer(instance, account, **without | overrides)


def by_agent(instance: str = INSTANCE, account: str = ACCOUNT, **overrides: Any) -> dict[str, Any]:
    """A managed computer whose agent itself tells the instance."""
    made = computer(instance, account, **overrides)
    summary = made.pop("ec2VirtualMachineSummary")
    del summary["state"]
    return made | {"noConnectorVirtualMachineSummary": summary}


def ips(state: str = "prevent", running: str = "active", rules: Any = (11, 12)) -> dict[str, Any]:
    """Overrides for a computer's intrusion prevention."""
    told = None if rules is None else list(rules)
    module = {"state": state, "moduleStatus": {"agentStatus": running}, "ruleIDs": told}
    return {"intrusionPrevention": module}


def rule(number: int, *cves: str, **overrides: Any) -> dict[str, Any]:
    """An intrusion prevention rule, as it is sent."""
    return {
        "ID": number,
        "name": f"Rule {number}",
        "identifier": f"10{number:05}",
        "CVE": list(cves),
        "detectOnly": False,
        "minimumAgentVersion": "9.0.0.0",
        **overrides,
    }


class Workload:
    """``replies`` are answered first, one for each request; None lets the simulator answer."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        self.now = NOW
        self.simulator = WorkloadSecurity(lambda: self.now, api_key=KEY)
        self.replies: list[Reply | None] = []
        server.answer = self._answer

    def holds(self, *computers: object, rules: Sequence[object] | None = None) -> None:
        """Replace the computers, and the rules where some are given."""
        self.simulator.replace_computers(computers)
        if rules is not None:
            self.simulator.replace_rules(rules)

    def asked(self, path: str) -> list[Request]:
        """The requests whose path ends so, the query apart."""
        return [r for r in self.server.requests if r.path.partition("?")[0].endswith(path)]

    def _answer(self, request: Request) -> Reply:
        scripted = self.replies.pop(0) if self.replies else None
        if scripted is not None:
            return scripted
        wanted = ("authorization", "api-version", "content-type")
        answer = Wsgi(self.simulator.app).open(
            request.path,
            method=request.method,
            headers={name: request.headers[name] for name in wanted if name in request.headers},
            data=request.body,
            base_url=self.server.url,
        )
        return Reply(answer.status_code, answer.data)
