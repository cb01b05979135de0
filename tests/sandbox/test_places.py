"""Connections whose channel or project a template chooses, within what they allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from live import Live, apart, lay_out

FILES = {
    "connections.yaml": """\
connections:
  team:
    type: slack
    channel: "{{ table.owners[tag('Owner')].channel }}"
    allow: [C0PAYMENTS1, C0PLATFORM1]
  desk:
    type: jira
    url: https://example.atlassian.net
    project: "{{ table.owners[tag('Owner')].project }}"
    allow: [PAY, PLT]
  ops: {type: opscenter}
routes:
  tickets: {by: finding.account.id, to: {"444455556666": ops}, default: desk}
""",
    "settings.yaml": "owner: tests\n",
    "tables/owners.yaml": """\
payments: {channel: C0PAYMENTS1, project: PAY}
platform: {channel: C0PLATFORM1, project: PLT}
others: {channel: C0OTHERS001, project: PLT}
""",
    "owned/playbook.yaml": """\
format: 1
name: owned
summary: Tells whoever owns the instance
on: {imported: {match: {ProductFields: {aws/securityhub/ProductName: [Inspector]}}}}
steps:
  - {id: ticket, uses: ticket.open, on_error: continue, with: {in: tickets, template: note.md.j2}}
  - {id: tell, uses: notify, with: {to: team, template: note.md.j2}}
""",
    "owned/templates/note.md.j2": "# {{ incident.severity }} on {{ incident.resource.id }}\n",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("places")
    with apart(lay_out(root, FILES)) as live:
        yield live


def of(live: Live, instance: str, owner: str, **fields: Any) -> dict[str, Any]:
    """A finding about an instance of ``owner``."""
    made = live.finding(instance, **fields)
    made["ProductFields"] = {"aws/securityhub/ProductName": "Inspector"}
    made["Resources"][0]["Tags"] = {"Owner": owner}
    return made


def test_each_owner_hears_in_their_channel_and_project(own: Live) -> None:
    owners = {"payments": ("C0PAYMENTS1", "PAY-"), "platform": ("C0PLATFORM1", "PLT-")}
    instances = {owner: own.instance() for owner in owners}
    own.imported(*[of(own, instance, owner) for owner, instance in instances.items()])
    for owner, (channel, project) in owners.items():
        (message,) = own.messages(instances[owner])
        (ticket,) = own.tickets(instances[owner])
        assert (message["connection"], message["body"]["channel"]) == ("team", channel)
        assert ticket["id"].startswith(project)


def test_who_is_not_allowed_hears_nothing_and_it_is_said_aloud(own: Live) -> None:
    others, nobody = own.instance(), own.instance()
    findings = of(own, others, "others"), of(own, nobody, "nobody")
    own.imported(*findings)
    told = [one for instance in (others, nobody) for one in own.messages(instance)]
    assert {one["system"] for one in told} == {"sns"}
    assert len(own.tickets(others)) == 1
    assert own.tickets(nobody) == []
    reasons = []
    for one in findings:
        (outcome,) = [r for r in own.records(one, "outcome") if r.get("step") == "tell"]
        assert outcome["status"] == "failed"
        reasons.append(outcome["detail"])
    assert reasons[0] == "connection team: `channel` gives 'C0OTHERS001', which is not in `allow`"
    assert reasons[1].startswith("connection team: `channel`: ")


@pytest.mark.parametrize("owner", ["platform", "others", "nobody"])
def test_an_incident_stays_in_its_thread_and_ticket_when_the_owner_changes(
    own: Live, owner: str
) -> None:
    instance = own.instance()
    own.imported(of(own, instance, "payments", Severity={"Label": "HIGH"}))
    own.imported(of(own, instance, owner, Severity={"Label": "CRITICAL"}))
    first, second = own.messages(instance)
    assert [one["body"]["channel"] for one in (first, second)] == ["C0PAYMENTS1"] * 2
    assert second["body"]["thread_ts"]
    (ticket,) = own.tickets(instance)
    assert ticket["id"].startswith("PAY-")
    assert len(ticket["comments"]) == 1
