"""A person closes a ticket, its system says so, and its findings follow at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from live import Live, apart, lay_out

SYSTEMS = ("github", "jira", "servicenow")
PLAYBOOK = """\
format: 1
name: in-{system}
summary: Opens a ticket for each instance
on: {{imported: {{match: {{ProductFields: {{desk: [{system}]}}}}}}}}
steps:
  - {{id: ticket, uses: ticket.open, with: {{in: {system}, template: note.md.j2}}}}
"""
FILES = {
    "connections.yaml": """\
connections:
  github: {type: github, repository: acme/security, webhook: true}
  jira: {type: jira, url: "https://example.atlassian.net", project: SEC, webhook: true}
  servicenow: {type: servicenow, url: "https://example.service-now.com", webhook: true}
""",
    "settings.yaml": "owner: tests\n",
    **{f"in-{one}/playbook.yaml": PLAYBOOK.format(system=one) for one in SYSTEMS},
    **{
        f"in-{one}/templates/note.md.j2": "# Look at {{ incident.resource.id }}\n"
        for one in SYSTEMS
    },
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("hooks")
    with apart(lay_out(root, FILES)) as live:
        yield live


def test_tickets_that_people_close_take_their_findings_along_before_any_walk(own: Live) -> None:
    about = {
        (system, state): own.instance() for system in SYSTEMS for state in ("done", "declined")
    }
    made = {
        key: own.finding(instance) | {"ProductFields": {"desk": key[0]}}
        for key, instance in about.items()
    }
    own.imported(*made.values())
    for (system, state), instance in about.items():
        (ticket,) = own.tickets(instance)
        decided = {"system": system, "ticket": ticket["id"], "state": state}
        own.control("POST", "tickets", decided)
    own.settle()
    for (system, state), finding in made.items():
        wanted = {"done": "RESOLVED", "declined": "SUPPRESSED"}[state]
        assert own.held(finding)["Workflow"] == {"Status": wanted}, (system, state)
        ours = [one for one in own.records(finding) if one.get("step") == "_sync"]
        assert [one["kind"] for one in ours] == ["attempt", "outcome"]
        assert {one["trigger"]["connection"] for one in ours} == {system}
        assert {one["trigger"]["kind"] for one in ours} == {"webhook"}


def test_what_jira_cannot_be_asked_now_is_taken_when_it_tries_again(own: Live) -> None:
    instance = own.instance()
    made = own.finding(instance) | {"ProductFields": {"desk": "jira"}}
    own.imported(made)
    (ticket,) = own.tickets(instance)
    own.fault(target="jira", status=503, times=1000)
    own.control("POST", "tickets", {"system": "jira", "ticket": ticket["id"], "state": "done"})
    own.settle()
    assert own.held(made)["Workflow"] == {"Status": "NEW"}
    own.control("DELETE", "faults", [])
    own.control("POST", "clock", {"advance_s": 900})
    own.settle()
    assert own.held(made)["Workflow"] == {"Status": "RESOLVED"}


def test_whoever_has_not_the_secret_is_refused_alike_everywhere(own: Live) -> None:
    url = f"{own.endpoint}/_urls/hub-responder-ticket-webhook"
    body = b'{"issue": {"key": "SEC-1"}}'
    forged = {"X-Hub-Signature": "sha256=" + 64 * "0", "Content-Type": "application/json"}
    answers = [
        requests.post(f"{url}/{name}", data=body, headers=headers, timeout=30)
        for name, headers in (("jira", forged), ("jira", {}), ("nobody", forged), ("", {}))
    ]
    assert {(one.status_code, one.content) for one in answers} == {(401, b"")}
