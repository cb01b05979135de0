"""Tickets of the new Security Hub: connectors, and the tickets that are asked for through them.

Members, limits and errors are those of the API reference (CreateTicketV2, GetConnectorV2). Guesses,
for the reference does not tell: a token that comes again with the same request gets the same
answer, with another one ConflictException; so does a finding that has a ticket already; tickets are
named as Jira names them; and what is written into the ticket is the finding's title.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE_OF = "finding_info"


class Connectors:
    """The connectors of one hub, by id.

    Args:
        find: gives the OCSF finding with a ``metadata.uid``, or None. now: epoch seconds.
    """

    def __init__(
        self, find: Callable[[str], dict[str, Any] | None], now: Callable[[], str]
    ) -> None:
        self._find = find
        self._now = now
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._tickets: list[dict[str, Any]] = []
        self._by_token: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {}

    def register(self, connector: str) -> None:
        """Let there be a connector of this id."""
        self._known.add(connector)

    def create_ticket(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTicketV2.

        Raises:
            AwsError: it is refused.
        """
        connector, uid = str(request["ConnectorId"]), str(request["FindingMetadataUid"])
        token = str(request.get("ClientToken") or "")
        with self._lock:
            held = self._by_token.get(token) if token else None
            if held is not None:
                if held[0] != (connector, uid):
                    raise AwsError("ConflictException", "The token was used before.", 409)
                return held[1]
            if connector not in self._known:
                raise _not_found(f"Connector {connector} does not exist.")
            finding = self._find(uid)
            if finding is None:
                raise _not_found(f"Finding {uid} does not exist.")
            if request.get("Mode") == "DRYRUN":
                return {"TicketId": "DRYRUN"}
            answer = self._open(connector, uid, finding)
            if token:
                self._by_token[token] = (connector, uid), answer
            return answer

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetConnectorV2.

        Raises:
            AwsError: there is none.
        """
        connector = str(request["ConnectorId"])
        if connector not in self._known:
            raise _not_found(f"Connector {connector} does not exist.")
        now = self._now()
        return {
            "ConnectorId": connector,
            "Name": "tickets",
            "CreatedAt": now,
            "LastUpdatedAt": now,
            "Health": {"ConnectorStatus": "CONNECTED", "LastCheckedAt": now},
            "ProviderDetail": {"JiraCloud": {"ProjectKey": "HUB", "AuthStatus": "ACTIVE"}},
        }

    def tickets(self) -> list[dict[str, Any]]:
        """Its tickets, as one of the sandbox's ticket systems."""
        with self._lock:
            return [dict(one) for one in self._tickets]

    def _open(self, connector: str, uid: str, finding: dict[str, Any]) -> dict[str, Any]:
        if any(one["labels"] == [uid] for one in self._tickets):
            raise AwsError("ConflictException", f"Finding {uid} has a ticket already.", 409)
        name = f"HUB-{len(self._tickets) + 1}"
        url = f"https://sandbox.atlassian.net/browse/{name}"
        title = str(finding.get(TITLE_OF, {}).get("title", ""))
        self._tickets.append(
            {
                "id": name,
                "url": url,
                "summary": title,
                "status": "To Do",
                "state": "open",
                "labels": [uid],
                "comments": [],
                "body": f"{title}\n{connector}",
            }
        )
        return {"TicketId": name, "TicketSrcUrl": url}


def _not_found(text: str) -> AwsError:
    return AwsError("ResourceNotFoundException", text, 404)
