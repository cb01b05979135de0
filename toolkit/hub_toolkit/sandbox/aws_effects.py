"""What the responder does to people through AWS services: SNS messages and OpsItems.

They show up in the inbox and among the tickets like those of any vendor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

if TYPE_CHECKING:
    from hub_toolkit.sandbox.aws_app import Call, Performed
    from hub_toolkit.sandbox.inbox import Inbox
    from hub_toolkit.sandbox.opscenter import OpsCenter
    from hub_toolkit.sandbox.simulators import Simulators

_OPSCENTER = frozenset({"ssm.CreateOpsItem", "ssm.UpdateOpsItem"})
_SNS = frozenset({"sns.Publish", "sns.PublishBatch"})


class AwsEffects:
    """Keeps the effects of AWS calls in the inbox.

    Args:
        simulators: know the names of the connections of type sns and opscenter.
    """

    def __init__(self, inbox: Inbox, simulators: Simulators) -> None:
        self._inbox = inbox
        self._simulators = simulators

    def targets(self, call: Call) -> tuple[str, ...]:
        """How faults may name a call, beside ``SERVICE.Operation``."""
        if call.target in _OPSCENTER:
            return ("opscenter", self._simulators.name_of("opscenter", "opscenter"))
        if call.target in _SNS:
            return (self._simulators.name_of("sns", "sns"),)
        return ()

    def performed(self, done: Performed) -> None:
        """Keep a request that changes something for people."""
        target = done.call.target
        if target not in _OPSCENTER | _SNS:
            return
        system = "opscenter" if target in _OPSCENTER else "sns"
        self._inbox.add(
            system=system,
            connection=self._simulators.name_of(system, system),
            method="POST",
            path=f"/{done.call.operation}",
            body=_body(done),
            status=done.status,
            refused=done.refused,
        )


def _body(done: Performed) -> bytes:
    """The request as JSON; a message that is JSON itself is shown parsed."""
    request: dict[str, Any]
    if done.form:
        fields = parse_qs(done.body.decode("utf-8", "replace"), keep_blank_values=True)
        request = {key: values[0] for key, values in fields.items()}
    else:
        request = _parsed(done.body)
    if isinstance(request, dict) and isinstance(request.get("Message"), str):
        request = {**request, "Message": _parsed(request["Message"])}
    return msgspec.json.encode(request)


def _parsed(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text if isinstance(text, str) else text.decode("utf-8", "replace")


class OpsItems:
    """OpsCenter as one of the sandbox's ticket systems."""

    def __init__(self, center: OpsCenter) -> None:
        self._center = center

    def tickets(self) -> list[dict[str, Any]]:
        """All OpsItems as tickets."""
        return [_ticket(item) for item in self._center.items()]


def _ticket(item: dict[str, Any]) -> dict[str, Any]:
    data = item.get("OperationalData", {})
    labels = [str(held.get("Value", "")) for key, held in data.items() if key == "/aws/dedup"]
    return {
        "id": item["OpsItemId"],
        "url": "",
        "summary": item["Title"],
        "status": item["Status"],
        "labels": labels,
        "comments": [],
        "body": item["Description"],
    }
