"""The AWS services that moto carries in this process: SNS, Secrets Manager, STS, S3, KMS, and more.

Importing moto takes the better part of a second, so it is done after everything else, in a thread:
the sandbox listens meanwhile, and whoever needs moto waits for that thread. Moto keeps its data per
process: a process holds one sandbox at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import msgspec

from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

ACCOUNT_HEADER = "HTTP_X_MOTO_ACCOUNT_ID"
"""Moto's documented way to choose the account of a request (its "Multi-Account support")."""


_HELD = threading.Lock()
"""Moto's state is one for the process: a second sandbox would share secrets and topics."""


class MotoStore:
    """Moto, in the sandbox's account and region; nothing is imported before `load`.

    A process holds one at a time, until `reset`.

    Args:
        account: the account that every request belongs to, whatever its access key.
        region: where resources are created by `create_topic` and `put_secret`.

    Raises:
        RuntimeError: there is one in this process.
    """

    def __init__(self, account: str, region: str) -> None:
        if not _HELD.acquire(blocking=False):
            raise RuntimeError("this process has a sandbox already: start another in its own")
        self._account = account
        self._region = region
        self._first: list[Callable[[], object]] = []
        self._app: Future[App] = Future()
        self._thread = threading.Thread(target=self._load, name="moto-import", daemon=True)

    def load(self) -> None:
        """Begin to import moto; what was to be created is there before the first request."""
        self._thread.start()

    def _load(self) -> None:
        try:
            from moto.moto_server.werkzeug_app import (
                DomainDispatcherApplication,
                create_backend_app,
            )

            for create in self._first:
                create()
            self._app.set_result(DomainDispatcherApplication(create_backend_app))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self._app.set_exception(error)

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI: answers an AWS request."""
        environ[ACCOUNT_HEADER] = self._account
        return self._app.result()(environ, start_response)

    def create_topic(self, name: str) -> None:
        """Create an SNS topic; before `load`."""
        self._first.append(lambda: self._backend("sns").create_topic(name, {}, {}))

    def create_bucket(self, name: str, lock: Mapping[str, Any] | None = None) -> None:
        """Create an S3 bucket; before `load`.

        Args:
            lock: the template's ``ObjectLockConfiguration``: its objects have versions then, each
                of which is retained.
        """

        def create() -> None:
            s3 = self._global("s3")
            s3.create_bucket(name, self._region)
            if lock is not None:
                retention = lock["Rule"]["DefaultRetention"]
                s3.put_bucket_versioning(name, "Enabled")
                days = int(retention["Days"])
                # moto reckons with years, too, where none are given
                s3.put_object_lock_configuration(name, True, retention["Mode"], days, years=0)

        self._first.append(create)

    def create_stream(self, name: str) -> None:
        """Create a Kinesis stream of one shard; before `load`."""
        self._first.append(lambda: self._backend("kinesis").create_stream(name, 1))

    def put_secret(self, name: str, value: Mapping[str, str]) -> None:
        """Create a secret that holds ``value`` as a JSON object; before `load`."""
        secret: dict[str, Any] = {
            "name": name,
            "secret_string": msgspec.json.encode(value).decode(),
            "secret_binary": None,
            "description": None,
            "tags": None,
            "kms_key_id": None,
            "client_request_token": None,
            "replica_regions": [],
            "force_overwrite": False,
        }
        self._first.append(lambda: self._backend("secretsmanager").create_secret(**secret))

    def _backend(self, service: str) -> Any:
        """Moto's own object for a service: simpler than a request."""
        from moto.backends import get_backend

        name: Any = service
        return get_backend(name)[self._account][self._region]

    def _global(self, service: str) -> Any:
        """Moto's own object for a service without regions."""
        from moto.backends import get_backend

        name: Any = service
        return get_backend(name)[self._account]["aws"]

    def reset(self) -> None:
        """Forget everything, so that the next store of this process starts empty."""
        if self._thread.ident:
            self._thread.join()
            from moto.moto_api._internal import moto_api_backend

            moto_api_backend.reset()
        with suppress(RuntimeError):  # it was reset already
            _HELD.release()
