"""The code that ships, run from here: with its operator's credentials, or against a sandbox."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from hub_responder import clock
from hub_toolkit.dry.wires import forget, forget_process, variables
from hub_toolkit.sandbox.simulators import PATH, addresses
from hub_toolkit.stack import LOCAL_KEY, is_local
from hub_toolkit.trip.client import SandboxClient, SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def as_operator(
    endpoint: str | None, region: str, sandbox: str = "", **more: str
) -> Iterator[None]:
    """The production code asks ``endpoint`` with its operator's credentials, at its time.

    Args:
        endpoint: of AWS or of a sandbox; None: what the environment says.
        sandbox: the sandbox's address, whose clock holds then, or empty.
        more: further environment variables, as the template gives to functions.
    """
    with variables({**_environment(endpoint, region), **more}), ExitStack() as closing:
        forget()
        forget_process()
        closing.callback(forget_process)
        closing.callback(forget)
        if sandbox:
            clock.follow(closing.enter_context(SandboxClient(sandbox)).now)
            closing.callback(clock.follow, None)
        yield


def led(held: Mapping[str, Mapping[str, Any]], sandbox: str) -> dict[str, Mapping[str, Any]]:
    """The connections as the deployment has them; in a sandbox they lead to simulators."""
    if not sandbox:
        return dict(held)
    return {
        name: {**one, **addresses(str(one["type"]), f"{sandbox}{PATH}/{name}")}
        for name, one in held.items()
    }


def time_of(endpoint: str | None) -> float:
    """The time of a deployment (epoch seconds): a sandbox has a clock of its own."""
    told = sandbox_time(endpoint)
    return clock.now() if told is None else told


def sandbox_time(endpoint: str | None) -> float | None:
    """What a sandbox's clock says; None: there is no sandbox."""
    if endpoint is None or not is_local(endpoint):
        return None
    try:
        with SandboxClient(endpoint) as client:
            return client.now()
    except (SandboxError, KeyError, TypeError, ValueError):
        return None  # something else that speaks AWS's protocols, or nothing: then S3 will say so


def _environment(endpoint: str | None, region: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    if not endpoint:
        return own
    if not is_local(endpoint):
        return {**own, "AWS_ENDPOINT_URL": endpoint}
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": LOCAL_KEY,
        "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
