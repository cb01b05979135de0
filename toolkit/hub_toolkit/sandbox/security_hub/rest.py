"""The REST-JSON API of Security Hub over WSGI.

Methods and paths are those of the API reference. An ARN in a path holds slashes of its own, so it
is everything that follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from hub_toolkit.sandbox.aws_json import Service, read_request, respond_failed, respond_ok
from hub_toolkit.sandbox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

JSON = "application/json"

_FIXED = {
    ("POST", "/findings/import"): "BatchImportFindings",
    ("PATCH", "/findings/batchupdate"): "BatchUpdateFindings",
    ("POST", "/findings"): "GetFindings",
    ("POST", "/actionTargets"): "CreateActionTarget",
    ("POST", "/actionTargets/get"): "DescribeActionTargets",
    ("POST", "/insights"): "CreateInsight",
    ("POST", "/insights/get"): "GetInsights",
    ("POST", "/ticketsv2"): "CreateTicketV2",
    ("GET", "/accounts"): "DescribeHub",
    ("POST", "/accounts"): "EnableSecurityHub",
    ("POST", "/standards/get"): "GetEnabledStandards",
}
_WITH_ARN = (
    ("PATCH", "/actionTargets/", "UpdateActionTarget", "ActionTargetArn"),
    ("DELETE", "/actionTargets/", "DeleteActionTarget", "ActionTargetArn"),
    ("GET", "/insights/results/", "GetInsightResults", "InsightArn"),
    ("PATCH", "/insights/", "UpdateInsight", "InsightArn"),
    ("GET", "/connectorsv2/", "GetConnectorV2", "ConnectorId"),
    ("DELETE", "/insights/", "DeleteInsight", "InsightArn"),
)


def operation_of(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The operation that a request is for and what its path says; empty where there is none."""
    if (method, path) in _FIXED:
        return _FIXED[method, path], {}
    for verb, prefix, operation, member in _WITH_ARN:
        if method == verb and path.startswith(prefix) and len(path) > len(prefix):
            return operation, {member: path.removeprefix(prefix)}
    return "", {}


def rest_app(service: Service) -> App:
    """A WSGI application over the service."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method, path = str(environ["REQUEST_METHOD"]), _path(environ)
        operation, members = operation_of(method, path)
        try:
            if not operation:
                raise _no_operation(method, path)
            request: dict[str, Any] = {**read_request(environ), **members}
            for name, values in parse_qs(str(environ.get("QUERY_STRING", ""))).items():
                request[name] = values[0]
            answer = service.handle(operation, request)
        except AwsError as error:
            return respond_failed(start_response, error, JSON)
        return respond_ok(start_response, answer, JSON)

    return app


def _no_operation(method: str, path: str) -> AwsError:
    return AwsError(
        "UnknownOperationException", f"The sandbox has no {method} {path[:200]} here.", 404
    )


def _path(environ: Environ) -> str:
    # WSGI hands out the bytes of the path as Latin-1.
    return str(environ.get("PATH_INFO", "")).encode("latin-1").decode(errors="replace")
