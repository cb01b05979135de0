"""The WSGI application: routes, authentication, search with a lagging index, a page per issue."""

from __future__ import annotations

import base64
import binascii
import hmac
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

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
from hub_toolkit.sandbox.vendors.jira import jql, search
from hub_toolkit.sandbox.vendors.jira.errors import INVALID_INPUT, FieldErrors, JiraError
from hub_toolkit.sandbox.vendors.jira.issues import (
    FIELDS,
    ISSUE_TYPES,
    REQUIRED,
    STATUSES,
    Issue,
    check_fields,
    check_label,
    document,
    stamp,
)

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request

API = "/rest/api/3"

_ACCOUNT = {"accountId": "5b10ac8d82e05b22cc7d4ef5", "displayName": "hub-responder", "active": True}
_REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full"
    " migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_NO_ISSUE = "Issue does not exist or you do not have permission to see it."


class Jira(Simulator):
    """One Jira Cloud site.

    Args:
        clock: returns seconds since the epoch.
        email: the account that may do everything here.
        api_token: its API token.
        projects: keys of the projects that exist.
        index_lag_s: seconds until search sees a change; ``reconcileIssues`` sees it at once.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        email: str,
        api_token: str,
        projects: tuple[str, ...] = ("SEC",),
        index_lag_s: float = 0.0,
    ) -> None:
        issue, created = f"{API}/issue/<key>", f"{API}/issue/createmeta/<key>"
        super().__init__(
            [
                Rule(f"{API}/issue", methods=["POST"], endpoint=self._create),
                Rule(issue, methods=["GET"], endpoint=self._get),
                Rule(issue, methods=["PUT"], endpoint=self._edit),
                Rule(f"{issue}/comment", methods=["GET"], endpoint=self._comments),
                Rule(f"{issue}/comment", methods=["POST"], endpoint=self._comment),
                Rule(f"{issue}/transitions", methods=["GET"], endpoint=self._transitions),
                Rule(f"{issue}/transitions", methods=["POST"], endpoint=self._transition),
                Rule(f"{API}/search/jql", methods=["POST"], endpoint=self._search),
                Rule(f"{API}/search", methods=["GET", "POST"], endpoint=self._removed),
                Rule(f"{API}/myself", methods=["GET"], endpoint=self._myself),
                Rule(f"{API}/project/<key>", methods=["GET"], endpoint=self._project),
                Rule(f"{created}/issuetypes", methods=["GET"], endpoint=self._issue_types),
                Rule(f"{created}/issuetypes/<kind>", methods=["GET"], endpoint=self._create_screen),
                Rule("/browse/<key>", methods=["GET"], endpoint=self._browse),
            ]
        )
        self._clock = clock
        self._credential = f"{email}:{api_token}".encode()
        self._email = email
        self._projects = projects
        self._lag_s = index_lag_s
        self._issues: dict[str, Issue] = {}
        self._by_id: dict[str, Issue] = {}
        self._numbers = dict.fromkeys(projects, 0)
        self._comment_number = 10_000
        self._lock = threading.RLock()

    def tickets(self) -> list[dict[str, Any]]:
        """All issues as tickets: id, url, summary, status, labels, comments, body (texts)."""
        with self._lock:
            return [issue.ticket() for issue in self._issues.values()]

    def before(self, request: Request) -> Response | None:
        """401 unless the account is given; the page for people needs none."""
        if request.path.startswith("/browse/"):
            return None
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return _failure(request, JiraError(401, "Login Required"))
        try:
            given = base64.b64decode(encoded.encode(), validate=True)
        except binascii.Error:
            given = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(given, self._credential):
            mark(request, Verdict.REFUSED, "wrong credentials")
            return text_response("Client must be authenticated to access this resource.", 401)
        return None

    def unmatched(self, request: Request, error: HTTPException) -> Response:
        """404, 405 and 413 in Jira's shape."""
        return _failure(request, JiraError(error.code or 500, error.name))

    def _answer(self, request: Request) -> Response:
        try:
            with self._lock:
                return super()._answer(request)
        except BodyError as error:
            return _failure(request, JiraError(400, INVALID_INPUT, reason=str(error)))
        except FieldErrors as error:
            refusal = JiraError(400, error.message, error.errors, str(error))
            return _failure(request, refusal)
        except JiraError as error:
            return _failure(request, error)

    def _myself(self, request: Request) -> Response:  # noqa: ARG002
        return json_response({**_ACCOUNT, "emailAddress": self._email})

    def _project(self, request: Request, key: str) -> Response:  # noqa: ARG002
        if key not in self._projects:
            raise JiraError(404, f"No project could be found with key '{key}'.")
        return json_response({"id": "10000", "key": key, "name": key, "simplified": False})

    def _issue_types(self, request: Request, key: str) -> Response:
        """The types that `issues` takes; their ids and order are made up."""
        self._project(request, key)
        kinds = [
            {"id": str(10_001 + number), "name": name, "subtask": False}
            for number, name in enumerate(ISSUE_TYPES)
        ]
        return json_response(
            {"startAt": 0, "maxResults": 50, "total": len(kinds), "issueTypes": kinds}
        )

    def _create_screen(self, request: Request, key: str, kind: str) -> Response:
        """The fields that `issues` takes; only those of every issue are required."""
        self._project(request, key)
        if kind not in [str(10_001 + number) for number in range(len(ISSUE_TYPES))]:
            raise JiraError(404, "The issue type is not found.")
        fields = [
            {"fieldId": name, "name": name, "required": name in REQUIRED, "hasDefaultValue": False}
            for name in FIELDS
        ]
        return json_response(
            {"startAt": 0, "maxResults": 50, "total": len(fields), "fields": fields}
        )

    def _removed(self, request: Request) -> Response:
        return _failure(request, JiraError(410, _REMOVED))

    def _browse(self, request: Request, key: str) -> Response:  # noqa: ARG002
        """The issue as plain text: a link in a message leads somewhere."""
        ticket = self._issue(key).ticket()
        comments = "".join(f"\n\n--\n{comment}" for comment in ticket["comments"])
        heading = f"{ticket['id']} [{ticket['status']}] {ticket['summary']}"
        return text_response(f"{heading}\n\n{ticket['body']}{comments}\n")

    def _create(self, request: Request) -> Response:
        given = read_object(request).get("fields", {})
        fields = check_fields(given, projects=self._projects, creating=True)
        now = self._clock()
        project = fields["project"]["key"]
        self._numbers[project] += 1
        issue = Issue(
            id=str(10_000 + len(self._issues)),
            key=f"{project}-{self._numbers[project]}",
            base=request.root_url.rstrip("/"),
            created=now,
            updated=now,
            fields=fields,
        )
        issue.touch(now, self._lag_s)
        self._issues[issue.key] = self._by_id[issue.id] = issue
        shown = issue.shown()
        return json_response({name: shown[name] for name in ("id", "key", "self")}, 201)

    def _get(self, request: Request, key: str) -> Response:
        names = request.args.get("fields")
        wanted = search.field_names(names.split(",")) if names else None
        return json_response(self._issue(key).shown(wanted))

    def _edit(self, request: Request, key: str) -> Response:
        issue = self._issue(key)
        body = read_object(request)
        fields = check_fields(body.get("fields", {}), projects=self._projects, creating=False)
        if "project" in fields or "issuetype" in fields:
            raise JiraError(400, "An issue's project and type are not edited here.")
        labels = self._label_changes(issue, body.get("update", {}))
        issue.fields.update(fields)
        if labels is not None:
            issue.fields["labels"] = labels
        issue.touch(self._clock(), self._lag_s)
        return Response(status=204)

    def _label_changes(self, issue: Issue, update: Any) -> list[str] | None:
        if update == {}:
            return None
        if not isinstance(update, dict) or set(update) != {"labels"}:
            raise JiraError(400, INVALID_INPUT, reason="only labels can be updated by operation")
        labels = set(issue.fields.get("labels") or [])
        try:
            for operation in update["labels"]:
                ((verb, value),) = operation.items()
                labels = _changed(labels, verb, value)
        except (AttributeError, TypeError, ValueError) as error:
            raise JiraError(400, errors={"labels": str(error)}) from None
        return sorted(labels)

    def _comments(self, request: Request, key: str) -> Response:  # noqa: ARG002
        comments = self._issue(key).comments
        counts = {"startAt": 0, "maxResults": 5000, "total": len(comments)}
        return json_response({**counts, "comments": comments})

    def _comment(self, request: Request, key: str) -> Response:
        issue = self._issue(key)
        given = read_object(request).get("body")
        try:
            body = document(given, message="Comment body is not valid!")
        except ValueError as error:
            raise JiraError(400, errors={"comment": str(error)}) from None
        except FieldErrors as error:
            errors = {"comment": "Comment body is not valid!"}
            raise JiraError(400, errors=errors, reason=str(error)) from None
        now = self._clock()
        self._comment_number += 1
        comment = {
            "self": f"{issue.base}{API}/issue/{issue.id}/comment/{self._comment_number}",
            "id": str(self._comment_number),
            "author": _ACCOUNT,
            "body": body,
            "created": stamp(now),
            "updated": stamp(now),
        }
        issue.comments.append(comment)
        issue.touch(now, self._lag_s)
        return json_response(comment, 201)

    def _transitions(self, request: Request, key: str) -> Response:  # noqa: ARG002
        issue = self._issue(key)
        transitions = [
            {"id": status.transition, "name": status.name, "to": status.shown(issue.base)}
            for status in STATUSES
        ]
        return json_response({"expand": "transitions", "transitions": transitions})

    def _transition(self, request: Request, key: str) -> Response:
        issue = self._issue(key)
        body = read_object(request)
        if body.get("fields") or body.get("update"):
            names = [*(body.get("fields") or {}), *(body.get("update") or {})]
            raise JiraError(400, errors=dict.fromkeys(names, "The field is not on the screen."))
        given = body.get("transition")
        wanted = given.get("id") if isinstance(given, dict) else None
        for status in STATUSES:
            if status.transition == str(wanted):
                issue.status = status
                issue.touch(self._clock(), self._lag_s)
                return Response(status=204)
        raise JiraError(400, f"Transition id '{str(wanted)[:40]}' is not valid for this issue.")

    def _search(self, request: Request) -> Response:
        mark(request, Verdict.READ)
        asked = search.read(read_object(request))
        self._check_values(asked.where)
        return json_response(search.answer(asked, self._found(asked.where, asked.reconciled)))

    def _found(self, where: jql.Term | jql.Group, reconciled: set[str]) -> list[Issue]:
        """The index is behind by the lag, but for the issues that are reconciled."""
        before = self._clock() - self._lag_s
        found = []
        for issue in self._issues.values():
            subject = issue.subject() if issue.id in reconciled else issue.indexed(before)
            if subject is not None and jql.matches(where, subject):
                found.append(issue)
        return found

    def _check_values(self, where: jql.Term | jql.Group) -> None:
        for term in jql.terms(where):
            for value in term.values:
                if term.field == "project" and value.upper() not in self._projects:
                    wrong = f"The value '{value[:80]}' does not exist for the field 'project'."
                    raise JiraError(400, wrong)
                if term.field == "key" and value not in self._by_id:
                    self._existing(value)

    def _existing(self, key: str) -> None:
        if key.upper() not in self._issues:
            wrong = f"An issue with key '{key[:80]}' does not exist for field 'key'."
            raise JiraError(400, wrong)

    def _issue(self, key: str) -> Issue:
        issue = self._issues.get(key.upper()) or self._by_id.get(key)
        if issue is None:
            raise JiraError(404, _NO_ISSUE)
        return issue


def _failure(request: Request, error: JiraError) -> Response:
    mark(request, Verdict.REFUSED, str(error))
    return json_response(error.body, error.status)


def _changed(labels: set[str], verb: str, value: Any) -> set[str]:
    """Labels after one operation of an edit's ``update``."""
    if verb == "set":
        return {check_label(label) for label in value}
    if verb == "add":
        return labels | {check_label(value)}
    if verb == "remove":
        return labels - {check_label(value)}
    raise ValueError(f"operation {verb[:20]!r} is not known")
