"""The WSGI application: authentication, rate limit, hibernation, the Table API's routes.

A reference is told by its value: `sysparm_exclude_reference_link` changes nothing here. A time's
display value is UTC, as if the account's zone were. An answer to a write has all columns that
`sysparm_fields` names. A page for people shows a record as plain text.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec
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
from hub_toolkit.sandbox.vendors.servicenow import query, records
from hub_toolkit.sandbox.vendors.servicenow.records import Record, Refused

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request

    from hub_toolkit.sandbox.vendors.hook import Hook

Auth = Literal["basic", "oauth", "api_key"]
TOKEN_S = 1800
"""How long an access token is good for: the default of an application registry."""
MAX_ROWS = 10_000
"""`sysparm_limit` where none is named."""
_TABLE = "/api/now/table/<table>"
_ASLEEP = """<html><head><title>Instance Hibernating page</title></head><body>
<h1>Your instance is hibernating</h1>
<p>Sign in to the site to wake your instance</p></body></html>"""
_NONE = ("No Record found", "Record doesn't exist or ACL restricts the record retrieval")


class ServiceNow(Simulator):
    """One instance.

    Args:
        clock: returns seconds since the epoch.
        secret: what the connection's secret holds for ``auth``.
        read_only: columns that the account may not write: they are dropped, without a word.
        no_rows: the property `glide.invalid_query.returns_no_rows`.
        per_hour: requests that a rate limit rule allows in an hour of the clock; 0: any number.
        hook: where the business rule of docs/connections.md sends to.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        auth: Auth,
        secret: Mapping[str, str],
        read_only: frozenset[str] = frozenset(),
        no_rows: bool = False,
        per_hour: int = 0,
        hook: Hook | None = None,
    ) -> None:
        super().__init__(
            [
                Rule("/oauth_token.do", methods=["POST"], endpoint=self._token),
                Rule("/nav_to.do", methods=["GET"], endpoint=self._page),
                Rule(_TABLE, methods=["GET"], endpoint=self._list),
                Rule(_TABLE, methods=["POST"], endpoint=self._create),
                Rule(f"{_TABLE}/<sys_id>", methods=["GET"], endpoint=self._get),
                Rule(f"{_TABLE}/<sys_id>", methods=["PATCH", "PUT"], endpoint=self._change),
            ]
        )
        self.asleep = False
        """Whether it hibernates: every request is answered with a page, status 200."""
        self._clock = clock
        self._auth = auth
        self._secret = secret
        self._read_only = read_only
        self._no_rows = no_rows
        self._per_hour = per_hour
        self._hook = hook
        self._held: tuple[str, float] = ("", 0.0)
        self._records: list[Record] = []
        self._asked: deque[float] = deque()
        self._base = ""
        self._lock = threading.RLock()

    def tickets(self) -> list[dict[str, Any]]:
        """All records as tickets: id, url, summary, status, labels, comments, body (texts)."""
        with self._lock:
            return [record.ticket(self._base) for record in self._records]

    def decide(self, ticket: str, state: str) -> None:
        """What a person decides: ``done``, ``declined`` (canceled) or ``open``.

        Raises:
            KeyError: there is no such ticket or state.
        """
        with self._lock:
            record = {one.values["number"]: one for one in self._records}[ticket]
            table = record.table
            values = {
                "done": {
                    "state": "6" if table == "incident" else "3",
                    "close_code": "Solution provided",
                    "close_notes": "Done.",
                },
                "declined": {"state": records.CANCELED[table]},
                "open": {"state": records.OPEN_AGAIN[table]},
            }[state]
            self._write(record, values, "analyst")

    def _write(self, record: Record, values: Mapping[str, Any], by: str) -> None:
        """Set values; the rule runs where the state has changed.

        Raises:
            Refused: as of `Record.write`.
        """
        before, now = record.values["state"], self._clock()
        record.write(values, now, by)
        if self._hook is not None and record.values["state"] != before:
            timestamp = str(int(now))
            body = msgspec.json.encode({"number": record.values["number"]})
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "ServiceNow/1.0",
                "X-Hub-Responder-Timestamp": timestamp,
                "X-Hub-Responder-Signature": self._hook.of_time(timestamp, body),
            }
            self._hook.send(headers, body)

    def revoke(self) -> None:
        """Let the access token that was given end now."""
        with self._lock:
            self._held = ("", 0.0)

    def before(self, request: Request) -> Response | None:
        """A page while it sleeps; 401 without the credential; 429 over the rate limit."""
        self._base = request.root_url.rstrip("/")
        if self.asleep:
            mark(request, Verdict.REFUSED, "hibernating")
            return Response(_ASLEEP, content_type="text/html; charset=utf-8")
        if not request.path.startswith("/api/"):
            return None
        if not self._may(request):
            told = ("User Not Authenticated", "Required to provide Auth information")
            return _failure(request, 401, *told)
        return self._limited(request)

    def unmatched(self, request: Request, error: HTTPException) -> Response:
        """400, 405 and 413 in ServiceNow's shape: it says 400 to an address that is none."""
        status = 400 if error.code == 404 else error.code or 500  # noqa: PLR2004 - HTTP
        return _failure(request, status, "Requested URI does not represent any resource", "")

    def _answer(self, request: Request) -> Response:
        try:
            with self._lock:
                return super()._answer(request)
        except BodyError as error:
            return _failure(request, 400, "Exception while reading request", str(error))
        except Refused as error:
            return _failure(request, 403, "Operation Failed", str(error))

    def _may(self, request: Request) -> bool:
        given = request.headers.get("Authorization", "")
        if self._auth == "api_key":
            return _same(request.headers.get("x-sn-apikey", ""), self._secret["api_key"])
        if self._auth == "oauth":
            token, until = self._held
            return bool(token) and until > self._clock() and _same(given, f"Bearer {token}")
        pair = f"{self._secret['username']}:{self._secret['password']}"
        return _same(given, f"Basic {base64.b64encode(pair.encode()).decode()}")

    def _limited(self, request: Request) -> Response | None:
        """A rule counts the requests of each hour of the clock."""
        now = self._clock()
        hour = now - now % 3600
        while self._asked and self._asked[0] < hour:
            self._asked.popleft()
        if not self._per_hour or len(self._asked) < self._per_hour:
            self._asked.append(now)
            return None
        wait = max(1, round(hour + 3600 - now))
        mark(request, Verdict.REFUSED, "rate limit")
        headers = [
            ("Retry-After", str(wait)),
            ("X-RateLimit-Limit", str(self._per_hour)),
            ("X-RateLimit-Reset", str(round(hour + 3600))),
        ]
        told = {"message": "Rate limit exceeded", "detail": "Wait before the next request"}
        return json_response({"error": told, "status": "failure"}, 429, headers)

    def _token(self, request: Request) -> Response:
        """Client credentials; within its life the same token is given again."""
        mark(request, Verdict.READ)
        form = request.form
        right = all(
            _same(form.get(name, ""), self._secret.get(name, "\0"))
            for name in ("client_id", "client_secret")
        )
        if form.get("grant_type") != "client_credentials" or not right:
            body = {"error": "access_denied", "error_description": "access_denied"}
            return json_response(body, 401)
        now = self._clock()
        token, until = self._held
        if not token or until <= now:
            token, until = secrets.token_urlsafe(48), now + TOKEN_S
            self._held = (token, until)
        body_of = {
            "access_token": token,
            "scope": "useraccount",
            "token_type": "Bearer",
            "expires_in": int(until - now),
        }
        return json_response(body_of)

    def _list(self, request: Request, table: str) -> Response:
        if table not in records.STATES:
            return _failure(request, 400, f"Invalid table {table[:80]}", "")
        asked = query.parse(request.args.get("sysparm_query", ""), records.COLUMNS)
        mine = {one.values["sys_id"]: one for one in self._records if one.table == table}
        empty = asked.ignored and self._no_rows
        found = [] if empty else asked.run([one.values for one in mine.values()])
        start = max(0, request.args.get("sysparm_offset", 0, int))
        limit = max(0, request.args.get("sysparm_limit", MAX_ROWS, int))
        shown = [_shown(request, mine[row["sys_id"]]) for row in found[start : start + limit]]
        return json_response({"result": shown}, 200, [("X-Total-Count", str(len(found)))])

    def _get(self, request: Request, table: str, sys_id: str) -> Response:
        record = self._find(table, sys_id)
        if record is None:
            return _failure(request, 404, *_NONE)
        return json_response({"result": _shown(request, record)})

    def _create(self, request: Request, table: str) -> Response:
        if table not in records.STATES:
            return _failure(request, 400, f"Invalid table {table[:80]}", "")
        count = sum(one.table == table for one in self._records) + 1
        record = records.new(table, count, self._writable(request), self._clock())
        self._records.append(record)
        return json_response({"result": _shown(request, record)}, 201)

    def _change(self, request: Request, table: str, sys_id: str) -> Response:
        record = self._find(table, sys_id)
        if record is None:
            return _failure(request, 404, *_NONE)
        self._write(record, self._writable(request), records.ACCOUNT)
        return json_response({"result": _shown(request, record)})

    def _writable(self, request: Request) -> dict[str, Any]:
        given = read_object(request)
        return {name: value for name, value in given.items() if name not in self._read_only}

    def _find(self, table: str, sys_id: str) -> Record | None:
        for record in self._records:
            if record.table == table and record.values["sys_id"] == sys_id:
                return record
        return None

    def _page(self, request: Request) -> Response:
        """The record as plain text: a link in a message leads somewhere."""
        match = re.fullmatch(r"(\w+)\.do\?sys_id=(\w+)", request.args.get("uri", ""))
        record = self._find(match[1], match[2]) if match else None
        if record is None:
            return text_response("Record not found", 404)
        one = record.ticket(self._base)
        notes = "".join(f"\n\n--\n{note}" for note in one["comments"])
        return text_response(
            f"{one['id']} [{one['status']}] {one['summary']}\n\n{one['body']}{notes}\n"
        )


def _shown(request: Request, record: Record) -> dict[str, Any]:
    names = [name for name in request.args.get("sysparm_fields", "").split(",") if name]
    display = request.args.get("sysparm_display_value", "false")
    wanted = names or sorted(records.COLUMNS)
    return {name: record.shown(name, display) for name in wanted if name in records.COLUMNS}


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _failure(request: Request, status: int, message: str, detail: str) -> Response:
    mark(request, Verdict.REFUSED, detail or message)
    error = {"message": message, "detail": detail or None}
    return json_response({"error": error, "status": "failure"}, status)
