"""A real HTTP server on the loopback address for the sandbox's WSGI applications."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import boto3
import pytest
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from hub_toolkit.sandbox.wsgi import App

REGION, ACCOUNT = "ap-northeast-1", "111122223333"


class _Server(ThreadingMixIn, WSGIServer):
    """A connection of its own for each request, so that stopping waits for none."""


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Requests are not worth a line."""


@contextmanager
def _served(app: App) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, _Server, _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def aws_client() -> Iterator[Callable[[str, App], Any]]:
    """Makes a boto3 client of a service whose only endpoint is a WSGI application."""
    opened: list[Any] = []

    def client(service: str, app: App) -> Any:
        served = _served(app)
        made = boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=served.__enter__(),
            region_name=REGION,
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
        opened.extend([served, made])
        return made

    yield client
    for served, made in zip(opened[::2], opened[1::2], strict=True):
        made.close()
        served.__exit__(None, None, None)
