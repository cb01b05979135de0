"""The AWS endpoint: each request goes to the service that carries it, ours or moto's.

The service is read from the signature's credential scope, from ``X-Amz-Target``, or from a queue's
URL; signatures and keys are not checked. Every operation can be made to fail by a scripted fault
whose target is ``SERVICE.Operation``, as ``securityhub.BatchUpdateFindings`` or ``sns.Publish``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, TooLarge, header, read_body

_SCOPE = re.compile(r"Credential=[^/]*/\d*/[^/]*/([a-z0-9-]+)/aws4_request")
_TARGET_SERVICES = {
    "AmazonSQS": "sqs",
    "DynamoDB_20120810": "dynamodb",
    "AWSEvents": "events",
    "AmazonSSM": "ssm",
    "secretsmanager": "secretsmanager",
}
_SECURITY_HUB = {
    ("POST", "/findings/import"): "BatchImportFindings",
    ("PATCH", "/findings/batchupdate"): "BatchUpdateFindings",
    ("POST", "/findings"): "GetFindings",
}
"""The REST operations of Security Hub that faults and kills can name."""


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS request: ``service`` by its signing name; ``operation`` empty where the path tells."""

    service: str
    operation: str

    @property
    def target(self) -> str:
        """How faults name it."""
        return f"{self.service}.{self.operation}"


def identify(environ: Environ) -> Call:
    """Which service and operation a request is for; an empty service is left to moto."""
    target = header(environ, "X-Amz-Target")
    prefix, _, operation = target.rpartition(".")
    scope = _SCOPE.search(header(environ, "Authorization"))
    service = scope[1] if scope else _TARGET_SERVICES.get(prefix, "")
    if not operation and _is_form(environ):
        form = parse_qs(read_body(environ).decode("utf-8", "replace"))
        operation = form.get("Action", [""])[0]
        if not service and _is_queue_path(environ["PATH_INFO"]):
            service = "sqs"
    if service == "securityhub":
        key = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        operation = _SECURITY_HUB.get(key, operation)
    return Call(service, operation)


def _is_form(environ: Environ) -> bool:
    kind = str(environ.get("CONTENT_TYPE", ""))
    return kind.startswith("application/x-www-form-urlencoded")


def _is_queue_path(path: str) -> bool:
    return re.fullmatch(r"/\d{12}/[\w.-]{1,80}", path) is not None


class AwsApp:
    """WSGI: the endpoint of all AWS services.

    Args:
        services: the applications of our own services by signing name.
        operations: applications of single operations, as ``ssm.CreateOpsItem``.
        other: carries what is in neither: moto.
        fault: answers a request in place of its service where one is scripted, else None.
        performed: told of each request that was answered, with its body and the answer's status.
    """

    def __init__(
        self,
        services: Mapping[str, App],
        operations: Mapping[str, App],
        other: App,
        fault: Callable[[Call, Environ, StartResponse], Iterable[bytes] | None],
        performed: Callable[[Call, bytes, str], None],
    ) -> None:
        self._services = services
        self._operations = operations
        self._other = other
        self._fault = fault
        self._performed = performed

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = read_body(environ)
        except TooLarge as error:
            start_response("413 Content Too Large", [("Content-Type", "text/plain")])
            return [str(error).encode()]
        call = identify(environ)
        failed = self._fault(call, environ, start_response)
        if failed is not None:
            return failed
        app = self._operations.get(call.target) or self._services.get(call.service, self._other)
        status = ""

        def record(line: str, *rest: Any) -> Any:
            nonlocal status
            status = line.partition(" ")[0]
            return start_response(line, *rest)

        answer = list(app(environ, record))
        self._performed(call, body, status)
        return answer
