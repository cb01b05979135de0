"""One verdict on a resource that stands for several instances: the worst, and nothing hidden."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import ACCOUNT, NOW, REGION, resource
from hub_responder.behind import words
from hub_responder.behind.answer import UNCERTAIN, Behind
from hub_responder.errors import (
    ConfigurationError,
    DeniedError,
    HubResponderError,
    PermanentError,
    TransientError,
)
from hub_responder.finding import Resource
from hub_responder.markdown.characters import width
from hub_responder.vision_one.coverage import Coverage
from hub_responder.vision_one.together import SHOWN, WORST_FIRST, together, without_instances
from hub_responder.vision_one.wording import MAX_CHARACTERS, summary
from hub_responder.workload_security.shields import Shield

GROUP = Resource(
    "AwsAutoScalingAutoScalingGroup",
    f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:1:autoScalingGroupName/web",
    account=ACCOUNT,
    region=REGION,
)
MATCHED = {"matched_by": "cloud instance id and account"}
KNOWN_BY = "autoscaling:DescribeAutoScalingGroups"


def said(verdict: Any, *reasons: str, **evidence: Any) -> Coverage:
    return Coverage(
        verdict=verdict, reasons=list(reasons), evidence=MATCHED | evidence, checked_at=NOW
    )


def of(*found: Coverage, **more: Any) -> Coverage:
    """The verdict on a group whose instances ``i-0``, ``i-1`` ... have these."""
    machines = tuple(
        resource(instance_id=f"i-{number}", tags={"Name": f"web-{number}"})
        for number, _ in enumerate(found)
    )
    return together(found, Behind(machines, KNOWN_BY, **more), GROUP)


def in_words(found: Coverage, language: str = "en", about: Resource = GROUP) -> str:
    return summary(found, about, language=language, timezone="UTC")


PROTECTED = said("PROTECTED", last_connected="2026-11-21T23:55:00Z", agent_guid="g")
STALE = said("DEGRADED", "stale", last_connected="2026-11-01T23:55:00Z")
UNKNOWN = Coverage(verdict="UNKNOWN", reasons=["rate_limited"], checked_at=NOW, retry_after=60.0)
BARE = said("UNPROTECTED", "no_endpoint")


def test_the_instance_itself_keeps_its_verdict() -> None:
    assert together([STALE], Behind((resource(),)), resource()) is STALE


def test_one_instance_reads_like_an_instance_behind_something() -> None:
    found = of(STALE)
    assert (found.verdict, found.reasons) == ("DEGRADED", ["stale"])
    assert found.evidence == STALE.evidence | {
        "behind": {
            "of": GROUP.type,
            "known_by": KNOWN_BY,
            "instance": "i-0",
            "name": "web-0",
            "instances": 1,
            "verdicts": {"DEGRADED": 1},
            "worst": ["i-0"],
        }
    }
    assert in_words(found) == (
        "DEGRADED: agent not seen since 11-01 23:55 on web-0 (i-0 behind autoScalingGroupName/web),"
        " 00:00:00 UTC, matched by instance id"
    )
    assert in_words(found, "ja") == (
        "【保護低下】web-0(autoScalingGroupName/webの背後のi-0)エージェントの最終接続は11-01 23:55"
        "(00:00:00 UTC、インスタンスIDで照合)"
    )


def test_of_several_the_worst_counts_with_its_reasons_and_evidence() -> None:
    found = of(PROTECTED, UNKNOWN, BARE, STALE, PROTECTED)
    assert (found.verdict, found.reasons) == ("UNPROTECTED", ["no_endpoint"])
    assert found.retry_after is None
    behind = found.evidence["behind"]
    assert behind["verdicts"] == {"UNPROTECTED": 1, "DEGRADED": 1, "UNKNOWN": 1, "PROTECTED": 2}
    assert (behind["instance"], behind["instances"]) == ("i-2", 5)
    assert behind["worst"] == ["i-2", "i-3", "i-1"]
    assert in_words(found) == (
        "UNPROTECTED: no Vision One agent on autoScalingGroupName/web (5 instances: 1 UNPROTECTED,"
        " 1 DEGRADED, 1 UNKNOWN, 2 PROTECTED, the worst i-2), 00:00:00 UTC, matched by instance id"
    )
    assert in_words(found, "ja") == (
        "【未保護】autoScalingGroupName/web(5台: 未保護1、保護低下1、不明1、保護済み2、最悪はi-2)"
        "Vision Oneエージェントなし(00:00:00 UTC、インスタンスIDで照合)"
    )


def test_what_was_read_of_one_is_not_said_of_all() -> None:
    found = of(PROTECTED, PROTECTED)
    assert (found.verdict, found.reasons) == ("PROTECTED", [])
    assert set(found.evidence) == {"matched_by", "behind"}
    assert "instance" not in found.evidence["behind"]
    assert in_words(found) == (
        "PROTECTED: Vision One agent running on autoScalingGroupName/web (2 instances:"
        " 2 PROTECTED), 00:00:00 UTC, matched by instance id"
    )


def test_an_unknown_one_is_never_hidden_by_protected_ones() -> None:
    found = of(PROTECTED, UNKNOWN, PROTECTED)
    assert (found.verdict, found.reasons, found.retry_after) == ("UNKNOWN", ["rate_limited"], 60.0)
    assert found.evidence["behind"]["instance"] == "i-1"


@pytest.mark.parametrize(
    ("error", "reasons", "again"),
    [
        (None, ["not_all_looked_at"], None),
        (TransientError("x", target="ec2"), ["not_all_looked_at", "behind_unreachable"], 60.0),
        (DeniedError("x", target="ec2"), ["not_all_looked_at", "behind_denied"], None),
    ],
)
def test_what_could_not_be_looked_at_may_be_unprotected(
    error: HubResponderError | None, reasons: list[str], again: float | None
) -> None:
    found = of(PROTECTED, left_out=3, error=error)
    assert (found.verdict, found.reasons, found.retry_after) == ("UNKNOWN", reasons, again)
    assert found.evidence["behind"]["verdicts"] == {"UNKNOWN": 3, "PROTECTED": 1}
    assert "4 instances: 3 UNKNOWN, 1 PROTECTED)" in in_words(found)
    assert of(BARE, left_out=3, error=error).verdict == "UNPROTECTED"


@pytest.mark.parametrize(
    ("states", "left_out", "whole"),
    [
        (["shielded", "shielded"], 0, "shielded"),
        (["shielded", "detect_only"], 0, "detect_only"),
        (["shieldable", "shielded"], 0, "shieldable"),
        (["shielded", "unknown"], 0, "unknown"),
        (["shieldable", "unknown"], 0, "shieldable"),
        (["shielded", ""], 0, "unknown"),
        (["shielded", "shielded"], 1, "unknown"),
        (["shieldable", ""], 0, "shieldable"),
    ],
)
def test_a_cve_is_shielded_only_where_it_is_on_every_instance(
    states: list[Any], left_out: int, whole: str
) -> None:
    rules = [(number,) for number, _ in enumerate(states)]
    found = [
        msgspec.structs.replace(
            PROTECTED, cves=[Shield("CVE-2026-1111", state, rule)] if state else []
        )
        for state, rule in zip(states, rules, strict=True)
    ]
    (shield,) = of(*found, left_out=left_out).cves
    assert (shield.cve, shield.state) == ("CVE-2026-1111", whole)
    if whole in states:
        assert shield.rules == rules[states.index(whole)]


def test_the_evidence_is_bounded_and_tells_what_is_starting() -> None:
    found = of(*[BARE] * 200, starting=2)
    assert len(found.evidence["behind"]["worst"]) == SHOWN
    assert found.evidence["behind"]["starting"] == 2


@given(
    st.lists(st.sampled_from([PROTECTED, STALE, UNKNOWN, BARE]), min_size=1, max_size=8),
    st.integers(0, 2),
)
def test_the_verdict_is_the_worst_whatever_there_is(found: list[Coverage], left_out: int) -> None:
    whole = of(*found, left_out=left_out)
    there = {each.verdict for each in found} | ({"UNKNOWN"} if left_out else set())
    assert whole.verdict == min(there, key=WORST_FIRST.index)
    assert sum(whole.evidence["behind"]["verdicts"].values()) == len(found) + left_out
    assert (whole.retry_after is not None) <= (whole.verdict == "UNKNOWN")
    for language in ("en", "ja"):
        assert width(in_words(whole, language)) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("error", "reason", "again"),
    [
        (ConfigurationError("set member_role"), "behind_configuration", None),
        (DeniedError("x", target="ecs"), "behind_denied", None),
        (PermanentError("x", target="ecs", status=400), "behind_refused", None),
        (TransientError("x", target="ecs"), "behind_unreachable", 60.0),
        (TransientError("x", target="ecs", retry_after=7), "behind_unreachable", 7.0),
    ],
)
def test_trouble_is_unknown_and_says_so(
    error: HubResponderError, reason: str, again: float | None
) -> None:
    found = without_instances(Behind(error=error, reason="fargate"), GROUP)
    assert found is not None
    assert (found.verdict, found.reasons, found.retry_after) == ("UNKNOWN", [reason], again)
    assert found.evidence == {"cause": str(error)}


@pytest.mark.parametrize("reason", sorted(UNCERTAIN))
def test_what_leaves_it_open_is_unknown(reason: str) -> None:
    found = without_instances(Behind(reason=reason), GROUP)
    assert found is not None
    assert (found.verdict, found.reasons) == ("UNKNOWN", [reason])
    assert (found.retry_after is not None) == (reason == "instances_starting")


@pytest.mark.parametrize("reason", ["fargate", "no_instances", "storage", ""])
def test_where_there_is_none_no_agent_is_asked_for(reason: str) -> None:
    found = without_instances(Behind(reason=reason), GROUP)
    assert found is not None
    assert found.verdict == "NOT_APPLICABLE"
    assert found.reasons == [f"not_an_instance:{GROUP.type}", *([reason] if reason else [])]
    text = in_words(found)
    assert text.startswith(f"NOT_APPLICABLE: not an EC2 instance ({GROUP.type})")
    assert words.EN.get(reason, "") in text
    assert words.JA.get(reason, "") in in_words(found, "ja")


def test_where_there_are_instances_they_are_asked_about() -> None:
    assert without_instances(Behind((resource(),)), resource()) is None
    assert without_instances(Behind((resource(),), "x"), GROUP) is None
    nameless = without_instances(Behind((resource(instance_id=""),)), resource(instance_id=""))
    assert nameless is not None
    assert nameless.reasons == ["no_instance_id"]


@pytest.mark.parametrize("reason", sorted(set(words.EN) - UNCERTAIN - {"not_all_looked_at"}))
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_why_fits_with_a_long_id(reason: str, language: str) -> None:
    long = Resource("AwsAutoScalingAutoScalingGroup", "arn:aws:x:" + "y" * 900 + "-7")
    found = without_instances(Behind(reason=reason), long)
    assert found is not None
    text = in_words(found, language, long)
    assert (words.EN if language == "en" else words.JA)[reason] in text
    assert "y-7" in text
    assert " UTC" in text
