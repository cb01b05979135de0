"""STS: roles that can be assumed, in member accounts and of Security Lake, and whose key signs.

Every key that STS did not give out is the sandbox's own account's. A role is known by its name, in
every account that owns an instance; any other answers AccessDenied, as AWS does, which does not say
whether it is the role or the account that is not there.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.members.query import Form, query_app
from hub_toolkit.sandbox.wsgi import header

if TYPE_CHECKING:
    from hub_toolkit.sandbox.wsgi import App, Environ

OPERATIONS = ("AssumeRole", "GetCallerIdentity")
MIN_S, MAX_S = 900, 3600
"""A role that a role assumed lasts an hour at most."""

_SCOPE = re.compile(r"Credential=([^/]*)/\d*/([^/]*)/")
_ROLE = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/(?:[\w+=,.@/-]*/)?([\w+=,.@-]{1,64})")
_SESSION = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """In which account and region a request is made."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class _Session:
    account: str
    role: str
    arn: str
    until: float


class Accounts:
    """The sandbox's account and the members'. Safe for threads.

    Args:
        clock: returns epoch seconds.
        account, region: the sandbox's own.
        members: returns the other accounts that exist.

    Attributes:
        roles: the names of the roles that may be assumed in the members.
        trusted: the external ids that roles ask of this account, by the roles' ARNs.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        account: str,
        region: str,
        members: Callable[[], Collection[str]],
    ) -> None:
        self._clock = clock
        self._own = account
        self._region = region
        self._members = members
        self.roles: set[str] = set()
        self.trusted: dict[str, str] = {}
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()
        self.app: App = query_app(self._answer)
        """STS over WSGI."""

    def caller(self, environ: Environ) -> Caller:
        """Who makes a request.

        Raises:
            AwsError: with credentials that have expired.
        """
        key, region = self._signed(environ)
        session = self._session(key)
        return Caller(session.account if session else self._own, region or self._region)

    def assumed(self, environ: Environ) -> str:
        """The ARN of the role that whoever makes a request has assumed, or an empty string.

        Raises:
            AwsError: with credentials that have expired.
        """
        session = self._session(self._signed(environ)[0])
        return session.role if session else ""

    def _signed(self, environ: Environ) -> tuple[str, str]:
        scope = _SCOPE.search(header(environ, "Authorization"))
        return (scope[1], scope[2]) if scope else ("", "")

    def _session(self, key: str) -> _Session | None:
        session = self._sessions.get(key)
        if session is not None and session.until <= self._clock():
            raise AwsError("ExpiredToken", "The security token included is expired.", 403)
        return session

    def _answer(self, environ: Environ, form: Form) -> dict[str, Any]:
        key, _ = self._signed(environ)
        session = self._session(key)
        arn = session.arn if session else f"arn:aws:sts::{self._own}:assumed-role/sandbox/sandbox"
        if form.get("Action") == "GetCallerIdentity":
            account = session.account if session else self._own
            return {"UserId": "AROASANDBOX:sandbox", "Account": account, "Arn": arn}
        return self._assume(form, arn)

    def _assume(self, form: Form, caller: str) -> dict[str, Any]:
        arn, name = form.get("RoleArn", ""), form.get("RoleSessionName", "")
        duration = form.get("DurationSeconds", str(MAX_S))
        if not _SESSION.fullmatch(name):
            raise AwsError("ValidationError", "RoleSessionName must be 2 to 64 of [\\w+=,.@-].")
        if not duration.isdecimal() or not MIN_S <= int(duration) <= MAX_S:
            raise AwsError("ValidationError", f"DurationSeconds must be {MIN_S} to {MAX_S}.")
        role = _ROLE.fullmatch(arn)
        if role is None or not self._trusts(arn, role, form.get("ExternalId", "")):
            message = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: "
            raise AwsError("AccessDenied", message + arn[:200], 403)
        until = self._clock() + int(duration)
        assumed = f"arn:aws:sts::{role[1]}:assumed-role/{role[2]}/{name}"
        key = f"ASIA{secrets.token_hex(8).upper()}"
        with self._lock:
            self._sessions[key] = _Session(role[1], arn, assumed, until)
        return {
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": secrets.token_hex(20),
                "SessionToken": secrets.token_hex(40),
                "Expiration": datetime.fromtimestamp(until, UTC).isoformat(),
            },
            "AssumedRoleUser": {"AssumedRoleId": f"AROASANDBOX:{name}", "Arn": assumed},
        }

    def _trusts(self, arn: str, role: re.Match[str], external_id: str) -> bool:
        if arn in self.trusted:
            return self.trusted[arn] == external_id
        return role[2] in self.roles and role[1] in self._members()
