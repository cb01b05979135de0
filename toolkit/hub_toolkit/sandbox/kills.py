"""Kills a worker just before or after one of its effects, as scripted by faults.

An effect is a request from a Lambda worker that changes something outside: a POST, PUT, PATCH or
DELETE to a vendor that neither searches nor asks for a token, or one of `AWS_EFFECTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.vendors.base import VERDICT_KEY
from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, respond_error

if TYPE_CHECKING:
    from hub_toolkit.sandbox.faults import Faults

AWS_EFFECTS = frozenset(
    {
        "sns.Publish",
        "sns.PublishBatch",
        "ses.SendEmail",
        "ssm.CreateOpsItem",
        "ssm.UpdateOpsItem",
        "ssm.SendCommand",
        "lambda.Invoke",
        "states.StartExecution",
        "s3.PutObject",
        "kinesis.PutRecords",
        "securityhub.BatchUpdateFindings",
        "securityhub.CreateTicketV2",
    }
)
_ASKING = ("/search", "/graphql", "/oauth_token.do")
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Kills:
    """Stands around the applications that have effects.

    Args:
        faults: tells when a kill is due.
        kill: kills the worker that owns the connection from this local port; False if none does.
        is_worker: whether a worker owns the connection from this local port.
    """

    def __init__(
        self, faults: Faults, kill: Callable[[int], bool], is_worker: Callable[[int], bool]
    ) -> None:
        self._faults = faults
        self._kill = kill
        self._is_worker = is_worker

    def around(self, app: App, is_effect: Callable[[Environ], bool]) -> App:
        """``app``, with the workers that call it dying where a fault says so."""

        def wrapped(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            port = int(environ.get("REMOTE_PORT") or 0)
            if not self._pending() or not is_effect(environ) or not self._is_worker(port):
                return app(environ, start_response)
            if self._faults.take_kill("before_effect"):
                self._kill(port)
                return respond_error(start_response, 503, "the caller was killed")
            status = ""

            def watch(line: str, *rest: Any) -> Any:
                nonlocal status
                status = line
                return start_response(line, *rest)

            answer = list(app(environ, watch))
            happened = status < "4" and VERDICT_KEY not in environ
            if happened and self._faults.take_kill("after_effect"):
                self._kill(port)
            return answer

        return wrapped

    def _pending(self) -> bool:
        return any(fault.get("kill") for fault in self._faults.pending())


def is_vendor_effect(environ: Environ) -> bool:
    """Whether a request to a vendor would change something."""
    path = str(environ.get("PATH_INFO", ""))
    return environ["REQUEST_METHOD"] in _METHODS and not any(part in path for part in _ASKING)
