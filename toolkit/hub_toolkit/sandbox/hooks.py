"""Webhooks on their way from simulated systems to the function's URL, over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from hub_toolkit.sandbox.clock import Clock

LOG = logging.getLogger(__name__)
_TIMEOUT_S = 30.0


class Hooks:
    """Sends webhooks; while any is on its way the sandbox is not idle.

    Args:
        clock: goes at 1x meanwhile.

    Attributes:
        url: the function's, with a slash at its end; empty: there is none, and nothing is sent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._executor = ThreadPoolExecutor(max_workers=8, thread_name_prefix="hooks")
        self.url = ""

    def send(self, connection: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a webhook of a connection; returns at once."""
        if not self.url:
            return
        running = ExitStack()
        running.enter_context(self._clock.running())
        try:
            self._executor.submit(self._post, f"{self.url}{connection}", headers, body, running)
        except RuntimeError:  # closed meanwhile
            running.close()

    def close(self) -> None:
        """Wait for those that are on their way; send no more. May be called twice."""
        self._executor.shutdown(wait=True)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes, running: ExitStack) -> None:
        with running, requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.post(url, data=body, headers=dict(headers), timeout=_TIMEOUT_S)
            except requests.RequestException as error:
                LOG.warning("a webhook to %s did not arrive: %s", url, type(error).__name__)
                return
            if not answer.ok:
                LOG.warning("a webhook to %s was answered %d", url, answer.status_code)
