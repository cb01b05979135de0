"""Jira Data Center: REST API 2, where it differs from Cloud's.

Source: Jira Data Center's REST API reference (search, createmeta), "Using personal access tokens".
Texts are wiki markup, stored as they come; people have names. A key of an issue that is not there
fails a search that is validated, and is passed over in one that is not
(https://github.com/atlassian-api/atlassian-python-api/pull/752). A guess: refusals are worded as
Cloud's.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

from hub_toolkit.sandbox.vendors.base import Clock, Verdict, json_response, mark, read_object
from hub_toolkit.sandbox.vendors.jira import jql, search
from hub_toolkit.sandbox.vendors.jira.app import Jira
from hub_toolkit.sandbox.vendors.jira.errors import INVALID_INPUT, JiraError

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

API = "/rest/api/2"
MAX_RESULTS = 1000
"""Of one page (jira.search.views.default.max)."""
_ACCOUNT, _NOBODY = "hub-responder", "anonymous"
_MEMBERS = {"jql", "startAt", "maxResults", "fields", "validateQuery", "expand"}


class DataCenter(Jira):
    """One Jira Data Center.

    Args:
        token: the personal access token of the account that may do everything here.
        public: everybody is let in ("Configuring public access"): who is not known is answered as
            anybody is, who sees no issue here.
        page: most issues of one page.
        others: as of `Jira`.
    """

    api = API
    wiki = True

    def __init__(
        self,
        clock: Clock,
        *,
        token: str,
        public: bool = False,
        page: int = MAX_RESULTS,
        **others: Any,
    ) -> None:
        super().__init__(clock, email=_ACCOUNT, api_token="", **others)
        self._token = token
        self._public = public
        self._page = page

    def searches(self) -> list[Rule]:
        """One search, with pages by number."""
        return [Rule(f"{API}/search", methods=["POST"], endpoint=self._find)]

    def accepts(self, scheme: str, encoded: str) -> bool:
        """Whether the token is given."""
        return scheme.lower() == "bearer" and hmac.compare_digest(encoded, self._token)

    def before(self, request: Request) -> Response | None:
        """As Cloud's; a public site shows a stranger what everybody may see."""
        refused = super().before(request)
        if refused is None or not (self._public and request.path == f"{API}/search"):
            return refused
        mark(request, Verdict.READ)
        empty = {"startAt": 0, "maxResults": 50, "total": 0, "issues": []}
        return json_response(empty)

    def _answer(self, request: Request) -> Response:
        answer = super()._answer(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        answer.headers["X-AUSERNAME"] = _ACCOUNT if self.accepts(scheme, token) else _NOBODY
        return answer

    def _find(self, request: Request) -> Response:
        mark(request, Verdict.READ)
        body = read_object(request)
        unknown = set(body) - _MEMBERS
        if unknown:
            raise JiraError(400, INVALID_INPUT, reason=f"no such member: {min(unknown)}")
        where = _where(body.get("jql"))
        if body.get("validateQuery", True):
            self._check_values(where)
        start, most = body.get("startAt", 0), min(body.get("maxResults", 50), self._page)
        shown = search.field_names(body.get("fields") or ["*navigable"])
        held = self._found(where, set())
        issues = [issue.shown(shown) for issue in held[start : start + most]]
        counts = {"startAt": start, "maxResults": most, "total": len(held)}
        return json_response({**counts, "issues": issues})

    def listed(self, name: str, entries: list[dict[str, Any]]) -> Response:  # noqa: ARG002
        """A page of what is on a create screen: always ``values``."""
        page = {"startAt": 0, "maxResults": 50, "total": len(entries), "isLast": True}
        return json_response({**page, "values": entries})


def _where(text: Any) -> jql.Term | jql.Group:
    """What a query asks for; one without an end would be answered, but nobody needs it here."""
    try:
        where = jql.parse(text).where if isinstance(text, str) else None
    except jql.JqlError as error:
        raise JiraError(400, str(error)) from None
    if where is None:
        raise JiraError(400, INVALID_INPUT, reason="a query is needed")
    return where
