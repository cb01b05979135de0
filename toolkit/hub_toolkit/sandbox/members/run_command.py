"""Systems Manager's Run Command on the instances of the estate.

SendCommand takes any document name; a command is Pending, after two seconds of the sandbox's clock
InProgress, and after five Success. An instance must be in the estate and running. Real commands
depend on the agent and the document: the times and the output are guesses.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.aws_json import JSON_1_1, read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.wsgi import header

if TYPE_CHECKING:
    from hub_toolkit.sandbox.members.accounts import Caller
    from hub_toolkit.sandbox.members.ec2 import Instances
    from hub_toolkit.sandbox.wsgi import Environ, StartResponse

OPERATIONS = ("SendCommand", "ListCommands", "GetCommandInvocation")
BEGINS_AFTER_S, ENDS_AFTER_S = 2.0, 5.0
MAX_COMMENT = 100
MAX_PAGE = 50
_DOCUMENT = re.compile(r"[a-zA-Z0-9_\-.:/]{3,128}")

Command = dict[str, Any]


class RunCommand:
    """The three operations over WSGI. Safe for threads.

    Args:
        clock: returns epoch seconds.
        caller: tells in which account and region a request is made.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        instances: Instances,
        caller: Callable[[Environ], Caller],
    ) -> None:
        self._clock = clock
        self._instances = instances
        self._caller = caller
        self._commands: list[tuple[Caller, Command]] = []
        self._lock = threading.Lock()

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        operation = header(environ, "X-Amz-Target").rpartition(".")[2]
        act = {
            "SendCommand": self._send,
            "ListCommands": self._list,
            "GetCommandInvocation": self._invocation,
        }[operation]
        try:
            answer = act(self._caller(environ), read_request(environ))
        except AwsError as error:
            return respond_failed(start_response, error, JSON_1_1)
        return respond_ok(start_response, answer, JSON_1_1)

    def _send(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        ids = request.get("InstanceIds") or []
        running = {
            one.instance_id
            for one in self._instances.there(caller.account, caller.region)
            if one.state == "running"
        }
        if not ids or not set(ids) <= running:
            message = "Instances not in a valid state for account"
            raise AwsError("InvalidInstanceId", message)
        name, comment = str(request.get("DocumentName", "")), str(request.get("Comment", ""))
        if not _DOCUMENT.fullmatch(name):
            raise AwsError("InvalidDocument", f"{name[:80]} is no document")
        if len(comment) > MAX_COMMENT:
            raise AwsError("ValidationException", f"Comment has over {MAX_COMMENT} characters")
        command: Command = {
            "CommandId": str(uuid.uuid4()),
            "DocumentName": name,
            "Comment": comment,
            "InstanceIds": list(ids),
            "Parameters": request.get("Parameters", {}),
            "RequestedDateTime": self._clock(),
        }
        with self._lock:
            self._commands.append((caller, command))
        return {"Command": self._shown(command)}

    def _status(self, command: Command) -> str:
        since = self._clock() - command["RequestedDateTime"]
        if since < BEGINS_AFTER_S:
            return "Pending"
        return "InProgress" if since < ENDS_AFTER_S else "Success"

    def _shown(self, command: Command) -> Command:
        status = self._status(command)
        return {**command, "Status": status, "StatusDetails": status}

    def _mine(self, caller: Caller) -> list[Command]:
        with self._lock:
            return [command for whose, command in reversed(self._commands) if whose == caller]

    def _list(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("InstanceId")
        found = [one for one in self._mine(caller) if wanted in (None, *one["InstanceIds"])]
        token, size = request.get("NextToken") or "0", request.get("MaxResults", MAX_PAGE)
        if not str(token).isdecimal() or not 1 <= size <= MAX_PAGE:
            raise AwsError("InvalidNextToken", "NextToken or MaxResults is not valid")
        start, end = int(token), int(token) + size
        shown = [self._shown(one) for one in found[start:end]]
        return {"Commands": shown, **({"NextToken": str(end)} if end < len(found) else {})}

    def _invocation(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        command, instance = request.get("CommandId"), request.get("InstanceId")
        for one in self._mine(caller):
            if one["CommandId"] == command and instance in one["InstanceIds"]:
                return self._told(one, str(instance))
        raise AwsError("InvocationDoesNotExist", "")

    def _told(self, command: Command, instance: str) -> dict[str, Any]:
        status = self._status(command)
        ended = status == "Success"
        return {
            "CommandId": command["CommandId"],
            "InstanceId": instance,
            "Comment": command["Comment"],
            "DocumentName": command["DocumentName"],
            "ResponseCode": 0 if ended else -1,
            "Status": status,
            "StatusDetails": status,
            "StandardOutputContent": f"{command['DocumentName']} ran" if ended else "",
            "StandardErrorContent": "",
        }
