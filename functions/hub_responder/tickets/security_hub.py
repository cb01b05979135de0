"""Security Hub's own tickets: Jira Cloud or ServiceNow through a connector, without a secret here.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_CreateTicketV2.html. Security Hub
writes the ticket from the finding, in words of its own, and keeps the two in step by itself; ours
is only that there is one. It takes a client token, so that asking twice is safe, and the id of a
finding in the new Security Hub (OCSF ``metadata.uid``), which a finding in ASFF does not have.
There is no call to comment on a ticket, to close it or to ask what has become of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import ClientError

from hub_responder import aws
from hub_responder.connections.settings import SecurityHub, read
from hub_responder.errors import ConfigurationError, PermanentError
from hub_responder.tickets.ticket import Draft, Standing, Ticket, label

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

CALL_S = 10.0


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> HubTickets:  # noqa: ARG001
    """The connector of the function's own account and region, whatever the ticket."""
    return HubTickets(connection, runtime)


class HubTickets:
    """One connector, for one invocation."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        self._connector = read(connection.settings, SecurityHub, connection.name).connector
        self._name = connection.name
        self._runtime = runtime

    def open(self, draft: Draft) -> Ticket:
        """Ask for the finding's ticket; with one key there is one, however often that is.

        Raises:
            ConfigurationError: there is no such connector.
            CallError: Security Hub refused it or did not answer; the finding is none that the new
                Security Hub has.
        """
        if not draft.finding_uid:
            raise PermanentError(
                f"{self._name}: a ticket of Security Hub needs a finding of the new Security Hub"
                " (OCSF), and this one came in ASFF: start the playbook by `imported_v2`, or use"
                " another connection",
                target=self._name,
            )
        self._runtime.deadline.timeout(CALL_S, target=self._name)
        try:
            answer = aws.client("securityhub").create_ticket_v2(
                ConnectorId=self._connector,
                FindingMetadataUid=draft.finding_uid,
                ClientToken=label(draft.key),
            )
        except aws.ERRORS as error:
            if _code(error) == "ResourceNotFoundException":
                raise ConfigurationError(
                    f"connection {self._name}: Security Hub knows no connector"
                    f" {self._connector!r}, or not the finding"
                ) from error
            raise aws.translate(error, self._name) from error
        ticket = answer.get("TicketId")
        if not isinstance(ticket, str) or not ticket:
            raise PermanentError(
                f"{self._name} answered without the id of a ticket", target=self._name, sent=True
            )
        url = str(answer.get("TicketSrcUrl") or "")
        return Ticket(ticket, url if url.startswith("https://") else "", opened=True)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Refused, as everything but opening: Security Hub has no call for it."""
        del ticket, document, mark, in_doubt
        self._refuse()

    def standings(self, tickets: Sequence[str]) -> Mapping[str, Standing]:
        """Nothing can be told."""
        del tickets
        return {}

    def close(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Refused."""
        del ticket, document, mark, in_doubt
        self._refuse()

    def reopen(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Refused."""
        del ticket, document, mark, in_doubt
        self._refuse()

    def prioritise(self, ticket: str, priority: str) -> bool:
        """Refused."""
        del ticket, priority
        self._refuse()

    def link(self, ticket: str, earlier: str) -> None:
        """Refused."""
        del ticket, earlier
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise PermanentError(
            f"{self._name}: Security Hub looks after its tickets itself", target=self._name
        )


def _code(error: Exception) -> str:
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))
