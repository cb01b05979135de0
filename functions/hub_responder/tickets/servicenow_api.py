"""One connection to ServiceNow's Table API: who asks, and what each answer means.

Table API, "OAuth Client Credentials", "API Key and HMAC Authentication for inbound REST APIs" and
"Inbound REST API rate limiting" (https://www.servicenow.com/docs).
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hub_responder import clock, http, masking, secrets
from hub_responder.errors import DeniedError, PermanentError, TransientError
from hub_responder.markdown.characters import clean, one_line, shorten

if TYPE_CHECKING:
    from hub_responder.connections.settings import ServiceNow
    from hub_responder.deadline import Deadline

LIMITED_S = 60.0
"""How long to wait where a 429 names no time: those of exhausted semaphores name none."""
ASLEEP_S = 300.0
"""How long to wait for an instance that answers with a page."""
EARLY_S = 60.0
"""How long before its end a token is not used any more."""
MAX_ANSWER = 8_000_000
"""Bytes of an answer: a record's work notes come all at once."""
_TOO_MANY, _UNAUTHORIZED, _FORBIDDEN = 429, 401, 403
_DENIED = re.compile(r"\bacl\b|security constraint|not authorized|not authenticated", re.IGNORECASE)
_TOKENS: dict[str, tuple[str, float]] = {}
_LOCK = threading.Lock()


class ServiceNowApi:
    """The Table API of one connection, for one invocation."""

    def __init__(self, name: str, settings: ServiceNow, stage: str, deadline: Deadline) -> None:
        self._name = name
        self._settings = settings
        self._session = http.session_for(private=settings.private, ca=settings.ca)
        self._stage, self._deadline = stage, deadline
        self.base = settings.url.rstrip("/")

    def rows(self, query: str, fields: str, limit: int, *, shown: bool = False) -> Rows:
        """Records of the connection's table, read; once more, at once, where that can help.

        Args:
            query: an encoded query. No value in it comes from outside: ``^`` and a line break
                would begin another condition.
            fields: names, parted by commas.
            shown: each field as an object of ``value`` and ``display_value``; journal fields are
                told in this way only.
        """
        asked = {
            "sysparm_query": query,
            "sysparm_fields": fields,
            "sysparm_limit": str(limit),
            "sysparm_display_value": "all" if shown else "false",
            "sysparm_exclude_reference_link": "true",
        }
        path = f"{self._table}?{urlencode(asked)}"
        try:
            response = self._call("GET", path)
        except TransientError as error:
            if error.retry_after:
                raise
            response = self._call("GET", path)
        found = self._result(response)
        if not isinstance(found, list):
            raise self._strange()
        total = response.headers.get("x-total-count", "")
        count = int(total) if re.fullmatch(r"\d{1,12}", total) else len(found)
        return Rows([one for one in found if isinstance(one, dict)], max(0, count - len(found)))

    def create(self, values: Mapping[str, str]) -> Mapping[str, Any]:
        """The record that was made."""
        return self._record(self._call("POST", f"{self._table}?{_WRITING}", values))

    def change(self, sys_id: str, values: Mapping[str, str]) -> Mapping[str, Any]:
        """The record after ``values`` were set, all of them or none."""
        return self._record(self._call("PATCH", f"{self._table}/{sys_id}?{_WRITING}", values))

    @property
    def _table(self) -> str:
        return f"/api/now/table/{self._settings.table}"

    def _record(self, response: http.Response) -> Mapping[str, Any]:
        record = self._result(response)
        if not isinstance(record, dict):
            raise self._strange()
        return record

    def _result(self, response: http.Response) -> Any:
        answer = response.json()
        return answer.get("result") if isinstance(answer, dict) else None

    def _strange(self) -> PermanentError:
        text = f"{self._name} answered with something that is not ServiceNow's"
        return PermanentError(text, target=self._name, sent=True)

    def _call(self, method: str, path: str, body: Any = None) -> http.Response:
        def call(secret: Mapping[str, str]) -> http.Response:
            response = self._send(method, path, body, self._authorization(secret))
            if response.status == _UNAUTHORIZED and self._settings.auth == "oauth":
                # Revoked before its end. What was refused had no effect, so it is sent again.
                with _LOCK:
                    _TOKENS.pop(self._key(secret), None)
                response = self._send(method, path, body, self._authorization(secret))
            self._check(response)
            return response

        return secrets.use(self._stage, self._name, call)

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> http.Response:
        return http.call(
            method,
            self.base + path,
            target=self._name,
            deadline=self._deadline,
            headers=headers,
            json=body,
            timeout=20.0,  # business rules run before a write is answered
            max_bytes=MAX_ANSWER,
            session=self._session,
        )

    def _authorization(self, secret: Mapping[str, str]) -> Mapping[str, str]:
        if self._settings.auth == "api_key":
            return {"x-sn-apikey": secrets.token(secret, "api_key", self._name)}
        if self._settings.auth == "oauth":
            return {"Authorization": f"Bearer {self._token(secret)}"}
        user = secrets.value(secret, "username", self._name)
        password = secrets.value(secret, "password", self._name)
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        masking.remember(basic)
        return {"Authorization": f"Basic {basic}"}

    def _key(self, secret: Mapping[str, str]) -> str:
        parts = (self.base, secret.get("client_id", ""), secret.get("client_secret", ""))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _token(self, secret: Mapping[str, str]) -> str:
        """The process's token, until shortly before its end; ten threads ask for it once."""
        key = self._key(secret)
        with _LOCK:
            token, until = _TOKENS.get(key, ("", 0.0))
            if until > clock.now():
                return token
            token, seconds = self._fresh_token(secret)
            _TOKENS[key] = (token, clock.now() + seconds - EARLY_S)
            return token

    def _fresh_token(self, secret: Mapping[str, str]) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": secrets.value(secret, "client_id", self._name),
            "client_secret": secrets.value(secret, "client_secret", self._name),
        }
        response = http.call(
            "POST",
            f"{self.base}/oauth_token.do",
            target=self._name,
            deadline=self._deadline,
            form=form,
            session=self._session,
        )
        if response.status in {400, _UNAUTHORIZED, _FORBIDDEN}:
            raise DeniedError(
                f"{self._name} gives no OAuth token: answered {response.status}",
                target=self._name,
                status=response.status,
            )
        self._check(response)
        answer = response.json()
        token = answer.get("access_token") if isinstance(answer, dict) else None
        seconds = answer.get("expires_in") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not isinstance(seconds, int | float | str):
            raise self._strange()
        checked = secrets.token({"access_token": token}, "access_token", self._name)
        masking.remember(checked)
        return checked, float(seconds) if re.fullmatch(r"\d{1,9}(\.\d+)?", str(seconds)) else 0.0

    def _check(self, response: http.Response) -> None:
        """Raise what the answer means."""
        if response.status == _TOO_MANY:
            raise TransientError(
                f"{self._name} answered 429: too many requests",
                target=self._name,
                status=_TOO_MANY,
                retry_after=_wait(response),
            )
        if response.status == 200 and _is_page(response):  # noqa: PLR2004 - HTTP
            raise TransientError(
                f"{self._name} answered with a page: the instance is asleep, or being upgraded",
                target=self._name,
                status=response.status,
                sent=True,
                retry_after=ASLEEP_S,
            )
        said = _complaints(response) if response.status >= 400 else ""  # noqa: PLR2004 - HTTP
        if response.status == _FORBIDDEN and said and not _DENIED.search(said):
            # A data policy or a business rule: no other credential would change that.
            raise self._refused(response, said)
        if response.status in {401, 403}:
            raise DeniedError(
                f"{self._name} answered {response.status}{said or ': refused'}",
                target=self._name,
                status=response.status,
            )
        if response.status in {400, 404, 405, 406, 409, 415, 422}:
            raise self._refused(response, said)
        http.raise_for_status(response, self._name)

    def _refused(self, response: http.Response, said: str) -> PermanentError:
        text = f"{self._name} answered {response.status}{said}"
        return PermanentError(text, target=self._name, status=response.status)


class Rows(list[Mapping[str, Any]]):
    """Records that were found; ``hidden`` more match that may not be read, or did not fit."""

    def __init__(self, found: list[Mapping[str, Any]], hidden: int) -> None:
        super().__init__(found)
        self.hidden = hidden


_WRITING = urlencode(
    {
        # Values are the database's: state 6 and UTC, whatever the account's language and zone.
        "sysparm_input_display_value": "false",
        "sysparm_display_value": "false",
        "sysparm_exclude_reference_link": "true",
        "sysparm_fields": "sys_id,number,correlation_id,state",
    }
)


def _is_page(response: http.Response) -> bool:
    return "html" in response.headers.get("content-type", "").lower()


def _wait(response: http.Response) -> float:
    """Seconds as ``Retry-After`` or ``X-RateLimit-Reset`` tell them, else a minute."""
    wait = http.retry_after(response)
    reset = response.headers.get("x-ratelimit-reset", "")
    if wait is None and re.fullmatch(r"\d{1,12}", reset):
        wait = float(reset) - clock.now()
    return LIMITED_S if wait is None else max(1.0, wait)


def _complaints(response: http.Response) -> str:
    """What ServiceNow says is wrong (``error.message`` and ``error.detail``), bounded."""
    try:
        answer = response.json()
    except PermanentError:
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return ""
    said = "; ".join(str(error[name]) for name in ("message", "detail") if error.get(name))
    return shorten(": " + one_line(clean(said)), 250) if said else ""
