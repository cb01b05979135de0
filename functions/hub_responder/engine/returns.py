"""Messages that came back: recorded with their incident, told, and sent again another way.

What bounced reached nobody there, so its text goes through the connection's ``fallback``, once; a
complaint is told only: that message arrived.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub_responder import clock, observability
from hub_responder.actions.base import Work, line
from hub_responder.connections import channels, returned
from hub_responder.connections.kept import KEPT_S, Kept, read
from hub_responder.connections.resolve import named
from hub_responder.engine import notice
from hub_responder.errors import CallError, ConfigurationError, PausedError, TransientError
from hub_responder.finding import Resource
from hub_responder.incident import Incident
from hub_responder.ledger.operations import number
from hub_responder.ledger.transaction import Part
from hub_responder.markdown.document import Block, Document, Heading, Paragraph, Quote, Value
from hub_responder.severity import Severity

if TYPE_CHECKING:
    from hub_responder.audit import Audit
    from hub_responder.connections.returned import Returned
    from hub_responder.ledger.store import Ledger
    from hub_responder.runtime import Runtime

LEASE_S = 120
"""How long one run has for it; then another may take it up."""


def take(came: Returned, runtime: Runtime, ledger: Ledger, audit: Audit) -> None:
    """Record it, tell it, and send its text through the fallback.

    An event that comes again changes nothing.

    Raises:
        TransientError: something does not answer now, or it is paused; nothing was recorded as
            done.
    """
    fields: dict[str, Any] = {
        "trigger": {"kind": "mail", "event_id": came.event_id},
        "incident": came.incident,
        "gen": came.gen,
        "step": "_returned",
        "uses": "notify",
    }
    why = f"e-mail through {came.connection} {came.why}"
    attempt = audit.record("attempt", **fields, detail=line(why))
    fields["key"] = attempt["id"]
    claim = _claim(came)
    (lost,) = ledger.submit([Part([claim], [attempt], (came.playbook,))])
    if lost is not None and lost.paused is not None:
        raise PausedError(f"paused {lost.paused.said}", target=came.connection)
    if lost is not None:
        held = lost.found.get(claim["Put"]["Item"]["sk"]["S"], {})
        if "until" in held:
            raise TransientError("another run is at this message", target=came.connection)
        return
    observability.count("MailReturned")
    what = ""
    items: list[Any] = []
    if not came.delivered:
        what, items = _again(came, why, runtime)
    told = notice.tell_returned([why, *filter(None, [what])], runtime)
    detail = line("; ".join(filter(None, [why, what, told])))
    outcome = audit.record("returned", **fields, status="done", detail=detail)
    ledger.submit([Part([_mark(came, {}), *items], [outcome])])


def _again(came: Returned, why: str, runtime: Runtime) -> tuple[str, list[Any]]:
    """What became of its text, and what the ledger is to keep of that.

    Raises:
        TransientError: the fallback does not answer now.
    """
    try:
        own = named(runtime.playbook, came.connection)
        fallback = own.settings.get("fallback")
        if not fallback:
            return "it has no fallback", []
        kept = read(runtime.playbook.name, came.effect)
        if kept is None:
            return "its text is not kept any more, or was sent again before", []
        other = named(runtime.playbook, fallback)
        # A fallback has none of its own here: two that name each other would never come to rest.
        other = replace(other, settings={**other.settings, "fallback": ""})
        work = _work(came, kept)
        channels.find(other).send(other, _document(kept, why), work, runtime, {})
    except TransientError:
        raise
    except (CallError, ConfigurationError) as error:
        return f"the fallback: {error}", []
    told = returned.key_of(runtime.playbook.name, came.effect)
    return f"sent through {other.name}, the fallback", [_put({**told, "expires": _end()})]


def _document(kept: Kept, why: str) -> Document:
    """The message's text as it was, below why it comes this way."""
    lines = kept.text.split("\n")
    rest = lines[1:] if lines[0].strip() == kept.title else lines
    quoted: list[Block] = [Paragraph((Value(one),)) for one in rest if one.strip()]
    blocks = (Heading(1, (Value(kept.title),)), Paragraph((Value(why),)), Quote(tuple(quoted)))
    return Document(blocks, kept.language)


def _work(came: Returned, kept: Kept) -> Work:
    """What channels ask of an incident, as far as it was kept."""
    incident = Incident(
        key=came.incident,
        group=(),
        gen=came.gen,
        round=1,
        findings=(),
        count=0,
        new=0,
        resource=Resource(type="", id=kept.resource),
        severity=Severity(kept.severity),
        change="opened",
    )
    key = hashlib.sha256(f"{came.effect}|returned".encode()).hexdigest()[:40]
    return Work(incident, None, key)


def _claim(came: Returned) -> dict[str, Any]:
    """Nobody has it, or whoever had it did not come to the end; a mark without ``until`` says that
    it is done."""
    claim = _mark(came, {"until": number(int(clock.now()) + LEASE_S)})
    claim["Put"] |= {
        "ConditionExpression": "attribute_not_exists(pk) OR #until < :now",
        "ExpressionAttributeNames": {"#until": "until"},
        "ExpressionAttributeValues": {":now": number(int(clock.now()))},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return claim


def _mark(came: Returned, attributes: Mapping[str, Any]) -> dict[str, Any]:
    event = hashlib.sha256(came.event_id.encode("utf-8", "replace")).hexdigest()[:32]
    key = returned.key_of(came.playbook, f"{came.effect}#{event}")
    return _put({**key, "expires": _end(), **attributes})


def _end() -> dict[str, str]:
    return number(int(clock.now()) + KEPT_S)


def _put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": os.environ["LEDGER_TABLE"], "Item": item}}
