"""Audit records by playbook, and what a review says of them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from hub_responder.playbook import Triggers
from hub_toolkit.playbooks.connections import Connections
from hub_toolkit.playbooks.format import Source
from hub_toolkit.playbooks.load import Project
from hub_toolkit.playbooks.problems import Place
from hub_toolkit.playbooks.settings import Settings
from hub_toolkit.trail import observed, reviewed
from hub_toolkit.trail.activity import by_playbook
from hub_toolkit.trail.printed import print_observed, print_review, print_suppressions
from hub_toolkit.trail.suppressions import Suppression

AT = "2026-11-22T00:00:00.000Z"


def record(kind: str, playbook: str = "one", **fields: Any) -> dict[str, Any]:
    return {"at": AT, "kind": kind, "playbook": playbook, **fields}


RECORDS = [
    record("opened", findings=["a", "b"]),
    record("joined", findings=["c"]),
    record("decided", findings=["a"], conditions={"x": True, "y": True}),
    record("skipped", findings=["d"], conditions={"x": False, "y": True}, detail="not so: x"),
    record("dead", findings=["e"], detail="could not decide"),
    record("outcome", step="tell", uses="notify", status="done"),
    record("outcome", step="tell", uses="notify", status="failed"),
    record("outcome", step="_answer", uses="finding.update", status="done"),
    record("outcome", "watch", step="tell", uses="notify", status="observed", findings=["a", "b"],
           detail="would send to soc-chat: [bold]HIGH on web-01"),
    record("finished"),
    record("finished", "removed"),
    record("answered", "unanswered"),
]  # fmt: skip


def source(name: str, **fields: Any) -> Source:
    made = {"owner": "us", "why": "agreed", "summary": "x", "on": Triggers(), "steps": ()}
    return Source(name=name, directory=Path("/"), place=Place("x"), **made | fields)


def project(*sources: Source) -> Project:
    return Project(list(sources), Connections(), Settings(), {})


def printed(print_: Any, *values: Any) -> str:
    out = StringIO()
    print_(Console(width=200, highlight=False, file=out), *values)
    return out.getvalue()


def test_activity_counts_what_came_and_what_was_done() -> None:
    did = by_playbook(RECORDS)["one"]
    assert (did.findings, did.rounds, did.skipped, did.undecided) == (3, 1, 1, 1)
    assert (did.count("done"), did.count("failed"), did.last) == (1, 1, AT)
    assert did.conditions == {"x": (1, 1), "y": (2, 0)}
    assert did.one_sided() == ["always true: y"]


def test_a_review_names_what_never_matched_or_decides_nothing() -> None:
    did = by_playbook(RECORDS)
    idle = source("idle", owner="", why="")
    never_asked = source("one", only_if=("x", "y", "z"))
    found = {one.name: one for one in reviewed.review(project(idle, never_asked), did)}
    assert found["idle"].remarks == [
        "never matched",
        "nobody answers for it: `owner`",
        "no reason is given: `why`",
    ]
    assert found["one"].remarks == ["always true: y", "never asked: z"]
    disabled = reviewed.review(project(source("off", enabled=False)), did)[0]
    assert (disabled.state, disabled.remarks) == ("disabled", [])


def test_what_acted_and_is_not_there_any_more_is_named() -> None:
    did = by_playbook(RECORDS)
    assert reviewed.gone(project(source("one"), source("watch")), did) == ["removed"]


def test_what_our_own_functions_and_operators_did_is_no_playbook_that_is_gone() -> None:
    names = ["", "all", "guard", "reconcile", "sync", "archive", "lapsed", "dlq", "unanswered"]
    assert reviewed.gone(project(source("one")), names) == []


def test_what_would_have_been_done_is_summed_and_shown_as_it_is() -> None:
    found = observed.of(RECORDS, None)
    assert [(one.playbook, one.findings) for one in found] == [("watch", 2)]
    assert observed.of(RECORDS, "one") == []
    text = printed(print_observed, found, 14)
    assert "would send to soc-chat: [bold]HIGH on web-01" in text
    assert "nothing was only observed" in printed(print_observed, [], 14)


def test_a_review_is_printed_with_its_remarks() -> None:
    found = reviewed.review(project(source("idle")), by_playbook(RECORDS))
    text = printed(print_review, found, 92)
    assert "idle: why: agreed; never matched" in text


def test_suppressions_that_are_over_are_marked() -> None:
    until = ("2026-11-21T00:00:00.000Z", "2026-12-21T00:00:00.000Z")
    found = [
        Suppression(one, "us", "a test [x]", "id", "title", "LOW", "r/i-1", AT) for one in until
    ]
    text = printed(print_suppressions, found, AT)
    assert "2026-11-21 (over)" in text
    assert "2026-12-21 (over)" not in text
    assert "a test [x]" in text
    assert "Nothing is suppressed" in printed(print_suppressions, [], AT)
