"""Amazon SES, as far as the responder uses it: SendEmail of API v2 with a raw message, and what an
operator asks before: GetAccount and GetEmailIdentity, with the fields that matter.

The account is out of SES's own sandbox. Verified are the addresses that connections send as, each
through its domain; the configuration sets are those that connections name. Limits: 50 recipients,
40 MB ("Service quotas in Amazon SES"); of a message's headers some may stand once only, and SES
puts its own ``Message-ID`` and ``Date`` in their place ("Amazon SES header fields"). Which error
answers a message over a limit is not documented: ``BadRequestException`` is a guess. Recipients are
read from ``Destination`` only, never from the headers.

What goes to ``bounce@simulator.amazonses.com`` and ``complaint@simulator.amazonses.com`` comes back
at once ("Using the mailbox simulator"), as an event on the default bus where the message has a
configuration set.
"""

from __future__ import annotations

import base64
import binascii
import email.utils
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from hub_responder.clock import iso
from hub_toolkit.sandbox import mail
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.wsgi import read_body, respond

if TYPE_CHECKING:
    from email.message import EmailMessage

    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse

MAX_RECIPIENTS = 50
MAX_BYTES = 40 * 1024 * 1024
PATH = "/v2/email/outbound-emails"
ACCOUNT = "/v2/email/account"
IDENTITIES = "/v2/email/identities/"
_SIMULATED: dict[str, tuple[str, str, Callable[[str], dict[str, Any]]]] = {
    "bounce@simulator.amazonses.com": (
        "Email Bounced",
        "Bounce",
        lambda recipient: {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": recipient,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
        },
    ),
    "complaint@simulator.amazonses.com": (
        "Email Complaint Received",
        "Complaint",
        lambda recipient: {
            "complainedRecipients": [{"emailAddress": recipient}],
            "complaintFeedbackType": "abuse",
        },
    ),
}
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Ses:
    """SendEmail, GetAccount, GetEmailIdentity.

    Args:
        clock: returns epoch seconds.
        mailers: the settings of the connections that use SES, by name; it may be filled later.
        put_event: puts an event on the default bus. account, region: stand in it.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        mailers: Mapping[str, Mapping[str, Any]],
        put_event: Callable[[dict[str, Any]], object] = lambda _event: None,
        account: str = "111122223333",
        region: str = "us-east-1",
    ) -> None:
        self._clock = clock
        self._put_event = put_event
        self._account, self._region = account, region
        self._mailers = mailers
        self.app: App = self._app

    def _app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except AwsError as error:
            headers = [("x-amzn-ErrorType", error.code)]
            body = json.dumps({"message": error.message}).encode()
            return respond(start_response, error.status, body, headers=headers)
        return respond(start_response, 200, json.dumps(answer).encode())

    def _answer(self, environ: Environ) -> dict[str, Any]:
        path = str(environ["PATH_INFO"])
        if path == ACCOUNT:
            return {
                "ProductionAccessEnabled": True,
                "SendingEnabled": True,
                "EnforcementStatus": "HEALTHY",
            }
        if path.startswith(IDENTITIES):
            return self.identity(unquote(path.removeprefix(IDENTITIES)))
        return {**self.send(_request(environ))}

    def identity(self, name: str) -> dict[str, Any]:
        """A verified domain; addresses are verified through theirs, and are no identities.

        Raises:
            AwsError: there is none of this name.
        """
        if name not in self._domains():
            raise AwsError("NotFoundException", f"Email identity {name} does not exist.", 404)
        return {
            "IdentityType": "DOMAIN",
            "VerifiedForSendingStatus": True,
            "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
        }

    def _domains(self) -> set[str]:
        return {str(one["sender"]).rpartition("@")[2] for one in self._mailers.values()}

    def send(self, request: Mapping[str, Any]) -> dict[str, str]:
        """Take a message.

        Raises:
            AwsError: SES refuses it.
        """
        named = str(request.get("ConfigurationSetName") or "")
        known = {str(one.get("configuration_set") or "") for one in self._mailers.values()}
        if named and named not in known:
            raise AwsError("NotFoundException", f"Configuration set <{named}> does not exist.", 404)
        for tag in request.get("EmailTags") or ():
            if not all(_TAG.fullmatch(str(tag.get(key, ""))) for key in ("Name", "Value")):
                raise AwsError("BadRequestException", f"Invalid tag {tag.get('Name')!r}")
        try:
            message = _message(request)
        except mail.MailError as error:
            raise AwsError("BadRequestException", str(error)) from error
        self._check_sender(message)
        message_id = f"0100{int(self._clock() * 1000):012x}-{uuid.uuid4()}-000000"
        if named:
            self._come_back(request, named, message, message_id)
        return {"MessageId": message_id}

    def _come_back(
        self, request: Mapping[str, Any], named: str, message: EmailMessage, message_id: str
    ) -> None:
        """What SES says of recipients of its mailbox simulator."""
        tags = {str(tag["Name"]): [str(tag["Value"])] for tag in request.get("EmailTags") or ()}
        at = iso(self._clock())
        mail_ = {
            "timestamp": at,
            "source": str(message["From"]),
            "messageId": message_id,
            "destination": _recipients(request),
            "commonHeaders": {"subject": str(message["Subject"])},
            "tags": {"ses:configuration-set": [named], **tags},
        }
        for recipient in _recipients(request):
            for what, (kind, event_type, told) in _SIMULATED.items():
                if recipient == what:
                    key = event_type.lower()
                    feedback = {**told(recipient), "timestamp": at, "feedbackId": str(uuid.uuid4())}
                    detail = {"eventType": event_type, "mail": mail_, key: feedback}
                    self._put_event(self._event(kind, detail))

    def _event(self, kind: str, detail: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": kind,
            "source": "aws.ses",
            "account": self._account,
            "time": iso(self._clock()),
            "region": self._region,
            "resources": [],
            "detail": dict(detail),
        }

    def _check_sender(self, message: EmailMessage) -> None:
        sender = email.utils.parseaddr(str(message["From"]))[1]
        if sender.rpartition("@")[2] not in self._domains():
            raise AwsError(
                "MessageRejected",
                "Email address is not verified. The following identities failed the check in"
                f" region {self._region.upper()}: {sender}",
            )


def shown(body: bytes) -> dict[str, Any]:
    """The message in the body of a request, as the inbox shows it; with its tags.

    Raises:
        MailError: there is none.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise mail.MailError("no JSON") from None
    if not isinstance(request, dict):
        raise mail.MailError("no object")
    tags = {str(tag.get("Name")): tag.get("Value") for tag in request.get("EmailTags") or ()}
    return {**mail.shown(_message(request), _recipients(request)), "tags": tags}


def _request(environ: Environ) -> dict[str, Any]:
    if environ["PATH_INFO"] != PATH:
        raise AwsError("UnknownOperationException", "The sandbox has SES's API v2 only.")
    try:
        request = json.loads(read_body(environ))
    except (ValueError, RecursionError):
        raise AwsError("BadRequestException", "The request body is no JSON") from None
    if not isinstance(request, dict):
        raise AwsError("BadRequestException", "The request body is no object")
    return request


def _message(request: Mapping[str, Any]) -> EmailMessage:
    content = request.get("Content")
    if not isinstance(content, Mapping) or set(content) != {"Raw"}:
        raise mail.MailError("The sandbox takes Content.Raw only")
    try:
        data = base64.b64decode(str(content["Raw"].get("Data", "")), validate=True)
    except (binascii.Error, AttributeError):
        raise mail.MailError("Content.Raw.Data is no base64") from None
    if len(data) > MAX_BYTES:
        raise mail.MailError(f"Message length is more than {MAX_BYTES} bytes")
    recipients = _recipients(request)
    if not recipients:
        raise mail.MailError("There is no recipient")
    if len(recipients) > MAX_RECIPIENTS:
        raise mail.MailError(f"Recipient count exceeds {MAX_RECIPIENTS}")
    return mail.parsed(data)


def _recipients(request: Mapping[str, Any]) -> list[str]:
    to = request.get("Destination") or {}
    return [str(one) for kind in ("To", "Cc", "Bcc") for one in to.get(f"{kind}Addresses") or ()]
