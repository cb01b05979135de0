"""The WSGI application: a Workflow's trigger at its signed address.

It answers 202 to every JSON object: a card that Teams does not take fails later, in the Workflow,
and the sender is not told. The inbox has it among what was refused. Texts of errors follow what
users report of Logic Apps; that a wrong signature is answered like a missing one is a guess.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from hub_toolkit.sandbox.vendors.base import (
    BodyError,
    Simulator,
    Verdict,
    json_response,
    mark,
    read_object,
)
from hub_toolkit.sandbox.vendors.teams import cards

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request

PATH = "/workflows/{id}/triggers/manual/paths/invoke"


class Teams(Simulator):
    """One Workflow.

    Args:
        workflow: its id. signature: the ``sig`` of its address, which is the secret.
    """

    def __init__(self, *, workflow: str, signature: str) -> None:
        super().__init__(
            [Rule(PATH.format(id="<workflow>"), methods=["POST"], endpoint=self._trigger)]
        )
        self._workflow = workflow
        self._signature = signature

    def unmatched(self, request: Request, error: HTTPException) -> Response:
        """Azure's way to say 404, 405 and 413."""
        mark(request, Verdict.REFUSED, error.name)
        return _error(error.code or 500, error.name.replace(" ", ""), error.name)

    def _trigger(self, request: Request, workflow: str) -> Response:
        given = request.args.get("sig", "")
        if not hmac.compare_digest(given.encode(), self._signature.encode()):
            text = "The request must be authenticated only by Shared Access scheme."
            return _error(401, "DirectApiAuthorizationRequired", text)
        if workflow != self._workflow:
            text = f"The workflow '{workflow}' could not be found."
            return _error(404, "WorkflowNotFound", text)
        try:
            message = read_object(request)
        except BodyError as error:
            return _error(400, "InvalidRequestContent", str(error))
        problem = cards.problem(message)
        if problem:
            mark(request, Verdict.REFUSED, f"the Workflow fails: {problem}")
        return Response(status=202)


def _error(status: int, code: str, message: str) -> Response:
    return json_response({"error": {"code": code, "message": message}}, status)
