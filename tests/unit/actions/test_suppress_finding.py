"""``finding.suppress``: what is written, what is never suppressed, and that it has an end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import NOW, finding, incident, playbook, runtime, vulnerability, work
from hub_responder.actions import suppress_finding
from hub_responder.actions.base import Outcome
from hub_responder.actions.suppress_finding import Params
from hub_responder.finding import Finding, Note
from hub_responder.incident import Incident
from hub_responder.severity import Severity
from loopback import Cloud, Reply, error

HIGH = Severity("HIGH")
REASON = "expected scan of the test range"


def params(**overrides: Any) -> Params:
    values: dict[str, Any] = {"reason": REASON, "owner": "cloud-security", "days": 30}
    return msgspec.convert(values | overrides, Params)


def of(*findings: Finding, **overrides: Any) -> Incident:
    return incident(findings=findings or (finding(severity=HIGH),), **overrides)


def suppress(about: Incident | None = None, language: str = "en", **given_: Any) -> Outcome:
    played = runtime(playbook=playbook(language=language))
    (outcome,) = suppress_finding.run([work(params(**given_), about or of())], played)
    return outcome


def test_a_finding_is_suppressed_with_reason_owner_and_end(cloud: Cloud) -> None:
    outcome = suppress()
    assert outcome.status == "done"
    assert outcome.result == {
        "suppressed": 1,
        "left": 0,
        "failed": 0,
        "until": "2026-12-22",
        "closed_as": "",
    }
    (call,) = cloud.called("BatchUpdateFindings")
    assert call["Workflow"] == {"Status": "SUPPRESSED"}
    note = call["Note"]["Text"]
    assert note.startswith(f"SUPPRESSED until 2026-12-22: {REASON} | owner: cloud-security | run ")
    fields = call["UserDefinedFields"]
    assert fields["hubResponderSuppressedUntil"] == "2026-12-22T00:00:00.000Z"
    assert fields["hubResponderSuppressedBy"] == "cloud-security"
    assert fields["hubResponderSuppressedWhy"] == REASON


def test_as_what_they_were_closed_is_said_only_where_all_were_suppressed(cloud: Cloud) -> None:
    whole = suppress(closed_as="FALSE_POSITIVE")
    assert whole.result["closed_as"] == "FALSE_POSITIVE"
    exploited = finding(id="arn:aws:inspector2:eu-central-1:111122223333:finding/0002")
    part = suppress(of(finding(severity=HIGH), exploited), closed_as="FALSE_POSITIVE")
    assert (part.result["suppressed"], part.result["left"]) == (1, 1)
    assert part.result["closed_as"] == ""


def test_what_a_person_did_while_a_round_waited_is_not_undone(cloud: Cloud) -> None:
    raw = {
        "Id": finding().id,
        "ProductArn": finding().product_arn,
        "AwsAccountId": finding().account.id,
        "Severity": {"Label": "HIGH"},
        "Resources": [{"Type": finding().resource.type, "Id": finding().resource.id}],
        "UpdatedAt": "2026-11-22T00:00:00Z",
        "Workflow": {"Status": "RESOLVED"},
    }
    cloud.script["/findings"] = [Reply(200, {"Findings": [raw]})]
    (outcome,) = suppress_finding.run([work(params(), of(), late=True)], runtime())
    assert (outcome.status, outcome.detail) == ("skipped", "1 left: resolved already")
    assert cloud.called("BatchUpdateFindings") == []


def test_a_finding_that_cannot_be_asked_for_is_not_suppressed_yet(cloud: Cloud) -> None:
    cloud.script["/findings"] = [error("InternalException", status=400)]
    (outcome,) = suppress_finding.run([work(params(), of(), late=True)], runtime())
    assert outcome.status == "deferred"
    assert cloud.called("BatchUpdateFindings") == []


def test_the_last_day_counts_to_its_end(cloud: Cloud) -> None:
    outcome = suppress(days=0, until="2026-11-22")
    assert outcome.result["until"] == "2026-11-22"
    (call,) = cloud.called("BatchUpdateFindings")
    assert call["UserDefinedFields"]["hubResponderSuppressedUntil"] == "2026-11-22T23:59:59.000Z"


def test_the_note_is_in_the_playbooks_language(cloud: Cloud) -> None:
    suppress(language="ja")
    assert cloud.called("BatchUpdateFindings")[0]["Note"]["Text"].startswith(
        "【抑制】2026-12-22まで"
    )


def test_a_critical_finding_with_a_known_exploit_is_left(cloud: Cloud) -> None:
    outcome = suppress(of(finding()))
    assert outcome.status == "skipped"
    assert outcome.detail == "1 left: CRITICAL with a known exploit"
    assert cloud.calls == []
    assert suppress(of(finding()), even_if_exploited=True).status == "done"


@pytest.mark.parametrize(
    "harmless",
    [
        finding(severity=HIGH),
        finding(vulnerabilities=(vulnerability(exploit_available=False),)),
        finding(vulnerabilities=(vulnerability(exploit_available=None),)),
    ],
)
def test_only_critical_and_known_to_be_exploited_is_held_back(
    cloud: Cloud, harmless: Finding
) -> None:
    assert suppress(of(harmless)).status == "done"


def test_others_of_the_incident_are_suppressed_all_the_same(cloud: Cloud) -> None:
    findings = (
        finding(id="f-1"),
        finding(id="f-2", severity=HIGH),
        finding(id="f-3", severity=HIGH, record_state="ARCHIVED"),
        finding(id="f-4", severity=HIGH, workflow="RESOLVED"),
    )
    outcome = suppress(of(*findings))
    assert (outcome.result["suppressed"], outcome.result["left"]) == (1, 3)
    (call,) = cloud.called("BatchUpdateFindings")
    assert [one["Id"] for one in call["FindingIdentifiers"]] == ["f-2"]
    assert "1 left: archived" in outcome.detail
    assert "1 left: resolved already" in outcome.detail


def test_a_click_changes_the_end_of_a_suppression(cloud: Cloud) -> None:
    settled = finding(severity=HIGH, workflow="SUPPRESSED")
    assert suppress(of(settled)).status == "skipped"
    assert suppress(of(settled, clicked=True)).status == "done"


def test_a_persons_note_is_quoted_and_their_fields_are_kept(cloud: Cloud) -> None:
    theirs = finding(severity=HIGH, note=Note("look at me", "ana"), user_fields={"team": "pay"})
    suppress(of(theirs))
    (call,) = cloud.called("BatchUpdateFindings")
    assert call["Note"]["Text"].endswith("[earlier note: ana: look at me]")
    assert call["UserDefinedFields"]["team"] == "pay"


def test_without_room_for_the_end_nothing_is_suppressed(cloud: Cloud) -> None:
    full = finding(severity=HIGH, user_fields={f"k{number}": "v" for number in range(48)})
    cut = finding(severity=HIGH, id="f-2", user_fields_whole=False)
    outcome = suppress(of(full, cut))
    assert outcome.status == "skipped"
    assert "no room for the end" in outcome.detail
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"until": "2026-12-31"}, "one of until"),
        ({"days": 0}, "one of until"),
        ({"days": 367}, "1 to 366"),
        ({"days": -1}, "1 to 366"),
    ],
)
def test_a_suppression_has_one_end(given_: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        params(**given_)


@pytest.mark.parametrize(
    "given_",
    [
        {"days": 0, "until": "2026-11-21"},
        {"days": 0, "until": "2028-01-01"},
        {"days": 0, "until": "2026-13-01"},
        {"days": 0, "until": "tomorrow"},
        {"reason": " "},
        {"owner": ""},
    ],
)
def test_what_says_no_reason_owner_or_day_changes_nothing(
    cloud: Cloud, given_: dict[str, Any]
) -> None:
    assert suppress(**given_).status == "failed"
    assert cloud.calls == []


def test_one_incidents_wrong_end_costs_the_others_nothing(cloud: Cloud) -> None:
    works = [work(params(days=0, until="never"), of()), work(params(), of())]
    outcomes = suppress_finding.run(works, runtime())
    assert [one.status for one in outcomes] == ["failed", "done"]


def test_a_refusal_that_passes_defers(cloud: Cloud) -> None:
    cloud.script["BatchUpdateFindings"] = [error("ThrottlingException")]
    assert suppress().status == "deferred"
    cloud.script["BatchUpdateFindings"] = [error("AccessDeniedException", status=403)]
    outcome = suppress()
    assert (outcome.status, outcome.result["until"]) == ("failed", "")


def test_a_plan_says_what_would_be_suppressed_and_writes_nothing(cloud: Cloud) -> None:
    plan = suppress_finding.ACTION.plan
    assert plan is not None
    told = plan(work(params(), of()), runtime())
    assert told == f"would suppress 1 finding until 2026-12-22 for cloud-security: {REASON}"
    assert plan(work(params(), of(finding())), runtime()) == (
        "would suppress nothing: CRITICAL with a known exploit"
    )
    assert cloud.calls == []


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(reason=st.text(min_size=1), owner=st.text(min_size=1), said=st.text())
def test_hostile_text_stays_within_note_and_fields(
    cloud: Cloud, reason: str, owner: str, said: str
) -> None:
    cloud.calls.clear()
    outcome = suppress(of(finding(severity=HIGH, note=Note(said, "x"))), reason=reason, owner=owner)
    for call in cloud.called("BatchUpdateFindings"):
        assert len(call["Note"]["Text"]) <= 512
        assert "\n" not in call["Note"]["Text"]
        assert "until 2026-12-22" in call["Note"]["Text"]
        assert all(len(text) <= 1024 for text in call["UserDefinedFields"].values())
    assert outcome.status == ("done" if reason.strip() and owner.strip() else "failed")
    assert NOW
