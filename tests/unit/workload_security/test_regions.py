"""Addresses by region."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from hub_responder.errors import ConfigurationError
from hub_responder.workload_security.regions import REGIONS, base_url
from hub_toolkit.playbooks.connection_types import WorkloadSecurity


def test_a_region_has_its_address_and_a_connection_may_say_another() -> None:
    assert base_url("jp-1") == "https://workload.jp-1.cloudone.trendmicro.com"
    assert base_url("jp-1", "https://swp.example.com/") == "https://swp.example.com"


def test_an_unknown_region_is_told_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"'xx-1'.*us-1, au-1"):
        base_url("xx-1")


def test_the_regions_are_those_that_connections_may_say() -> None:
    assert get_args(get_type_hints(WorkloadSecurity)["region"]) == REGIONS
