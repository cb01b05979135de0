"""The control routes below ``/_sandbox``: what the console, an analyst or a test would do.

Every answer is JSON; an error is ``{"error": "what is wrong"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec

from hub_toolkit.sandbox.wsgi import (
    Environ,
    StartResponse,
    TooLarge,
    read_body,
    respond_error,
    respond_json,
)

MAX_TIMEOUT_S = 600.0
DEFAULT_TIMEOUT_S = 30.0
PREFIX = "/_sandbox"

Query = Mapping[str, str]
Route = Callable[[Any, Query], Any]
"""(decoded body or None, query) -> what is answered as JSON."""


class ControlError(Exception):
    """A control request that cannot be done.

    Args:
        message: what is wrong with it. status: the HTTP status.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """WSGI: the control routes.

    Args:
        routes: by method and path below ``/_sandbox``, as ``("POST", "/click")``.
        refused: errors of the parts behind the routes that mean a wrong request (400).
    """

    def __init__(
        self, routes: Mapping[tuple[str, str], Route], refused: tuple[type[Exception], ...]
    ) -> None:
        self._routes = routes
        self._refused = refused

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except TooLarge as error:
            return respond_error(start_response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        except ControlError as error:
            return respond_error(start_response, error.status, str(error))
        except self._refused as error:
            return respond_error(start_response, HTTPStatus.BAD_REQUEST, str(error))
        return respond_json(start_response, HTTPStatus.OK, answer)

    def _answer(self, environ: Environ) -> Any:
        method = str(environ["REQUEST_METHOD"])
        path = str(environ["PATH_INFO"]).removeprefix(PREFIX).rstrip("/")
        route = self._routes.get((method, path))
        if route is None:
            raise self._unknown(method, path)
        parsed = parse_qs(str(environ.get("QUERY_STRING", "")))
        query = {key: values[-1] for key, values in parsed.items()}
        body = None if method in ("DELETE", "GET") else _decode(read_body(environ))
        return route(body, query)

    def _unknown(self, method: str, path: str) -> ControlError:
        methods = sorted(other for other, known in self._routes if known == path)
        if methods:
            text = f"{PREFIX}{path} takes {' or '.join(methods)}, not {method}"
            return ControlError(text, HTTPStatus.METHOD_NOT_ALLOWED)
        known = ", ".join(sorted({PREFIX + known for _, known in self._routes}))
        return ControlError(f"there is no {PREFIX}{path[:100]}; there are: {known}", 404)


def _decode(body: bytes) -> Any:
    if not body:
        raise ControlError("the request has no body; JSON is needed")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ControlError(f"the body is not JSON: {error}") from error


def an_object(body: Any, *allowed: str) -> dict[str, Any]:
    """The body as an object with no other members than ``allowed``.

    Raises:
        ControlError: it is something else.
    """
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    unknown = sorted(set(body) - set(allowed))
    if unknown:
        raise ControlError(f"unknown member {unknown[0]!r}; known: {', '.join(allowed)}")
    return body


def a_list(body: Any) -> list[Any]:
    """The body as a list.

    Raises:
        ControlError: it is something else.
    """
    if not isinstance(body, list):
        raise ControlError("the body must be a JSON list")
    return body


def text(body: Mapping[str, Any], key: str) -> str:
    """A member that must be text.

    Raises:
        ControlError: it is missing or something else.
    """
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{key!r} must be text")
    return value


def texts(body: Mapping[str, Any], key: str) -> list[str]:
    """A member that must be a list of texts, at least one.

    Raises:
        ControlError: it is missing or something else.
    """
    value = body.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ControlError(f"{key!r} must be a list of texts")
    return value


def seconds(query: Query, key: str, default: float, most: float) -> float:
    """A number of seconds in the query, between 0 and ``most``.

    Raises:
        ControlError: it is something else.
    """
    given = query.get(key)
    if given is None:
        return default
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ControlError(f"{key} must be a number of seconds from 0 to {most:g}, not {given!r}")
    return value
