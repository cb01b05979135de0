"""Ticket systems, found by the type of their connection.

A ticket system is a module of this package with one function, ``system``. It is imported where a
ticket goes to it: a playbook that uses OpsCenter does not pay for requests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from hub_responder.errors import ConfigurationError
from hub_responder.tickets.in_turn import InTurn

if TYPE_CHECKING:
    from hub_responder.actions.base import Statement
    from hub_responder.connections.resolve import Connection
    from hub_responder.runtime import Runtime
    from hub_responder.tickets.ticket import TicketSystem

MODULES: Mapping[str, str] = {
    "github": "github",
    "jira": "jira",
    "jira_data_center": "jira_data_center",
    "opscenter": "opscenter",
    "security_hub": "security_hub",
    "servicenow": "servicenow",
}
"""Type of connection -> its module."""
KINDS = tuple(sorted(MODULES))
"""The types that take tickets."""
FOLLOWED: frozenset[str] = frozenset(
    {"github", "jira", "jira_data_center", "opscenter", "servicenow"}
)
"""Those whose systems tell what has become of a ticket, and close, reopen, raise and link it."""
HUB_TICKETS = "security_hub"
_WITHOUT_COMMENTS = frozenset({HUB_TICKETS})
_OPS_ITEMS = {"Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:opsitem/*"}
_CONNECTOR = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:connectorv2/"
_STATEMENTS: Mapping[str, tuple[Statement, ...]] = {
    "opscenter": (
        # No resource: the item does not exist yet.
        {"Effect": "Allow", "Action": ["ssm:CreateOpsItem"], "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": ["ssm:GetOpsItem", "ssm:UpdateOpsItem"],
            "Resource": [_OPS_ITEMS],
        },
    ),
}


class _Module(Protocol):
    """What each of these modules is."""

    def system(
        self, connection: Connection, runtime: Runtime, ticket: str = ""
    ) -> TicketSystem: ...


def find(connection: Connection, runtime: Runtime, ticket: str = "") -> TicketSystem:
    """The ticket system that ``connection`` leads to.

    Args:
        ticket: the id of the one that it is asked about. It stays where it was opened, whatever
            a template of the connection gives by now.

    Raises:
        ConfigurationError: its type takes no tickets, or a setting is wrong.
    """
    module = MODULES.get(connection.type)
    if module is None:
        raise ConfigurationError(
            f"connection {connection.name} of type {connection.type} takes no tickets;"
            f" these do: {', '.join(KINDS)}"
        )
    found = cast("_Module", import_module(f"{__package__}.{module}"))
    return InTurn(found.system(connection, runtime, ticket), connection, runtime)


def takes_comments(kind: str) -> bool:
    """Whether tickets of connections of this type can be commented on."""
    return kind in MODULES and kind not in _WITHOUT_COMMENTS


def statements(connections: Iterable[Mapping[str, Any]]) -> list[Statement]:
    """The IAM statements that these connections need, by their settings, beside their secrets."""
    held = list(connections)
    kinds = sorted({str(one.get("type")) for one in held})
    found: list[Statement] = [dict(one) for kind in kinds for one in _STATEMENTS.get(kind, ())]
    # Of a type without settings, as the actions' reference shows it, any connector.
    hubs = (one for one in held if one.get("type") == HUB_TICKETS)
    connectors = sorted({str(one.get("connector", "*")) for one in hubs})
    if connectors:
        named: list[Any] = [
            one if one.startswith("arn:") else {"Fn::Sub": _CONNECTOR + one} for one in connectors
        ]
        found.append(
            {"Effect": "Allow", "Action": ["securityhub:CreateTicketV2"], "Resource": named}
        )
    return found


def looking(kinds: Collection[str]) -> list[Statement]:
    """The IAM statements for asking what has become of tickets in systems of AWS."""
    if "opscenter" not in kinds:
        return []
    return [{"Effect": "Allow", "Action": ["ssm:GetOpsItem"], "Resource": [_OPS_ITEMS]}]
