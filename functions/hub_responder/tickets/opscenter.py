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
    from hub_responder.runtime import Runtime

MAX_DESCRIPTION = 2048
MAX_DATA = 1000
_PRIORITIES = ("1", "2", "3", "4", "5")


def open_ops_item(connection: Connection, draft: Draft, runtime: Runtime) -> Ticket:
    """Create an OpsItem, or find the open one with this key.

    Raises:
        ConfigurationError: a priority other than 1 to 5.
        CallError: OpsCenter refused it or did not answer.
    """
    read(connection.settings, OpsCenter, connection.name)
    request = _request(draft, connection.name)
    runtime.deadline.timeout(10.0, target=connection.name)
    client = aws.client("ssm")
    try:
        item, opened = client.create_ops_item(**request).get("OpsItemId"), True
    except aws.ERRORS as error:
        if not _exists(error):
            raise aws.translate(error, connection.name) from error
        # The key is this incident's alone, so it is this incident's ticket.
        item, opened = error.response.get("OpsItemId"), draft.in_doubt
    if not isinstance(item, str) or not item:
        raise PermanentError(
            f"{connection.name} answered without the id of an OpsItem",
            target=connection.name,
            sent=True,
        )
    region = client.meta.region_name
    url = f"https://{console_host(region)}/systems-manager/opsitems/{item}/details?region={region}"
    return Ticket(item, url, opened)


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
