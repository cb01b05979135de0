"""E-mail: SES's account and the sender's identity; an SMTP server's login, without a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub_responder import aws, secrets
from hub_responder.connections import smtp as servers
from hub_responder.connections.settings import Ses, Smtp, read
from hub_toolkit.checks.asker import Asker
from hub_toolkit.checks.told import Told, good, wrong

_MISSING = "NotFoundException"


def ses(asker: Asker) -> Iterator[Told]:
    """Whether the account may send, and the sender is verified."""
    settings = read(asker.connection.settings, Ses, asker.name)
    client = aws.client("sesv2", region=settings.region)
    try:
        yield from _account(client.get_account())
        yield _identity(client, settings.sender)
    except aws.ERRORS as error:
        do = "may you look (ses:GetAccount, ses:GetEmailIdentity), and is `region` right?"
        yield wrong("access", str(aws.translate(error, "ses")), do)


def _account(held: dict[str, Any]) -> Iterator[Told]:
    if held.get("SendingEnabled") is False:
        do = "see in SES why, and ask AWS Support"
        yield wrong("access", "the account may not send e-mail", do)
    elif held.get("ProductionAccessEnabled") is False:
        said = "the account is in SES's sandbox: each recipient must be verified too"
        yield Told("access", "warning", said, "request production access in SES")
    else:
        yield good("access", "the account may send")


def _identity(client: Any, sender: str) -> Told:
    """The address itself, else its domain."""
    for name in (sender, sender.rpartition("@")[2]):
        try:
            held = client.get_email_identity(EmailIdentity=name)
        except aws.ERRORS as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code != _MISSING:
                raise
            continue
        if not held.get("VerifiedForSendingStatus"):
            do = "do what SES asks for: DNS records of a domain, the link sent to an address"
            return wrong("place", f"{name} is not verified yet", do)
        if held.get("DkimAttributes", {}).get("Status") != "SUCCESS":
            said = f"{name} is verified, but not signed (DKIM): mail may end as spam"
            return Told("place", "warning", said, "set up Easy DKIM in SES")
        return good("place", f"{name} is verified and signed")
    do = "make an identity of its domain in SES, in this region"
    return wrong("place", f"{sender} is no identity here, nor is its domain", do)


def smtp(asker: Asker) -> Iterator[Told]:
    """A session with the server that ends after the login."""
    settings = read(asker.connection.settings, Smtp, asker.name)
    login = servers.login_of(secrets.get(asker.stage, asker.name), asker.name)
    with servers.connected(asker.name, settings, asker.deadline) as session:
        session.log_in(*login)
    yield good("access", "the server takes the login")
    said = "whether it lets this user send as the sender shows no read"
    yield Told("place", "unproved", said, "it can only be proved by --send-test")
