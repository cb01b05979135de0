"""AWS Systems Manager OpsCenter: tickets without a secret.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html. OpsCenter
keeps one open OpsItem per deduplication string by itself, so asking twice is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec
from botocore.exceptions import ClientError

from hub_responder import aws
from hub_responder.connections.settings import OpsCenter, read
from hub_responder.errors import ConfigurationError, PermanentError
from hub_responder.markdown.characters import clean, shorten
from hub_responder.markdown.filters import console_host
from hub_responder.markdown.plain import to_markdown
from hub_responder.tickets.ticket import MAX_SUMMARY, Draft, Ticket, label

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MAX_DESCRIPTION = 2048
MAX_DATA = 1000
_PRIORITIES = ("1", "2", "3", "4", "5")


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> OpsItems:  # noqa: ARG001
    """OpsCenter of the function's own account and region, whatever the ticket."""
    return OpsItems(connection, runtime)


class OpsItems:
    """OpsCenter in this account and region, for one invocation."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        read(connection.settings, OpsCenter, connection.name)
        self._name = connection.name
        self._runtime = runtime

    def open(self, draft: Draft) -> Ticket:
        """Create an OpsItem, or find the open one with this key.

        Raises:
            ConfigurationError: a priority other than 1 to 5.
            CallError: OpsCenter refused it or did not answer.
        """
        request = _request(draft, self._name)
        self._runtime.deadline.timeout(10.0, target=self._name)
        client = aws.client("ssm")
        try:
            item, opened = client.create_ops_item(**request).get("OpsItemId"), True
        except aws.ERRORS as error:
            if not _exists(error):
                raise aws.translate(error, self._name) from error
            # The key is this incident's alone, so it is this incident's ticket.
            item, opened = error.response.get("OpsItemId"), draft.in_doubt
        if not isinstance(item, str) or not item:
            raise PermanentError(
                f"{self._name} answered without the id of an OpsItem",
                target=self._name,
                sent=True,
            )
        region = client.meta.region_name
        host = console_host(region)
        url = f"https://{host}/systems-manager/opsitems/{item}/details?region={region}"
        return Ticket(item, url, opened)

    def comment(
        self,
        ticket: str,  # noqa: ARG002
        document: Document,  # noqa: ARG002
        mark: str,  # noqa: ARG002
        *,
        in_doubt: bool,  # noqa: ARG002
    ) -> bool:
        """Refused: OpsItems have no comments, as `registry.takes_comments` says beforehand."""
        raise PermanentError(f"{self._name}: OpsItems have no comments", target=self._name)


def _exists(error: Exception) -> TypeGuard[ClientError]:
    if not isinstance(error, ClientError):
        return False
    return error.response.get("Error", {}).get("Code") == "OpsItemAlreadyExistsException"


def _request(draft: Draft, connection: str) -> dict[str, Any]:
    data = {"/aws/dedup": _searchable({"dedupString": label(draft.key)})}
    if draft.resource.startswith("arn:"):
        data["/aws/resources"] = _searchable([{"arn": draft.resource[:MAX_DATA]}])
    if draft.labels:
        labels = shorten(clean(", ".join(draft.labels)), MAX_DATA)
        data["labels"] = {"Type": "SearchableString", "Value": labels}
    request: dict[str, Any] = {
        "Title": shorten(draft.document.title, MAX_SUMMARY) or "hub-responder",
        "Description": to_markdown(draft.document.body, MAX_DESCRIPTION) or "-",
        "Source": "hub-responder",
        "Category": "Security",
        "OperationalData": data,
    }
    if draft.priority:
        if draft.priority not in _PRIORITIES:
            raise ConfigurationError(f"connection {connection}: OpsCenter's priorities are 1 to 5")
        request["Priority"] = int(draft.priority)
    return request


def _searchable(value: Any) -> dict[str, str]:
    return {"Type": "SearchableString", "Value": msgspec.json.encode(value).decode()}
