"""What is fuzzed: each target takes bytes and raises only where there is a bug.

Bytes are what another system sends. What is refused as documented is no bug.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

import factories
from hostile import MESSAGE
from hub_responder import expressions, strictjson
from hub_responder.connections import returned
from hub_responder.engine import intake
from hub_responder.errors import ExpressionError, UnreadableEvent
from hub_responder.events import decode
from hub_responder.finding import Finding
from hub_responder.markdown import adaptive_card, adf, github, plain, servicenow, slack
from hub_responder.markdown.q_developer import to_client_markdown, to_title
from hub_responder.markdown.template import compile_template, render_template
from hub_responder.sync.mentioned import mentioned
from hub_responder.tickets import github_standings, jira_standings, servicenow_standings
from hub_responder.vision_one import endpoint
from hub_responder.vision_one.hits import read_hits
from hub_responder.workload_security import computer, rule
from hub_toolkit.playbooks.document import parse
from hub_toolkit.playbooks.document import plain as plain_of
from hub_toolkit.playbooks.load import examine
from hub_toolkit.playbooks.problems import PlaybookErrors

ROOT = Path(__file__).parents[2]
Target = Callable[[bytes], None]
LIMIT = 4000
REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What callers of these readers take for an answer of another shape."""


def events(data: bytes) -> None:
    """An event, and what is kept of its findings."""
    try:
        trigger = decode(data)
    except UnreadableEvent:
        return
    for finding in trigger.findings:
        kept = Finding.from_compact(msgspec.json.decode(msgspec.json.encode(finding.compact())))
        if kept.fingerprint() != finding.fingerprint():
            raise AssertionError("what is kept of a finding is another one")
    for bad in trigger.unreadable:
        if len(str(bad)) > 2000:
            raise AssertionError("an endless reason")


def messages(data: bytes) -> None:
    """A message of a playbook's queue: an event, one of our own, or an e-mail that came back."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(UnreadableEvent):
        intake.read(intake.Message("m", text, 1, False))
    with contextlib.suppress(UnreadableEvent):
        returned.decode(text)


def answers(data: bytes) -> None:
    """Answers of Vision One, Server & Workload Protection and the ticket systems."""
    for read in (endpoint.read_page, read_hits, computer.read_page, rule.read, rule.read_all):
        with contextlib.suppress(*REFUSED):
            read(data)
    endpoint.read(data)
    computer.read(data)
    try:
        held = msgspec.json.decode(data)
    except REFUSED:
        return
    if isinstance(held, dict):
        jira_standings.of(held, ())
        github_standings._standing(held)
        states = servicenow_standings.STATES["incident"]
        servicenow_standings.standing(held, states, ())


def webhooks(data: bytes) -> None:
    """Bodies of webhooks; the first byte chooses the system."""
    kind = ("jira", "github", "servicenow")[data[0] % 3] if data else "jira"
    told = {"type": kind, "repository": "a/b", "url": "https://a.example"}
    with contextlib.suppress(UnreadableEvent):
        ticket = mentioned(told, {"x-github-event": "issues"}, data[1:])
        if len(ticket.encode("utf-8", "replace")) > 512:
            raise AssertionError("an endless ticket")


def yaml(data: bytes) -> None:
    """A YAML file of the playbooks' kind."""
    with contextlib.suppress(PlaybookErrors):
        json.dumps(plain_of(parse(data.decode("utf-8", "replace"), "f")), allow_nan=False)


@cache
def _project() -> Path:
    """A project of one playbook."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    (root / "playbooks" / "fuzzed" / "templates").mkdir(parents=True)
    (root / "playbooks" / "connections.yaml").write_text(
        "connections:\n  chat: {type: slack, channel: C0123456789}\n", encoding="utf-8"
    )
    return root


def playbooks(data: bytes) -> None:
    """A playbook as `hub-responder playbook check` reads it."""
    root = _project()
    (root / "playbooks" / "fuzzed" / "playbook.yaml").write_bytes(data)
    _, problems = examine(root, "")
    for problem in problems:
        str(problem)


def templates(data: bytes) -> None:
    """A message template, an expression, and a text with one in it."""
    text = data.decode("utf-8", "replace")[:4000]
    scope = _scope()
    with contextlib.suppress(ExpressionError):
        render_template(compile_template(text), scope)
    for read in (expressions.evaluate, expressions.fill):
        with contextlib.suppress(ExpressionError):
            read(text, scope)


@cache
def _scope() -> Mapping[str, Any]:
    return factories.scope()


def values(data: bytes) -> None:
    """A value in a message, drawn for every target."""
    text = strictjson.writable(data.decode("utf-8", "surrogateescape"))
    document = render_template(MESSAGE, {"x": text}, "en")
    for drawn in _drawn(document):
        json.dumps(drawn)


def _drawn(document: Any) -> Iterator[Any]:
    yield from (slack.to_slack(document), adf.to_adf(document))
    yield adaptive_card.to_card(document, "HIGH")
    for draw in (github.to_github, servicenow.to_servicenow, plain.to_text, plain.to_markdown):
        yield draw(document, LIMIT)
    yield from (to_client_markdown(document, LIMIT), to_title(document, LIMIT))


TARGETS: Mapping[str, Target] = {
    one.__name__: one
    for one in (events, messages, answers, webhooks, yaml, playbooks, templates, values)
}

JSON = frozenset({"events", "messages", "answers"})
"""Targets whose inputs are changed as JSON, not only as bytes."""


def seeds(name: str) -> Iterator[bytes]:
    """What a target's fuzzing begins with: the examples of this repository."""
    if name in {"events", "messages"}:
        yield from (path.read_bytes() for path in sorted((ROOT / "events").glob("*.json")))
    elif name in {"yaml", "playbooks"}:
        yield from (p.read_bytes() for p in sorted(ROOT.glob("playbooks/*/playbook.yaml")))
    elif name == "templates":
        yield from (p.read_bytes() for p in sorted(ROOT.glob("playbooks/*/templates/*.j2")))
        yield b"finding.severity >= 'HIGH' and coverage.verdict in ['UNPROTECTED']"
    elif name == "answers":
        estate = json.loads(
            (ROOT / "toolkit/hub_toolkit/sandbox/estate.json").read_text(encoding="utf-8")
        )
        items = estate["vision_one"]["endpoints"]
        yield json.dumps({"items": items, "totalCount": len(items)}).encode()
        yield from (json.dumps(one).encode() for one in items)
        held = estate["workload_security"]
        yield json.dumps({"computers": held["computers"]}).encode()
        yield json.dumps({"intrusionPreventionRules": held["rules"]}).encode()
    else:
        yield b'\x00{"issue": {"key": "SEC-1", "id": "1"}, "webhookEvent": "jira:issue_updated"}'
        yield b"<b>&lt; | [x](https://a.example) *y* \xe2\x80\xae"
