"""The tickets of all systems in one list."""

from __future__ import annotations

from typing import Any

from hub_toolkit.sandbox.tickets import Tickets


class System:
    """A ticket system with given tickets."""

    def __init__(self, *ids: str) -> None:
        self._ids = ids

    def tickets(self) -> list[dict[str, Any]]:
        return [{"id": each} for each in self._ids]


def test_tickets_are_listed_system_by_system() -> None:
    tickets = Tickets()
    tickets.register("jira", "jira-sec", System("SEC-1", "SEC-2"))
    tickets.register("opscenter", "ops", System("oi-1"))
    assert tickets.list() == [
        {"system": "jira", "connection": "jira-sec", "id": "SEC-1"},
        {"system": "jira", "connection": "jira-sec", "id": "SEC-2"},
        {"system": "opscenter", "connection": "ops", "id": "oi-1"},
    ]
