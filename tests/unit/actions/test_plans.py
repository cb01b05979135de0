"""What an action would do, in one line: it calls nothing, tells no secret and stays one line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import COVERAGE, finding, incident, resource, runtime, work
from hub_responder.actions import notify, open_ticket, update_finding
from hub_responder.actions.base import Action, Work
from hub_responder.errors import ConfigurationError
from hub_responder.finding import Note
from loopback import Cloud


def planned(action: Action, of: Work) -> str:
    assert action.plan is not None
    return action.plan(of, runtime())


def test_a_message_says_where_it_would_go_and_its_title(cloud: Cloud) -> None:
    told = planned(notify.ACTION, work(notify.Params("chat", "message.md.j2")))
    assert told.startswith("would send to chat: ")
    assert "UNPROTECTED" in told
    assert cloud.calls == []


def test_a_message_that_would_join_a_thread_says_so() -> None:
    of = incident(refs={"chat": {"thread": "1.2"}})
    told = planned(notify.ACTION, work(notify.Params("chat", "message.md.j2"), of))
    assert told.startswith("would send to chat in its thread: ")


def test_a_plan_for_a_connection_that_is_not_there_raises_as_the_action_would() -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        planned(notify.ACTION, work(notify.Params("nowhere", "message.md.j2")))


@pytest.mark.parametrize(
    ("refs", "begins"),
    [
        ({}, "would open a ticket in jira: UNPROTECTED"),
        ({"jira": {"ticket": "SEC-1"}}, "would comment on SEC-1 in jira: UNPROTECTED"),
        ({"ops": {"ticket": "oi-1"}}, "would comment on oi-1 in ops: UNPROTECTED"),
    ],
)
def test_a_ticket_says_whether_it_would_be_opened(
    refs: dict[str, dict[str, str]], begins: str, cloud: Cloud
) -> None:
    params = open_ticket.Params("jira", "ticket.md.j2")
    assert planned(open_ticket.ACTION, work(params, incident(refs=refs))).startswith(begins)
    assert cloud.calls == []


def test_an_update_says_what_would_be_written(cloud: Cloud) -> None:
    params = update_finding.Params("NOTIFIED", COVERAGE["summary"])
    told = planned(update_finding.ACTION, work(params))
    assert told.startswith("would update 1 finding to NOTIFIED, note: UNPROTECTED: no Vision One")
    of = incident(findings=(finding(note=Note("mine", "ana")), finding(id="f-2", workflow="NEW")))
    told = planned(update_finding.ACTION, work(update_finding.Params(note="x"), of))
    assert told.startswith("would update 2 findings with their workflow kept, note: x")
    assert cloud.calls == []


def test_an_update_of_nothing_but_settled_findings_would_leave_them() -> None:
    of = incident(findings=(finding(workflow="SUPPRESSED"),))
    told = planned(update_finding.ACTION, work(update_finding.Params("NOTIFIED", "x"), of))
    assert told == "would leave all findings as a person set them"


@settings(deadline=None)
@given(st.text(max_size=600))
def test_a_plan_is_one_bounded_line_whatever_a_resource_is_called(name: str) -> None:
    of = incident(findings=(finding(resources=(resource(tags={"Name": name}),)),))
    for action, params in (
        (notify.ACTION, notify.Params("chat", "message.md.j2")),
        (open_ticket.ACTION, open_ticket.Params("jira", "ticket.md.j2")),
        (update_finding.ACTION, update_finding.Params("NOTIFIED", name)),
    ):
        told = planned(action, work(params, of))
        assert 0 < len(told) <= 300
        assert not set(told) & set("\n\r\t\u202e\u2028\x00")
