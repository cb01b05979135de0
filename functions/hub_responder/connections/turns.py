"""Deliveries take turns: how often a connection is written to, and when it is left alone.

All functions together keep to a connection's rate, through its meter in the ledger (`pace`). A
target that answers 429, or names a time to wait, is left alone by all of them until then. One that
does not answer at all is left alone by this process for a moment, which is the rest of its batch:
one incident found out, the others are put back without asking. Other places are not concerned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from hub_responder import clock, pace
from hub_responder.deadline import RESERVE_S
from hub_responder.errors import PacedError, TransientError
from hub_responder.pace import Rate
from hub_responder.retry import TOO_MANY

if TYPE_CHECKING:
    from hub_responder.connections.resolve import Connection
    from hub_responder.runtime import Runtime

RATES: Mapping[str, Rate] = {
    # "1 per second", "short bursts >1 allowed", per channel:
    # https://docs.slack.dev/apis/web-api/rate-limits
    "slack": Rate(60, 3),
    "slack_webhook": Rate(60, 3),
    # A guess: what a Workflow takes is not documented. Teams lets a bot write 60 messages in 30 s
    # into a conversation: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
    "teams": Rate(60, 3),
    # An account that SES has not let out of its sandbox sends one mail a second:
    # https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html
    "ses": Rate(60, 5),
    # "30 messages per minute", and a mailbox that sends more is throttled:
    # https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits
    "smtp": Rate(30, 3),
    # A topic takes thousands a second; Amazon Q writes what it gets into one channel of Slack or
    # Teams, each of which takes about one a second, as above.
    "sns": Rate(60, 3),
    # A guess: ten a second, and at once what a batch brings. It is a program of one's own, which
    # may be small; one that takes less says so by 429.
    "webhook": Rate(600, 60),
    # "120 per minute" and integration key, says PagerDuty's support of the Events API.
    "pagerduty": Rate(120, 12),
    # 100 POST a second, 20 writes to one issue in 2 s; a tenth leaves others room:
    # https://developer.atlassian.com/cloud/jira/platform/rate-limiting
    "jira": Rate(600, 60),
    # A guess: what an administrator allows, if anything ("Improving instance stability with rate
    # limiting", Jira's administration guide); half of Cloud's.
    "jira_data_center": Rate(300, 30),
    # 80 requests that create content in a minute, and 500 in an hour; this keeps to both:
    # https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    "github": Rate(500, 72, 3600),
    # A guess: what OpsCenter takes is not documented. A call here is one or two requests.
    "opscenter": Rate(300, 30),
    # "All other operations": 10 a second, 30 at once, of the account; half leaves others room:
    # https://docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html
    "security_hub": Rate(300, 15),
}
"""Type of connection -> how often it is written to; those that are not here have no meter."""
PER_PLACE = frozenset({"slack"})
"""Types whose rate is each channel's own."""
HOLD_S = 30.0
"""How long a target is left alone that refused for too many requests and does not say for how
long."""
SILENT_S = 15.0
"""How long this process leaves a target alone that did not answer."""
_GATEWAYS = frozenset({502, 503, 504})  # nobody behind them answers: no request of ours is to blame


class Lane:
    """What this process knows of one place that is delivered to."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._alone_until = 0.0
        self._why = ""
        self._asked = False

    def check(self) -> None:
        """Whether it can be asked.

        Raises:
            TransientError: it did not answer a moment ago, or asked to be left alone;
                ``retry_after`` is then what is left of that time.
        """
        left = self._alone_until - clock.now()
        if 0 < left <= pace.MAX_HOLD_S:
            raise TransientError(
                f"not asked, since a moment ago: {self._why}",
                target=self._name,
                retry_after=left if self._asked else None,
            )

    def leave_alone(self, seconds: float, why: str, *, asked: bool = False) -> None:
        """Nobody of this process asks for so long, which it ``asked`` for or which is a guess."""
        self._alone_until, self._why, self._asked = clock.now() + seconds, why, asked


@lru_cache(maxsize=256)
def _lane(name: str, _place: str) -> Lane:
    return Lane(name)


def forget() -> None:
    """Drop what the process knows of targets."""
    _lane.cache_clear()


@contextmanager
def turn(connection: Connection, runtime: Runtime) -> Iterator[None]:
    """Deliver inside it: when it is this one's turn, and the target is not left alone.

    Raises:
        PacedError: it is not; nothing was sent.
        TransientError: the target did not answer somebody else a moment ago; nothing was sent. Or
            what the delivery raises.
    """
    place = str(connection.settings.get("channel", "")) if connection.type in PER_PLACE else ""
    lane = _lane(connection.name, place)
    lane.check()
    rate = RATES.get(connection.type)
    metered = pace.of(connection.name, rate, place) if rate else None
    if metered is not None:
        metered.turn(runtime.patience, runtime.deadline)
    try:
        yield
    except PacedError:
        raise
    except TransientError as error:
        if error.target != connection.name or runtime.deadline.left() <= RESERVE_S + 1:
            raise  # a secret cannot be read, or there was no time for an answer
        named = error.status is not None and error.retry_after is not None
        if named or error.status == TOO_MANY:
            seconds = HOLD_S if error.retry_after is None else error.retry_after
            if metered is not None:
                metered.hold(seconds, runtime.deadline)
            else:
                lane.leave_alone(min(seconds, pace.MAX_HOLD_S), str(error), asked=True)
        elif error.retry_after is not None:
            pass  # it answered: what became of one ticket is not certain yet
        elif error.status is None or error.status in _GATEWAYS:
            lane.leave_alone(SILENT_S, str(error))
        raise
