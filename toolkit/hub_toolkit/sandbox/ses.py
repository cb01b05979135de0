"""Amazon SES, as far as the responder uses it: SendEmail of API v2 with a raw message, and what an
operator asks before: GetAccount and GetEmailIdentity, with the fields that matter.

The account is out of SES's own sandbox. Verified are the addresses that connections send as, each
through its domain; the configuration sets are those that connections name. Limits: 50 recipients,
40 MB ("Service quotas in Amazon SES"); of a message's headers some may stand once only, and SES
puts its own ``Message-ID`` and ``Date`` in their place ("Amazon SES header fields"). Which error
answers a message over a limit is not documented: ``BadRequestException`` is a guess. Recipients are
read from ``Destination`` only, never from the headers.
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
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Ses:
    """SendEmail, GetAccount, GetEmailIdentity.

    Args:
        clock: returns epoch seconds.
        mailers: the settings of the connections that use SES, by name; it may be filled later.
    """

    def __init__(
        self, clock: Callable[[], float], mailers: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._clock = clock
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
        return {"MessageId": f"0100{int(self._clock() * 1000):012x}-{uuid.uuid4()}-000000"}

    def _check_sender(self, message: EmailMessage) -> None:
        sender = email.utils.parseaddr(str(message["From"]))[1]
        if sender.rpartition("@")[2] not in self._domains():
            raise AwsError(
                "MessageRejected",
                "Email address is not verified. The following identities failed the check in"
                f" region US-EAST-1: {sender}",
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
