"""The one way out over HTTP: one session, one TLS context, bounded time and size, no redirects.

A refused call raises the exception that says what follows from it; nothing is sent twice here.
Errors name the target, never the address: an incoming webhook's address is its secret.
"""

from __future__ import annotations

import email.utils
import ipaddress
import math
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from urllib.parse import urlencode, urlsplit

import certifi
import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError as Urllib3Error

from hub_responder import clock
from hub_responder.errors import ConfigurationError, DeniedError, PermanentError, TransientError

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline

CONNECT_S = 3.05
"""Seconds for the connection alone: slightly over one TCP retransmission."""
POOL_SIZE = 20
_CHUNK = 65_536
_TOO_MANY = 429
_METADATA = frozenset(
    {"fd00:ec2::23", "fd00:ec2::254", "metadata.google.internal", "instance-data"}
)
_NAT64, _COMPATIBLE = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96")
_TRANSIENT = frozenset({408, 425, _TOO_MANY, 500, 502, 503, 504, 507, 509, 520, 522, 524, 529})


class Response(msgspec.Struct, frozen=True):
    """An answer: its status, headers (names in lower case) and bounded body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    target: str

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            PermanentError: it is not JSON (a proxy's HTML page, say); its text is not repeated.
        """
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            kind = self.headers.get("content-type", "no content type")[:60]
            raise PermanentError(
                f"{self.target} answered {self.status} with something that is not JSON ({kind})",
                target=self.target,
                status=self.status,
                sent=True,
            ) from None


class _AddressRefused(Exception):  # noqa: N818 - never leaves this module
    """A name led to an address that is never called."""


def _check_peer(sock: socket.socket) -> socket.socket:
    """Refuse metadata services after the name was resolved: no name can lead there either."""
    peer = sock.getpeername()[0]
    if isinstance(peer, str) and _is_forbidden(peer):
        sock.close()
        raise _AddressRefused
    return sock


def guarded(sock: socket.socket, *, target: str, private: bool) -> socket.socket:
    """``sock``, just connected, for a protocol that is not HTTP: the same addresses are refused.

    Args:
        private: it may be at a private address.

    Raises:
        PermanentError: its peer is one that is never called; it is closed.
    """
    try:
        return _check_peer(sock) if private else _check_public(sock)
    except _AddressRefused as error:
        _raise_transport(error, target)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _check_peer(super()._new_conn())


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _check_peer(super()._new_conn())


def _check_public(sock: socket.socket) -> socket.socket:
    """Refuse whatever is not in the public internet, after the name was resolved."""
    peer = sock.getpeername()[0]
    address = _address(peer) if isinstance(peer, str) else None
    if address is None or not address.is_global:
        sock.close()
        raise _AddressRefused
    return sock


class _PublicConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _check_public(super()._new_conn())


class _PublicTlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _check_public(super()._new_conn())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """requests' adapter, with one TLS context for all connections.

    requests would load the certificate bundle anew for each connection: 34 ms of CPU a time.
    """

    pools: ClassVar = {"http": _Pool, "https": _TlsPool}

    def __init__(self, ca: str) -> None:
        self._ca = ca  # before the pools are made
        super().__init__(pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(self._ca), **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies already; loading the bundle into it again is what costs."""


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTlsConnection


class _PublicAdapter(_Adapter):
    """The same, for addresses in the public internet only."""

    pools: ClassVar = {"http": _PublicPool, "https": _PublicTlsPool}


@lru_cache(maxsize=8)
def tls_context(ca: str = "") -> ssl.SSLContext:
    """The context that verifies peers: by the public authorities, or by the certificates in ``ca``.

    Raises:
        ConfigurationError: ``ca`` holds no certificates in PEM form.
    """
    if not ca:
        return ssl.create_default_context(cafile=certifi.where())
    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise ConfigurationError("`ca` holds no certificates in PEM form") from None


@lru_cache(maxsize=1)
def session() -> requests.Session:
    """The process's session: no proxies or credentials from the environment, no cookies."""
    return _made(_Adapter)


@lru_cache(maxsize=1)
def public_session() -> requests.Session:
    """The same for addresses in the public internet: loopback and private ones are refused."""
    return _made(_PublicAdapter)


def session_for(*, private: bool, ca: str = "") -> requests.Session:
    """The session for an address that a connection names.

    Args:
        private: it may be at a private address.
        ca: certificates in PEM form; empty: the public authorities'.

    Raises:
        ConfigurationError: ``ca`` holds no certificates in PEM form.
    """
    if ca:
        return own_session(private, ca)
    return session() if private else public_session()


@lru_cache(maxsize=8)
def own_session(private: bool, ca: str) -> requests.Session:
    """The session that trusts ``ca`` and nobody else."""
    return _made(_Adapter if private else _PublicAdapter, ca)


def _made(adapter: type[_Adapter], ca: str = "") -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.headers.clear()
    made.headers.update(
        {"User-Agent": "hub-responder", "Accept": "application/json", "Accept-Encoding": "gzip"}
    )
    made.mount("https://", adapter(ca))
    made.mount("http://", adapter(ca))
    return made


def check_url(url: str, *, target: str) -> None:
    """Refuse an address that is never called.

    Raises:
        PermanentError: not https (or http to loopback), with credentials in it, or a metadata
            service. The address itself is not repeated.
    """
    reason = _refusal(url)
    if reason:
        raise PermanentError(f"the address of {target} is refused: {reason}", target=target)


@lru_cache(maxsize=256)
def _refusal(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is not a URL"
    if not host or port == 0 or parts.username is not None or parts.password is not None:
        return "it needs a host, and no credentials in it"
    if _is_forbidden(host):
        return "it is a link-local or metadata address"
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return ""
    return "https is needed (http to loopback only)"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _numeric(host)
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return _carried(address) or address


def _numeric(host: str) -> ipaddress.IPv4Address | None:
    """What the system's resolver reads in other spellings, as 2852039166 or 0251.0376.43518."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, compatible, 6to4, NAT64."""
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _is_forbidden(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host.lower().rstrip(".") in _METADATA
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or str(address) in _METADATA
    )


def call(
    method: str,
    url: str,
    *,
    target: str,
    deadline: Deadline,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    form: Mapping[str, str] | None = None,
    timeout: float = 10.0,
    max_bytes: int = 2_000_000,
    session: requests.Session | None = None,
) -> Response:
    """Send one request and read the answer, whatever its status.

    Args:
        target: the system or connection, for errors.
        json: the body. content: the body, where it is JSON that was encoded already.
        form: the fields of a body that is a URL-encoded form.
        timeout: seconds between two bytes and for the whole body; less where less time is left.
        max_bytes: the longest body that is read, after decompression.

    Raises:
        TransientError: no connection, a timeout or an answer cut short; ``sent`` tells whether
            the request may have arrived.
        PermanentError: a refused address, a body over ``max_bytes`` or that cannot be encoded.
    """
    check_url(url, target=target)
    body = content if json is None else _encode(json, target)
    kind = "application/json; charset=utf-8"
    if form is not None:
        body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
    chosen = session or _session()
    all_headers = {**chosen.headers, **(headers or {})}
    if body is not None:
        all_headers["Content-Type"] = kind
    seconds = deadline.timeout(timeout, target=target)
    try:
        request = _prepare(method, url, all_headers, body)
        answer = chosen.get_adapter(request.url or url).send(
            request, stream=True, timeout=(min(CONNECT_S, seconds), seconds), verify=True
        )
        content = _read(answer, max_bytes, time.monotonic() + seconds, target)
    except (
        requests.RequestException,
        Urllib3Error,
        HTTPException,
        OSError,
        _AddressRefused,
    ) as error:
        _raise_transport(error, target)
    return Response(
        answer.status_code,
        {name.lower(): value for name, value in answer.headers.items()},
        content,
        target,
    )


_session = session


def _prepare(
    method: str, url: str, headers: Mapping[str, str | bytes], body: bytes | None
) -> requests.PreparedRequest:
    """A request straight for the adapter: of what a session does (redirects, cookies, hooks,
    merging) nothing is wanted, and it costs as much CPU as the sending itself."""
    request = requests.PreparedRequest()
    request.prepare_method(method)
    request.prepare_url(url, None)
    request.prepare_headers(headers)
    request.body = body
    request.prepare_content_length(body)
    return request


def _encode(payload: Any, target: str) -> bytes:
    try:
        return msgspec.json.encode(payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise PermanentError(
            f"the request to {target} cannot be encoded as JSON ({type(error).__name__})",
            target=target,
        ) from None


def _read(answer: requests.Response, max_bytes: int, until: float, target: str) -> bytes:
    """The body, read piece by piece so that neither a flood nor a drip holds the process up."""
    try:
        content = b"".join(_pieces(answer, max_bytes, until, target))
    except BaseException:
        answer.close()
        raise
    answer.raw.release_conn()
    return content


def _pieces(
    answer: requests.Response, max_bytes: int, until: float, target: str
) -> Iterator[bytes]:
    size = 0
    while piece := answer.raw.read1(_CHUNK, decode_content=True):
        size += len(piece)
        if size > max_bytes:
            raise PermanentError(
                f"{target} answered with more than {max_bytes:,} bytes",
                target=target,
                status=answer.status_code,
                sent=True,
            )
        if time.monotonic() > until:
            raise TransientError(f"{target} answered too slowly", target=target, sent=True)
        yield piece


def _raise_transport(error: Exception, target: str) -> NoReturn:
    """Raise what a transport error means, without its text: that holds the address."""
    if isinstance(error, _AddressRefused):
        raise PermanentError(
            f"the address of {target} leads to a link-local or metadata address,"
            " or to a private one that is not allowed",
            target=target,
        ) from None
    if isinstance(error, requests.exceptions.SSLError):
        raise TransientError(f"no trusted TLS connection to {target}", target=target) from None
    if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
        raise TransientError(f"{target} cannot be reached", target=target) from None
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        raise PermanentError(
            f"the address or a header of {target} is invalid", target=target
        ) from (None)
    if isinstance(error, requests.Timeout):
        raise TransientError(f"{target} did not answer in time", target=target, sent=True) from None
    raise TransientError(
        f"the connection to {target} broke ({type(error).__name__})", target=target, sent=True
    ) from None


def _never_connected(error: BaseException) -> bool:
    """Whether it failed before anything was sent: no such name, refused, unreachable."""
    names = {"NewConnectionError", "NameResolutionError"}
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return type(reason).__name__ in names


def raise_for_status(response: Response, target: str) -> None:
    """Raise what the status means; 2xx returns.

    Raises:
        TransientError: 408, 425, 429 and 5xx that pass, with ``retry_after`` where it was named.
        DeniedError: 401 and 403.
        PermanentError: other 4xx and 5xx, and redirects, which are never followed.
    """
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP
        return
    message = f"{target} answered {status}"
    if status in {401, 403}:
        raise DeniedError(
            f"{message}: credential or permission refused", target=target, status=status
        )
    if status in _TRANSIENT or status >= 500:  # noqa: PLR2004 - HTTP
        # A 429 was refused before it was worked on; a 5xx may have had its effect.
        raise TransientError(
            message,
            target=target,
            status=status,
            sent=status not in {_TOO_MANY, 425},
            retry_after=retry_after(response),
        )
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP
        message += ": redirects are not followed; put the final address into the connection"
    raise PermanentError(message, target=target, status=status)


def retry_after(response: Response) -> float | None:
    """Seconds to wait as ``Retry-After`` names them (seconds or an HTTP date), else None."""
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        seconds = float(text)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - clock.now()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
