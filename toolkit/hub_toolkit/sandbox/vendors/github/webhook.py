"""The event ``issues`` of a repository's webhook.

"Webhook events and payloads" and "Validating webhook deliveries" of docs.github.com; of the objects
only some members.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from hub_toolkit.sandbox.vendors.github.issues import Issue
    from hub_toolkit.sandbox.vendors.hook import Hook


def send(hook: Hook, issue: Issue, by: str) -> None:
    """Tell that an issue was closed or reopened."""
    owner, _, name = issue.repository.partition("/")
    body = msgspec.json.encode(
        {
            "action": "closed" if issue.state == "closed" else "reopened",
            "issue": issue.shown(),
            "repository": {
                "id": 1,
                "name": name,
                "full_name": issue.repository,
                "private": True,
                "owner": {"login": owner, "type": "Organization"},
            },
            "sender": {"login": by, "type": "User"},
        }
    )
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-GitHub-Event": "issues",
        "X-GitHub-Hook-ID": "1",
        "X-GitHub-Hook-Installation-Target-ID": "1",
        "X-GitHub-Hook-Installation-Target-Type": "repository",
        "X-Hub-Signature": hook.of_body(body, "sha1"),
        "X-Hub-Signature-256": hook.of_body(body),
    }
    hook.send(headers, body)
