"""A webhook of a ticket system says which ticket to look at, and nothing more.

Its body is not believed: the ticket is looked up in the ledger, what has become of it is asked of
its system, and that goes the way of the scheduled walk (`follow`). So a request that is recorded
and sent again does no harm. It could make us ask too often: each ticket has a meter of its own,
beside that of its connection. Whatever is missed here the walk finds within minutes.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from hub_responder import observability, pace
from hub_responder.errors import CallError, ConfigurationError, UnreadableEvent
from hub_responder.pace import Rate
from hub_responder.sync.follow import Follower
from hub_responder.sync.genuine import genuine
from hub_responder.sync.keys import Keys
from hub_responder.sync.mentioned import mentioned

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.sync.plan import Plan
    from hub_responder.sync.request import Request

NAME = "ticket-webhook"
MAX_BODY = 1024 * 1024
"""Bytes. Jira sends the whole issue; one that is larger is left to the walk."""
RATE = Rate(10, 3)
"""How often one ticket is asked about: three webhooks at once are common (a comment, a transition,
what an automation does then), ten in a minute are not."""


class Receiver:
    """Takes the webhooks of a stage; one for each process, since it holds keys.

    Args:
        planned: whose tickets are followed. stage: names the secrets.
    """

    def __init__(self, planned: Plan, stage: str) -> None:
        self._planned = planned
        self._hooked = planned.hooked
        self._keys = Keys(stage)

    def receive(self, request: Request, deadline: Deadline, request_id: str) -> HTTPStatus:
        """What is answered. 503 lets a sender try again that does so.

        An unknown connection and a wrong signature are answered alike: 401.
        """
        if request.method != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        if len(request.body) > MAX_BODY:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        name = request.path
        try:
            if name not in self._hooked or not self._signed(name, request):
                return HTTPStatus.UNAUTHORIZED
            observability.begin(request_id, NAME, 1)
            return self._followed(name, request, deadline, request_id)
        except UnreadableEvent:
            return HTTPStatus.BAD_REQUEST
        except (CallError, ConfigurationError) as error:
            extra = {"connection": name, "error": str(error)}
            observability.logger().warning("a webhook is not followed", extra=extra)
            return HTTPStatus.SERVICE_UNAVAILABLE

    def _signed(self, name: str, request: Request) -> bool:
        kind = str(self._hooked[name]["type"])
        key = self._keys.held(name)
        if genuine(kind, key, request.headers, request.body):
            return True
        newer = self._keys.newer(name)
        return newer != key and genuine(kind, newer, request.headers, request.body)

    def _followed(
        self, name: str, request: Request, deadline: Deadline, request_id: str
    ) -> HTTPStatus:
        ticket = mentioned(self._hooked[name], request.headers, request.body)
        if not ticket:
            return HTTPStatus.NO_CONTENT
        trigger = {"kind": "webhook", "event_id": "", "connection": name}
        follower = Follower(self._planned, deadline, request_id, trigger)
        found = follower.store.find(self._planned.playbooks, name, ticket)
        if not found:
            return HTTPStatus.NO_CONTENT
        meter = pace.of(name, RATE, ticket)
        if meter is not None:
            meter.take(name, follower.runtime.patience, deadline)
        standing = follower.ask(name, [ticket]).get(ticket)
        taken = [follower.take(pointer, standing) for pointer in found]
        extra = {"connection": name, "decided": dict(follower.counts)}
        observability.logger().info("webhook", extra=extra)
        return HTTPStatus.NO_CONTENT if all(taken) else HTTPStatus.SERVICE_UNAVAILABLE
