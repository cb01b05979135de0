"""The functions' roles around the AWS endpoint.

A function is known by its access key. What its role does not allow is answered as AWS does, and
kept: `report` tells what each function needed, and what its role was never needed for.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.aws_app import identify, is_form
from hub_toolkit.sandbox.aws_json import JSON_1_1, respond_failed
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.iam.needs import Need, Needs
from hub_toolkit.sandbox.iam.policies import Statement, allowing
from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.members.query import query_failed, xml
from hub_toolkit.sandbox.workers.environment import access_key, log_group
from hub_toolkit.sandbox.wsgi import TooLarge, header, respond

if TYPE_CHECKING:
    from hub_toolkit.sandbox.identifiers import Place
    from hub_toolkit.sandbox.template import Function, Plan
    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

LOG = logging.getLogger(__name__)
_KEY = re.compile(r"Credential=([^/]*)/")
_MISSING = 404
_FOLLOWING = ("DescribeStream", "GetRecords", "GetShardIterator")
_POLLING = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
_CODES = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}
"""How services name a denial, where it is not AccessDenied(Exception)."""


class Roles:
    """The roles of the functions of a plan. Safe for threads.

    Args:
        plan: what the template asks for. place: the sandbox's.

    Raises:
        TemplateError: a role holds what is not known here, or lacks what AWS itself does with it.
    """

    def __init__(self, plan: Plan, place: Place) -> None:
        partitions = {name: _partition(table) for name, table in plan.tables.items()}
        self._needs = Needs(place, partitions)
        self._place = place
        self._functions = {access_key(name): name for name in plan.functions}
        self._roles = {name: one.role for name, one in plan.functions.items()}
        self._statements = {
            name: [Statement.read(one) for one in plan.policies.get(_name(role), ())]
            for name, role in self._roles.items()
        }
        self._others = {
            name: [Statement.read(one) for one in plan.policies.get(name, ())]
            for name in plan.roles
        }
        self._lock = threading.Lock()
        self._used: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._granted: dict[str, set[tuple[int, str]]] = defaultdict(set)
        self._denied: dict[str, set[tuple[str, str]]] = defaultdict(set)

        for function in plan.functions.values():
            self._hold(function)
        for schedule in plan.schedules.values():
            self._send(schedule["Target"])

    def _hold(self, function: Function) -> None:
        """What Lambda does with a function's role: it writes logs, takes messages from its queues
        and changes from its streams ("Execution role permissions" under "Using Lambda with Amazon
        SQS" and "... with Amazon DynamoDB")."""
        name = function.name
        streams = self._place.arn("logs", f"log-group:{log_group(name)}:log-stream:sandbox")
        needs = [Need(f"logs:{one}", streams) for one in ("CreateLogStream", "PutLogEvents")]
        for source in function.sources:
            needs += [Need(f"sqs:{one}", source.queue_arn) for one in _POLLING]
        for followed in function.streams:
            needs += [Need(f"dynamodb:{one}", followed.stream_arn) for one in _FOLLOWING]
            needs.append(Need("dynamodb:ListStreams", "*"))
        for need in needs:
            if not self._allows(name, need):
                raise TemplateError(f"the role of {name} does not allow {need.action}")

    def _send(self, target: Mapping[str, Any]) -> None:
        """What EventBridge Scheduler does with a schedule's role."""
        role = _name(str(target["RoleArn"]))
        for queue in (target["Arn"], target["DeadLetterConfig"]["Arn"]):
            if not allowing(self._others[role], Need("sqs:SendMessage", str(queue))):
                raise TemplateError(f"the role {role} does not allow to send to {queue}")

    def around(self, app: App) -> App:
        """``app``, for the functions as far as their roles allow."""

        def guarded(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            signed = _KEY.search(header(environ, "Authorization"))
            name = self._functions.get(signed[1]) if signed else None
            if name is None:
                return app(environ, start_response)
            try:
                needs = self._needs.of(environ)
            except (TooLarge, AwsError):  # the service refuses it too
                return app(environ, start_response)
            for need in needs:
                if not self._allows(name, need):
                    return self._refuse(environ, start_response, name, need)
            if identify(environ).target in {"s3.GetObject", "s3.HeadObject"}:
                return self._object(app, environ, start_response, name)
            return app(environ, start_response)

        return guarded

    def _allows(self, name: str, need: Need) -> bool:
        found = allowing(self._statements[name], need)
        with self._lock:
            kept = self._used if found else self._denied
            kept[name].add((need.action, need.resource))
            self._granted[name].update((number, need.action) for number in found)
        return bool(found)

    def _object(
        self, app: App, environ: Environ, start_response: StartResponse, name: str
    ) -> Iterable[bytes]:
        """An object that is not there is a secret of whoever may list the bucket (GetObject in the
        S3 API reference: 404 with ``s3:ListBucket``, 403 without)."""
        bucket = str(environ["PATH_INFO"]).split("/")[1]
        listing = Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")
        told: list[Any] = []
        answer = b"".join(app(environ, lambda *args: told.extend(args)))
        missing = told[0].startswith(str(_MISSING))
        if missing and not allowing(self._statements[name], listing):
            return _denial(environ, start_response, "Access Denied")
        start_response(*told[:2])
        return [answer]

    def _refuse(
        self, environ: Environ, start_response: StartResponse, name: str, need: Need
    ) -> Iterable[bytes]:
        role = _name(self._roles[name])
        caller = f"arn:aws:sts::{self._place.account}:assumed-role/{role}/{name}"
        where = f" on resource: {need.resource}" if need.resource not in {"", "*"} else ""
        message = (
            f"User: {caller} is not authorized to perform: {need.action}{where} because no "
            f"identity-based policy allows the {need.action} action"
        )
        LOG.warning("%s", message)
        return _denial(environ, start_response, message)

    def report(self) -> dict[str, dict[str, list[Any]]]:
        """By function: the permissions it ``used`` and was ``denied`` (action, resource), and the
        ``grants`` of its role: action, resources, condition keys with their patterns, and whether
        it was ``needed``."""
        with self._lock:
            return {
                name: {
                    "used": sorted(map(list, self._used[name])),
                    "denied": sorted(map(list, self._denied[name])),
                    "grants": [
                        {
                            "action": action,
                            "resources": list(one.resources),
                            "keys": one.keys(),
                            "needed": (number, action) in self._granted[name],
                        }
                        for number, one in enumerate(statements)
                        for action in one.actions
                    ],
                }
                for name, statements in sorted(self._statements.items())
            }


def _denial(environ: Environ, start_response: StartResponse, message: str) -> list[bytes]:
    """A refusal in the form that the service's clients understand."""
    service = identify(environ).service
    code = _CODES.get(service, "AccessDenied")
    if service == "s3":
        body = f"<Error>{xml({'Code': code, 'Message': message}, 'item')}</Error>"
        return respond(start_response, 403, body.encode(), "application/xml")
    if is_form(environ):
        return query_failed(start_response, AwsError(code, message, 403), ec2=service == "ec2")
    return respond_failed(start_response, AwsError(f"{code}Exception", message, 403), JSON_1_1)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _partition(table: Mapping[str, Any]) -> str:
    keys = table.get("KeySchema", ())
    return next((str(one["AttributeName"]) for one in keys if one["KeyType"] == "HASH"), "")
