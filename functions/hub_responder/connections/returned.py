"""What SES says later of a message that it accepted: it bounced, was a complaint, or was rejected.

SES tells a configuration set's event destinations, of which one is EventBridge's default bus; the
message's tags say whose it was. Sources: "Monitoring SES events using Amazon EventBridge" (names of
the events; delivery is best effort, an event may come twice), "Contents of event data that Amazon
SES publishes" (bounce, complaint and reject objects). A bounce that is not permanent comes once SES
has given up trying.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from hub_responder.errors import UnreadableEvent
from hub_responder.fields import Fields, Report

SOURCE = "aws.ses"
KINDS = {
    "Email Bounced": "bounce",
    "Email Complaint Received": "complaint",
    "Email Rejected": "reject",
}
"""The event's detail-type -> the object in it."""
PLAYBOOK, STAGE = "hub-responder-playbook", "hub-responder-stage"
INCIDENT, GEN = "hub-responder-incident", "hub-responder-gen"
CONNECTION, EFFECT = "hub-responder-connection", "hub-responder-effect"
"""Tags of a message: letters, digits, ``-`` and ``_`` only (API reference, MessageTag)."""
MAX_RECIPIENTS = 50
_FORMS = {
    PLAYBOOK: re.compile(r"[a-z0-9-]{1,64}"),
    INCIDENT: re.compile(r"[0-9a-f]{64}"),
    GEN: re.compile(r"[1-9]\d{0,8}"),
    CONNECTION: re.compile(r"[a-z0-9-]{1,64}"),
    EFFECT: re.compile(r"[0-9a-f]{40}"),
}
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that did not reach somebody, or that nobody wanted.

    Attributes:
        event_id, at: of SES's event (epoch seconds).
        playbook: whose it was.
        delivered: it arrived, and was called spam.
        incident: the partition of the incident in the ledger; gen: its life.
        effect: the key of the effect that the message was.
        why: what happened and to whom, in one line.
    """

    event_id: str
    at: float
    playbook: str
    delivered: bool
    incident: str
    gen: int
    connection: str
    effect: str
    why: str


def is_mail(body: str) -> bool:
    """Whether a queue message may be an event of SES's; `decode` looks closer."""
    return f'"{SOURCE}"' in body


def decode(body: str) -> Returned | None:
    """What SES says of a message of ours; None where the event is another service's.

    Raises:
        UnreadableEvent: it is SES's, but not about a message of ours.
    """
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(event, dict) or event.get("source") != SOURCE:
        return None
    top = Fields(event, "", Report())
    what = KINDS.get(top.text("detail-type", 128))
    detail, at, event_id = top.child("detail"), top.time("time"), top.text("id", 128)
    if what is None or not event_id or at is None:
        raise UnreadableEvent(f"an event of SES that is none of ours: {top.text('detail-type')!r}")
    found = _tags(detail)
    return Returned(
        event_id=event_id,
        at=at,
        playbook=found[PLAYBOOK],
        delivered=what == "complaint",
        incident=f"{found[PLAYBOOK]}#{found[INCIDENT]}",
        gen=int(found[GEN]),
        connection=found[CONNECTION],
        effect=found[EFFECT],
        why=_why(detail.child(what), what),
    )


def _tags(detail: Fields) -> dict[str, str]:
    held = detail.child("mail").child("tags")
    found = {name: next(iter(held.texts(name, 1)), "") for name in _FORMS}
    if not all(form.fullmatch(found[name]) for name, form in _FORMS.items()):
        raise UnreadableEvent("an event of SES about a message without our tags")
    return found


def _why(what: Fields, kind: str) -> str:
    """What happened, with its codes and to whom; what another server said is not repeated."""
    if kind == "reject":
        return "SES rejected it: it holds something that SES takes for a virus"
    if kind == "complaint":
        named = _addresses(what, "complainedRecipients")
        return f"called spam by {named}"
    type_ = " ".join(filter(None, (what.text("bounceType", 40), what.text("bounceSubType", 40))))
    codes = {one.text("status", 20) for one in what.children("bouncedRecipients", MAX_RECIPIENTS)}
    told = sorted(code for code in codes if _STATUS.fullmatch(code))
    named = _addresses(what, "bouncedRecipients")
    return f"did not reach {named} ({', '.join([type_ or 'bounced', *told[:3]])})"


def _addresses(what: Fields, key: str) -> str:
    """The first recipients by name, the others by number."""
    found = [one.text("emailAddress", 254) for one in what.children(key, MAX_RECIPIENTS)]
    named = [address for address in found if address][:3]
    more = [f"{len(found) - len(named)} more"] if len(found) > len(named) else []
    return ", ".join([*named, *more]) or "somebody"


def tags(stage: str, connection: str, incident: str, gen: int, effect: str) -> list[dict[str, str]]:
    """The tags of a message about an incident, for `decode`."""
    playbook, _, digest = incident.partition("#")
    told = {
        PLAYBOOK: playbook,
        STAGE: stage,
        INCIDENT: digest,
        GEN: str(gen),
        CONNECTION: connection,
        EFFECT: effect,
    }
    return [{"Name": name, "Value": value} for name, value in told.items()]


def key_of(playbook: str, effect: str) -> dict[str, Any]:
    """The ledger's key of what is kept of a message that SES took."""
    return {"pk": {"S": f"{playbook}#mail"}, "sk": {"S": effect}}
