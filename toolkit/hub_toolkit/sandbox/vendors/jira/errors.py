"""How Jira says no: ``{"errorMessages": [...], "errors": {"FIELD": "..."}}``."""

from __future__ import annotations

INVALID_INPUT = "INVALID_INPUT"
"""What Jira says of a document or body that it cannot read; it does not say where."""


class JiraError(Exception):
    """An answer in Jira's error shape; ``reason`` is for the inbox only."""

    def __init__(
        self,
        status: int,
        message: str = "",
        errors: dict[str, str] | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(reason or message or str(errors))
        self.status = status
        self.body = {"errorMessages": [message] if message else [], "errors": errors or {}}


class FieldErrors(Exception):  # noqa: N818 - Jira's own word for the object
    """Fields that Jira refuses: ``errors`` by field, or one general message."""

    def __init__(self, errors: dict[str, str], message: str = "", reason: str = "") -> None:
        super().__init__(reason or message or str(errors))
        self.errors = errors
        self.message = message
