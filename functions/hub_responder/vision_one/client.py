"""Calls to Vision One's public API v3.0: GET, safe to repeat; and POST, which never is repeated.

Errors, limits and paging: automation.trendmicro.com (Troubleshooting, API Request Limits). The
rate is counted over 60 seconds; 429 may come with or without Retry-After, in two body shapes;
HTML and truncated bodies occur.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from hub_responder import http
from hub_responder.deadline import Deadline
from hub_responder.errors import DeniedError, IncompleteError, PermanentError
from hub_responder.pace import Pace
from hub_responder.retry import Patience, twice
from hub_responder.vision_one.endpoint import Endpoint, Page, read, read_page
from hub_responder.vision_one.hits import Hits, read_hits

TARGET = "vision_one"
PAGE = 1000
"""``top`` takes 10, 50, 100, 200, 500 or 1000 (endpoint_report, a public client)."""
MAX_PAGES = 200
MAX_BYTES = 16_000_000
"""A page of 1,000 endpoints has 2 to 6 MB."""
TIMEOUT_S = 20.0

T = TypeVar("T")
P = TypeVar("P", Page, Hits)


@dataclass(frozen=True, slots=True)
class Client:
    """One tenant, for one run.

    Args:
        name: the connection's; two connections may be two tenants at one address.
        base_url: without a slash at its end.
        with_token: calls a function with the bearer token, again with a fresh one if it is refused.
        deadline: bounds every call and every pause.
        pace: that all functions keep together; None: this one goes its own.
    """

    name: str
    base_url: str
    with_token: Callable[[Callable[[str], Any]], Any]
    deadline: Deadline
    patience: Patience = field(default_factory=Patience)
    pace: Pace | None = None

    def pages(self, filter_: str, *, top: int = PAGE) -> Iterator[Page]:
        """``GET /v3.0/endpointSecurity/endpoints``, page by page; all endpoints if unfiltered.

        In the order of the agents' GUIDs: by another order, an agent that reports meanwhile could
        move from a page that is to come to one that was read.

        Raises:
            IncompleteError: the paging is not sound: a link that repeats, leaves the host or has
                expired, or a body of another shape.
            TransientError: a page cannot be had now.
            PermanentError: the call is refused.
        """
        url = f"{self._endpoints()}?top={top}&orderBy=agentGuid%20asc"
        yield from self._pages(url, {"TMV1-Filter": filter_} if filter_ else {}, read_page)

    def search(self, query: str) -> Iterator[Hits]:
        """``GET /v3.0/eiqs/endpoints``, page by page: the one call that finds endpoints by address.

        It says nothing of their agents. A query that is not understood is answered with 200 and no
        items: that something is not found proves nothing.

        Args:
            query: ``ip eq '...'``, ``endpointName eq '...'``, joined by or.

        Raises:
            IncompleteError, TransientError, PermanentError: as `pages`.
        """
        yield from self._pages(
            f"{self.base_url}/v3.0/eiqs/endpoints", {"TMV1-Query": query}, read_hits
        )

    def detail(self, guid: str) -> Endpoint:
        """``GET /v3.0/endpointSecurity/endpoints/{agentGuid}``.

        Raises:
            TransientError, PermanentError: as `pages`.
        """
        return self._get(f"{self._endpoints()}/{quote(guid, safe='')}", {}, _detail)

    def ask(self, path: str, decode: Callable[[bytes], T]) -> T:
        """``GET`` of ``path``, which begins with a slash; ``decode`` raises msgspec.DecodeError.

        Raises:
            TransientError, PermanentError: as `pages`.
        """
        return self._get(f"{self.base_url}{path}", {}, decode)

    def send(self, path: str, body: Any) -> bytes:
        """``POST`` of ``body``, once; the answer's body.

        Raises:
            TransientError: it did not arrive, or is in doubt where ``sent``.
            PermanentError: the call is refused.
        """
        return self._call("POST", f"{self.base_url}{path}", {}, body).body

    def _endpoints(self) -> str:
        return f"{self.base_url}/v3.0/endpointSecurity/endpoints"

    def _pages(
        self, url: str, headers: Mapping[str, str], decode: Callable[[bytes], P]
    ) -> Iterator[P]:
        """The header goes with every page: without it, the next page is another list's."""
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) >= MAX_PAGES:
                raise IncompleteError("Vision One's paging does not end", target=TARGET)
            page = self._page(url, headers, decode, first=not seen)
            seen.add(url)
            yield page
            url = self._next(page.next_link)

    def _page(
        self, url: str, headers: Mapping[str, str], decode: Callable[[bytes], P], *, first: bool
    ) -> P:
        try:
            return self._get(url, headers, decode)
        except DeniedError:
            raise
        except PermanentError as error:
            if first:
                raise
            # A cursor that has expired is refused like a wrong one: begin anew, later.
            raise IncompleteError(
                f"Vision One refused a next page: {error}", target=TARGET
            ) from error

    def _next(self, link: object) -> str:
        """The next page's address; the token goes to no other host."""
        if link in (None, ""):
            return ""
        if not isinstance(link, str) or _origin(link) != _origin(self.base_url):
            raise IncompleteError("Vision One's next page is at another host", target=TARGET)
        return link

    def _get(self, url: str, headers: Mapping[str, str], decode: Callable[[bytes], T]) -> T:
        """One answer; tried a second time where that can help and takes no long wait."""
        once = partial(self._get_once, url, headers, decode)
        return twice(once, self.patience, self.deadline)

    def _get_once(self, url: str, headers: Mapping[str, str], decode: Callable[[bytes], T]) -> T:
        answer = self._call("GET", url, headers)
        try:
            return decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # 200 with HTML, cut short or of another shape: a gateway's trouble.
            raise IncompleteError(
                f"Vision One answered {answer.status} with something else than was asked for",
                target=TARGET,
                status=answer.status,
            ) from None

    def _call(
        self, method: str, url: str, headers: Mapping[str, str], body: Any = None
    ) -> http.Response:
        def call(token: str) -> http.Response:
            if self.pace is not None:
                self.pace.take(TARGET, self.patience, self.deadline)
            answer = http.call(
                method,
                url,
                target=TARGET,
                deadline=self.deadline,
                headers={**headers, "Authorization": f"Bearer {token}"},
                json=body,
                timeout=TIMEOUT_S,
                max_bytes=MAX_BYTES,
            )
            http.raise_for_status(answer, TARGET)
            return answer

        answer: http.Response = self.with_token(call)
        return answer


def _detail(body: bytes) -> Endpoint:
    endpoint = read(body)
    if endpoint is None or not endpoint.guid:
        raise msgspec.DecodeError("no endpoint")
    return endpoint


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None where there is none, which equals no base URL's."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port
