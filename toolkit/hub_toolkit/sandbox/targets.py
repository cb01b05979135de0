"""What steps can start outside: any Lambda function, any standard state machine.

They are others' programs, so there is nothing behind them here: a function answers
``{"received": true}``, an execution begins and is not followed. A scripted fault (status 200 and a
body) lets a function answer otherwise. Whether a function exists is not known here: all do.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.aws_json import json_app
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.wsgi import header, read_body, respond

if TYPE_CHECKING:
    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

MAX_SYNC, MAX_ASYNC = 6_291_456, 1_048_576
"""Bytes that Lambda takes with an invocation ("Lambda quotas")."""
MAX_INPUT = 262_144
NAME_FREE_AFTER_S = 90 * 86_400
_EXECUTION = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MACHINE = re.compile(r"(arn:[a-z-]+:states:[a-z0-9-]+:\d{12}):stateMachine:([A-Za-z0-9_-]+)(:.+)?")


def functions(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """WSGI: Lambda's Invoke."""
    event = header(environ, "X-Amz-Invocation-Type") == "Event"
    body = read_body(environ)
    most = MAX_ASYNC if event else MAX_SYNC
    try:
        json.loads(body or b"null")
    except (ValueError, RecursionError):
        return _refused(start_response, "InvalidRequestContentException", "no JSON", 400)
    if len(body) > most:
        return _refused(start_response, "RequestTooLargeException", f"over {most} bytes", 413)
    if event:
        return respond(start_response, 202, b"")
    headers = [("X-Amz-Executed-Version", "$LATEST")]
    return respond(start_response, 200, b'{"received": true}', headers=headers)


def _refused(start_response: StartResponse, code: str, message: str, status: int) -> list[bytes]:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return respond(start_response, status, body, headers=[("x-amzn-ErrorType", code)])


class StateMachines:
    """Step Functions' StartExecution. Safe for threads.

    Args:
        clock: returns epoch seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self.app: App = json_app("AWSStepFunctions", self)
        """The operation over WSGI."""

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation.

        Raises:
            AwsError: Step Functions refuses.
        """
        if operation != "StartExecution":
            raise AwsError("UnknownOperationException", f"The sandbox has no states:{operation}.")
        machine = _MACHINE.fullmatch(str(request.get("stateMachineArn", "")))
        name, given = str(request.get("name", "")), str(request.get("input", "{}"))
        if machine is None:
            raise AwsError("InvalidArn", "Invalid state machine ARN")
        if not _EXECUTION.fullmatch(name):
            raise AwsError("InvalidName", "Invalid name")
        try:
            json.loads(given)
        except (ValueError, RecursionError):
            raise AwsError("InvalidExecutionInput", "Invalid input: no JSON") from None
        if len(given.encode()) > MAX_INPUT:
            raise AwsError("InvalidExecutionInput", f"Invalid input: over {MAX_INPUT} bytes")
        arn = f"{machine[1]}:execution:{machine[2]}:{name}"
        with self._lock:
            now = self._clock()
            held, at = self._started.get(arn, (given, now))
            if now - at >= NAME_FREE_AFTER_S:
                held, at = given, now
            if held != given:
                raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            self._started[arn] = (given, at)
        return {"executionArn": arn, "startDate": at}
