"""AWS and the vendors for one handler: the sandbox's services behind a loopback address.

Without the sandbox's functions and rules: what the handler causes starts nothing else, and messages
stay in their queue until they are asked for.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import msgspec

from benchmarks.process import Handler
from hub_responder.playbook import Wait, load
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.sandbox import compiled, deploy, estate
from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.core import Core
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.kills import Kills
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.sandbox.pollers import to_record
from hub_toolkit.sandbox.security_hub.events import Action, Envelopes
from hub_toolkit.sandbox.server import ACCOUNT, REGION, STACK, TEMPLATE
from hub_toolkit.sandbox.shipped import CODE
from hub_toolkit.sandbox.template import Function, read_template
from hub_toolkit.sandbox.template import plan as read_plan
from hub_toolkit.sandbox.workers.environment import Host, variables
from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, respond_error

PLAYBOOK = "inspector-coverage"
STAGE = "sandbox"
SAMPLE = "events/inspector-critical-ec2-unprotected.json"
"""One finding on an instance that Vision One does not know."""
CHANNELS = tuple(f"C0BENCH{number:04d}" for number in range(200))
"""Slack takes about a message a second in a channel. Each instance has its own here, as where many
teams are told: what is measured is the work, not the wait for a turn."""
CLICKED = Action(
    f"arn:aws:securityhub:{REGION}:{ACCOUNT}:action/custom/CheckCoverage", "Check V1 coverage", ""
)

Record = Mapping[str, Any]


def _no_control(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    return respond_error(start_response, 404, "there are no control routes here")


class Cloud:
    """Serves until `close`. ``root`` is the project."""

    def __init__(self, root: Path) -> None:
        self._closing = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="hub-responder-bench-"))
        self._closing.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._clock = Clock()
        self._closing.callback(self._clock.close)
        moto = MotoStore(ACCOUNT, REGION)
        self._closing.callback(moto.reset)
        listener = Listener()
        self._closing.callback(listener.stop)
        self._core = Core(self._clock, Place(STACK, ACCOUNT, REGION, listener.endpoint), moto)
        self._closing.callback(self._core.queues.close)
        self._host = Host(listener.endpoint, REGION, ACCOUNT)
        self._envelopes = Envelopes(REGION, ACCOUNT)
        sample = msgspec.json.decode((root / SAMPLE).read_bytes())
        self._sample = msgspec.json.encode(sample["detail"]["findings"][0]).decode()
        self._names = _names(msgspec.json.decode(self._sample))
        self._root = root
        self._channels = itertools.cycle(CHANNELS)
        self._channel_of: dict[str, str] = {}
        listener.start(self._furnish(moto, listener.endpoint))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def _furnish(self, moto: MotoStore, endpoint: str) -> App:
        """The template's queues and tables, the connections' simulators with their secrets."""
        core, template = self._core, read_template(self._root / TEMPLATE)
        plan = read_plan(template, Place(STACK, ACCOUNT, REGION, endpoint), {"Stage": STAGE})
        plan.rules.clear()
        kills = Kills(core.faults, lambda _port: False, lambda _port: False)
        simulators = core.simulators(kills)
        made = compiled.compile_all(
            load_project(self._root, STAGE),
            self._folder,
            lambda name, held: simulators.add(name, _spread(held)),
        )
        deploy.deploy(plan, core.services())
        self._plan, self._simulators, self._inventory = plan, simulators, made.inventory
        for name, value in simulators.secrets.items():
            moto.put_secret(f"hub-responder/{STAGE}/{name}", value)
        moto.load()
        estate.load().furnish(simulators.vision_ones, simulators.workload_securities)
        self._function = next(one for one in plan.functions.values() if PLAYBOOK in one.layers)
        self._imports, self._clicks = (
            f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
            for url in (
                self._function.environment["IMPORTS_QUEUE_URL"],
                self._function.environment["CLICKS_QUEUE_URL"],
            )
        )
        return core.app(simulators, kills, _no_control)

    def environment(self, wait: Wait | None = None, *, linked: bool = False) -> dict[str, str]:
        """The function's environment; its playbook as shipped, or with another ``wait``.

        Args:
            linked: Vision One is linked to Server & Workload Protection, as in the sandbox; the
                shipped connections are not.
        """
        folder = Path(shutil.copytree(self._folder / PLAYBOOK, self._folder / uuid.uuid4().hex))
        played = load(folder)
        if wait is not None:
            played = msgspec.structs.replace(played, wait=wait)
        if not linked:
            known = {
                name: {key: value for key, value in held.items() if key != "workload_security"}
                for name, held in played.connections.items()
            }
            played = msgspec.structs.replace(played, connections=known)
        (folder / "playbook.json").write_bytes(msgspec.json.encode(played))
        function = self._function
        return self._variables(function, {**function.environment, "PLAYBOOK_DIR": str(folder)})

    def _variables(self, function: Function, template: Mapping[str, str]) -> dict[str, str]:
        return variables(
            self._host,
            name=function.name,
            handler=function.handler,
            memory_mb=function.memory,
            directory=str(self._root / CODE),
            log_stream="bench",
            template=template,
        )

    def offset(self) -> float:
        """Seconds that the simulated clock is ahead of the machine's."""
        return self._clock.now() - time.time()

    def advance(self, seconds: float) -> None:
        """Let simulated time pass."""
        self._clock.advance(seconds)

    def findings(self, count: int) -> list[dict[str, Any]]:
        """New findings in Security Hub, each on an instance of its own."""
        return [self.finding(instance) for instance in self.instances(count)]

    def instances(self, count: int) -> list[str]:
        """Ids of instances that nobody has heard of."""
        return [_renamed(self._names[0]) for _ in range(count)]

    def finding(self, instance: str) -> dict[str, Any]:
        """A new finding in Security Hub, on this instance."""
        own, name = self._names
        text = self._sample.replace(own, instance).replace(name, _renamed(name))
        finding: dict[str, Any] = msgspec.json.decode(text)
        number = int(instance.removeprefix("i-"), 16)
        address = f"172.{16 + number % 16}.{number // 16 % 256}.{number // 4096 % 256}"
        (resource,) = finding["Resources"]
        resource["Details"]["AwsEc2Instance"]["IpV4Addresses"] = [address]
        resource["Tags"]["Name"] = f"host-{instance[2:10]}"
        resource["Tags"]["Channel"] = self._channel(instance)
        self._core.hub.seed(finding)
        return finding

    def _channel(self, instance: str) -> str:
        if instance not in self._channel_of:
            self._channel_of[instance] = next(self._channels)
        return self._channel_of[instance]

    def verdict(self, finding: Mapping[str, Any]) -> str:
        """What a finding says of its instance's coverage."""
        held = self._core.hub.get(finding["Id"]) or {}
        return str(held.get("UserDefinedFields", {}).get("hubResponderVerdict"))

    def protect(self, instances: Sequence[str]) -> None:
        """Let Vision One, and what is linked to it, know these instances and no others."""
        known = estate.load()
        endpoint = next(e for e in known.vision_one.endpoints if e["displayName"] == "app-01")
        machine = endpoint["eppAgent"]["virtualMachineDetails"]["cloudInstanceId"]
        computer = next(
            c
            for c in known.workload_security.computers
            if c.get("ec2VirtualMachineSummary", {}).get("instanceID") == machine
        )
        pairs = [_pair(endpoint, computer, machine, *one) for one in enumerate(instances, 1)]
        for vision_one in self._simulators.vision_ones:
            vision_one.replace_endpoints([one for one, _ in pairs])
        for workload in self._simulators.workload_securities:
            workload.replace_computers([one for _, one in pairs])

    def walk(self) -> None:
        """Let the scheduled function walk the fleet now, in a process of its own.

        Raises:
            RuntimeError: it left no snapshot.
        """
        function = next(one for one in self._plan.functions.values() if "inventory" in one.layers)
        given = {**function.environment, "INVENTORY_DIR": str(self._inventory)}
        with Handler(self._variables(function, given)) as handler:
            told = handler.call({}, self.offset())
        if any(one["error"] for one in told.values()):
            raise RuntimeError(f"the fleet was not walked: {told}")

    @property
    def audit_table(self) -> str:
        """The name of the audit trail's table."""
        return next(name for name in self._plan.tables if "AuditTable" in name)

    def now(self) -> float:
        """The simulated time."""
        return self._clock.now()

    def write(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Items of a transaction, each by itself: nothing else writes here."""
        for item in items:
            self._core.tables.handle("PutItem", dict(item["Put"]))

    def scheduled(self, name: str) -> dict[str, Any]:
        """A scheduled function in a process of its own: what it returned, and what it took."""
        function = next(one for one in self._plan.functions.values() if one.name.endswith(name))
        with Handler(self._variables(function, function.environment)) as handler:
            return handler.measured({}, self.offset())

    def imported(self, findings: Sequence[dict[str, Any]]) -> list[Record]:
        """The messages of EventBridge about imported findings, one each, as Lambda gets them."""
        at = self._clock.now()
        return self._through(self._imports, [self._envelopes.imported(f, at) for f in findings])

    def clicked(self, findings: Sequence[dict[str, Any]]) -> list[Record]:
        """The messages about findings that an analyst sent to the custom action, one each."""
        at = self._clock.now()
        events = [self._envelopes.clicked(CLICKED, [finding], at) for finding in findings]
        return self._through(self._clicks, events)

    def _through(self, queue: str, events: Sequence[dict[str, Any]]) -> list[Record]:
        for event in events:
            self._core.queues.send(queue, msgspec.json.encode(event).decode())
        return self.waiting(queue)

    def waiting(self, queue: str = "") -> list[Record]:
        """The visible messages of the imports queue, taken out of it."""
        queue = queue or self._imports
        records: list[Record] = []
        while taken := self._core.queues.receive(queue):
            for message in taken:
                records.append(to_record(message, queue, REGION))
                self._core.queues.delete(queue, message.receipt)
        return records

    def assert_answered(self, findings: Sequence[dict[str, Any]]) -> None:
        """Every finding has the whole playbook's mark: verdict, ticket, workflow.

        Raises:
            RuntimeError: one has not; what was measured is not the whole playbook then.
        """
        for finding in findings:
            held = self._core.hub.get(finding["Id"]) or {}
            fields = held.get("UserDefinedFields", {})
            verdict, ticket = fields.get("hubResponderVerdict"), fields.get("hubResponderTicket")
            workflow = held.get("Workflow", {}).get("Status")
            if (
                verdict != "UNPROTECTED"
                or not str(ticket).startswith("SEC-")
                or workflow != "NOTIFIED"
            ):
                raise RuntimeError(f"a finding is {workflow} with {fields}: not the whole playbook")


def _spread(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Slack connection whose channel is the instance's own."""
    if settings.get("type") != "slack":
        return settings
    channel = "{{ finding.resource.tags.get('Channel') }}"
    return {**settings, "channel": channel, "allow": CHANNELS}


def _renamed(name: str) -> str:
    """Another name of the same form."""
    return name[:2] + uuid.uuid4().hex[: len(name) - 2]


def _pair(
    endpoint: Mapping[str, Any],
    computer: Mapping[str, Any],
    machine: str,
    number: int,
    instance: str,
) -> tuple[Any, Any]:
    """The endpoint and the computer as those of another instance."""
    guid, host = str(uuid.uuid4()), f"host-{number}.example.internal"
    names = (endpoint["agentGuid"], guid), (endpoint["endpointName"], host), (machine, instance)
    text = msgspec.json.encode([endpoint, computer]).decode()
    for old, new in names:
        text = text.replace(old, new)
    one, two = msgspec.json.decode(text)
    address = f"10.9.{number // 250}.{number % 250}"
    one |= {"displayName": host, "ipAddresses": [address], "lastUsedIp": address}
    return one, two | {"ID": number, "agentGUID": guid, "displayName": instance}


def _names(finding: Mapping[str, Any]) -> tuple[str, str]:
    """The parts of the sample that name its instance (``i-...``) and the finding itself."""
    instance = str(finding["Resources"][0]["Id"]).rpartition("/")[2]
    return instance, str(finding["Id"]).rpartition("/")[2]
