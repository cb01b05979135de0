"""A running sandbox as end-to-end tests see it: through AWS clients and the control routes only."""

from __future__ import annotations

import copy
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil
import requests
from botocore.config import Config

from hub_toolkit import synth
from hub_toolkit.sandbox import estate

PROJECT = Path(__file__).parents[1]

ACCOUNT, FINANCE, HOOK = "111122223333", "444455556666", "333344445555"
"""The sandbox's routes lead their findings to Slack and Jira, SNS and OpsCenter, a webhook."""
REGION = "us-east-1"
PRODUCT = f"arn:aws:securityhub:{REGION}::product/aws/inspector"
IMPORTS = f"http://x/{ACCOUNT}/hub-responder-inspector-coverage-imports"
ACTION = "CheckCoverage"
CHAT, TICKETS = frozenset({"slack", "sns"}), frozenset({"jira", "opscenter"})


SPEED = 600.0
"""Of the clock while nothing runs: ten simulated minutes in a second."""


@contextmanager
def apart(root: Path, speed: float = SPEED) -> Iterator[Live]:
    """A sandbox of the project at ``root``, in a process of its own: a process holds one."""
    code = "from hub_toolkit.cli import main; main()"
    words = ["sandbox", "up", "--json", "--speed", str(speed), "--root", str(root)]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the sandbox did not start; see what it said above"
        live = Live(json.loads(line)["endpoint"], process.pid)
        try:
            yield live
            assert live.denied() == {}, "a function did what its role does not allow"
        finally:
            live.close()
            process.terminate()


def lay_out(root: Path, files: Mapping[str, str]) -> Path:
    """A project at ``root`` with the functions of this one and these files below ``playbooks``."""
    for name, text in files.items():
        path = root / "playbooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "template.yaml").write_text(synth.render(root), encoding="utf-8")
    (root / "functions").symlink_to(PROJECT / "functions")
    return root


def environment() -> Mapping[str, str]:
    """Of a process of our own that finds this checkout first."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


class Live:
    """One sandbox that many tests share: each uses instances and findings of its own."""

    def __init__(self, endpoint: str, pid: int) -> None:
        self.endpoint = endpoint
        self.pid = pid
        self._numbers = itertools.count(1)
        self._session = requests.Session()
        self._session.trust_env = False
        self._clients: dict[str, Any] = {}

    def close(self) -> None:
        self._session.close()
        for client in self._clients.values():
            client.close()

    def denied(self) -> dict[str, list[list[str]]]:
        """By function: what its role did not allow (action, resource)."""
        report = self.control("GET", "permissions")
        return {name: one["denied"] for name, one in report.items() if one["denied"]}

    def logs(self) -> set[Path]:
        """The functions' log files, as far as a process of theirs has one open."""
        return {
            Path(held.path)
            for process in psutil.Process(self.pid).children(recursive=True)
            for held in process.open_files()
            if held.path.endswith(".log")
        }

    def kill_workers(self) -> None:
        """End every Lambda process; they are children of the one that they are forked from."""
        for parent in psutil.Process(self.pid).children():
            for worker in parent.children():
                worker.kill()

    def client(self, service: str) -> Any:
        """A boto3 client with an access key of no meaning."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id="anything",
                aws_secret_access_key="goes",
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call a control route that is expected to succeed."""
        url = f"{self.endpoint}/_sandbox/{path}"
        response = self._session.request(method, url, json=body, timeout=120)
        assert response.status_code == 200, response.text
        return response.json()

    def reset(self) -> None:
        """No faults, the estate of the beginning, nothing queued; what has happened stays."""
        self.control("DELETE", "faults", [])
        known = estate.load()
        self.control("PUT", "vision_one/endpoints", known.vision_one.endpoints)
        self.control("PUT", "vision_one/alerts", known.vision_one.alerts)
        self.control("PUT", "workload_security/rules", known.workload_security.rules)
        self.control("PUT", "workload_security/computers", known.workload_security.computers)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing more happens."""
        self.control("GET", "idle?timeout=60")

    def begin_hour(self) -> float:
        """Go on to the first minute of an hour, so that what follows lies in one; the time."""
        now: float = self.control("GET", "clock")["now"]
        self.control("POST", "clock", {"advance_s": 3660 - now % 3600})
        self.settle()
        begun: float = self.control("GET", "clock")["now"]
        return begun

    def fault(self, **entry: Any) -> None:
        self.control("POST", "faults", [entry])

    def instance(self) -> str:
        """The id of an instance that no test has used."""
        return f"i-0e2e{next(self._numbers):013x}"

    def protect(self, *instances: str, account: str = ACCOUNT) -> None:
        """Let Vision One know these instances, besides the estate's, with all modules on."""
        endpoints = estate.load().vision_one.endpoints
        model = next(item for item in endpoints if item["displayName"] == "app-01")
        for number, instance in enumerate(instances):
            item = copy.deepcopy(model)
            machine = item["eppAgent"]["virtualMachineDetails"]
            machine.update(cloudInstanceId=instance, cloudAccountId=account)
            item |= {"agentGuid": f"{number:08x}-0000-4000-8000-00000000e2e0"}
            item |= {"endpointName": f"host-{instance}", "displayName": f"host-{instance}"}
            endpoints.append(item)
        self.control("PUT", "vision_one/endpoints", endpoints)

    def finding(self, *instances: str, account: str = ACCOUNT, **fields: Any) -> dict[str, Any]:
        """An Inspector finding of its own about instances."""
        number = next(self._numbers)
        resources = [
            {
                "Type": "AwsEc2Instance",
                "Id": f"arn:aws:ec2:{REGION}:{account}:instance/{instance}",
                "Region": REGION,
                "Partition": "aws",
            }
            for instance in instances
        ]
        return {
            "SchemaVersion": "2018-10-08",
            "Id": f"arn:aws:inspector2:{REGION}:{account}:finding/{number:032x}",
            "ProductArn": PRODUCT,
            "GeneratorId": "AWSInspector",
            "AwsAccountId": account,
            "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
            "CreatedAt": "2026-11-01T00:00:00.000Z",
            "UpdatedAt": "2026-11-01T00:00:00.000Z",
            "Severity": {"Label": "CRITICAL"},
            "Title": f"CVE-2026-1111 - openssl ({number})",
            "Description": "An invented vulnerability.",
            "Resources": resources,
            **fields,
        }

    def imported(self, *findings: dict[str, Any]) -> None:
        """Import findings as a product does, and wait until all is done."""
        answer = self.client("securityhub").batch_import_findings(Findings=list(findings))
        assert answer["FailedCount"] == 0, answer
        self.settle()

    def clicked(self, *findings: dict[str, Any], action: str = ACTION) -> None:
        """Click on findings that were not handled on import, and wait until all is done."""
        ids = [finding["Id"] for finding in findings]
        self.control("POST", "click", {"action_id": action, "finding_ids": ids})
        self.settle()

    def held(self, finding: dict[str, Any]) -> dict[str, Any]:
        """The finding as Security Hub holds it, found by filters."""
        filters = {"Id": [{"Value": finding["Id"], "Comparison": "EQUALS"}]}
        (found,) = self.client("securityhub").get_findings(Filters=filters)["Findings"]
        assert isinstance(found, dict)
        return found

    def records(self, finding: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
        """The audit records that name a finding, of some kinds or all."""
        return [
            record
            for record in self.control("GET", "audit")
            if finding["Id"] in record.get("findings", ())
            and (not kinds or record["kind"] in kinds)
        ]

    def moves(self, finding: dict[str, Any]) -> list[str]:
        """The kinds of all audit records of the finding's incidents, oldest first."""
        incidents = {record.get("incident") for record in self.records(finding)} - {None}
        records = self.control("GET", "audit")
        return [record["kind"] for record in records if record.get("incident") in incidents]

    def verdict(self, finding: dict[str, Any]) -> dict[str, Any]:
        """The last coverage of a finding."""
        results = [record.get("result", {}) for record in self.records(finding, "outcome")]
        found = [result for result in results if "verdict" in result]
        assert found, "no coverage was recorded"
        assert isinstance(found[-1], dict)
        return found[-1]

    def messages(self, about: str) -> list[dict[str, Any]]:
        """The chat deliveries whose text names ``about``."""
        return self._deliveries(CHAT, about)

    def tickets(self, about: str) -> list[dict[str, Any]]:
        """The tickets whose text names ``about``."""
        return [one for one in self.control("GET", "tickets") if about in json.dumps(one)]

    def _deliveries(self, systems: frozenset[str], about: str) -> list[dict[str, Any]]:
        return [
            one
            for one in self.control("GET", "inbox")
            if one["system"] in systems and about in json.dumps(one["body"])
        ]
