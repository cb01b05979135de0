"""Trend's simulators by themselves, for trying a client against them.

Vision One answers below ``/v3.0``, Server & Workload Protection below ``/api``, both at one address
and with the sandbox's invented estate. What they hold and how they fail is controlled below
``/_sandbox``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hub_toolkit.sandbox import estate, vendor_routes
from hub_toolkit.sandbox.control import PREFIX, Control
from hub_toolkit.sandbox.faults import Faults, faulty
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.vendors.vision_one import VisionOne
from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity
from hub_toolkit.sandbox.wsgi import Environ, StartResponse

WORKLOAD_SECURITY = "/api/"


@dataclass(frozen=True, slots=True)
class Alone:
    """Where the simulators are, and the keys that they take.

    Attributes:
        url: of both, and of the control routes. token: Vision One's. api_key: the other's.
    """

    url: str
    token: str
    api_key: str


@contextmanager
def serve(port: int = 0) -> Iterator[Alone]:
    """Serve them on a loopback address.

    Raises:
        OSError: the port cannot be used.
    """
    token, api_key = "sandbox-vision-one", "1:sandbox-workload-security"
    vision_one = VisionOne(time.time, token=token)
    protection = WorkloadSecurity(time.time, api_key=api_key)
    estate.load().furnish([vision_one], [protection])
    faults = Faults()
    control = Control(vendor_routes.table([vision_one], [protection], faults), (ValueError,))
    endpoints = faulty(vision_one.app, faults, "vision_one")
    computers = faulty(protection.app, faults, "workload_security")

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if path.startswith(PREFIX):
            return control(environ, start_response)
        chosen = computers if path.startswith(WORKLOAD_SECURITY) else endpoints
        return chosen(environ, start_response)

    listener = Listener(port)
    listener.start(app)
    try:
        yield Alone(listener.endpoint, token, api_key)
    finally:
        listener.stop()
