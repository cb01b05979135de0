"""Calls to Vision One's public API v3.0: GET only, safe to repeat.

Errors, limits and paging: automation.trendmicro.com (Troubleshooting, API Request Limits). The
rate is counted over 60 seconds; 429 may come with or without Retry-After, in two body shapes;
HTML and truncated bodies occur.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from hub_responder import http
from hub_responder.deadline import Deadline
from hub_responder.errors import PermanentError, TransientError

TARGET = "vision_one"
PAGE = 1000
"""``top`` takes 10, 50, 100, 200, 500 or 1000 (a public client of real tenants, endpoint_report)."""
MAX_PAGES = 200
MAX_BYTES = 16_000_000
"""A page of 1,000 endpoints has 2 to 6 MB."""
TIMEOUT_S = 20.0
PATIENCE_S = 2.0
"""What is waited here for another try; what takes longer is deferred by the engine."""
RATE_WINDOW_S = 60.0
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Client:
    """One tenant.

    Args:
        base_url: without a slash at its end.
        with_token: calls a function with the bearer token, again with a fresh one if it is refused.
        deadline: bounds every call.
    """

    base_url: str
    with_token: Callable[[Callable[[str], Any]], Any]
    deadline: Deadline

    def pages(self, filter_: str) -> Iterator[list[Any]]:
        """The items of ``GET /v3.0/endpointSecurity/endpoints``, page by page.

        Raises:
            TransientError: a page cannot be had now, or the paging is not sound (a link that
                repeats or leaves the host, a body of another shape): what was read is incomplete.
            PermanentError: the call is refused.
        """
        url = f"{self.base_url}/v3.0/endpointSecurity/endpoints?top={PAGE}"
        headers = {"TMV1-Filter": filter_}
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) >= MAX_PAGES:
                raise TransientError("Vision One's paging does not end", target=TARGET)
            seen.add(url)
            page = self._get(url, headers)
            items = page.get("items")
            if not isinstance(items, list):
                raise TransientError("Vision One answered without items", target=TARGET)
            yield items
            url = self._next(page.get("nextLink"))

    def detail(self, guid: str) -> Mapping[str, Any]:
        """``GET /v3.0/endpointSecurity/endpoints/{agentGuid}``.

        Raises:
            TransientError, PermanentError: as `pages`.
        """
        path = quote(guid, safe="")
        return self._get(f"{self.base_url}/v3.0/endpointSecurity/endpoints/{path}", {})

    def _next(self, link: object) -> str:
        """The next page's address; the token goes to no other host."""
        if link in (None, ""):
            return ""
        if not isinstance(link, str) or _origin(link) != _origin(self.base_url):
            raise TransientError("Vision One's next page is at another host", target=TARGET)
        return link

    def _get(self, url: str, headers: Mapping[str, str]) -> Mapping[str, Any]:
        """One answer; tried a second time where that can help and takes no long wait."""
        try:
            return self._get_once(url, headers)
        except TransientError as error:
            pause = 0.3 if error.retry_after is None else error.retry_after
            if error.status == TOO_MANY and error.retry_after is None:
                pause = RATE_WINDOW_S
            if pause > PATIENCE_S:
                raise
            time.sleep(pause)
        return self._get_once(url, headers)

    def _get_once(self, url: str, headers: Mapping[str, str]) -> Mapping[str, Any]:
        def call(token: str) -> http.Response:
            answer = http.call(
                "GET",
                url,
                target=TARGET,
                deadline=self.deadline,
                headers={**headers, "Authorization": f"Bearer {token}"},
                timeout=TIMEOUT_S,
                max_bytes=MAX_BYTES,
            )
            http.raise_for_status(answer, TARGET)
            return answer

        answer: http.Response = self.with_token(call)
        try:
            body = answer.json()
        except PermanentError as error:  # 200 with HTML, or cut short: a gateway's trouble
            raise TransientError(str(error), target=TARGET, status=answer.status) from error
        if not isinstance(body, Mapping):
            raise TransientError("Vision One's answer is not a JSON object", target=TARGET)
        return body


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
