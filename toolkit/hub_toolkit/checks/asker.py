"""One connection, and how it is asked: the one way out over HTTP that ships, with its secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub_responder import http, secrets

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.deadline import Deadline

WITHIN_S = 40.0
"""For all reads of one connection."""


@dataclass(frozen=True, slots=True)
class Asker:
    """One connection as it is deployed.

    Attributes:
        stack: the deployment's, which names its own topic.
        connections: all of the stage: one may lead to another.
    """

    connection: Connection
    stage: str
    stack: str
    region: str
    deadline: Deadline
    connections: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.connection.name

    def get(
        self, url: str, headers: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> http.Response:
        """The answer to a GET, whatever its status.

        Args:
            headers: from the secret.

        Raises:
            ConfigurationError: the secret lacks something.
            CallError: no answer came.
        """
        settings = self.connection.settings
        session = http.session_for(
            private=bool(settings.get("private", self.connection.type in _ANYWHERE)),
            ca=str(settings.get("ca", "")),
        )
        return http.call(
            "GET",
            url,
            target=self.name,
            deadline=self.deadline,
            headers=headers(secrets.get(self.stage, self.name)),
            session=session,
        )


_ANYWHERE = frozenset({"jira"})
"""Types without `private`, whose address may be anywhere."""
