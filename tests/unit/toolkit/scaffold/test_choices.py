"""What is chosen, what follows from it, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_toolkit.playbooks.values import ACTION_ID, NAME
from hub_toolkit.scaffold import choices
from hub_toolkit.scaffold.choices import Choices

INSTANCES = ("AwsEc2Instance",)
REST = ("ticket", "notify", "update")
NAMES = st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 20)


@given(NAMES, st.lists(st.sampled_from(["A", "tells", "TELLS2", "x" * 20]), max_size=3))
def test_an_action_id_is_valid_and_nobody_elses(name: str, taken: list[str]) -> None:
    ours = choices.action_id(name, [*taken, choices.action_id(name, [])])
    for found in (ours, choices.action_id(name, taken)):
        assert ACTION_ID.fullmatch(found)
        assert found.lower() not in {one.lower() for one in taken}
    assert ours != choices.action_id(name, [])


def test_an_action_id_is_the_name_in_one_word() -> None:
    assert choices.action_id("tell-the-team", []) == "TellTheTeam"
    assert choices.action_id("tell-the-team", ["TELLTHETEAM", "TellTheTeam2"]) == "TellTheTeam3"
    assert choices.action_id("a" * 20, ["A" + "a" * 19]) == "A" + "a" * 18 + "2"


@given(NAMES)
def test_a_button_fits_the_console(name: str) -> None:
    assert 1 <= len(choices.button(name)) <= 20


def test_severities_are_the_least_and_all_worse() -> None:
    assert Choices("a", severity="HIGH").labels == ("CRITICAL", "HIGH")
    assert Choices("a", severity="LOW").labels == ("CRITICAL", "HIGH", "MEDIUM", "LOW")
    assert Choices("a", severity="INFORMATIONAL").labels == ()


@pytest.mark.parametrize(
    ("said", "want"),
    [
        ({}, {"products": ("Inspector",), "severity": "HIGH", "resource_types": INSTANCES}),
        ({"products": ("GuardDuty",)}, {"severity": "HIGH", "resource_types": INSTANCES}),
        ({"resource_types": ("AwsS3Bucket",)}, {"steps": REST, "products": ()}),
        ({"steps": ("notify",)}, {"resource_types": (), "products": ("Inspector",)}),
        ({"triggers": ("click",)}, {"products": (), "severity": "INFORMATIONAL", "cron": ""}),
        ({"triggers": ("imported_v2",)}, {"products": ("Inspector",), "resource_types": INSTANCES}),
        ({"resource_types": ("AWS::EC2::Instance",)}, {"steps": tuple(choices.STEPS)}),
        ({"triggers": ("schedule",)}, {"steps": ("ticket", "notify"), "cron": "0 9 ? * MON *"}),
        ({"triggers": ("schedule",), "insight": "arn"}, {"steps": tuple(choices.STEPS)}),
    ],
)  # fmt: skip
def test_what_is_not_said_is_as_usual(said: dict[str, Any], want: dict[str, Any]) -> None:
    filled = choices.filled("a", said)
    assert {key: getattr(filled, key) for key in want} == want
    assert list(choices.problems(filled)) == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"triggers": ("clik",)}, "unknown trigger `clik`; did you mean `click`?"),
        ({"steps": ("notfy",)}, "unknown step `notfy`; did you mean `notify`?"),
        ({"steps": ()}, "a playbook needs a step: coverage, ticket, notify, update"),
        ({"severity": "HIHG"}, "unknown severity `HIHG`; did you mean `HIGH`?"),
        (
            {"severity": "INFORMATIONAL", "steps": ("notify",)},
            "this would start on every finding: choose a product, a severity or a resource type",
        ),
        ({"triggers": ("click",), "severity": "LOW"}, "add trigger imported"),
        (
            {"resource_types": ("AwsS3Bucket",), "steps": ("coverage",)},
            "coverage is a question about instances: choose resource type AwsEc2Instance",
        ),
        ({"triggers": ("schedule",), "cron": "0 9 * * *"}, "has 5 fields, not 6: write as 0 9 ?"),
        ({"triggers": ("schedule",), "steps": ("update",)}, "a schedule brings no findings for"),
        ({"triggers": ("click", "imported", "schedule")}, "make two of it"),
        ({"triggers": ("click", "imported_v2", "schedule")}, "make two of it"),
        (
            {"triggers": ("imported_v2",), "resource_types": ("AwsS3Bucket",)},
            "write `AwsS3Bucket` as AWS::EC2::Instance is written",
        ),
        ({"button": "x" * 21}, "the button has 21 characters; at most 20"),
        ({"summary": "one\ntwo"}, "the summary has line breaks or control characters"),
        ({"owner": "x" * 101}, "the owner has 101 characters; at most 100"),
    ],
)
def test_what_no_playbook_can_be_is_refused(said: dict[str, Any], problem: str) -> None:
    (found,) = choices.problems(choices.filled("a", said))
    assert re.search(re.escape(problem), found)


def test_both_hubs_match_the_same_in_their_own_words() -> None:
    chosen = choices.filled(
        "a",
        {
            "triggers": ("imported", "imported_v2"),
            "products": ("GuardDuty",),
            "resource_types": ("AwsEc2Instance", "AWS::S3::Bucket"),
        },
    )
    assert chosen.match == {
        "ProductFields": {"aws/securityhub/ProductName": ["GuardDuty"]},
        "Severity": {"Label": ["CRITICAL", "HIGH"]},
        "Resources": {"Type": ["AwsEc2Instance", "AwsS3Bucket"]},
    }
    assert chosen.match_v2 == {
        "metadata": {"product": {"name": ["GuardDuty"]}},
        "severity": ["Critical", "High"],
        "resources": {
            "type": ["AWS::EC2::Instance", "AwsEc2Instance", "AWS::S3::Bucket", "AwsS3Bucket"]
        },
    }


def test_the_summary_says_what_is_done_for_what() -> None:
    chosen = choices.filled("a", {"products": ("GuardDuty",), "steps": ("ticket", "notify")})
    assert choices.summary(chosen) == "Ticket and message for CRITICAL and HIGH GuardDuty findings"
    clicked = choices.filled("a", {"triggers": ("click",), "steps": ("update",)})
    assert choices.summary(clicked) == "Finding update for findings that an analyst clicks on"
