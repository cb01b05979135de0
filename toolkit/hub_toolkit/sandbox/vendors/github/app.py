"""The WSGI application: routes, authentication, limits, a page per issue.

It is at ``/api/v3``, as GitHub Enterprise Server's is, and at the root, as api.github.com's is. The
limit is that for content: 80 requests in a minute and 500 in an hour; over it GitHub answers 403 or
429, here 403. A listing sees an issue at once.
"""

from __future__ import annotations

import hmac
import threading
from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.routing import Rule

from hub_responder.clock import iso
from hub_toolkit.sandbox.vendors.base import (
    BodyError,
    Clock,
    Simulator,
    Verdict,
    json_response,
    mark,
    read_object,
    text_response,
)
from hub_toolkit.sandbox.vendors.github import graph, issues, webhook
from hub_toolkit.sandbox.vendors.github.issues import Invalid, Issue

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request, Response

    from hub_toolkit.sandbox.vendors.hook import Hook

_T = TypeVar("_T")

API = "/api/v3"
GRAPHQL = "/api/graphql"
LIMITS = ((60.0, 80), (3600.0, 500))
"""Requests that make content: seconds, and how many in them."""
MAX_PAGE = 100
_SECONDARY = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content"
    " creation. Please retry your request again later."
)


_DECISIONS = {
    "done": ("closed", "completed"),
    "declined": ("closed", "not_planned"),
    "open": ("open", None),
}


class GitHub(Simulator):
    """One repository.

    Args:
        clock: returns seconds since the epoch.
        token: a token that may read and write issues.
        repository: ``owner/name``.
        push: whether the token has push access; else labels and assignees of a new issue are
            dropped, silently.
        people: the logins of those who can be assigned. Whether others are told of one when their
            assignee would be dropped anyway is not documented; here they are not.
        duplicates: whether issues can be closed as duplicates: older servers do not know it.
        hook: the repository's webhook for issues.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        token: str,
        repository: str,
        push: bool = True,
        people: Collection[str] = (),
        duplicates: bool = True,
        hook: Hook | None = None,
    ) -> None:
        page = Rule("/<owner>/<repo>/issues/<int:number>", methods=["GET"], endpoint=self._page)
        queries = [
            Rule(path, methods=["POST"], endpoint=self._query) for path in (GRAPHQL, "/graphql")
        ]
        super().__init__([page, *queries, *self._rules(API), *self._rules("")])
        self._clock = clock
        self._token = token
        self._repository = repository
        self._may_push = push
        self._people = tuple(people)
        self._duplicates = duplicates
        self._hook = hook
        self._labels: dict[str, str] = {}
        self._issues: list[Issue] = []
        self._made: deque[float] = deque()
        self._lock = threading.RLock()

    def _rules(self, prefix: str) -> list[Rule]:
        listed = f"{prefix}/repos/<owner>/<repo>/issues"
        one = f"{listed}/<int:number>"
        repository = f"{prefix}/repos/<owner>/<repo>"
        return [
            Rule(repository, methods=["GET"], endpoint=self._about),
            Rule(f"{repository}/assignees/<login>", methods=["GET"], endpoint=self._assignable),
            Rule(listed, methods=["GET"], endpoint=self._list),
            Rule(listed, methods=["POST"], endpoint=self._create),
            Rule(one, methods=["GET"], endpoint=self._get),
            Rule(one, methods=["PATCH"], endpoint=self._edit),
            Rule(f"{one}/comments", methods=["GET"], endpoint=self._comments),
            Rule(f"{one}/comments", methods=["POST"], endpoint=self._comment),
            Rule(f"{one}/labels", methods=["POST"], endpoint=self._add_labels),
            Rule(f"{one}/labels/<path:name>", methods=["DELETE"], endpoint=self._drop_label),
        ]

    def tickets(self) -> list[dict[str, Any]]:
        """All issues as tickets: id, url, summary, status, labels, comments, body (texts)."""
        with self._lock:
            return [issue.ticket() for issue in self._issues]

    def decide(self, ticket: str, state: str) -> None:
        """What a person decides: ``done``, ``declined`` (not planned) or ``open``.

        Raises:
            KeyError: there is no such ticket or state.
        """
        with self._lock:
            held = {issue.ticket()["id"]: issue for issue in self._issues}
            issue = held[ticket]
            wanted, reason = _DECISIONS[state]
            self._turn(issue, wanted, reason, "analyst")

    def _turn(self, issue: Issue, state: str, reason: str | None, by: str) -> None:
        """Open or close an issue; the webhook tells it."""
        changes = state != issue.state
        issue.turn(state, reason, by, self._clock())
        if self._hook is not None and changes:
            webhook.send(self._hook, issue, by)

    def before(self, request: Request) -> Response | None:
        """401 unless the token is given; 404 for another repository; the page needs no token."""
        path = request.path.removeprefix(API).lower()
        asks = request.path in (GRAPHQL, "/graphql")
        if not asks and not path.startswith("/repos/"):
            return None
        if not request.headers.get("User-Agent"):
            return _failure(request, 403, "Request forbidden by administrative rules.")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return _failure(request, 401, "Requires authentication")
        right = hmac.compare_digest(given.encode(), self._token.encode())
        if scheme.lower() not in ("bearer", "token") or not right:
            return _failure(request, 401, "Bad credentials")
        if not asks and not f"{path}/".startswith(f"/repos/{self._repository.lower()}/"):
            return _failure(request, 404, "Not Found")
        return None

    def unmatched(self, request: Request, error: HTTPException) -> Response:
        """404, 405 and 413 in GitHub's shape."""
        return _failure(request, error.code or 500, error.name)

    def _answer(self, request: Request) -> Response:
        try:
            with self._lock:
                return super()._answer(request)
        except BodyError:
            return _failure(request, 400, "Problems parsing JSON")
        except Invalid as error:
            return _failure(request, 422, "Validation Failed", [error.error])

    def _wait(self) -> int:
        """0 where content may be made now, which counts it; else the whole seconds to wait."""
        now = self._clock()
        for seconds, most in LIMITS:
            recent = [at for at in self._made if at > now - seconds]
            if len(recent) >= most:
                return max(1, round(recent[0] + seconds - now))
        self._made.append(now)
        while self._made[0] <= now - LIMITS[-1][0]:
            self._made.popleft()
        return 0

    def _about(self, request: Request, owner: str, repo: str) -> Response:  # noqa: ARG002
        """The repository; its ``permissions`` are the account's, not the token's."""
        return json_response(
            {
                "id": 1,
                "full_name": self._repository,
                "private": True,
                "archived": False,
                "has_issues": True,
                "permissions": {"admin": False, "push": True, "pull": True},
            }
        )

    def _assignable(self, request: Request, owner: str, repo: str, login: str) -> Response:  # noqa: ARG002
        """204 for one who can be assigned, else 404."""
        if login.lower() in {one.lower() for one in self._people}:
            return text_response("", 204)
        return _failure(request, 404, "Not Found")

    def _list(self, request: Request, owner: str, repo: str) -> Response:  # noqa: ARG002
        wanted = [name.lower() for name in request.args.get("labels", "").split(",") if name]
        state = request.args.get("state", "open")
        found = [
            issue
            for issue in self._issues
            if state in ("all", issue.state)
            and set(wanted) <= {name.lower() for name in issue.labels}
        ]
        if request.args.get("direction", "desc") == "desc":
            found.reverse()
        return json_response([issue.shown() for issue in _page_of(request, found)])

    def _create(self, request: Request, owner: str, repo: str) -> Response:  # noqa: ARG002
        given = read_object(request)
        title, body = issues.title(given.get("title")), issues.body(given.get("body"))
        wanted = given.get("labels", []) if self._may_push else []
        names = issues.labels(wanted, self._labels)
        whose = given.get("assignees", []) if self._may_push else []
        assigned = issues.assignees(whose, self._people)
        wait = self._wait()
        if wait:
            return _limited(request, wait)
        base = request.root_url.rstrip("/")
        number = len(self._issues) + 1
        at = self._clock()
        issue = Issue(number, base, self._repository, at, title, body, names, assigned)
        self._issues.append(issue)
        return json_response(issue.shown(), 201)

    def _get(self, request: Request, owner: str, repo: str, number: int) -> Response:  # noqa: ARG002
        issue = self._find(number)
        if issue is None:
            return _failure(request, 404, "Not Found")
        return json_response(issue.shown())

    def _edit(self, request: Request, owner: str, repo: str, number: int) -> Response:  # noqa: ARG002
        issue = self._find(number)
        if issue is None:
            return _failure(request, 404, "Not Found")
        given = read_object(request)
        state, reason = given.get("state", issue.state), given.get("state_reason")
        if state not in ("open", "closed"):
            raise Invalid("state", "invalid")
        if reason is not None and reason not in issues.REASONS:
            raise Invalid("state_reason", "invalid")
        title = issues.title(given.get("title", issue.title))
        body = issues.body(given.get("body", issue.body))
        if "labels" in given:
            issue.labels = issues.labels(given["labels"], self._labels)
        issue.title, issue.body = title, body
        self._turn(issue, state, reason, "hub-responder")
        return json_response(issue.shown())

    def _add_labels(self, request: Request, owner: str, repo: str, number: int) -> Response:  # noqa: ARG002
        issue = self._find(number)
        if issue is None:
            return _failure(request, 404, "Not Found")
        if not self._may_push:
            return _failure(request, 403, "Resource not accessible by personal access token")
        added = issues.labels(read_object(request).get("labels"), self._labels)
        issue.labels += [name for name in added if name not in issue.labels]
        return json_response(issue.shown()["labels"])

    def _drop_label(
        self,
        request: Request,
        owner: str,  # noqa: ARG002
        repo: str,  # noqa: ARG002
        number: int,
        name: str,
    ) -> Response:
        issue = self._find(number)
        kept = [one for one in issue.labels if one.lower() != name.lower()] if issue else []
        if issue is None or len(kept) == len(issue.labels):
            return _failure(request, 404, "Label does not exist")
        issue.labels = kept
        return json_response(issue.shown()["labels"])

    def _query(self, request: Request) -> Response:
        mark(request, Verdict.READ)
        given = read_object(request)
        held = {issue.number: issue for issue in self._issues}
        answer = graph.answer(given, self._repository, held, duplicates=self._duplicates)
        return json_response(answer)

    def _comments(self, request: Request, owner: str, repo: str, number: int) -> Response:  # noqa: ARG002
        issue = self._find(number)
        if issue is None:
            return _failure(request, 404, "Not Found")
        return json_response(_page_of(request, issue.comments))

    def _comment(self, request: Request, owner: str, repo: str, number: int) -> Response:  # noqa: ARG002
        issue = self._find(number)
        if issue is None:
            return _failure(request, 404, "Not Found")
        body = issues.body(read_object(request).get("body"), required=True)
        wait = self._wait()
        if wait:
            return _limited(request, wait)
        comment = {
            "id": 5_000_000_000 + 1000 * number + len(issue.comments),
            "body": body,
            "user": {"login": "hub-responder", "type": "User"},
            "created_at": iso(self._clock()),
        }
        issue.comments.append(comment)
        return json_response(comment, 201)

    def _page(self, request: Request, owner: str, repo: str, number: int) -> Response:
        """The issue as plain text: a link in a message leads somewhere."""
        issue = self._find(number)
        if issue is None or f"{owner}/{repo}" != self._repository:
            return _failure(request, 404, "Not Found")
        comments = "".join(f"\n\n--\n{comment['body']}" for comment in issue.comments)
        return text_response(f"#{number} [{issue.state}] {issue.title}\n\n{issue.body}{comments}\n")

    def _find(self, number: int) -> Issue | None:
        return self._issues[number - 1] if 1 <= number <= len(self._issues) else None


def _page_of(request: Request, found: list[_T]) -> list[_T]:
    """One page; a number that is none is taken for the default: a guess."""
    size = request.args.get("per_page", 30, int)
    page = request.args.get("page", 1, int)
    size = min(max(size, 1), MAX_PAGE)
    start = (max(page, 1) - 1) * size
    return found[start : start + size]


def _limited(request: Request, wait: int) -> Response:
    mark(request, Verdict.REFUSED, "secondary rate limit")
    return json_response({"message": _SECONDARY}, 403, [("Retry-After", str(wait))])


def _failure(
    request: Request, status: int, message: str, errors: list[dict[str, str]] | None = None
) -> Response:
    mark(request, Verdict.REFUSED, message if not errors else f"{message}: {errors}")
    body: dict[str, Any] = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    return json_response({**body, "errors": errors} if errors else body, status)
