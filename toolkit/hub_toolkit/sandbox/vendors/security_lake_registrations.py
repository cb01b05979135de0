"""Trend's registrations service for Amazon Security Lake.

Documented is this and no more: ``POST``, ``GET`` and ``DELETE`` of ``/api/registrations``, the
headers ``Authorization: ApiKey ...`` and ``api-version: v1``, and the members of a registration:
``eventClass`` (one of six), ``providerAccountID``, ``bucketName``, ``prefix``, ``roleArn``.

All else is a guess, after the sibling services of Cloud One: that POST answers 201 with the
registration and an ``id``, that GET answers ``{"registrations": [...]}``, that DELETE names the id
in the path and answers 204, that an event class is registered once (409), and what errors look
like. Nothing is delivered: the real service writes every five minutes.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from hub_toolkit.sandbox.vendors.base import (
    BodyError,
    Simulator,
    json_response,
    read_object,
)

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

PATH = "/api/registrations"
CLASSES = frozenset(
    {
        "file-activity",
        "process-activity",
        "network-activity",
        "registry-value-activity",
        "dns-activity",
        "account-change-audit",
    }
)
_FORMS = {
    "providerAccountID": re.compile(r"\d{12}", re.ASCII),
    "bucketName": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "prefix": re.compile(r"\S{1,1024}"),
    "roleArn": re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/\S+", re.ASCII),
}


class Registrations(Simulator):
    """The service of one region and tenant.

    Args:
        api_key: the tenant's.
    """

    def __init__(self, *, api_key: str) -> None:
        super().__init__(
            [
                Rule(PATH, methods=["POST"], endpoint=self._register),
                Rule(PATH, methods=["GET"], endpoint=self._list),
                Rule(f"{PATH}/<name>", methods=["DELETE"], endpoint=self._delete),
            ]
        )
        self._api_key = api_key
        self._held: dict[str, dict[str, str]] = {}

    def _register(self, request: Request) -> Response:
        try:
            body = read_object(request)
        except BodyError as error:
            return _error(400, str(error))
        event_class = body.get("eventClass")
        if event_class not in CLASSES:
            return _error(400, "eventClass is not supported")
        for name, form in _FORMS.items():
            if not isinstance(body.get(name), str) or not form.fullmatch(body[name]):
                return _error(400, f"{name} is missing or invalid")
        if any(one["eventClass"] == event_class for one in self._held.values()):
            return _error(409, "the event class is registered already")
        made = {"id": str(uuid.uuid4()), "eventClass": event_class}
        made |= {name: body[name] for name in _FORMS}
        self._held[made["id"]] = made
        return json_response(made, 201)

    def _list(self, _request: Request) -> Response:
        return json_response({"registrations": [*self._held.values()]})

    def _delete(self, _request: Request, name: str) -> Response:
        if self._held.pop(name, None) is None:
            return _error(404, "there is no such registration")
        return Response(status=204)

    def before(self, request: Request) -> Response | None:
        """The key and the version that every request must name."""
        if request.headers.get("Authorization") != f"ApiKey {self._api_key}":
            return _error(401, "the API key is not valid")
        if request.headers.get("api-version") != "v1":
            return _error(400, "api-version must be v1")
        return None


def _error(status: int, message: str) -> Response:
    return json_response({"message": message}, status)
