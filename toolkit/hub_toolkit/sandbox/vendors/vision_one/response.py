"""``/v3.0/response``: isolating and restoring endpoints, and the tasks that do it.

Documented (pytmv1, Trend's cookbook and mock): 207 with one answer for each item in its order,
``Operation-Location`` of the task, "Task duplication." with the location of the task that is under
way, the other refusals, and the statuses of a task. Guesses: a task is queued for 2 seconds and
takes 8 more; what counts as a duplicate is an unfinished task of the same action; a task for an
endpoint whose sensor is disconnected stays queued; a name that several endpoints share finds none.

The endpoint's ``_response`` scripts the rest: where a task ends or stays (``failed``, ``rejected``,
``canceled``, ``pendingApproval``, ``running``), or why none begins (``notSupported``,
``outOfScope``, ``disabled``). Left out, a task succeeds, and an endpoint without agent and sensor
is ``notSupported``.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from hub_toolkit.sandbox.vendors.base import BodyError, json_response
from hub_toolkit.sandbox.vendors.vision_one import replies
from hub_toolkit.sandbox.vendors.vision_one.tenant import Tenant, zoned

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from hub_toolkit.sandbox.vendors.vision_one.inventory import Endpoint

ISOLATE = "/v3.0/response/endpoints/isolate"
RESTORE = "/v3.0/response/endpoints/restore"
TASKS = "/v3.0/response/tasks"
QUEUED_S, RUNNING_S = 2.0, 8.0

_OUTCOMES = {"isolate": "on", "restoreIsolate": "off"}
_UNFINISHED = frozenset({"queued", "running", "pendingApproval"})
_REFUSALS = {
    "notSupported": (
        400,
        "NotSupported",
        "Action not supported. Install or upgrade the agent program on the target endpoint.",
    ),
    "outOfScope": (
        403,
        "AccessDenied",
        "Access denied. The target is not in the user's management scope.",
    ),
    "disabled": (403, "AccessDenied", "Feature disabled."),
}


class Target(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One item of the request: an agent's GUID or an endpoint's name."""

    agent_guid: str = ""
    endpoint_name: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        """Wants a target.

        Raises:
            ValueError: there is none, so that decoding says so.
        """
        if not self.agent_guid and not self.endpoint_name:
            raise ValueError("agentGuid or endpointName is needed")


@dataclass(frozen=True, slots=True)
class Task:
    """A response task; ``end`` is the status that it comes to or stays in."""

    id: str
    action: str
    guid: str
    name: str
    description: str
    created: float
    end: str

    def status(self, now: float) -> str:
        """Its status at ``now``."""
        age = now - self.created
        if self.end in ("pendingApproval", "queued") or age >= QUEUED_S + RUNNING_S:
            return self.end
        return "queued" if age < QUEUED_S else "running"

    def shown(self, now: float) -> dict[str, Any]:
        """The answer of the task call."""
        status = self.status(now)
        steps = {"queued": 0.0, "pendingApproval": 0.0, "running": QUEUED_S}
        task: dict[str, Any] = {
            "id": self.id,
            "status": status,
            "createdDateTime": zoned(self.created),
            "lastActionDateTime": zoned(self.created + steps.get(status, QUEUED_S + RUNNING_S)),
            "description": self.description,
            "action": self.action,
            "account": "API key",
            "agentGuid": self.guid,
            "endpointName": self.name,
        }
        if status == "failed":
            message = "Unable to complete the action on the target endpoint."
            task["error"] = {"code": "TaskError", "number": 4009999, "message": message}
        return task


class Responses:
    """The handlers of these routes."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._tasks: dict[str, Task] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def isolate(self, request: Request) -> Response:
        """Start to isolate endpoints."""
        return self._start(request, "isolate")

    def restore(self, request: Request) -> Response:
        """Start to restore the connection of endpoints."""
        return self._start(request, "restoreIsolate")

    def task(self, request: Request, task: str) -> Response:  # noqa: ARG002
        """One task as it stands."""
        found = self._tasks.get(task)
        if found is None:
            return replies.not_found()
        return json_response(found.shown(self._tenant.now()))

    def _start(self, request: Request, action: str) -> Response:
        try:
            targets = msgspec.json.decode(request.get_data(), type=list[Target])
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BodyError(str(error)) from None
        if not targets:
            raise BodyError("there is no target")
        root = request.root_url.rstrip("/")
        with self._lock:
            answers = [self._begin(target, action, root) for target in targets]
        return json_response(answers, 207)

    def _begin(self, target: Target, action: str, root: str) -> dict[str, Any]:
        now = self._tenant.now()
        found = self._find(target, now)
        if found is None:
            return _refused(400, "BadRequest", "Target not found.")
        end = found.item.get("_response", "succeeded" if found.reachable else "notSupported")
        if end in _REFUSALS:
            return _refused(*_REFUSALS[end])
        running = self._unfinished(found.guid, action, now)
        if running is not None:
            return _location(root, running) | _refused(400, "TaskError", "Task duplication.")
        if found.at(("edrSensor", "connectivity"), now) == "disconnected":
            end = "queued"
        task = Task(
            id=f"{next(self._numbers):08d}",
            action=action,
            guid=found.guid,
            name=str(found.item.get("endpointName", "")),
            description=target.description,
            created=now,
            end=end,
        )
        self._tasks[task.id] = task
        if end == "succeeded":
            done = now + QUEUED_S + RUNNING_S
            self._tenant.isolation_becomes(_OUTCOMES[action], task.guid, done)
        return {"status": 202, **_location(root, task)}

    def _unfinished(self, guid: str, action: str, now: float) -> Task | None:
        for task in self._tasks.values():
            if (task.guid, task.action) == (guid, action) and task.status(now) in _UNFINISHED:
                return task
        return None

    def _find(self, target: Target, now: float) -> Endpoint | None:
        known = self._tenant.endpoints(now)
        if target.agent_guid:
            return next((each for each in known if each.guid == target.agent_guid), None)
        named = [each for each in known if each.item.get("endpointName") == target.endpoint_name]
        return named[0] if len(named) == 1 else None


def _location(root: str, task: Task) -> dict[str, Any]:
    value = f"{root}{TASKS}/{task.id}"
    return {"headers": [{"name": "Operation-Location", "value": value}]}


def _refused(status: int, code: str, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"code": code, "message": message}}}
