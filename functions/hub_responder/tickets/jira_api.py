"""One connection to Jira's REST API: who asks, and what each answer means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub_responder import http, secrets
from hub_responder.connections.settings import JiraDataCenter
from hub_responder.errors import ConfigurationError, DeniedError, PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten

if TYPE_CHECKING:
    from hub_responder.connections.settings import AnyJira
    from hub_responder.runtime import Runtime
    from hub_responder.tickets.jira_flavour import Flavour

NOT_FOUND = 404
_BAD_REQUEST = 400
_REFUSED = frozenset({_BAD_REQUEST, NOT_FOUND, 409, 413, 422})
_SETTINGS: Mapping[str, str] = {
    "assignee": "`assignee`",
    "components": "`components`",
    "duedate": "`due`",
    "issuetype": "`issue_type`",
    "priority": "`priorities`, or the step's `priority`",
    "project": "`project`",
}
"""Field of Jira -> the setting that fills it."""
_NOBODY = "anonymous"
_OURS = frozenset({"summary", "description", "labels", "comment", "resolution"})


class JiraApi:
    """The API of one connection, for one invocation."""

    def __init__(self, name: str, settings: AnyJira, flavour: Flavour, runtime: Runtime) -> None:
        self._name = name
        self._runtime = runtime
        self._session = None
        if isinstance(settings, JiraDataCenter):
            self._session = http.session_for(private=settings.private, ca=settings.ca)
        self.flavour = flavour
        self.base = settings.url.rstrip("/")

    def look_up(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        """A call that changes nothing: once more, at once, where that can help.

        Raises:
            DeniedError: it was answered as to anybody, which proves nothing about what is there.
        """
        try:
            return self._call(method, path, body, self._as_known)
        except TransientError as error:
            if error.retry_after:
                raise
            return self._call(method, path, body, self._as_known)

    def call(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        """What one call answers that changes something; nothing is an empty object.

        Raises:
            ConfigurationError: Jira refuses the value of a setting, which is named.
            PermanentError: it refuses something else; the message says what it complains about.
            TransientError: it may pass.
        """
        return self._call(method, path, body)

    def _call(
        self,
        method: str,
        path: str,
        body: Any,
        check: Callable[[http.Response], None] = lambda _: None,
    ) -> Mapping[str, Any]:
        def call(secret: Mapping[str, str]) -> http.Response:
            response = http.call(
                method,
                self.base + self.flavour.api + path,
                target=self._name,
                deadline=self._runtime.deadline,
                headers={"Authorization": self.flavour.authorization(secret, self._name)},
                json=body,
                session=self._session,
            )
            if response.status in _REFUSED:
                self._refuse(response)
            http.raise_for_status(response, self._name)
            check(response)
            return response

        response = secrets.use(self._runtime.stage, self._name, call)
        if not response.body:  # an edit, a transition, a link
            return {}
        answer = response.json()
        if not isinstance(answer, dict):
            raise self.strange("something that is not Jira's")
        return answer

    def strange(self, what: str) -> PermanentError:
        """What an answer means that is not as documented."""
        return PermanentError(f"{self._name} answered with {what}", target=self._name, sent=True)

    def _as_known(self, response: http.Response) -> None:
        """Data Center says who was answered. Where it lets everybody in, a token that is missing or
        expired, or that a proxy takes away, is not refused: a search then just finds nothing
        ("Configuring public access", ``X-AUSERNAME``).
        """
        if response.headers.get("x-ausername", "").strip().casefold() == _NOBODY:
            text = f"{self._name} answered as to anybody: the token does not count"
            raise DeniedError(text, target=self._name, status=response.status)

    def _refuse(self, response: http.Response) -> None:
        messages, fields = _complaints(response)
        said = "; ".join([*messages, *(f"{field}: {text}" for field, text in fields.items())])
        told = shorten(": " + one_line(clean(said)), 200) if said else ""
        wrong = [field for field in fields if field not in _OURS]
        if response.status == _BAD_REQUEST and wrong:
            field = clean(wrong[0])[:80]
            setting = _SETTINGS.get(field, f"`fields.{field}`")
            text = f"connection {self._name}: Jira refuses what {setting} gives{told}"
            raise ConfigurationError(text)
        raise PermanentError(
            f"{self._name} answered {response.status}{told}",
            target=self._name,
            status=response.status,
        )


def _complaints(response: http.Response) -> tuple[list[str], dict[str, str]]:
    """What Jira says is wrong: ``errorMessages``, and ``errors`` by field."""
    try:
        answer = response.json()
    except PermanentError:
        return [], {}
    if not isinstance(answer, dict):
        return [], {}
    messages, fields = answer.get("errorMessages"), answer.get("errors")
    return (
        [str(message) for message in messages] if isinstance(messages, list) else [],
        {str(key): str(text) for key, text in fields.items()} if isinstance(fields, dict) else {},
    )
