"""Every request that an issue of Jira has in its life, wherever Jira runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hostile import message
from hub_responder.markdown.document import Document, Heading, Paragraph, Text
from hub_responder.tickets.ticket import Draft, TicketSystem
from loopback import Request
from request_schema import keep_to

FIRST, SECOND = "SEC-1", "SEC-2"
WHY = Document((Heading(1, (Text("Settled"),)), Paragraph((Text("*Nothing* is [open]."),))))


def ask_everything(system: TicketSystem, assignee: str) -> None:
    """Open two issues with all that a draft can have, change one in every way, ask about it."""
    draft = Draft(
        message("<!channel> {{ x }}\n" * 200),
        "ab" * 20,
        priority="High",
        due=1_795_017_600.0,
        labels=("two words",),
        components=("Cloud",),
        assignee=assignee,
        fields={"customfield_10010": "x"},
    )
    system.open(draft)
    system.open(Draft(WHY, "cd" * 20, in_doubt=True, attempted_at=0.0))
    system.comment(FIRST, message("x" * 40_000), "m", in_doubt=False)
    system.close(FIRST, WHY, "m2", in_doubt=False)
    system.reopen(FIRST, WHY, "m3", in_doubt=False)
    system.prioritise(FIRST, "Low")
    system.link(SECOND, FIRST)
    system.standings([FIRST])


def keep_to_schema(vendor: str, requests: Sequence[Request], api: str) -> None:
    """They keep to the vendor's schemas; ``api`` is the path before their names."""

    def named(request: Request) -> str:
        path = re.sub(r"/SEC-\d+", "/KEY", request.path.removeprefix(api))
        return f"{request.method} {path}"

    keep_to(vendor, requests, named)
    bodies = [one for one in requests if one.body]
    assert all(one.headers["content-type"].startswith("application/json") for one in bodies)
