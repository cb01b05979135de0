"""The AWS endpoint: each request goes to the service that carries it, ours or moto's.

The service is read from the signature's credential scope, from ``X-Amz-Target``, or from a queue's
URL; signatures and keys are not checked. Every operation can be made to fail by a scripted fault
whose target is ``SERVICE.Operation``, as ``securityhub.BatchUpdateFindings`` or ``sns.Publish``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from hub_toolkit.sandbox.aws_json import JSON_1_1
from hub_toolkit.sandbox.faults import faulty
from hub_toolkit.sandbox.security_hub.rest import operation_of
from hub_toolkit.sandbox.vendors.base import VERDICT_KEY
from hub_toolkit.sandbox.wsgi import (
    App,
    Environ,
    StartResponse,
    TooLarge,
    header,
    read_body,
    respond,
)

if TYPE_CHECKING:
    from hub_toolkit.sandbox.faults import Faults

_SCOPE = re.compile(r"Credential=[^/]*/\d*/[^/]*/([a-z0-9-]+)/aws4_request")
_CBOR_PATH = re.compile(r"/service/\w+/operation/(\w+)")
_REST = {
    "lambda": (("POST", re.compile(r"/2015-03-31/functions/[^/]+/invocations"), "Invoke"),),
    "ses": (
        ("POST", re.compile(r"/v2/email/outbound-emails"), "SendEmail"),
        ("GET", re.compile(r"/v2/email/account"), "GetAccount"),
        ("GET", re.compile(r"/v2/email/identities/[^/]+"), "GetEmailIdentity"),
    ),
    "s3": (
        ("PUT", re.compile(r"/[^/]+/.+"), "PutObject"),
        ("GET", re.compile(r"/[^/]+/.+"), "GetObject"),
        ("HEAD", re.compile(r"/[^/]+/.+"), "HeadObject"),
    ),
    "securitylake": (
        ("POST", re.compile(r"/v1/datalake/logsources/custom"), "CreateCustomLogSource"),
        ("DELETE", re.compile(r"/v1/datalake/logsources/custom/[^/]+"), "DeleteCustomLogSource"),
        ("POST", re.compile(r"/v1/datalake/logsources/list"), "ListLogSources"),
        ("GET", re.compile(r"/v1/datalakes"), "ListDataLakes"),
        ("POST", re.compile(r"/v1/datalake/exceptions"), "ListDataLakeExceptions"),
    ),
    "inspector2": (
        ("POST", re.compile(r"/findings/list"), "ListFindings"),
        ("POST", re.compile(r"/findings/details/batch/get"), "BatchGetFindingDetails"),
    ),
}
"""Operations that method and path tell, by service: those that are known to matter here."""
_CODES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
"""Error codes for scripted faults that name only a status."""
_TARGET_SERVICES = {
    "AmazonSQS": "sqs",
    "DynamoDB_20120810": "dynamodb",
    "AWSEvents": "events",
    "AmazonSSM": "ssm",
    "secretsmanager": "secretsmanager",
}


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS request: ``service`` by its signing name; ``operation`` empty where unknown."""

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
    if not operation and is_form(environ):
        form = parse_qs(read_body(environ).decode("utf-8", "replace"))
        operation = form.get("Action", [""])[0]
        if not service and _is_queue_path(environ["PATH_INFO"]):
            service = "sqs"
    method, path = str(environ["REQUEST_METHOD"]), str(environ["PATH_INFO"])
    if service == "securityhub":
        operation, _ = operation_of(method, path)
    elif in_path := _CBOR_PATH.fullmatch(path):
        operation = in_path[1]
    for verb, pattern, name in _REST.get(service, ()):
        if method == verb and pattern.fullmatch(path):
            operation = name
    return Call(service, operation)


def is_form(environ: Environ) -> bool:
    kind = str(environ.get("CONTENT_TYPE", ""))
    return kind.startswith("application/x-www-form-urlencoded")


def _is_queue_path(path: str) -> bool:
    return re.fullmatch(r"/\d{12}/[\w.-]{1,80}", path) is not None


@dataclass(frozen=True, slots=True)
class Performed:
    """A request and what was answered.

    Attributes:
        body: as received. form: it is a URL-encoded form.
        status: the HTTP status. refused: nothing was done. path: of the request.
    """

    call: Call
    body: bytes
    form: bool
    status: int
    refused: bool
    path: str = "/"


class AwsApp:
    """WSGI: the endpoint of all AWS services.

    Args:
        services: the applications of our own services by signing name.
        operations: applications of single operations, as ``ssm.CreateOpsItem``.
        other: carries what is in neither: moto.
        faults: scripted failures.
        targets: further names under which faults know a call, beside ``SERVICE.Operation``.
        performed: told of each request after it was answered.
    """

    def __init__(
        self,
        services: Mapping[str, App],
        operations: Mapping[str, App],
        *,
        other: App,
        faults: Faults,
        targets: Callable[[Call], tuple[str, ...]],
        performed: Callable[[Performed], None],
    ) -> None:
        self._services = services
        self._operations = operations
        self._other = other
        self._faults = faults
        self._targets = targets
        self._performed = performed

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = read_body(environ)
        except TooLarge as error:
            return respond(start_response, 413, str(error).encode(), "text/plain")
        call = identify(environ)
        app = self._operations.get(call.target) or self._services.get(call.service, self._other)
        failing = faulty(app, self._faults, call.target, *self._targets(call))
        told: list[Any] = []

        def keep(status: str, headers: Any, *_: Any) -> None:
            told[:] = [status, headers]

        answer = b"".join(failing(environ, keep))
        status = int(told[0][:3])
        refused = status >= 400 or VERDICT_KEY in environ  # noqa: PLR2004 - HTTP's errors
        path = str(environ["PATH_INFO"])
        self._performed(Performed(call, body, is_form(environ), status, refused, path))
        if VERDICT_KEY in environ and not answer:
            return _failed(environ, start_response, status, told[1])
        start_response(*told)
        return [answer]


def _failed(
    environ: Environ, start_response: StartResponse, status: int, headers: list[tuple[str, str]]
) -> list[bytes]:
    """A scripted fault without a body, as an error that AWS clients understand."""
    code = _CODES.get(status, "ServiceUnavailable" if status >= 500 else "ValidationException")  # noqa: PLR2004
    kept = [(name, value) for name, value in headers if name.lower() == "retry-after"]
    if is_form(environ):
        xml = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            "<Message>scripted fault</Message></Error>"
            "<RequestId>sandbox</RequestId></ErrorResponse>"
        )
        return respond(start_response, status, xml.encode(), "text/xml", kept)
    body = f'{{"__type": "{code}", "message": "scripted fault"}}'.encode()
    kept.append(("x-amzn-ErrorType", code))
    return respond(start_response, status, body, JSON_1_1, kept)
