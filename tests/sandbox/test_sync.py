"""A person closes a ticket in its own system, and its findings follow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import Live, apart, lay_out

REFUSAL = '{"__type":"InternalException"}'
SYSTEMS = {
    "github": "{type: github, repository: acme/security}",
    "jira": "{type: jira, url: 'https://acme.atlassian.net', project: SEC}",
    "servicenow": "{type: servicenow, url: 'https://acme.service-now.com', table: incident}",
    "opscenter": "{type: opscenter}",
}
"""Each has a playbook and a connection of its own; findings choose by their product's name."""
WHO = {
    "github": " by analyst",
    "jira": " at 20",  # it tells who by another request only, which is not made
    "servicenow": " by analyst",
    "opscenter": " by arn:aws:iam::",
}
PLAYBOOK = """\
format: 1
name: in-SYSTEM
summary: Opens a ticket for each instance
on: {imported: {match: {ProductFields: {aws/securityhub/ProductName: [SYSTEM]}}}}
steps:
  - {id: ticket, uses: ticket.open, with: {in: desk-SYSTEM, template: note.md.j2}}
  - {id: tell, uses: notify, with: {to: chat, template: note.md.j2}}
"""
NOTE = "# {{ incident.severity }} on {{ incident.resource.id }}\n"


def files() -> Iterator[tuple[str, str]]:
    desks = "".join(f"  desk-{name}: {held}\n" for name, held in SYSTEMS.items())
    yield "connections.yaml", f"connections:\n{desks}  chat: {{type: slack, channel: C0SYNC0001}}\n"
    yield "settings.yaml", "owner: tests\n"
    for name in SYSTEMS:
        yield f"in-{name}/playbook.yaml", PLAYBOOK.replace("SYSTEM", name)
        yield f"in-{name}/templates/note.md.j2", NOTE


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("sync")
    with apart(lay_out(root, dict(files()))) as live:
        yield live


def opened(live: Live, system: str = "github") -> tuple[dict[str, Any], str]:
    """A finding and the ticket that was opened for it."""
    made = finding(live, live.instance(), system)
    live.imported(made)
    return made, ticket_of(live, made)["id"]


def finding(live: Live, instance: str, system: str) -> dict[str, Any]:
    return live.finding(instance) | {"ProductFields": {"aws/securityhub/ProductName": system}}


def ticket_of(live: Live, finding: dict[str, Any]) -> dict[str, Any]:
    (ticket,) = live.tickets(finding["Resources"][0]["Id"].rpartition("/")[2])
    return ticket


def decided(live: Live, ticket: str, state: str, system: str = "github") -> None:
    """A person decides; the tickets are followed, and what that starts comes to its end."""
    decide(live, ticket, state, system)
    followed(live)


def decide(live: Live, ticket: str, state: str, system: str) -> None:
    live.control("POST", "tickets", {"system": system, "ticket": ticket, "state": state})


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
    operator(own, "pause", "in-github", "--why", "a storm")
    decided(own, ticket, "done")
    assert own.held(one)["Workflow"] == {"Status": "NEW"}
    operator(own, "resume", "in-github")
    followed(own)
    assert own.held(one)["Workflow"] == {"Status": "RESOLVED"}
    kinds = [record["kind"] for record in own.records(one) if record.get("step") == "_sync"]
    assert kinds == ["attempt", "outcome"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_ticket_that_was_worked_off_resolves_its_findings_and_no_others(
    own: Live, system: str
) -> None:
    (one, ticket), (other, _) = opened(own, system), opened(own, system)
    before = own.held(other)["Workflow"]
    decided(own, ticket, "done", system)
    held = own.held(one)
    assert held["Workflow"] == {"Status": "RESOLVED"}
    assert held["Note"]["Text"].startswith(f"Resolved: {ticket} was closed as ")
    assert WHO[system] in held["Note"]["Text"]
    assert own.held(other)["Workflow"] == before
    kinds = [record["kind"] for record in own.records(one) if record.get("step") == "_sync"]
    assert kinds == ["attempt", "outcome"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_ticket_that_was_declined_suppresses_its_findings_and_says_whose_decision_it_was(
    own: Live, system: str
) -> None:
    one, ticket = opened(own, system)
    decided(own, ticket, "declined", system)
    held = own.held(one)
    assert held["Workflow"] == {"Status": "SUPPRESSED"}
    assert held["Note"]["Text"].startswith(f"Suppressed: {ticket} was closed as ")
    assert WHO[system] in held["Note"]["Text"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_findings_that_have_all_left_close_the_ticket_and_tell_the_thread(
    own: Live, system: str
) -> None:
    instance = own.instance()
    findings = [finding(own, instance, system) for _ in range(2)]
    own.imported(*findings)
    named = [{"Id": one["Id"], "ProductArn": one["ProductArn"]} for one in findings]
    own.client("securityhub").batch_update_findings(
        FindingIdentifiers=named, Workflow={"Status": "RESOLVED"}
    )
    own.settle()
    assert ticket_of(own, findings[0])["state"] == "done"
    first, *_, last = own.messages(instance)
    assert "All findings have left" in json.dumps(last["body"])
    assert "thread_ts" not in first["body"]
    assert last["body"]["thread_ts"]


@pytest.mark.parametrize("point", ["before_effect", "after_effect"])
def test_a_walk_that_dies_among_its_decisions_is_finished_by_the_next(
    own: Live, point: str
) -> None:
    made = [opened(own, system) for system in SYSTEMS]
    for (_, ticket), system in zip(made, SYSTEMS, strict=True):
        decide(own, ticket, "done", system)
    own.fault(target="lambda", kill=point, times=1)
    with pytest.raises(AssertionError, match="hub-responder-sync failed"):
        followed(own)
    states = [own.held(one)["Workflow"]["Status"] for one, _ in made]
    assert states.count("RESOLVED") == (point == "after_effect")
    own.control("POST", "clock", {"advance_s": 300})
    followed(own)
    told: list[str] = []
    for one, ticket in made:
        held = own.held(one)
        assert held["Workflow"] == {"Status": "RESOLVED"}
        assert held["Note"]["Text"].startswith(f"Resolved: {ticket} was closed as ")
        outcomes = [record for record in own.records(one, "outcome") if record["step"] == "_sync"]
        assert [record["status"] for record in outcomes] == ["done"]
        told += [record["detail"] for record in outcomes]
    resolved = [one for one in told if one.endswith("; 1 of 1 written by a run that died")]
    assert len(resolved) == (point == "after_effect")


def test_a_decision_that_a_walk_which_died_wrote_to_some_findings_only_has_failed(
    own: Live,
) -> None:
    one, ticket = opened(own)
    decided(own, ticket, "done")
    mark = own.held(one)["UserDefinedFields"]["hubResponderTicketDecision"]
    incident = own.records(one, "outcome")[-1]["incident"]
    doubt = {
        "key": "k1",
        "incident": incident,
        "mark": mark,
        "findings": 2,
        "said": "x",
        "since": 0,
    }
    item = {"pk": "sync#doubts", "sk": "k1", "doubt": json.dumps(doubt)}
    table = next(n for n in own.client("dynamodb").list_tables()["TableNames"] if "edger" in n)
    stored = {name: {"S": value} for name, value in item.items()}
    own.client("dynamodb").put_item(TableName=table, Item=stored)
    for _ in range(2):
        followed(own)
    told = [record for record in own.records(one, "outcome") if record["key"] == "k1"]
    assert [(record["status"], record["detail"]) for record in told] == [
        ("failed", "x; 1 of 2 written by a run that died")
    ]


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
    lost = {
        "pk": "in-github#tickets",
        "sk": "desk-github#acme/security#9999",
        "incident": "in-github#lost",
    }
    item = {name: {"S": value} for name, value in lost.items()}
    times = {"since": {"N": "1"}, "expires": {"N": "99999999999"}}
    table = next(n for n in own.client("dynamodb").list_tables()["TableNames"] if "edger" in n)
    own.client("dynamodb").put_item(TableName=table, Item=item | times)
    for _ in range(2):
        followed(own)
    records = [r for r in own.control("GET", "audit") if r.get("incident") == "in-github#lost"]
    assert [(r["kind"], "is gone" in r["detail"]) for r in records] == [("skipped", True)]
    assert own.held(one) == before
