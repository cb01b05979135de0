"""Webhooks on their way from simulated systems to the function's URL, over HTTP.

Jira tries again where it is answered 408, 409, 425, 429 or 5xx, or not at all: five times, each 5
to 15 minutes later, with a header that counts ("Webhooks" of developer.atlassian.com, "Retry
policy"). GitHub does not, nor does our script in ServiceNow.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from hub_toolkit.sandbox.clock import Clock

LOG = logging.getLogger(__name__)
RETRIES = 5
RETRY_S = (300.0, 900.0)
_AGAIN = frozenset({408, 409, 425, 429})
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """A webhook on its way; ``counter`` is the header that counts retries, or empty."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    counter: str
    retries: int = 0


class Hooks:
    """Sends webhooks; while any is on its way the sandbox is not idle.

    Args:
        clock: goes at 1x meanwhile, and says when it is time to try again.

    Attributes:
        url: the function's, with a slash at its end; empty: there is none, and nothing is sent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._executor = ThreadPoolExecutor(max_workers=8, thread_name_prefix="hooks")
        self.url = ""

    def send(self, connection: str, counter: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a webhook of a connection; returns at once.

        Args:
            counter: the header that counts retries; empty: there are none.
        """
        if self.url:
            self._submit(_Sent(f"{self.url}{connection}", headers, body, counter))

    def close(self) -> None:
        """Wait for those that are on their way; send no more. May be called twice."""
        self._executor.shutdown(wait=True)

    def _submit(self, sent: _Sent) -> None:
        running = ExitStack()
        running.enter_context(self._clock.running())
        try:
            self._executor.submit(self._post, sent, running)
        except RuntimeError:  # closed meanwhile
            running.close()

    def _post(self, sent: _Sent, running: ExitStack) -> None:
        counted = {sent.counter: str(sent.retries)} if sent.retries else {}
        with running, requests.Session() as session:
            session.trust_env = False
            try:
                status = session.post(
                    sent.url,
                    data=sent.body,
                    headers={**sent.headers, **counted},
                    timeout=_TIMEOUT_S,
                ).status_code
            except requests.RequestException as error:
                LOG.warning("a webhook to %s did not arrive: %s", sent.url, type(error).__name__)
                status = HTTPStatus.GATEWAY_TIMEOUT
            if status < HTTPStatus.BAD_REQUEST:
                return
            LOG.warning("a webhook to %s was answered %d", sent.url, status)
            passing = status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            if sent.counter and passing and sent.retries < RETRIES:
                due = self._clock.now() + random.uniform(*RETRY_S)  # noqa: S311 - jitter
                again = replace(sent, retries=sent.retries + 1)
                self._clock.call_at(due, partial(self._submit, again))
