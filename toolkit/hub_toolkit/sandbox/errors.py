"""The one way in which the sandbox's own AWS services refuse a request."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """An AWS service's refusal; each protocol writes it in its own form.

    Args:
        code: the error's name in the service's API, as ``ResourceNotFoundException``.
        message: text for people; it may quote the request, never a credential.
        status: the HTTP status.
        extra: further members of the error's shape, as ``OpsItemId``.
    """

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra
