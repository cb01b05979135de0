"""Clients in member accounts, through a role there that this function may assume.

A playbook's ``member_role`` names the role; it is the same in all accounts. The function's own
account is called with the function's own credentials.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hub_responder import aws, clock
from hub_responder.errors import ConfigurationError, PermanentError

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

DURATION_S = 3600
"""The most that AWS gives a role that was assumed by a role ("role chaining")."""
RENEW_S = 300
"""Credentials with less left are renewed: what is handed out outlives the run that uses it."""
MAX_SESSION_NAME = 64
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_NO_SESSION_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Held:
    credentials: aws.Credentials
    until: float


_HELD: dict[tuple[str, str], _Held] = {}
_LOCKS: dict[tuple[str, str], threading.Lock] = {}


def client(
    service: str, account: str, region: str, *, role: str, deadline: Deadline, once: bool = False
) -> Any:
    """The process's client of ``service`` in ``account`` and ``region``.

    Args:
        account: 12 digits. region: empty: this function's.
        role: the name of the role to assume in other accounts; empty: there is none.
        once: as `aws.client`.

    Raises:
        ConfigurationError: it is another account, and no role is set.
        PermanentError: ``account`` is no account, or its role cannot be assumed.
        TransientError: STS does not answer, or no time is left.
    """
    if not _ACCOUNT.fullmatch(account):
        raise PermanentError(f"{account[:64]!r} is no AWS account", target=service)
    if account == own_account(deadline):
        return aws.client(service, region=region, once=once)
    if not role:
        raise ConfigurationError(
            f"{service} in account {account} needs a role there: set member_role in settings.yaml"
            " to the name of a role that this function may assume"
        )
    credentials = _credentials(account, role, deadline)
    return aws.client(service, region=region, credentials=credentials, once=once)


def own_account(deadline: Deadline) -> str:
    """The account that this function runs in; asked once per process, needs no permission.

    Raises:
        CallError: STS does not tell.
    """
    target = "sts.GetCallerIdentity"
    deadline.timeout(5.0, target=target)
    try:
        return _own_account()
    except aws.ERRORS as error:
        raise aws.translate(error, target) from error


@lru_cache(maxsize=1)
def _own_account() -> str:
    return str(aws.client("sts").get_caller_identity()["Account"])


def forget() -> None:
    """Drop all credentials, and which account this is."""
    _HELD.clear()
    _own_account.cache_clear()


def _credentials(account: str, role: str, deadline: Deadline) -> aws.Credentials:
    key = (account, role)
    with _LOCKS.setdefault(key, threading.Lock()):  # ten threads that need it assume it once
        held = _HELD.get(key)
        if held is None or held.until - clock.now() < RENEW_S:
            held = _HELD[key] = _assume(account, role, deadline)
        return held.credentials


def _assume(account: str, role: str, deadline: Deadline) -> _Held:
    target = f"sts.AssumeRole of {role} in {account}"
    deadline.timeout(10.0, target=target)
    sts = aws.client("sts")
    try:
        answer = sts.assume_role(
            RoleArn=f"arn:{_partition(sts)}:iam::{account}:role/{role}",
            RoleSessionName=session_name(),
            DurationSeconds=DURATION_S,
        )["Credentials"]
    except aws.ERRORS as error:
        raise aws.translate(error, target) from error
    credentials = aws.Credentials(
        answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]
    )
    return _Held(credentials, answer["Expiration"].timestamp())


def _partition(sts: Any) -> str:
    return str(sts.meta.partition)


def session_name() -> str:
    """Who assumes the role, as the member account's CloudTrail shows it: the function's name."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "") or "hub-responder"
    return _NO_SESSION_NAME.sub("-", function)[:MAX_SESSION_NAME]
