"""AWS clients, made once and late, and what their errors mean."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
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

_NEVER_REPEATED = frozenset({"sns"})
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
_LOCK = threading.Lock()


_CLIENTS: dict[str, Any] = {}


def client(service: str) -> Any:
    """The process's client of ``service``; it may be used by several threads at once.

    Endpoints, region and credentials come from the environment (``AWS_ENDPOINT_URL`` included).
    SNS is called once only; other services up to three times, as botocore's standard mode does.
    """
    made = _CLIENTS.get(service)
    if made is None:
        with _LOCK:  # boto3's session is not thread-safe; its clients are
            made = _CLIENTS.get(service) or _make(service)
            _CLIENTS[service] = made
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


def _make(service: str) -> Any:
    config = Config(
        parameter_validation=False,
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 1 if service in _NEVER_REPEATED else 3},
        user_agent_extra="hub-responder",
        max_pool_connections=20,
    )
    return session().client(service, config=config)


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
