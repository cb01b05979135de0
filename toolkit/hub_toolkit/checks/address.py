"""The address of a connection: allowed, its name known, its certificate trusted.

Nothing is asked of it: a connection is opened, TLS is spoken, and it is closed. It is looked at
from here, which may be another network than the functions'.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from hub_responder import clock, http, secrets
from hub_responder.connections import settings
from hub_responder.connections.pagerduty import base_url as of_pagerduty
from hub_responder.errors import CallError, ConfigurationError, PermanentError
from hub_responder.vision_one.regions import base_url as of_vision_one
from hub_responder.workload_security.regions import base_url as of_workload_security
from hub_toolkit.checks.told import Told, good, wrong

if TYPE_CHECKING:
    from hub_toolkit.checks.asker import Asker

WITHIN_S = 5.0
EXPIRES_SOON_S = 14 * 86_400.0
_SETTINGS = ("url", "base_url")
_IN_SECRET: Mapping[str, str] = {
    "slack_webhook": "webhook_url",
    "teams": "webhook_url",
    "webhook": "url",
}


def of(asker: Asker) -> str:
    """The address that is called, or empty: an AWS service.

    Raises:
        ConfigurationError, CallError: the secret that holds it cannot be read.
    """
    connection = asker.connection
    struct = settings.TYPES[connection.type]
    known = settings.read(connection.settings, struct, connection.name)
    if isinstance(known, settings.VisionOne):
        return of_vision_one(known.region, known.base_url)
    if isinstance(known, settings.WorkloadSecurity):
        return of_workload_security(known.region, known.base_url)
    if isinstance(known, settings.PagerDuty):
        return of_pagerduty(known.region, known.base_url)
    for name in _SETTINGS:
        if value := getattr(known, name, ""):
            return str(value)
    key = _IN_SECRET.get(connection.type)
    return secrets.get(asker.stage, connection.name).get(key, "").strip() if key else ""


def check(asker: Asker) -> list[Told]:
    """Whether the address can be called; nothing for AWS services."""
    try:
        url = of(asker)
        if not url:
            return []
        http.check_url(url, target=asker.name)
        parts = urlsplit(url)
        addresses = _resolved(parts)
    except (PermanentError, ConfigurationError) as error:
        return [wrong("address", str(error), "correct it in connections.yaml or in the secret")]
    except (OSError, CallError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        text = f"the name {_host(urlsplit(url))} is not known here: {said}"
        return [wrong("address", text, "is it spelled right, and is there a network?")]
    refused = _refused(asker, addresses)
    return [refused] if refused else [_connected(asker, parts)]


def _host(parts: SplitResult) -> str:
    return str(parts.hostname or "")[:100]


def _resolved(parts: SplitResult) -> list[str]:
    """The addresses of the name.

    Raises:
        OSError: it is not known, or not told within `WITHIN_S`.
    """
    port = parts.port or (443 if parts.scheme == "https" else 80)
    pool = ThreadPoolExecutor(1)  # the resolver knows no timeout
    try:
        found = pool.submit(socket.getaddrinfo, _host(parts), port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(one[4][0]) for one in found.result(WITHIN_S)))
    except TooLong:
        raise OSError(0, "nobody answered in time") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _refused(asker: Asker, addresses: list[str]) -> Told | None:
    """Why what the name leads to is not called, as `http` decides when it is."""
    connection = asker.connection
    anywhere = connection.settings.get("private", not _may_be_private(connection.type))
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6
        try:
            http.check_url(f"https://{host}/", target=asker.name)
        except PermanentError as error:
            return wrong("address", str(error), "no connection leads there")
        if not anywhere and not address.is_global:
            said = f"the name leads to {address}, which is a private address"
            do = "say `private: true`, and give the functions VPC configuration"
            return wrong("address", said, do)
    return None


def _may_be_private(kind: str) -> bool:
    """Whether the type has the setting `private`."""
    return "private" in settings.TYPES[kind].__struct_fields__


def _connected(asker: Asker, parts: SplitResult) -> Told:
    host, ca = _host(parts), str(asker.connection.settings.get("ca", ""))
    secure = parts.scheme == "https"
    try:
        port = parts.port or (443 if secure else 80)
        with contextlib.ExitStack() as closing:
            plain = closing.enter_context(socket.create_connection((host, port), WITHIN_S))
            if not secure:
                return good("address", f"{host} answers, without TLS")
            context = http.tls_context(ca)
            spoken = closing.enter_context(context.wrap_socket(plain, server_hostname=host))
            return _certified(host, spoken)
    except ConfigurationError as error:
        return wrong("address", str(error), "put certificates in PEM form into `ca`")
    except ssl.SSLError as error:
        reason = str(getattr(error, "verify_message", "") or error.reason or "no TLS")[:120]
        do = "its authority is not trusted: `ca` may name another, or the address is wrong"
        return wrong("address", f"{host}: no trusted TLS connection: {reason}", do)
    except OSError as error:
        said = f"{host} cannot be reached: {error.strerror or type(error).__name__}"
        return wrong("address", said, "is it up, and does the network let this machine there?")


def _certified(host: str, spoken: ssl.SSLSocket) -> Told:
    held = spoken.getpeercert() or {}
    said = f"{host}, {spoken.version()}"
    if isinstance(ends := held.get("notAfter"), str):
        left = ssl.cert_time_to_seconds(ends) - clock.now()
        days = int(left // 86_400)
        said += f", certificate for {days} more days"
        if left < EXPIRES_SOON_S:
            return Told("address", "warning", said, "its owner is to renew the certificate")
    return good("address", said)
