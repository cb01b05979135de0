"""Secrets of connections: JSON objects in Secrets Manager, cached, read again after a refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from hub_responder import aws, masking
from hub_responder.errors import ConfigurationError, DeniedError, TransientError

CACHE_S = 300
"""How long a value is kept: a rotated secret is used after five minutes, or after a refusal."""
_LOCK = threading.Lock()

T = TypeVar("T")


@lru_cache(maxsize=1)
def _provider() -> Any:
    # Imported here: a playbook that needs no secret does not pay for it.
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    return SecretsProvider(boto3_client=aws.client("secretsmanager"))


def name_of(stage: str, connection: str) -> str:
    """The secret's name: ``hub-responder/STAGE/CONNECTION``."""
    return f"hub-responder/{stage}/{connection}"


def get(stage: str, connection: str) -> Mapping[str, str]:
    """The secret of ``connection``: a JSON object of texts.

    Raises:
        ConfigurationError: it is missing, may not be read or is not such an object; the message
            names the secret, never its value.
        TransientError: Secrets Manager does not answer or throttles.
    """
    name = name_of(stage, connection)
    with _LOCK:  # ten threads that miss at once read it once
        value = _fetch(name)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ConfigurationError(f"secret {name} is not a JSON object of texts")
    for key, item in value.items():
        if key not in masking.OPEN:
            masking.remember(item.strip())
    return value


def _fetch(name: str) -> Any:
    from aws_lambda_powertools.utilities.parameters.exceptions import (
        GetParameterError,
        TransformParameterError,
    )

    try:
        return _provider().get(name, max_age=CACHE_S, transform="json")
    except TransformParameterError:
        raise ConfigurationError(f"secret {name} is not JSON") from None
    except GetParameterError as error:
        cause = error.__context__
        if not isinstance(cause, aws.ERRORS):
            raise ConfigurationError(f"secret {name} cannot be read") from None
        call_error = aws.translate(cause, "secretsmanager")
        if isinstance(call_error, TransientError):
            raise call_error from None
        raise ConfigurationError(f"secret {name} cannot be read: {_reason(cause)}") from None


def _reason(error: Exception) -> str:
    if not isinstance(error, ClientError):
        return type(error).__name__
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code == "ResourceNotFoundException":
        return "there is none; create it as docs/operating.md says"
    return code[:80]


def forget(stage: str, connection: str) -> None:
    """Drop the cached value, so that the next `get` reads the secret itself."""
    name = name_of(stage, connection)
    with _LOCK:
        store = _provider().store
        for key in [key for key in store if key[0] == name]:
            store.pop(key, None)


def forget_all() -> None:
    """Drop all cached values and the client that read them."""
    with _LOCK:
        _provider.cache_clear()


def use(stage: str, connection: str, call: Callable[[Mapping[str, str]], T]) -> T:
    """``call`` with the secret; refused, once more if the secret has changed meanwhile.

    A refusal (401, 403) has no effect, so the second call repeats none.

    Raises:
        DeniedError: it was refused, and the secret is the same or was refused too.
    """
    secret = get(stage, connection)
    try:
        return call(secret)
    except DeniedError:
        forget(stage, connection)
        fresh = get(stage, connection)
        if fresh == secret:
            raise
        return call(fresh)


def value(secret: Mapping[str, str], key: str, connection: str) -> str:
    """``secret[key]``.

    Raises:
        ConfigurationError: the secret lacks it, or it is empty.
    """
    found = secret.get(key, "").strip()
    if not found:
        raise ConfigurationError(f"the secret of connection {connection} has no {key!r}")
    return found


def token(secret: Mapping[str, str], key: str, connection: str) -> str:
    """``secret[key]``, which a header must be able to carry.

    Raises:
        ConfigurationError: there is none, or it has characters that no token has.
    """
    found = value(secret, key, connection)
    if not found.isascii() or not found.isprintable() or " " in found:
        raise ConfigurationError(f"the {key} of connection {connection} is no {key}")
    return found
