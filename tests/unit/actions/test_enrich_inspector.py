"""``enrich.inspector``: what Inspector adds to the findings, and that its silence costs nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import ACCOUNT, REGION, finding, incident, playbook, runtime, vulnerability
from factories import work as work_of
from hub_responder.actions import enrich_inspector
from hub_responder.actions.base import Outcome, Work
from hub_responder.actions.enrich_inspector import Params
from hub_responder.finding import Account, Finding
from loopback import Cloud, Reply, error
from member_cloud import MEMBER, ROLE, MemberCloud, instance

SILENT = vulnerability(cvss=None, epss=None, exploit_available=None, fix_available=None)
LIST, DETAILS = "/findings/list", "/findings/details/batch/get"


def arn(number: int = 1, account: str = ACCOUNT) -> str:
    return f"arn:aws:inspector2:{REGION}:{account}:finding/{number:032x}"


def of(*numbers: int, account: str = ACCOUNT, **overrides: Any) -> tuple[Finding, ...]:
    values: dict[str, Any] = {"vulnerabilities": (SILENT,), "account": Account(account)}
    return tuple(finding(id=arn(one, account), **values | overrides) for one in numbers)


def work(*findings: Finding, **params: Any) -> Work:
    return work_of(Params(**params), incident(findings=findings or of(1)))


def enrich(*works: Work, role: str = ROLE) -> list[Outcome]:
    return enrich_inspector.run(works, runtime(playbook=playbook(member_role=role)))


def asff(number: int = 1, account: str = ACCOUNT, **vulnerable: Any) -> dict[str, Any]:
    told = {
        "Id": "CVE-2026-1111",
        "EpssScore": 0.5,
        "ExploitAvailable": "YES",
        "FixAvailable": "PARTIAL",
        "VulnerablePackages": [
            {"Name": "openssl", "Version": "3.0.1", "FixedInVersion": "3.0.2"},
            {"Name": "libssl", "Version": "3.0.1", "FixedInVersion": "NotAvailable"},
        ],
    }
    return {"Id": arn(number, account), "AwsAccountId": account} | {
        "Vulnerabilities": [told | vulnerable]
    }


def hold(members: MemberCloud, *findings: dict[str, Any]) -> None:
    members.findings |= {one["Id"]: one for one in findings}


def test_inspector_adds_what_the_finding_does_not_say(members: MemberCloud) -> None:
    hold(members, asff())
    (outcome,) = enrich(work())
    assert outcome.status == "done"
    assert outcome.result == {
        "known": 1,
        "cves": ("CVE-2026-1111",),
        "epss": 0.5,
        "risk": None,
        "exploit_available": True,
        "exploit_seen_at": "",
        "fix_available": True,
        "fixes": (
            {"cve": "CVE-2026-1111", "package": "openssl", "version": "3.0.1", "fixed_in": "3.0.2"},
            {"cve": "CVE-2026-1111", "package": "libssl", "version": "3.0.1", "fixed_in": ""},
        ),
        "due": "",
        "reason": "",
    }
    assert outcome.detail == "Inspector told of 1, EPSS 0.50, exploit known, fix available"


def test_findings_of_a_batch_share_calls_and_go_to_their_own_accounts(
    members: MemberCloud,
) -> None:
    members.holds(instance(OwnerId=MEMBER))
    hold(members, *(asff(number) for number in range(12)), asff(99, MEMBER))
    works = [work(*of(number)) for number in range(12)] + [work(*of(99, account=MEMBER))]
    assert [one.result["known"] for one in enrich(*works)] == [1] * 13
    assert members.count("inspector2.ListFindings") == 3
    assert members.count("inspector2.BatchGetFindingDetails") == 3
    assert members.count("sts.AssumeRole") == 1


def test_without_a_role_the_administrator_account_is_asked(members: MemberCloud) -> None:
    hold(members, asff(1, MEMBER))
    (outcome,) = enrich(work(*of(1, account=MEMBER)), role="")
    assert outcome.result["known"] == 1
    assert "sts.AssumeRole" not in members.calls


def test_only_the_worst_findings_are_asked_about(members: MemberCloud) -> None:
    hold(members, *(asff(number, EpssScore=number / 100) for number in range(20)))
    (outcome,) = enrich(work(*of(*range(20)), most=3))
    assert (outcome.result["known"], outcome.result["epss"]) == (3, 0.02)


def test_what_inspector_does_not_know_is_what_the_finding_says(members: MemberCloud) -> None:
    (outcome,) = enrich(work(*of(1, vulnerabilities=(vulnerability(),))))
    assert outcome.status == "done"
    assert (outcome.result["known"], outcome.result["epss"]) == (0, 0.94)
    assert outcome.result["exploit_available"] is True
    assert "none of these" in outcome.result["reason"]


def test_a_finding_of_another_product_is_asked_about_nowhere(members: MemberCloud) -> None:
    (outcome,) = enrich(work(finding(id="arn:aws:guardduty:x")))
    assert (outcome.status, outcome.result["reason"]) == ("done", "no finding of Inspector")
    assert members.calls == []


def test_a_refusal_is_a_reason_and_trouble_that_passes_defers(members: MemberCloud) -> None:
    hold(members, asff())
    members.faults.add([{"target": "inspector2.ListFindings", "status": 403}])
    (outcome,) = enrich(work())
    assert (outcome.status, outcome.result["known"]) == ("done", 0)
    assert "AccessDenied" in outcome.result["reason"]
    members.faults.add([{"target": "inspector2.ListFindings", "status": 503, "times": 3}])
    (outcome,) = enrich(work())
    assert outcome.status == "deferred"
    members.faults.add([{"target": "inspector2.BatchGetFindingDetails", "status": 403}])
    (outcome,) = enrich(work())
    assert (outcome.status, outcome.result["known"]) == ("done", 1)


def test_details_win_over_the_list_and_name_dates(cloud: Cloud) -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    cloud.script[LIST] = [
        Reply(
            200,
            {"findings": [{"findingArn": arn(), "inspectorScore": 9.1, "epss": {"score": 0.1}}]},
        )
    ]
    cloud.script[DETAILS] = [
        Reply(
            200,
            {
                "findingDetails": [
                    {
                        "findingArn": arn(),
                        "epssScore": 0.7,
                        "cisaData": {"dateDue": at.timestamp()},
                        "exploitObserved": {"lastSeen": at.timestamp()},
                    }
                ]
            },
        )
    ]
    (outcome,) = enrich(work())
    assert (outcome.result["epss"], outcome.result["risk"]) == (0.7, 9.1)
    assert outcome.result["due"] == outcome.result["exploit_seen_at"] == "2026-11-02T00:00:00.000Z"


@pytest.mark.parametrize("answer", [Reply(200, {}), error("ValidationException")])
def test_an_answer_of_another_shape_costs_nothing(cloud: Cloud, answer: Reply) -> None:
    cloud.script[LIST] = [answer]
    (outcome,) = enrich(work())
    assert (outcome.status, outcome.result["known"]) == ("done", 0)


def test_most_is_bounded() -> None:
    for most in (0, 51):
        with pytest.raises(ValueError, match="1 to 50"):
            Params(most=most)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "epss",
                "exploitAvailable",
                "packageVulnerabilityDetails",
                "inspectorScore",
                "exploitabilityDetails",
            ]
        ),
        st.none()
        | st.text()
        | st.integers()
        | st.lists(st.text())
        | st.dictionaries(
            st.sampled_from(["score", "vulnerabilityId", "vulnerablePackages"]),
            st.none() | st.text() | st.lists(st.dictionaries(st.text(), st.text())),
        ),
    )
)
def test_whatever_inspector_says_is_read_or_passed_over(told: dict[str, Any]) -> None:
    known = [enrich_inspector._Told(told)]
    result = enrich_inspector._merged(of(1), known, "")
    assert len(enrich_inspector._said(result)) <= 300
    assert all(len(fix.package) <= 128 for fix in result.fixes)
