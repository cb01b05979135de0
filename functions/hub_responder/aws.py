"""AWS clients, made once and late, and what their errors mean."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from hub_responder.errors import CallError, DeniedError, PermanentError, TransientError

_NEVER_REPEATED = frozenset({"sesv2", "sns"})
"""Services whose calls are effects without a token of their own: a repeat would be a second one."""
_TRANSIENT_CODE = re.compile(
    r"Throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|SlowDown"
    r"|Internal(Server|Service)?(Error|Exception|Failure)$|InternalException|ServiceUnavailable"
    r"|RequestTimeout|PriorRequestNotComplete|TransactionInProgress|^LimitExceededException$"
)
_DENIED_CODE = re.compile(
    r"AccessDenied|Unauthorized|NotAuthorized|AuthFailure|InvalidAccess|ExpiredToken"
    r"|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|OptInRequired"
)
ERRORS = (ClientError, BotoCoreError, ResponseParserError)
"""What a call of a client raises."""
MAX_CLIENTS = 60
"""Clients that a process keeps; one takes about 1 MB. The oldest is forgotten for a new one."""
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials of a role."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)


_Key = tuple[str, str, str, bool]
_CLIENTS: dict[_Key, Any] = {}


def client(
    service: str, *, region: str = "", credentials: Credentials | None = None, once: bool = False
) -> Any:
    """The process's client of ``service``; it may be used by several threads at once.

    Args:
        region: where; empty: the environment's, like endpoints (``AWS_ENDPOINT_URL`` included).
        credentials: whose; None: the environment's.
        once: no call is ever repeated, for effects that would happen twice. Always so for SNS
            and SES; otherwise calls are made up to three times, as botocore's standard mode does.
    """
    once = once or service in _NEVER_REPEATED
    key = (service, region, credentials.access_key if credentials else "", once)
    made = _CLIENTS.get(key)
    if made is None:
        with _LOCK:  # boto3's session is not thread-safe; its clients are
            made = _CLIENTS.get(key) or _make(service, region, credentials, once=once)
            while len(_CLIENTS) >= MAX_CLIENTS:
                del _CLIENTS[next(iter(_CLIENTS))]  # not closed: somebody may still use it
            _CLIENTS[key] = made
    return made


def forget_clients() -> None:
    """Close all clients; the next `client` reads the environment again."""
    with _LOCK:
        while _CLIENTS:
            _CLIENTS.popitem()[1].close()
        session.cache_clear()


@lru_cache(maxsize=1)
def session() -> Any:  # typed, `client` is an overload for each service
    """The process's session: what is registered with its events holds for clients made later."""
    return boto3.session.Session()


def _make(service: str, region: str, credentials: Credentials | None, *, once: bool) -> Any:
    config = Config(
        parameter_validation=False,
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 1 if once else 3},
        user_agent_extra="hub-responder",
        max_pool_connections=20,
    )
    where: dict[str, str] = {"region_name": region} if region else {}
    if credentials is not None:
        where |= {
            "aws_access_key_id": credentials.access_key,
            "aws_secret_access_key": credentials.secret_key,
            "aws_session_token": credentials.token,
        }
    made = session().client(service, config=config, **where)
    made.meta.events.register("before-parse", _refuse_what_is_cut_short)
    return made


def _refuse_what_is_cut_short(
    operation_model: Any, response_dict: Mapping[str, Any], **_: Any
) -> None:
    """Raise where an answer ended before the length that it announced.

    botocore turns urllib3's own check off (``enforce_content_length`` in ``botocore.httpsession``),
    and reads JSON that cannot be parsed as an answer that holds nothing (``botocore.parsers``):
    half a list of findings would pass for none.

    Raises:
        ConnectionClosedError: the call may have had its effect.
    """
    body, announced = response_dict["body"], response_dict["headers"].get("content-length", "")
    if not isinstance(body, bytes) or operation_model.http.get("method") == "HEAD":
        return
    if announced.isdecimal() and len(body) < int(announced):
        raise ConnectionClosedError(endpoint_url=operation_model.name)


def translate(error: Exception, target: str) -> CallError:
    """The `CallError` that ``error`` (botocore's) means for a call of ``target``."""
    if isinstance(error, ClientError):
        return _from_answer(error, target)
    if isinstance(error, ConnectTimeoutError | EndpointConnectionError):
        return TransientError(f"{target} cannot be reached", target=target)
    if isinstance(error, NoCredentialsError):
        return DeniedError(f"{target}: there are no AWS credentials", target=target)
    if isinstance(error, HTTPClientError | BotoConnectionError | ResponseParserError):
        name = type(error).__name__
        return TransientError(f"{target} did not answer ({name})", target=target, sent=True)
    if isinstance(error, BotoCoreError):
        return PermanentError(f"{target}: {type(error).__name__}", target=target)
    raise error


def _from_answer(error: ClientError, target: str) -> CallError:
    detail = error.response.get("Error", {})
    code = str(detail.get("Code", "unknown"))[:80]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    text = " ".join(str(detail.get("Message", "")).split())[:200]
    message = f"{target}: {code}" + (f" ({text})" if text else "")
    if _DENIED_CODE.search(code):
        return DeniedError(message, target=target, status=status)
    if _TRANSIENT_CODE.search(code) or (isinstance(status, int) and status >= 500):  # noqa: PLR2004
        return TransientError(message, target=target, status=status, sent=True)
    return PermanentError(message, target=target, status=status)
