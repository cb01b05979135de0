"""What stands behind the mail server: it has one user, and takes messages for anybody.

A message is a POST to ``/messages`` with what `hub_toolkit.sandbox.mail.shown` says of it, so that
faults, kills and the inbox stand around it as around any vendor.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from hub_toolkit.sandbox.vendors.base import (
    BodyError,
    Simulator,
    json_response,
    read_object,
    text_response,
)

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

PATH = "/messages"


class Mailbox(Simulator):
    """One server's users and what it knows of recipients.

    Attributes:
        refuses: recipients -> the reply that each of them gets, as ``550 5.1.1 User unknown``.

    Args:
        username, password: the only ones that it lets in.
    """

    def __init__(self, *, username: str, password: str) -> None:
        super().__init__([Rule(PATH, methods=["POST"], endpoint=self._take)])
        self._username, self._password = username, password
        self.refuses: dict[str, str] = {}

    def admits(self, username: bytes, password: bytes) -> bool:
        """Whether they are its user's."""
        user = hmac.compare_digest(username, self._username.encode())
        return hmac.compare_digest(password, self._password.encode()) and user

    def _take(self, request: Request) -> Response:
        try:
            return json_response({"taken": bool(read_object(request))})
        except BodyError as error:
            return text_response(str(error), 400)
