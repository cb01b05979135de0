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
from hub_toolkit.sandbox.vendors.jira import jql, search, webhook
from hub_toolkit.sandbox.vendors.jira.errors import INVALID_INPUT, FieldErrors, JiraError
from hub_toolkit.sandbox.vendors.jira.issues import (
    FIELDS,
    ISSUE_TYPES,
    REQUIRED,
    RESOLUTIONS,
    STATUSES,
    Issue,
    Site,
    Status,
    check_fields,
    check_label,
    resolution,
    stamp,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request

    from hub_toolkit.sandbox.vendors.hook import Hook

API = "/rest/api/3"

_ACCOUNT = {"accountId": "5b10ac8d82e05b22cc7d4ef5", "displayName": "hub-responder", "active": True}
_ANALYST = {"accountId": "5b10a2844c20165700ede21g", "displayName": "analyst", "active": True}
_REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full"
    " migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_DECISIONS = {
    "open": (STATUSES[0], ""),
    "done": (STATUSES[2], "Done"),
    "declined": (STATUSES[2], "Won't Do"),
}
MAX_FETCHED = 100
_LINK_TYPE = {"id": "10003", "name": "Relates", "inward": "relates to", "outward": "relates to"}
_NO_ISSUE = "Issue does not exist or you do not have permission to see it."


class Jira(Simulator):
    """One Jira Cloud site.

    Attributes:
        api: the path of its REST API. wiki: its texts are wiki markup, people have names.

    Args:
        clock: returns seconds since the epoch.
        email: the account that may do everything here.
        api_token: its API token.
        projects: keys of the projects that exist.
        components: names of their components.
        further: ids of the custom fields on their screens.
        demands_resolution: the workflow closes an issue only with a resolution.
        index_lag_s: seconds until search sees a change; ``reconcileIssues`` sees it at once.
        hook: an admin webhook for issues that are updated or deleted.
    """

    api = API
    wiki = False

    def __init__(
        self,
        clock: Clock,
        *,
        email: str,
        api_token: str,
        projects: tuple[str, ...] = ("SEC",),
        components: tuple[str, ...] = (),
        further: tuple[str, ...] = (),
        demands_resolution: bool = False,
        index_lag_s: float = 0.0,
        hook: Hook | None = None,
    ) -> None:
        api = self.api
        issue, created = f"{api}/issue/<key>", f"{api}/issue/createmeta/<key>"
        super().__init__(
            [
                *self.searches(),
                Rule(f"{api}/issue", methods=["POST"], endpoint=self._create),
                Rule(issue, methods=["GET"], endpoint=self._get),
                Rule(issue, methods=["PUT"], endpoint=self._edit),
                Rule(issue, methods=["DELETE"], endpoint=self._delete),
                Rule(f"{api}/issueLink", methods=["POST"], endpoint=self._link),
                Rule(f"{issue}/comment", methods=["GET"], endpoint=self._comments),
                Rule(f"{issue}/comment", methods=["POST"], endpoint=self._comment),
                Rule(f"{issue}/transitions", methods=["GET"], endpoint=self._transitions),
                Rule(f"{issue}/transitions", methods=["POST"], endpoint=self._transition),
                Rule(f"{api}/myself", methods=["GET"], endpoint=self._myself),
                Rule(f"{api}/project/<key>", methods=["GET"], endpoint=self._project),
                Rule(f"{created}/issuetypes", methods=["GET"], endpoint=self._issue_types),
                Rule(f"{created}/issuetypes/<kind>", methods=["GET"], endpoint=self._create_screen),
                Rule("/browse/<key>", methods=["GET"], endpoint=self._browse),
            ]
        )
        self._clock = clock
        self._credential = f"{email}:{api_token}".encode()
        self._email = email
        self._projects = projects
        self._site = Site(projects, components, further, wiki=self.wiki)
        self._demands_resolution = demands_resolution
        self._link_number = 10_000
        self._lag_s = index_lag_s
        self._hook = hook
        self._issues: dict[str, Issue] = {}
        self._by_id: dict[str, Issue] = {}
        self._numbers = dict.fromkeys(projects, 0)
        self._comment_number = 10_000
        self._lock = threading.RLock()

    def searches(self) -> list[Rule]:
        """How issues are found and fetched."""
        return [
            Rule(f"{API}/issue/bulkfetch", methods=["POST"], endpoint=self._bulk_fetch),
            Rule(f"{API}/search/jql", methods=["POST"], endpoint=self._search),
            Rule(f"{API}/search", methods=["GET", "POST"], endpoint=self._removed),
        ]

    def tickets(self) -> list[dict[str, Any]]:
        """All issues as tickets: id, url, summary, status, labels, comments, body (texts)."""
        with self._lock:
            return [issue.ticket() for issue in self._issues.values()]

    def decide(self, ticket: str, state: str) -> None:
        """What a person decides: ``done``, ``declined`` (Won't Do) or ``open``.

        Raises:
            KeyError: there is no such ticket or state.
        """
        with self._lock:
            status, chosen = _DECISIONS[state]
            issue = self._issues[ticket]
            self._turn(issue, status, chosen, _ANALYST)

    def _turn(self, issue: Issue, status: Status, name: str, by: Mapping[str, Any]) -> None:
        """Another status, with a resolution at its end; the webhook tells it."""
        now, before = self._clock(), webhook.state(issue)
        issue.turn(status, name, now)
        issue.touch(now, self._lag_s)
        self._tell(webhook.UPDATED, issue, by, before)

    def _tell(
        self, event: str, issue: Issue, by: Mapping[str, Any], before: webhook.State | None = None
    ) -> None:
        if self._hook is not None:
            changes = webhook.changes(before or webhook.state(issue), webhook.state(issue))
            webhook.send(self._hook, event, issue, by=by, changed=changes, now=self._clock())

    def before(self, request: Request) -> Response | None:
        """401 unless the account is given; the page for people needs none."""
        if request.path.startswith("/browse/"):
            return None
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return _failure(request, JiraError(401, "Login Required"))
        if not self.accepts(scheme, encoded):
            mark(request, Verdict.REFUSED, "wrong credentials")
            return text_response("Client must be authenticated to access this resource.", 401)
        return None

    def accepts(self, scheme: str, encoded: str) -> bool:
        """Whether the account is given."""
        try:
            given = base64.b64decode(encoded.encode(), validate=True)
        except binascii.Error:
            given = b""
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._credential)

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
        return self.listed("issueTypes", kinds)

    def _create_screen(self, request: Request, key: str, kind: str) -> Response:
        """The fields that `issues` takes; only those of every issue are required."""
        self._project(request, key)
        if kind not in [str(10_001 + number) for number in range(len(ISSUE_TYPES))]:
            raise JiraError(404, "The issue type is not found.")
        fields = [
            {"fieldId": name, "name": name, "required": name in REQUIRED, "hasDefaultValue": False}
            for name in (*FIELDS, *self._site.further)
        ]
        return self.listed("fields", fields)

    def listed(self, name: str, entries: list[dict[str, Any]]) -> Response:
        """A page of what is on a create screen, under its name."""
        counts = {"startAt": 0, "maxResults": 50, "total": len(entries)}
        return json_response({**counts, name: entries})

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
        fields = check_fields(given, site=self._site, creating=True)
        now = self._clock()
        project = fields["project"]["key"]
        self._numbers[project] += 1
        issue = Issue(
            id=str(10_000 + sum(self._numbers.values()) - 1),
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
        fields = check_fields(body.get("fields", {}), site=self._site, creating=False)
        if "project" in fields or "issuetype" in fields:
            raise JiraError(400, "An issue's project and type are not edited here.")
        labels = self._label_changes(issue, body.get("update", {}))
        issue.fields.update(fields)
        if labels is not None:
            issue.fields["labels"] = labels
        issue.touch(self._clock(), self._lag_s)
        self._tell(webhook.UPDATED, issue, _ACCOUNT)
        return Response(status=204)

    def _delete(self, request: Request, key: str) -> Response:  # noqa: ARG002
        """Gone for good; its key is not given again."""
        issue = self._issue(key)
        del self._issues[issue.key], self._by_id[issue.id]
        self._tell(webhook.DELETED, issue, _ACCOUNT)
        return Response(status=204)

    def _bulk_fetch(self, request: Request) -> Response:
        """Documented: at most 100, by id or key, no index between; what is not found or not visible
        is left out."""
        mark(request, Verdict.READ)
        body = read_object(request)
        wanted, names = body.get("issueIdsOrKeys"), body.get("fields") or ["*navigable"]
        if not isinstance(wanted, list) or not 0 < len(wanted) <= MAX_FETCHED:
            raise JiraError(400, f"Between 1 and {MAX_FETCHED} issues can be fetched.")
        if not isinstance(names, list) or not all(
            isinstance(one, str) for one in [*wanted, *names]
        ):
            raise JiraError(400, INVALID_INPUT)
        held = {id(found): found for one in wanted if (found := self._found_issue(one)) is not None}
        shown = search.field_names(names)
        issues = sorted(held.values(), key=lambda issue: int(issue.id))
        return json_response({"issues": [one.shown(shown) for one in issues], "issueErrors": []})

    def _link(self, request: Request) -> Response:
        body = read_object(request)
        kind = body.get("type")
        if not isinstance(kind, dict) or kind.get("name") != _LINK_TYPE["name"]:
            raise JiraError(404, f"No issue link type with name '{str(kind)[:80]}' found.")
        ends = [body.get(end) for end in ("inwardIssue", "outwardIssue")]
        inward, outward = (
            self._issue(str(end.get("key", end.get("id"))) if isinstance(end, dict) else "")
            for end in ends
        )
        self._link_number += 1
        link = {"id": str(self._link_number), "type": _LINK_TYPE}
        inward.links.append({**link, "outwardIssue": {"id": outward.id, "key": outward.key}})
        outward.links.append({**link, "inwardIssue": {"id": inward.id, "key": inward.key}})
        return Response(status=201)

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
            body = text_of(given, self._site, message="Comment body is not valid!")
        except ValueError as error:
            raise JiraError(400, errors={"comment": str(error)}) from None
        except FieldErrors as error:
            errors = {"comment": "Comment body is not valid!"}
            raise JiraError(400, errors=errors, reason=str(error)) from None
        now = self._clock()
        self._comment_number += 1
        comment = {
            "self": f"{issue.base}{self.api}/issue/{issue.id}/comment/{self._comment_number}",
            "id": str(self._comment_number),
            "author": _ACCOUNT,
            "body": body,
            "created": stamp(now),
            "updated": stamp(now),
        }
        issue.comments.append(comment)
        issue.touch(now, self._lag_s)
        return json_response(comment, 201)

    def _transitions(self, request: Request, key: str) -> Response:
        issue = self._issue(key)
        expanded = "transitions.fields" in request.args.get("expand", "")
        transitions = [
            {
                "id": status.transition,
                "name": status.name,
                "to": status.shown(issue.base),
                "hasScreen": bool(self._screen(status)),
                "isAvailable": True,
                **({"fields": self._screen(status)} if expanded else {}),
            }
            for status in STATUSES
        ]
        return json_response({"expand": "transitions", "transitions": transitions})

    def _screen(self, status: Status) -> dict[str, Any]:
        """The fields of the screen on the way to ``status``."""
        if status.category != "done" or not self._demands_resolution:
            return {}
        allowed = [resolution(name) for name in RESOLUTIONS]
        held = {"required": True, "hasDefaultValue": False, "allowedValues": allowed}
        return {"resolution": {**held, "name": "Resolution", "key": "resolution"}}

    def _transition(self, request: Request, key: str) -> Response:
        issue = self._issue(key)
        body = read_object(request)
        given = body.get("transition")
        wanted = given.get("id") if isinstance(given, dict) else None
        for status in STATUSES:
            if status.transition == str(wanted):
                self._turn(issue, status, self._resolved(status, body), _ACCOUNT)
                return Response(status=204)
        raise JiraError(400, f"Transition id '{str(wanted)[:40]}' is not valid for this issue.")

    def _resolved(self, status: Status, body: dict[str, Any]) -> str:
        """The name of the resolution that a transition gives, or empty. The message of a missing
        one is a guess."""
        screen, fields = self._screen(status), body.get("fields") or {}
        off = [name for name in [*fields, *(body.get("update") or {})] if name not in screen]
        if off:
            raise JiraError(400, errors=dict.fromkeys(off, "The field is not on the screen."))
        if not screen:
            return ""
        given = fields.get("resolution")
        for one in (resolution(name) for name in RESOLUTIONS):
            if isinstance(given, dict) and (given.get("id"), given.get("name")) in (
                (one["id"], None),
                (None, one["name"]),
                (one["id"], one["name"]),
            ):
                return one["name"]
        wrong = "Resolution is required." if given is None else "The resolution is invalid."
        raise JiraError(400, errors={"resolution": wrong})

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

    def _found_issue(self, key: str) -> Issue | None:
        return self._issues.get(key.upper()) or self._by_id.get(key)

    def _issue(self, key: str) -> Issue:
        issue = self._found_issue(key)
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
