"""A person closes a ticket in its own system, and its findings follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit import synth
from hub_toolkit.cli import application
from live import Live, apart

REFUSAL = '{"__type":"InternalException"}'
PROJECT = Path(__file__).parents[2]
FILES = {
    "connections.yaml": """\
connections:
  desk: {type: github, repository: acme/security}
""",
    "settings.yaml": "owner: tests\n",
    "followed/playbook.yaml": """\
format: 1
name: followed
summary: Opens a ticket for each instance
on: {imported: {match: {ProductFields: {aws/securityhub/ProductName: [Inspector]}}}}
steps:
  - {id: ticket, uses: ticket.open, with: {in: desk, template: note.md.j2}}
""",
    "followed/templates/note.md.j2": "# {{ incident.severity }} on {{ incident.resource.id }}\n",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("sync")
    for name, text in FILES.items():
        path = root / "playbooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "template.yaml").write_text(synth.render(root), encoding="utf-8")
    (root / "functions").symlink_to(PROJECT / "functions")
    with apart(root) as live:
        yield live


def opened(live: Live) -> tuple[dict[str, Any], str]:
    """A finding and the ticket that was opened for it."""
    instance = live.instance()
    made = live.finding(instance)
    made["ProductFields"] = {"aws/securityhub/ProductName": "Inspector"}
    live.imported(made)
    (ticket,) = live.tickets(instance)
    return made, ticket["id"]


def decided(live: Live, ticket: str, state: str) -> None:
    """A person decides; the tickets are followed, and what that starts comes to its end."""
    live.control("POST", "tickets", {"system": "github", "ticket": ticket, "state": state})
    followed(live)


def followed(live: Live) -> None:
    live.control("POST", "tick", {"function": "sync"})
    live.settle()


def operator(live: Live, *words: str) -> None:
    """What an operator commands."""
    where = ["--endpoint", live.endpoint, "--stage", "sandbox"]
    result = CliRunner().invoke(application(), [*words, *where])
    assert result.exit_code == 0, result.output


def test_what_is_decided_while_its_playbook_is_paused_reaches_the_finding_after_it(
    own: Live,
) -> None:
    one, ticket = opened(own)
    operator(own, "pause", "followed", "--why", "a storm")
    decided(own, ticket, "done")
    assert own.held(one)["Workflow"] == {"Status": "NEW"}
    operator(own, "resume", "followed")
    followed(own)
    assert own.held(one)["Workflow"] == {"Status": "RESOLVED"}
    kinds = [record["kind"] for record in own.records(one) if record.get("step") == "_sync"]
    assert kinds == ["attempt", "outcome"]


def test_a_ticket_that_was_worked_off_resolves_its_findings_and_no_others(own: Live) -> None:
    (one, ticket), (other, _) = opened(own), opened(own)
    before = own.held(other)["Workflow"]
    decided(own, ticket, "done")
    held = own.held(one)
    assert held["Workflow"] == {"Status": "RESOLVED"}
    assert held["Note"]["Text"].startswith(f"Resolved: {ticket} was closed as ")
    assert "analyst" in held["Note"]["Text"]
    assert own.held(other)["Workflow"] == before
    kinds = [record["kind"] for record in own.records(one) if record.get("step") == "_sync"]
    assert kinds == ["attempt", "outcome"]


def test_a_ticket_that_was_declined_suppresses_its_findings_and_says_whose_decision_it_was(
    own: Live,
) -> None:
    one, ticket = opened(own)
    decided(own, ticket, "declined")
    held = own.held(one)
    assert held["Workflow"] == {"Status": "SUPPRESSED"}
    assert held["Note"]["Text"].startswith(f"Suppressed: {ticket} was closed as ")
    assert "analyst" in held["Note"]["Text"]


def test_an_analyst_who_opens_a_finding_again_has_the_last_word(own: Live) -> None:
    one, ticket = opened(own)
    decided(own, ticket, "declined")
    identifier = {"Id": one["Id"], "ProductArn": one["ProductArn"]}
    own.client("securityhub").batch_update_findings(
        FindingIdentifiers=[identifier], Workflow={"Status": "NOTIFIED"}
    )
    followed(own)
    assert own.held(one)["Workflow"] == {"Status": "NOTIFIED"}


def test_a_ticket_that_is_open_changes_nothing(own: Live) -> None:
    one, _ = opened(own)
    before = own.held(one)
    followed(own)
    assert own.held(one) == before


def test_what_security_hub_refuses_for_a_moment_is_written_in_the_next_run(own: Live) -> None:
    one, ticket = opened(own)
    own.fault(target="securityhub.BatchUpdateFindings", status=400, body=REFUSAL, times=1)
    decided(own, ticket, "done")
    assert own.held(one)["Workflow"] == {"Status": "NEW"}
    followed(own)
    assert own.held(one)["Workflow"] == {"Status": "RESOLVED"}
    ours = [record for record in own.records(one, "outcome") if record["step"] == "_sync"]
    assert [record["status"] for record in ours] == ["deferred", "done"]


def test_a_ticket_system_that_is_down_is_asked_in_the_next_run(own: Live) -> None:
    one, ticket = opened(own)
    own.fault(target="github", status=503, times=3)
    decided(own, ticket, "done")
    own.control("DELETE", "faults", [])
    own.control("POST", "clock", {"advance_s": 90})
    followed(own)
    assert own.held(one)["Workflow"] == {"Status": "RESOLVED"}


def test_a_decision_about_a_ticket_that_is_not_there_is_refused(own: Live) -> None:
    with pytest.raises(AssertionError, match="no ticket"):
        own.control("POST", "tickets", {"system": "github", "ticket": "no/ne#1", "state": "done"})


def test_a_ticket_that_is_gone_is_recorded_once_and_its_findings_stay(own: Live) -> None:
    one, _ = opened(own)
    before = own.held(one)
    lost = {"pk": "followed#tickets", "sk": "desk#acme/security#9999", "incident": "followed#lost"}
    item = {name: {"S": value} for name, value in lost.items()}
    times = {"since": {"N": "1"}, "expires": {"N": "99999999999"}}
    table = next(n for n in own.client("dynamodb").list_tables()["TableNames"] if "edger" in n)
    own.client("dynamodb").put_item(TableName=table, Item=item | times)
    for _ in range(2):
        followed(own)
    records = [r for r in own.control("GET", "audit") if r.get("incident") == "followed#lost"]
    assert [(r["kind"], "is gone" in r["detail"]) for r in records] == [("skipped", True)]
    assert own.held(one) == before
