"""Every error that hub_responder raises on purpose.

HubResponderError
├── UnreadableEvent       a message that is no Security Hub event: to the DLQ with its reason
├── UnreadableFinding     one finding that cannot be decoded: recorded, its neighbours go on
├── ConfigurationError    a playbook, connection or secret that is wrong: nothing is changed
├── ExpressionError       an expression or template that cannot be evaluated: nothing is changed
└── CallError             a call to another system failed
    ├── TransientError    timeout, 429, 5xx, reset, no time left: it can help to try again
    │   ├── PacedError       its turn is later: nothing was sent
    │   ├── PausedError      an operator paused it: nothing was sent, and no time is used up
    │   └── IncompleteError  not answered to its end, or not soundly: what was read proves nothing
    └── PermanentError    4xx, refused, wrong shape: trying again does not help
        └── DeniedError   401 or 403: the credential or its permission is wrong
"""

from __future__ import annotations

from hub_responder.masking import masked


class HubResponderError(Exception):
    """Base of all. The text says what happened, to what, and what to do; it holds no secret: those
    that this process has read are masked, whoever has put them there."""

    def __init__(self, message: str = "") -> None:
        super().__init__(masked(message))


class UnreadableEvent(HubResponderError):  # noqa: N818 - reads as the fact that is recorded
    """The message is not a Security Hub event that we know."""


class UnreadableFinding(HubResponderError):  # noqa: N818 - reads as the fact that is recorded
    """A finding lacks what it cannot be handled without.

    Args:
        message: what is wrong.
        field: dotted path of the field in the finding, as ``Severity.Label``.
        finding_id: the finding's id where it is readable, else an empty string.
    """

    def __init__(self, message: str, *, field: str, finding_id: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.finding_id = finding_id


class ConfigurationError(HubResponderError):
    """A playbook, connection, secret or environment variable is missing or wrong."""


class ExpressionError(HubResponderError):
    """An expression or template cannot be evaluated."""


class CallError(HubResponderError):
    """A call to another system failed.

    Args:
        message: what happened, without secrets and without unbounded text of the other system.
        target: the system or connection, as ``slack`` or ``securityhub.BatchUpdateFindings``.
        status: the HTTP status where there was an answer.
        sent: whether the request may have reached the system; an effect is then in doubt.
    """

    def __init__(
        self, message: str, *, target: str, status: int | None = None, sent: bool = False
    ) -> None:
        super().__init__(message)
        self.target = target
        self.status = status
        self.sent = sent


class TransientError(CallError):
    """It can help to try again, after ``retry_after`` seconds where the system named them."""

    def __init__(
        self,
        message: str,
        *,
        target: str,
        status: int | None = None,
        sent: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, target=target, status=status, sent=sent)
        self.retry_after = retry_after


class PacedError(TransientError):
    """Too many were before it, or its target asked to be left alone: nothing was sent. Its turn is
    in ``retry_after`` seconds, which is no one else's."""


class PausedError(TransientError):
    """An operator paused it: nothing was sent, and waiting uses up no patience."""


class IncompleteError(TransientError):
    """It was not answered to its end, or not soundly: what was read proves nothing."""


class PermanentError(CallError):
    """Trying again does not help."""


class DeniedError(PermanentError):
    """401 or 403: the credential is wrong, expired or lacks a permission."""
