"""Any estate, any fault: no agent is ever called UNPROTECTED, and nothing without one PROTECTED.

Machines share names and addresses as they do in real networks: no two share both, since nothing
tells such two apart. The estates know who really has an agent; the answers must not contradict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from estates import TOKEN, Tenant, endpoint
from factories import resource
from hub_responder.deadline import Deadline
from hub_responder.retry import Patience
from hub_responder.vision_one import asking, clues, inventory
from hub_responder.vision_one.asking import Question, answers
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import Demand
from loopback import Reply

ACCOUNTS = ("111122223333", "444455556666")
NAMES = ("web-01", "pay-02", "受付-03")
ADDRESSES = ("10.20.1.12", "10.20.1.13", "10.20.1.14")
RUNNING = ("agent", "agent, pairs", "agent, no account", "agent without cloud details", "cloned")
WITHOUT = ("none", "bare", "bare and stale", "sensor", "empty")
FAULTS = (
    Reply(429, {"code": "TooManyRequests", "message": "Too many requests"}),
    Reply(429, {"error": {"code": "TooManyRequests", "message": "x"}}, {"Retry-After": "30"}),
    Reply(502, b"<html>Bad gateway</html>"),
    Reply(200, b'{"items": [{"agentGuid": "a"'),
    Reply(200, {"items": [], "totalCount": 5, "count": 0}),
    Reply(200, {"items": [7], "totalCount": 1, "count": 1}),
    Reply(200, {"items": [], "nextLink": "https://elsewhere.example/v3.0/x"}),
    Reply(403, {"error": {"code": "AccessDenied", "message": "Insufficient permissions."}}),
    Reply(404, {"error": {"code": "NotFound"}}),
)


@dataclass(frozen=True)
class Machine:
    """An instance, and what is really on it."""

    number: int
    account: str
    name: str
    address: str
    kind: str

    @property
    def instance(self) -> str:
        return f"i-{self.number:017x}"

    @property
    def runs_an_agent(self) -> bool:
        return self.kind in RUNNING

    def records(self) -> list[dict[str, Any]]:
        """What Vision One holds of it."""
        common: dict[str, Any] = {"endpointName": self.name, "ipAddresses": [self.address]}
        own = {"cloudAccountId": self.account, "cloudInstanceId": self.instance}
        silent = {"status": "off", "version": "", "protectionManager": "", "policyName": ""}
        never = {**silent, "lastConnectedDateTime": ""}

        def made(**more: Any) -> dict[str, Any]:
            return endpoint(self.instance, self.account, **{**common, **more})

        pairs = [{"key": key, "value": value} for key, value in own.items()]
        off, on = {"status": "disabled"}, {"status": "enabled"}
        shapes: dict[str, list[dict[str, Any]]] = {
            "agent": [made()],
            "agent, pairs": [made(virtualMachineDetails=pairs)],
            "agent, no account": [made(virtualMachineDetails={"cloudInstanceId": self.instance})],
            "agent without cloud details": [made(virtualMachineDetails=None)],
            "cloned": [made(agentGuid="guid-image")],
            "none": [],
            "bare": [made(**never, edrSensor=off)],
            "bare and stale": [
                made(**never, edrSensor=off),
                made(agentGuid=f"old-{self.number}", **never, edrSensor={}),
            ],
            "sensor": [made(**never, edrSensor=on)],
            "empty": [{**made(edrSensor=off), "eppAgent": {}}],
        }
        return shapes[self.kind]

    def question(self) -> Question:
        """As a finding about it asks."""
        arn = f"arn:aws:ec2:us-east-1:{self.account}:instance/{self.instance}"
        found = resource(
            instance_id=self.instance,
            id=arn,
            account=self.account,
            tags={"Name": self.name},
            details={"IpV4Addresses": [self.address]},
        )
        return Question(clues.of(found, None), clicked=self.number % 2 == 0)


@st.composite
def estates(draw: st.DrawFn) -> tuple[Machine, ...]:
    places = [(name, address) for name in NAMES for address in ADDRESSES]
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, max_size=6, unique=True))
    return tuple(
        Machine(
            number,
            draw(st.sampled_from(ACCOUNTS)),
            name,
            address,
            draw(st.sampled_from(RUNNING + WITHOUT)),
        )
        for number, (name, address) in enumerate(chosen, 1)
    )


def replaced(machine: Machine) -> dict[str, Any]:
    """The record of a machine that is gone and whose name and address another has by now."""
    return endpoint(
        f"i-{machine.number + 0xF000:017x}",
        machine.account,
        endpointName=machine.name,
        ipAddresses=[machine.address],
        lastConnectedDateTime="2026-01-01T00:00:00",
    )


faults = st.lists(st.none() | st.sampled_from(FAULTS), max_size=4)
modules = st.sampled_from([[], ["anti_malware"], ["anti_malware", "intrusion_prevention"]])


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(estate=estates(), gone=st.booleans(), trouble=faults, demanded=modules)
@example(
    estate=(Machine(1, ACCOUNTS[0], NAMES[0], ADDRESSES[0], "agent without cloud details"),),
    gone=True,
    trouble=[],
    demanded=[],
)
def test_no_agent_is_ever_unprotected_and_nothing_without_one_protected(
    tenant: Tenant,
    estate: tuple[Machine, ...],
    gone: bool,
    trouble: list[Reply | None],
    demanded: list[str],
) -> None:
    asking.forget()
    inventory.forget()
    records = [record for machine in estate for record in machine.records()]
    tenant.holds(*records, *([replaced(estate[0])] if gone else []))
    tenant.replies[:] = trouble
    client = Client(
        "vision-one",
        tenant.server.url,
        lambda call: call(TOKEN),
        Deadline.after(60),
        patience=Patience(0.0),
    )
    found = answers(
        asking.Tenant(client), [one.question() for one in estate], Demand(86_400.0, demanded)
    )
    assert len(found) == len(estate)
    for machine, answer in zip(estate, found, strict=True):
        event(f"{machine.kind}: {answer.verdict}")
        wrong = "UNPROTECTED" if machine.runs_an_agent else "PROTECTED"
        assert answer.verdict != wrong, (machine, answer)
