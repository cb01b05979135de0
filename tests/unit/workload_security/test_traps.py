"""The shapes of real computers, read and told apart."""

from __future__ import annotations

import pytest

import traps
from hub_responder.workload_security.client import Client
from workload import Workload


@pytest.mark.parametrize("name", traps.COMPUTERS)
def test_every_computer_is_read(name: str, workload: Workload, client: Client) -> None:
    workload.holds(*traps.COMPUTERS[name])
    read = [each for page in client.pages() for each in page]
    assert None not in read
    assert len(read) == len(traps.COMPUTERS[name])


@pytest.mark.parametrize(
    ("name", "agents"),
    [
        ("unmanaged", [False]),
        ("no_connector", [True]),
        ("both_kinds", [False, True]),
        ("hidden_module", [True]),
        ("no_guid", [True]),
        ("offline", [True]),
    ],
)
def test_an_instances_computers_tell_whether_they_have_an_agent(
    name: str, agents: list[bool], workload: Workload, client: Client
) -> None:
    workload.holds(*traps.COMPUTERS[name])
    assert [each.has_agent for each in client.by_instance(traps.INSTANCE)] == agents


def test_a_host_name_with_a_wildcard_finds_only_itself(workload: Workload, client: Client) -> None:
    workload.holds(*traps.COMPUTERS["wildcard_in_host_name"])
    assert [each.id for each in client.by_host("web_01")] == [1]
