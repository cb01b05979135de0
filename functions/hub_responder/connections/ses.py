"""E-mail through Amazon SES, API v2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/.

SES says that it accepted a message, never that it was delivered; what bounces it says later, to a
configuration set's event destination. It gives messages ids and dates of its own ("Amazon SES
header fields"). There is no token that would make a call safe to repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from hub_responder import aws
from hub_responder.connections.kept import keep
from hub_responder.connections.mime import compose
from hub_responder.connections.returned import tags
from hub_responder.connections.settings import Ses, read
from hub_responder.errors import CallError, PermanentError, TransientError

if TYPE_CHECKING:
    from hub_responder.actions.base import Work
    from hub_responder.connections.resolve import Connection
    from hub_responder.markdown.document import Document
    from hub_responder.runtime import Runtime

_NOT_YET = frozenset({"TooManyRequestsException", "LimitExceededException", "ThrottlingException"})
"""Refused for now: more than the account's rate or daily quota."""
_REFUSED = {
    "AccountSuspendedException": "the account may send no e-mail any more; ask AWS Support",
    "SendingPausedException": "sending is paused, for the account or the configuration set",
    "MailFromDomainNotVerifiedException": "the sender's MAIL FROM domain is not verified",
    "MessageRejected": "SES rejected the message; while the account is in SES's sandbox, each"
    " recipient must be verified too",
    "NotFoundException": "there is no such configuration set",
}


def send(
    connection: Connection,
    document: Document,
    work: Work,
    runtime: Runtime,
    ref: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Hand the message to SES, in the incident's thread.

    Raises:
        CallError: SES refused it or did not answer; ``sent`` of a TransientError: it may have it.
    """
    settings = read(connection.settings, Ses, connection.name)
    mail = compose(connection, settings, document, work, ref)
    runtime.deadline.timeout(10.0, target=connection.name)
    request: dict[str, Any] = {
        "Destination": {"ToAddresses": list(settings.to)},
        "Content": {"Raw": {"Data": mail.content}},
    }
    if settings.configuration_set:
        request["ConfigurationSetName"] = settings.configuration_set
        incident = work.incident
        request["EmailTags"] = tags(
            runtime.stage, connection.name, incident.key, incident.gen, work.key
        )
        if settings.fallback:
            keep(document, work)
    try:
        aws.client("sesv2", region=settings.region).send_email(**request)
    except aws.ERRORS as error:
        raise _translate(error, connection.name) from error
    return mail.ref


def _translate(error: Exception, target: str) -> CallError:
    code = ""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
    told = aws.translate(error, target)
    if code in _NOT_YET:
        return TransientError(str(told), target=target, status=told.status)
    if code in _REFUSED:
        return PermanentError(f"{told}: {_REFUSED[code]}", target=target, status=told.status)
    return told
