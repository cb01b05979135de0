"""``hub-responder sandbox``: AWS and the vendors on this machine."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub_toolkit.cli.playbook.loading import PLAYBOOKS, deployable

if TYPE_CHECKING:
    from hub_toolkit.sandbox.vision_one_alone import Alone

_ROOT = Annotated[Path, typer.Option(help="The project: template.yaml and playbooks/.")]
_PORT = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(no_args_is_help=True, help="Run AWS and the vendors on this machine.")
    group.command("up")(up)
    group.command("vision-one")(vision_one)
    app.add_typer(group, name="sandbox")


def up(
    *,
    port: _PORT = 0,
    as_json: _JSON = False,
    speed: Annotated[float, typer.Option(help="The clock's speed while nothing runs.")] = 1.0,
    stage: Annotated[
        str, typer.Option(help="Which settings and connections are used.")
    ] = "sandbox",
    playbooks: PLAYBOOKS = None,
    root: _ROOT = Path(),
) -> None:
    """Serve the whole sandbox on one loopback address until Ctrl-C."""
    from hub_toolkit.sandbox.server import CannotStart, Sandbox

    stopped = _Signals()
    with ExitStack() as closing:
        project = closing.enter_context(deployable(root, playbooks))
        try:
            sandbox = Sandbox.start(port=port, root=project, speed=speed, stage=stage)
        except CannotStart as error:
            typer.echo(f"the sandbox cannot start: {error}", err=True)
            raise typer.Exit(2) from error
        closing.enter_context(sandbox)
        if as_json:
            where = {
                "endpoint": sandbox.endpoint,
                "region": sandbox.region,
                "account": sandbox.account,
            }
            print(json.dumps(where), flush=True)
        else:
            _introduce(sandbox.endpoint, sandbox.region, sandbox.account)
        stopped.wait()


def vision_one(
    port: _PORT = 0,
    as_json: _JSON = False,
) -> None:
    """Serve the simulators of Vision One and Server & Workload Protection until Ctrl-C."""
    from hub_toolkit.sandbox.vision_one_alone import serve

    stopped = _Signals()
    with ExitStack() as closing:
        try:
            simulator = closing.enter_context(serve(port))
        except OSError as error:
            typer.echo(f"cannot listen on port {port}: {error.strerror}", err=True)
            raise typer.Exit(2) from error
        if as_json:
            print(json.dumps(asdict(simulator)), flush=True)
        else:
            _introduce_vendors(simulator)
        stopped.wait()


def _introduce_vendors(simulator: Alone) -> None:
    url = simulator.url
    print(f"Vision One:                   {url}/v3.0/..., token {simulator.token}")
    print(f"Server & Workload Protection: {url}/api/..., API key {simulator.api_key}\n")
    print(f"  curl -H 'Authorization: Bearer {simulator.token}' \\")
    print(f"    {url}/v3.0/endpointSecurity/endpoints")
    print(f"  curl -H 'Authorization: ApiKey {simulator.api_key}' -H 'api-version: v1' \\")
    print(f"    -X POST '{url}/api/computers/search?expand=computerStatus'\n")
    print(f"What they hold: PUT {url}/_sandbox/vision_one/endpoints, .../alerts,")
    print("/_sandbox/workload_security/computers, .../rules. How they fail: POST")
    print("/_sandbox/faults. Ctrl-C ends them, nothing is kept.", flush=True)


def _introduce(endpoint: str, region: str, account: str) -> None:
    print(f"The sandbox is ready at {endpoint} (account {account}, {region}).\n")
    print("Any access key is accepted, for example:")
    print(f"  export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={region}")
    print("  export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox")
    print("  aws securityhub batch-import-findings --findings file://findings.json\n")
    print(f"What was sent: {endpoint}/_sandbox/inbox, tickets: /_sandbox/tickets,")
    print("every decision: /_sandbox/audit. Ctrl-C ends it, nothing is kept.", flush=True)


class _Signals:
    """Waits for Ctrl-C or SIGTERM.

    The wake-up socket works whichever thread the signal reaches, and however often it comes; a lock
    that a handler sets while the main thread waits for it does not.
    """

    def __init__(self) -> None:
        self._came, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def wait(self) -> None:
        """Return when one of them has come."""
        self._came.recv(1)
