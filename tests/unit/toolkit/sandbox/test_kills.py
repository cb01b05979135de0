from __future__ import annotations

from collections.abc import Iterable

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox.faults import Faults
from hub_toolkit.sandbox.kills import Kills, is_vendor_effect
from hub_toolkit.sandbox.vendors.base import VERDICT_KEY, Verdict
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, respond

WORKER = 4001


class World:
    """An application with effects, and workers that can be killed."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.killed: list[int] = []
        self.effects = 0
        self.status = 200
        self.verdict: Verdict | None = None
        kills = Kills(self.faults, self._kill, lambda port: port == WORKER)
        self.client = Client(kills.around(self._app, is_vendor_effect))

    def _kill(self, port: int) -> bool:
        self.killed.append(port)
        return True

    def _app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.effects += 1
        if self.verdict is not None:
            environ[VERDICT_KEY] = self.verdict
        return respond(start_response, self.status, b"done")

    def call(self, method: str = "POST", path: str = "/issue", port: int = WORKER) -> int:
        extra = {"REMOTE_PORT": str(port)}
        return self.client.open(path, method=method, environ_overrides=extra).status_code


def test_the_worker_dies_before_its_effect_and_the_effect_does_not_happen() -> None:
    world = World()
    world.faults.add([{"target": "lambda", "kill": "before_effect"}])
    world.call()
    assert (world.killed, world.effects) == ([WORKER], 0)


def test_the_worker_dies_after_its_effect_which_has_happened() -> None:
    world = World()
    world.faults.add([{"target": "lambda", "kill": "after_effect"}])
    world.call()
    assert (world.killed, world.effects) == ([WORKER], 1)


def test_a_kill_is_used_up() -> None:
    world = World()
    world.faults.add([{"target": "lambda", "kill": "after_effect"}])
    for _ in range(3):
        world.call()
    assert (world.killed, world.effects) == ([WORKER], 3)


@pytest.mark.parametrize(
    ("method", "path", "port"),
    [
        ("GET", "/issue", WORKER),
        ("POST", "/rest/api/3/search/jql", WORKER),
        ("POST", "/issue", 4002),
    ],
)
def test_what_is_no_workers_effect_kills_nobody(method: str, path: str, port: int) -> None:
    world = World()
    world.faults.add([{"target": "lambda", "kill": "before_effect"}])
    assert world.call(method, path, port) == 200
    assert world.killed == []
    assert len(world.faults.pending()) == 1


@pytest.mark.parametrize(("status", "verdict"), [(503, None), (200, Verdict.REFUSED)])
def test_what_was_refused_had_no_effect_to_die_after(status: int, verdict: Verdict | None) -> None:
    world = World()
    world.status, world.verdict = status, verdict
    world.faults.add([{"target": "lambda", "kill": "after_effect"}])
    world.call()
    assert world.killed == []
