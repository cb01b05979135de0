"""The Vision One simulator by itself, for trying a client against it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hub_toolkit.sandbox.control import PREFIX, Control, a_list
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.vendors.vision_one import VisionOne
from hub_toolkit.sandbox.wsgi import Environ, StartResponse


@dataclass(frozen=True, slots=True)
class Alone:
    """Where the simulator is: its control routes, its API, and the key that the API takes."""

    endpoint: str
    url: str
    token: str


@contextmanager
def serve(port: int = 0) -> Iterator[Alone]:
    """Serve it on a loopback address.

    Raises:
        OSError: the port cannot be used.
    """
    token = "sandbox-vision-one"  # noqa: S105 - it opens nothing but this simulator
    simulator = VisionOne(time.time, token=token)

    def replace(body: Any, _query: Any) -> Any:
        simulator.replace_endpoints(a_list(body))
        return {"endpoints": len(body)}

    control = Control({("PUT", "/vision_one/endpoints"): replace}, (ValueError,))

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if str(environ["PATH_INFO"]).startswith(PREFIX):
            return control(environ, start_response)
        return simulator.app(environ, start_response)

    listener = Listener(port)
    listener.start(app)
    try:
        yield Alone(listener.endpoint, listener.endpoint, token)
    finally:
        listener.stop()
