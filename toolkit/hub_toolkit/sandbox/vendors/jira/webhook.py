"""An admin webhook of a Jira Cloud site.

"Webhooks" of developer.atlassian.com: ``timestamp`` in milliseconds, ``webhookEvent``, the issue in
the shape of the REST API, who did it, and what changed. The signature is in ``X-Hub-Signature``
("Secure admin webhooks").
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from hub_toolkit.sandbox.vendors.hook import Hook
    from hub_toolkit.sandbox.vendors.jira.issues import Issue

RETRY = "X-Atlassian-Webhook-Retry"
"""The header that counts how often it was tried again."""
UPDATED, DELETED = "jira:issue_updated", "jira:issue_deleted"
State = Mapping[str, tuple[str | None, str | None]]
"""Field -> id and name of its value."""


def state(issue: Issue) -> State:
    """What a changelog compares."""
    shown = issue.shown()["fields"]["resolution"]
    resolution = (shown["id"], shown["name"]) if shown else (None, None)
    return {"status": (issue.status.id, issue.status.name), "resolution": resolution}


def changes(before: State, after: State) -> list[dict[str, Any]]:
    """The items of a changelog."""
    return [
        {
            "field": name,
            "fieldtype": "jira",
            "fieldId": name,
            "from": old[0],
            "fromString": old[1],
            "to": after[name][0],
            "toString": after[name][1],
        }
        for name, old in before.items()
        if after[name] != old
    ]


def send(
    hook: Hook,
    event: str,
    issue: Issue,
    *,
    by: Mapping[str, Any],
    changed: Sequence[Mapping[str, Any]],
    now: float,
) -> None:
    """Tell an event of an issue."""
    told: dict[str, Any] = {
        "timestamp": int(now * 1000),
        "webhookEvent": event,
        "user": by,
        "issue": issue.shown(),
    }
    if event == UPDATED:
        told["issue_event_type_name"] = "issue_generic" if changed else "issue_updated"
        told["changelog"] = {"id": "10000", "items": changed}
    body = msgspec.json.encode(told)
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "User-Agent": "Atlassian Webhook HTTP Client",
        "X-Atlassian-Webhook-Flow": "Primary",
        "X-Atlassian-Webhook-Identifier": str(uuid.uuid4()),
        "X-Hub-Signature": hook.of_body(body),
    }
    hook.send(headers, body)
