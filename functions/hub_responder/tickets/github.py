"""GitHub Issues, REST API version 2022-11-28 (https://docs.github.com/rest/issues).

Opening an issue has no idempotency key. Each issue carries a label made of its effect key, which
GitHub creates with the issue; after an attempt whose end is unknown it is looked up by listing that
label. Search is not asked: its index lags.

Of a token that may not set labels GitHub opens the issue and drops them silently, so that it would
not be found again: `docs/connections.md` says what the token needs, and the log says when it lacks
it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from hub_responder import clock, http, observability, secrets
from hub_responder.connections.settings import GitHub, read
from hub_responder.errors import PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten
from hub_responder.markdown.github import to_github
from hub_responder.tickets.ticket import MAX_SUMMARY, Draft, Ticket, label

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

MAX_BODY = 65_536
"""Characters of an issue or comment; GitHub answers more with 422."""
MAX_LABEL = 50
MAX_LABELS = 100
SETTLED_S = 30.0
"""When an attempt has ended for certain: GitHub ends a request after 10 seconds ("Best practices
for using the REST API"), and our own connection may be late."""
LIMITED_S = 60.0
"""How long to wait where a limit names no time: "at least one minute" ("Rate limits")."""
_TICKET = re.compile(r"([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)#([1-9]\d{0,17})")
_PER_PAGE = 100
_TOO_MANY = 429
_T = TypeVar("_T")
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


def system(connection: Connection, runtime: Runtime, ticket: str = "") -> GitHubIssues:  # noqa: ARG001
    """The issues of ``connection``; a ticket's id names its repository itself."""
    return GitHubIssues(connection, runtime)


class GitHubIssues:
    """One connection to a repository, for one invocation. A ticket's id is ``owner/name#12``."""

    def __init__(self, connection: Connection, runtime: Runtime) -> None:
        self._name = connection.name
        self._settings = read(connection.settings, GitHub, connection.name)
        self._session = http.session_for(private=self._settings.private, ca=self._settings.ca)
        self._runtime = runtime
        self._base = self._settings.base_url.rstrip("/")

    def open(self, draft: Draft) -> Ticket:
        """Open an issue, or find the one that an earlier attempt opened.

        Raises:
            TransientError: it may pass, or whether the issue exists cannot be told yet.
            PermanentError: GitHub refuses it; the message says what it complains about.
        """
        repository = self._settings.repository
        if draft.in_doubt:
            found = self._found_after_doubt(draft, repository)
            if found is not None:
                return found
        fields = {
            "title": shorten(draft.document.title, MAX_SUMMARY) or "hub-responder",
            "body": to_github(draft.document.body, MAX_BODY) or "-",
            "labels": _labels(draft),
        }
        answer = self._object("POST", f"/repos/{repository}/issues", fields)
        if label(draft.key) not in str(answer.get("labels")):
            # The ticket is there; only a doubt about it could not be cleared up.
            extra = {"connection": self._name, "needs": "Issues: read and write"}
            observability.logger().warning("the token may not set labels", extra=extra)
        return self._ticket(repository, answer, opened=True)

    def comment(self, ticket: str, document: Document, mark: str, *, in_doubt: bool) -> bool:
        """Add a comment that ends with ``mark``; in doubt, only if no recent one has it.

        Returns:
            Whether this call added it.
        """
        match = _TICKET.fullmatch(ticket)
        if match is None:
            raise PermanentError(f"{ticket[:80]!r} is no issue of GitHub", target=self._name)
        path = f"/repos/{match[1]}/issues/{match[2]}"
        if in_doubt and self._has_comment(path, mark):
            return False
        ending = f"\n\n`{mark}`"
        body = to_github(document, MAX_BODY - len(ending)) + ending
        self._object("POST", f"{path}/comments", {"body": body})
        return True

    def _found_after_doubt(self, draft: Draft, repository: str) -> Ticket | None:
        """The issue of an earlier attempt; None once it is certain that there is none."""
        query = f"?labels={label(draft.key)}&state=all&sort=created&direction=asc"
        for issue in self._list(f"/repos/{repository}/issues{query}"):
            if "pull_request" not in issue:  # to this API each pull request is an issue too
                return self._ticket(repository, issue, opened=True)
        if draft.attempted_at is not None and clock.now() - draft.attempted_at < SETTLED_S:
            raise TransientError(
                f"{self._name}: whether an earlier attempt opened the ticket is not certain yet",
                target=self._name,
                sent=True,
                retry_after=SETTLED_S,
            )
        return None

    def _has_comment(self, path: str, mark: str) -> bool:
        """Whether one of the last hundred or more comments has the mark; they come oldest first."""
        count = self._look_up(path).get("comments")
        last = max(1, math.ceil(count / _PER_PAGE)) if isinstance(count, int) else 1
        return any(
            mark in str(comment.get("body"))
            for page in {max(1, last - 1), last}
            for comment in self._list(f"{path}/comments?per_page={_PER_PAGE}&page={page}")
        )

    def _ticket(self, repository: str, issue: Mapping[str, Any], *, opened: bool) -> Ticket:
        number = issue.get("number")
        if type(number) is not int or number < 1:
            raise PermanentError(
                f"{self._name} answered without the number of an issue",
                target=self._name,
                sent=True,
            )
        url = f"{_for_people(self._base)}/{repository}/issues/{number}"
        return Ticket(f"{repository}#{number}", url, opened)

    def _look_up(self, path: str) -> Mapping[str, Any]:
        return self._once_more(lambda: self._object("GET", path))

    def _list(self, path: str) -> list[Mapping[str, Any]]:
        answer = self._once_more(lambda: self._call("GET", path))
        if not isinstance(answer, list):
            raise self._not_githubs()
        return [item for item in answer if isinstance(item, dict)]

    def _once_more(self, call: Callable[[], _T]) -> _T:
        """A call that changes nothing: again, at once, where that can help."""
        try:
            return call()
        except TransientError as error:
            if error.retry_after:
                raise
            return call()

    def _object(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        answer = self._call(method, path, body)
        if not isinstance(answer, dict):
            raise self._not_githubs()
        return answer

    def _not_githubs(self) -> PermanentError:
        text = f"{self._name} answered with something that is not GitHub's"
        return PermanentError(text, target=self._name, sent=True)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        def call(secret: Mapping[str, str]) -> http.Response:
            token = secrets.token(secret, "token", self._name)
            response = http.call(
                method,
                self._base + path,
                target=self._name,
                deadline=self._runtime.deadline,
                headers={**_HEADERS, "Authorization": f"Bearer {token}"},
                json=body,
                session=self._session,
            )
            self._check(response)
            return response

        return secrets.use(self._runtime.stage, self._name, call).json()

    def _check(self, response: http.Response) -> None:
        """Raise what the answer means; a limit is told by 429, and by 403 as well."""
        if response.status in {403, _TOO_MANY}:
            wait = _limited(response)
            if wait is not None:
                raise TransientError(
                    f"{self._name} answered {response.status}: too many requests",
                    target=self._name,
                    status=response.status,
                    retry_after=wait,
                )
        if response.status in {400, 404, 409, 410, 422}:
            raise PermanentError(
                f"{self._name} answered {response.status}{_complaints(response)}",
                target=self._name,
                status=response.status,
            )
        http.raise_for_status(response, self._name)


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


def _labels(draft: Draft) -> list[str]:
    """Our own first; GitHub has no priorities, so that one becomes a label. It ignores case."""
    wanted = [label(draft.key), "hub-responder"]
    wanted += [f"priority: {draft.priority}"] if draft.priority else []
    wanted += draft.labels
    unique: dict[str, str] = {}
    for text in wanted:
        # A comma parts labels where they are listed.
        name = shorten(one_line(clean(text)).replace(",", " ").strip(), MAX_LABEL)
        if name:
            unique.setdefault(name.casefold(), name)
    return list(unique.values())[:MAX_LABELS]


def _for_people(base: str) -> str:
    """The web address of an API's: github.com, GitHub Enterprise Server's, or SUBDOMAIN.ghe.com."""
    if base.endswith("/api/v3"):
        return base.removesuffix("/api/v3")
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}{parts.path}"


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
