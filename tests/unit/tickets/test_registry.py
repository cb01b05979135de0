"""Ticket systems by type of connection: each type has one, and it is what it says it is."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest

from factories import incident, playbook, runtime, work
from hub_responder.actions import open_ticket
from hub_responder.connections.resolve import Connection
from hub_responder.connections.settings import TYPES
from hub_responder.errors import ConfigurationError
from hub_responder.tickets import registry
from hub_responder.tickets.ticket import TicketSystem


def test_what_takes_no_tickets_is_refused_with_what_does() -> None:
    with pytest.raises(ConfigurationError) as refused:
        registry.find(Connection("chat", "sns", {"type": "sns"}), runtime())
    assert str(refused.value) == (
        "connection chat of type sns takes no tickets; these do: " + ", ".join(registry.KINDS)
    )


def test_each_is_a_type_of_connection_that_the_action_takes() -> None:
    assert set(registry.KINDS) <= set(TYPES)
    assert open_ticket.ACTION.connection_kinds == {"in": registry.KINDS}


@pytest.mark.parametrize("kind", ["security_hub", "sns", "unheard-of", ""])
def test_comments_are_taken_only_where_there_are_some(kind: str) -> None:
    assert not registry.takes_comments(kind)


@pytest.mark.parametrize("kind", sorted(registry.FOLLOWED))
def test_what_is_followed_can_do_all_that_a_tickets_life_asks_for(kind: str) -> None:
    module = import_module(f"{registry.__package__}.{registry.MODULES[kind]}")
    system = getattr(module, module.system.__annotations__["return"])
    whole = [name for name in vars(TicketSystem) if not name.startswith("_")]
    assert {"open", "standings", "close", "reopen", "prioritise", "link"} <= set(whole)
    for name in whole:
        wanted, has = (inspect.signature(getattr(one, name)) for one in (TicketSystem, system))
        assert list(has.parameters.values()) == list(wanted.parameters.values())


@pytest.mark.parametrize(
    ("connection", "plan"),
    [
        ("jira", "would comment on X-1 in jira: "),
        ("ops", "would comment on X-1 in ops: "),
        ("hub", "would leave X-1 in hub as it is"),
    ],
)
def test_the_plan_follows_what_the_system_can_do(connection: str, plan: str) -> None:
    params: Any = open_ticket.Params(connection, "ticket.md.j2")
    of = incident(refs={connection: {"ticket": "X-1", "url": "u"}})
    assert of.new
    known = playbook().connections | {"hub": {"type": "security_hub", "connector": "c-1"}}
    run_time = runtime(playbook=playbook(connections=known))
    assert open_ticket.plan(work(params, of), run_time).startswith(plan)
