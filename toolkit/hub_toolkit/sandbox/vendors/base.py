"""What the simulators share: routes, bodies, answers, and what the inbox is told of a request."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import msgspec
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

Handler = Callable[..., Response]
Clock = Callable[[], float]
"""Returns seconds since the epoch; the sandbox passes its simulated time."""

MAX_BODY_BYTES = 1_048_576
"""A larger request is answered 413; Vision One documents 1 MB for itself."""

MAX_DEPTH = 64
"""Levels of a JSON body; more is no request that the real systems answer usefully: a guess."""

VERDICT_KEY = "hub_toolkit.verdict"
REASON_KEY = "hub_toolkit.reason"


class Verdict(StrEnum):
    """What a simulator made of a request, for the inbox. Unmarked: the HTTP status tells."""

    READ = "read"
    """Nothing was to change, whatever the HTTP method: a search by POST."""
    REFUSED = "refused"
    """Nothing was done, whatever the HTTP status: Slack refuses with 200."""


def mark(request: Request, verdict: Verdict, reason: str = "") -> None:
    """Tells the middleware around this application what became of the request.

    A read stays one, also where it is then refused.
    """
    if request.environ.get(VERDICT_KEY) == Verdict.READ:
        return
    request.environ[VERDICT_KEY] = verdict
    request.environ[REASON_KEY] = reason


def json_response(
    body: object, status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """``body`` encoded as JSON."""
    return Response(
        msgspec.json.encode(body),
        status=status,
        headers=list(headers),
        content_type="application/json; charset=utf-8",
    )


def text_response(text: str, status: int = 200) -> Response:
    """``text`` as it is, never as HTML."""
    return Response(text, status=status, content_type="text/plain; charset=utf-8")


class BodyError(Exception):
    """The body is not JSON, or not of the wanted type."""


def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        BodyError: it is not JSON (NaN is none), or JSON of another type.
        RequestEntityTooLarge: it is larger than ``MAX_BODY_BYTES``.
    """
    try:
        body = msgspec.json.decode(request.get_data(), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BodyError(str(error)) from None
    if _deeper(body, MAX_DEPTH):
        raise BodyError(f"more than {MAX_DEPTH} levels")
    return body


def collected(answer: Iterable[bytes]) -> list[bytes]:
    """All parts of a WSGI answer, which is closed as PEP 3333 asks."""
    try:
        return list(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()


def _deeper(value: object, limit: int) -> bool:
    """Whether JSON nests deeper than ``limit``; without recursion, as it may be hostile."""
    level = [value]
    for _ in range(limit):
        inner: list[object] = []
        for held in level:
            if isinstance(held, dict):
                inner.extend(held.values())
            elif isinstance(held, list):
                inner.extend(held)
        if not inner:
            return False
        level = inner
    return True


_MAPS: dict[type, Map] = {}
"""The routes of each kind of simulator: compiling them takes longer than most requests."""


class Simulator:
    """A WSGI application over a table of routes.

    A subclass passes its rules, the same for all its instances and each with a method of its own as
    ``endpoint``, or with the name of one (``part.method`` for one of its attributes). It may
    override ``before`` (to authenticate) and ``unmatched`` (how the system says 404, 405 and 413).
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        kind = type(self)
        if kind not in _MAPS:
            _MAPS[kind] = _compiled(rules)
        self._map = _MAPS[kind]

    def app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        request.max_content_length = MAX_BODY_BYTES
        return self._answer(request)(environ, start_response)

    def before(self, request: Request) -> Response | None:  # noqa: ARG002 - for subclasses
        """An answer that ends the request before its route runs, or None."""
        return None

    def unmatched(self, request: Request, error: HTTPException) -> Response:  # noqa: ARG002
        """The answer where no route fits or the body is too large."""
        return text_response(error.name, error.code or 500)

    def _answer(self, request: Request) -> Response:
        try:
            name, arguments = self._map.bind_to_environ(request.environ).match()
            if (request.content_length or 0) > MAX_BODY_BYTES:
                raise RequestEntityTooLarge
            early = self.before(request)
            if early is not None:
                return early
            handler: Handler = operator.attrgetter(name)(self)
            return handler(request, **arguments)
        except HTTPException as error:
            return self.unmatched(request, error)


def _compiled(rules: Iterable[Rule]) -> Map:
    """The routes, each leading to the name of its method."""
    named = list(rules)
    for rule in named:
        if not isinstance(rule.endpoint, str):
            rule.endpoint = rule.endpoint.__name__
    return Map(named, strict_slashes=False, merge_slashes=False, redirect_defaults=False)
