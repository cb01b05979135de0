"""The draft of a ticket: what a connection's settings make of an incident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import NOW, finding, incident, playbook, runtime, work
from hub_responder import clock
from hub_responder.actions import open_ticket
from hub_responder.connections.resolve import named
from hub_responder.errors import ConfigurationError
from hub_responder.incident import Incident
from hub_responder.severity import Severity
from hub_responder.tickets import draft
from hub_responder.tickets.ticket import Draft, day
from loopback import Cloud, Reply

DAY = 86_400.0
JIRA = {"type": "jira", "url": "https://example.atlassian.net", "project": "SEC"}


@pytest.fixture(autouse=True)
def _at() -> Iterator[None]:
    clock.follow(lambda: NOW)
    yield
    clock.follow(None)


def drafted(
    held: dict[str, Any], of: Incident | None = None, params: dict[str, Any] | None = None
) -> Draft:
    run_time = runtime(playbook=playbook(connections={"jira": JIRA | held}))
    wanted = open_ticket.Params("jira", "ticket.md.j2", **(params or {}))
    return draft.make(work(wanted, of), named(run_time.playbook, "jira"), run_time)


def test_the_priority_follows_the_severity_and_a_steps_own_wins() -> None:
    held = {"priorities": {"CRITICAL": "Highest", "LOW": "Lowest"}}
    assert drafted(held).priority == "Highest"
    assert drafted(held, incident(severity=Severity.LOW)).priority == "Lowest"
    assert drafted(held, incident(severity=Severity.HIGH)).priority == ""
    assert drafted(held, params={"priority": "P1"}).priority == "P1"


def test_the_earliest_end_of_all_findings_is_the_tickets() -> None:
    old = finding(severity=Severity.HIGH, first_seen=NOW - 9 * DAY)
    new = finding(severity=Severity.CRITICAL, first_seen=NOW - DAY)
    other = finding(severity=Severity.LOW, first_seen=NOW - 300 * DAY)
    held = {"due": {"CRITICAL": 3 * DAY, "HIGH": 10 * DAY}}
    assert drafted(held, incident(findings=(new, old, other))).due == NOW + DAY
    assert drafted(held, incident(findings=(new,))).due == NOW + 2 * DAY
    assert drafted(held, incident(findings=(other,))).due is None


@pytest.mark.parametrize("seen", [None, NOW + 5000 * DAY])
def test_what_cannot_have_been_seen_yet_counts_from_now(seen: float | None) -> None:
    held = {"due": {"CRITICAL": 3 * DAY}}
    assert drafted(held, incident(findings=(finding(first_seen=seen),))).due == NOW + 3 * DAY


def test_labels_components_and_the_assignee_come_from_the_connection() -> None:
    held = {"labels": ["soc", "x"], "components": ["Cloud"], "assignee": "5b10"}
    made = drafted(held, params={"labels": ("x", "y")})
    assert (made.labels, made.components, made.assignee) == (("x", "y", "soc"), ("Cloud",), "5b10")


def test_a_ticket_is_written_in_the_language_of_its_connection() -> None:
    folder = Path(runtime().directory) / "templates"
    assert (folder / "ticket.ja.md.j2").exists()
    assert drafted({"language": "ja"}).document != drafted({}).document
    assert any("\u3040" <= letter <= "\u30ff" for letter in str(drafted({"language": "ja"})))


def test_fields_are_filled_and_a_lone_template_keeps_its_type() -> None:
    held = {
        "cf_text": "{{ finding.account.id }} in {{ finding.region }}",
        "cf_number": "{{ incident.count }}",
        "cf_list": "{{ [finding.region, 'x'] }}",
        "cf_option": {"value": "{{ finding.severity }}"},
        "cf_plain": [1, 2.5, True, None],
    }
    made = drafted({"fields": held}).fields
    assert made == {
        "cf_text": "111122223333 in eu-central-1",
        "cf_number": 1,
        "cf_list": ["eu-central-1", "x"],
        "cf_option": {"value": "CRITICAL"},
        "cf_plain": [1, 2.5, True, None],
    }
    assert type(made["cf_option"]["value"]) is str


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{{ finding }}", "gives Finding; a field takes text"),
        ("{{ finding.nothing }}", "cannot be evaluated|not defined"),
        ([[[["{{ [1] }}"]]]], "at most 4 deep"),
        (["{{ finding.title }}" * 5] * 90, "bytes; at most 8,000"),
    ],
)
def test_a_field_that_suits_no_ticket_is_refused_by_name(written: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as refused:
        drafted({"fields": {"cf_1": written}})
    assert "connection jira: `fields.cf_1`" in str(refused.value)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_what_a_finding_says_stays_a_short_harmless_text(title: str) -> None:
    of = incident(findings=(finding(title=title + "{{ 7 * 7 }}<!channel>"),))
    made = drafted({"fields": {"cf_1": "{{ finding.title }}"}}, of).fields["cf_1"]
    assert "49" not in made or "49" in title
    assert len(made.encode("utf-16-le")) // 2 <= draft.MAX_TEXT
    assert "\u202e" not in made
    assert "\x00" not in made
    assert json.loads(json.dumps(made)) == made


def test_settings_are_those_of_all_places_that_a_template_may_give() -> None:
    place = {"project": "{{ tag('Project') }}", "allow": ["PAY"], "reopen_within": 60.0}
    run_time = runtime(playbook=playbook(connections={"jira": JIRA | place}))
    assert draft.settings_of(named(run_time.playbook, "jira")).reopen_within == 60.0


def test_what_takes_no_tickets_has_no_draft() -> None:
    with pytest.raises(ConfigurationError, match="connection chat of type slack takes no tickets"):
        draft.settings_of(named(playbook(), "chat"))


def test_the_step_opens_what_was_drafted(cloud: Cloud) -> None:
    cloud.script["CreateOpsItem"] = [Reply(200, {"OpsItemId": "oi-1"})]
    ops = {"type": "opscenter", "priorities": {"CRITICAL": "1"}, "labels": ["soc"]}
    run_time = runtime(playbook=playbook(connections={"ops": ops}))
    (outcome,) = open_ticket.run([work(open_ticket.Params("ops", "ticket.md.j2"))], run_time)
    assert outcome.status == "done"
    (asked,) = cloud.called("CreateOpsItem")
    assert (asked["Priority"], asked["OperationalData"]["labels"]["Value"]) == (1, "soc")


@pytest.mark.parametrize(
    ("at", "timezone", "expected"),
    [
        ("2026-03-08T04:59:00+00:00", "America/New_York", "2026-03-07"),  # the last minute of EST
        ("2026-03-09T03:59:00+00:00", "America/New_York", "2026-03-08"),  # the day has 23 hours
        ("2026-11-02T04:59:00+00:00", "America/New_York", "2026-11-01"),  # and this one 25
        ("2026-11-01T15:00:00+00:00", "Asia/Tokyo", "2026-11-02"),
    ],
)
def test_a_due_day_is_the_one_of_the_place_whatever_its_clocks_do(
    at: str, timezone: str, expected: str
) -> None:
    assert day(datetime.fromisoformat(at).timestamp(), timezone) == expected
