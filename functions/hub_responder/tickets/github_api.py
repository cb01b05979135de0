"""One connection to GitHub's API: who asks, what each answer means, what a limit makes one wait.

REST API version 2022-11-28 and GraphQL (https://docs.github.com/rest, /graphql).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from hub_responder import clock, http, secrets
from hub_responder.errors import PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten

if TYPE_CHECKING:
    from hub_responder.connections.settings import GitHub
    from hub_responder.runtime import Runtime

LIMITED_S = 60.0
"""How long to wait where a limit names no time: "at least one minute" ("Rate limits")."""
_TOO_MANY = 429
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_T = TypeVar("_T")


class GitHubApi:
    """The API of one connection, for one invocation."""

    def __init__(self, name: str, settings: GitHub, runtime: Runtime) -> None:
        self._name = name
        self._session = http.session_for(private=settings.private, ca=settings.ca)
        self._runtime = runtime
        self.base = settings.base_url.rstrip("/")

    def object(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        """What one call answers, which must be an object."""
        answer = self.call(method, path, body)
        if not isinstance(answer, dict):
            raise self.strange()
        return answer

    def look_up(self, path: str) -> Mapping[str, Any]:
        """An object that is read."""
        return _once_more(lambda: self.object("GET", path))

    def listed(self, path: str) -> list[Mapping[str, Any]]:
        """A list that is read."""
        answer = _once_more(lambda: self.call("GET", path))
        if not isinstance(answer, list):
            raise self.strange()
        return [item for item in answer if isinstance(item, dict)]

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a query answers: ``data``, and ``errors`` where a part of it could not be told.

        Raises:
            TransientError: the budget of points is used up, which GraphQL tells with status 200.
        """
        body = {"query": query, "variables": variables}
        answer = _once_more(lambda: self._send("POST", _graphql(self.base), body))
        told = answer.json()
        if not isinstance(told, dict):
            raise self.strange()
        if any(error.get("type") == "RATE_LIMITED" for error in errors_of(told)):
            raise self._too_many(answer, _limited(answer) or LIMITED_S)
        return told

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What one call answers, as JSON; None where it answers nothing."""
        response = self._send(method, self.base + path, body)
        return response.json() if response.body else None

    def strange(self) -> PermanentError:
        """For an answer that GitHub would not give."""
        text = f"{self._name} answered with something that is not GitHub's"
        return PermanentError(text, target=self._name, sent=True)

    def _send(self, method: str, url: str, body: Any) -> http.Response:
        def call(secret: Mapping[str, str]) -> http.Response:
            token = secrets.token(secret, "token", self._name)
            response = http.call(
                method,
                url,
                target=self._name,
                deadline=self._runtime.deadline,
                headers={**_HEADERS, "Authorization": f"Bearer {token}"},
                json=body,
                session=self._session,
            )
            self._check(response)
            return response

        return secrets.use(self._runtime.stage, self._name, call)

    def _check(self, response: http.Response) -> None:
        """Raise what the answer means; a limit is told by 429, and by 403 as well."""
        if response.status in {403, _TOO_MANY}:
            wait = _limited(response)
            if wait is not None:
                raise self._too_many(response, wait)
        if response.status in {400, 404, 409, 410, 422}:
            raise PermanentError(
                f"{self._name} answered {response.status}{_complaints(response)}",
                target=self._name,
                status=response.status,
            )
        http.raise_for_status(response, self._name)

    def _too_many(self, response: http.Response, wait: float) -> TransientError:
        return TransientError(
            f"{self._name} answered {response.status}: too many requests",
            target=self._name,
            status=response.status,
            retry_after=wait,
        )


def errors_of(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The errors beside what a query answers."""
    errors = answer.get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _once_more(call: Callable[[], _T]) -> _T:
    """A call that changes nothing: again, at once, where that can help."""
    try:
        return call()
    except TransientError as error:
        if error.retry_after:
            raise
        return call()


def _graphql(base: str) -> str:
    """The address of GraphQL: on GitHub Enterprise Server beside ``/api/v3``."""
    return f"{base.removesuffix('/v3')}/graphql" if base.endswith("/api/v3") else f"{base}/graphql"


def _limited(response: http.Response) -> float | None:
    """Seconds to wait where a rate limit refused the request, else None.

    In the order of "Rate limits for the REST API": ``Retry-After``; the reset of a budget that is
    used up; a minute. A 403 without any of these, nor a word of limits, is a refusal.
    """
    wait = http.retry_after(response)
    if wait is not None:
        return wait
    reset = response.headers.get("x-ratelimit-reset", "")
    if response.headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"\d{1,12}", reset):
        return max(1.0, float(reset) - clock.now())
    if response.status == _TOO_MANY or b"rate limit" in response.body[:2000].lower():
        return LIMITED_S
    return None


def _complaints(response: http.Response) -> str:
    """What GitHub says is wrong (``message`` and ``errors``), bounded."""
    try:
        answer = response.json()
    except PermanentError:
        return ""
    if not isinstance(answer, dict):
        return ""
    said = [str(answer["message"])] if answer.get("message") else []
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            what = error.get("message") or error.get("code", "")
            said.append(f"{error.get('field', error.get('resource', ''))}: {what}")
    return shorten(": " + one_line(clean("; ".join(said))), 200) if said else ""
