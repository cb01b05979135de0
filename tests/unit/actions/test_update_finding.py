"""``finding.update``: what is written to which findings, in how few calls, and what fails."""

from __future__ import annotations

from typing import Any

import pytest

from factories import COVERAGE, NOW, PRODUCT_ARN, finding, incident, playbook, runtime, work
from hub_responder.actions import update_finding
from hub_responder.actions.base import Outcome
from hub_responder.actions.update_finding import Params
from hub_responder.errors import PermanentError, TransientError
from hub_responder.finding import Finding, Note
from hub_responder.incident import Incident
from hub_responder.note import UPDATED_BY
from loopback import Cloud, Reply, error

OURS = {
    "hubResponderVerdict": "UNPROTECTED",
    "hubResponderShields": "CVE-2026-1111 shieldable",
    "hubResponderIncident": incident().key + "#1",
    "hubResponderAt": "2026-11-22T00:00:00.000Z",
}


def many(count: int, **overrides: Any) -> tuple[Finding, ...]:
    return tuple(finding(id=f"f-{number}", **overrides) for number in range(count))


def update(of: Incident | None = None, **params: Any) -> Outcome:
    wanted = Params(**{"workflow": "NOTIFIED", "note": COVERAGE["summary"]} | params)
    (outcome,) = update_finding.run([work(wanted, of)], runtime())
    return outcome


def refusing(*refused: tuple[str, str]) -> Reply:
    return Reply(
        200,
        {
            "ProcessedFindings": [],
            "UnprocessedFindings": [
                {
                    "FindingIdentifier": {"Id": name, "ProductArn": PRODUCT_ARN},
                    "ErrorCode": code,
                    "ErrorMessage": "m",
                }
                for name, code in refused
            ],
        },
    )


def held(**overrides: Any) -> Reply:
    """What GetFindings tells of the finding now."""
    resource = finding().resource
    raw = {
        "Id": finding().id,
        "ProductArn": PRODUCT_ARN,
        "AwsAccountId": finding().account.id,
        "Severity": {"Label": "CRITICAL"},
        "Resources": [{"Type": resource.type, "Id": resource.id}],
        "UpdatedAt": "2026-11-22T00:00:00Z",
        **overrides,
    }
    return Reply(200, {"Findings": [raw]})


def late(cloud: Cloud, reply: Reply) -> Outcome:
    cloud.script["/findings"] = [reply]
    wanted = Params(workflow="NOTIFIED", note=COVERAGE["summary"])
    (outcome,) = update_finding.run([work(wanted, late=True)], runtime())
    return outcome


@pytest.mark.parametrize("now", [{"Workflow": {"Status": "RESOLVED"}}, {"RecordState": "ARCHIVED"}])
def test_what_a_person_did_while_a_round_waited_is_not_undone(
    cloud: Cloud, now: dict[str, Any]
) -> None:
    outcome = late(cloud, held(**now))
    assert (outcome.status, outcome.result["left"]) == ("skipped", 1)
    assert cloud.called("BatchUpdateFindings") == []


def test_a_note_that_a_person_wrote_while_a_round_waited_stays(cloud: Cloud) -> None:
    note = {"Text": "mine", "UpdatedBy": "someone", "UpdatedAt": "2026-11-22T00:00:00Z"}
    outcome = late(cloud, held(Note=note, UserDefinedFields={"theirs": "x"}))
    assert outcome.status == "done"
    (call,) = cloud.called("BatchUpdateFindings")
    assert "Note" not in call
    assert call["UserDefinedFields"]["theirs"] == "x"


def test_a_finding_that_cannot_be_asked_for_waits_on(cloud: Cloud) -> None:
    outcome = late(cloud, error("InternalException", status=400))
    assert outcome.status == "deferred"
    assert cloud.called("BatchUpdateFindings") == []


def test_one_that_is_gone_is_written_as_it_was(cloud: Cloud) -> None:
    assert late(cloud, Reply(200, {"Findings": []})).status == "done"


def test_a_round_that_did_not_wait_asks_nothing(cloud: Cloud) -> None:
    update()
    assert cloud.called("/findings") == []


def test_one_call_writes_note_workflow_and_fields(cloud: Cloud) -> None:
    of = incident(refs={"jira": {"ticket": "SEC-1", "url": ""}})
    outcome = update(of)
    assert outcome.status == "done"
    assert outcome.result == {"updated": 1, "left": 0, "failed": 0}
    (call,) = cloud.called("BatchUpdateFindings")
    assert call["FindingIdentifiers"] == [{"Id": finding().id, "ProductArn": PRODUCT_ARN}]
    assert call["Workflow"] == {"Status": "NOTIFIED"}
    assert call["UserDefinedFields"] == OURS | {"hubResponderTicket": "SEC-1"}
    assert call["Note"]["UpdatedBy"] == "hub-responder"
    assert call["Note"]["Text"].startswith(COVERAGE["summary"])
    assert "1 open (1 CRITICAL, 1 exploitable) -> SEC-1 | run " in call["Note"]["Text"]
    assert outcome.sent == {"securityhub": call["Note"]["Text"]}


def test_findings_with_equal_values_share_calls_of_a_hundred(cloud: Cloud) -> None:
    outcome = update(incident(findings=many(250)))
    assert outcome.result["updated"] == 250
    sizes = [len(c["FindingIdentifiers"]) for c in cloud.called("BatchUpdateFindings")]
    assert sorted(sizes) == [50, 100, 100]


def test_a_finding_that_is_named_twice_is_written_once(cloud: Cloud) -> None:
    update(incident(findings=(finding(), finding())))
    (call,) = cloud.called("BatchUpdateFindings")
    assert len(call["FindingIdentifiers"]) == 1


def test_incidents_with_other_values_get_calls_of_their_own(cloud: Cloud) -> None:
    works = [
        work(Params("NOTIFIED", f"note {n}"), incident(findings=(finding(id=f"f-{n}"),)))
        for n in range(12)
    ]
    outcomes = update_finding.run(works, runtime())
    assert {outcome.status for outcome in outcomes} == {"done"}
    assert len(cloud.called("BatchUpdateFindings")) == 12


@pytest.mark.parametrize(
    ("current", "wanted", "written"),
    [
        ("NEW", "NOTIFIED", "NOTIFIED"),
        ("NOTIFIED", "NOTIFIED", "NOTIFIED"),
        ("NOTIFIED", "NEW", None),
        ("NEW", "RESOLVED", "RESOLVED"),
        ("NEW", None, None),
    ],
)
def test_workflow_goes_forward_only(
    cloud: Cloud, current: str, wanted: str | None, written: str | None
) -> None:
    update(incident(findings=(finding(workflow=current),)), workflow=wanted)
    (call,) = cloud.called("BatchUpdateFindings")
    assert call.get("Workflow", {}).get("Status") == written


@pytest.mark.parametrize(
    "settled", [{"workflow": "SUPPRESSED"}, {"workflow": "RESOLVED"}, {"record_state": "ARCHIVED"}]
)
def test_what_a_person_settled_is_left_alone_but_a_click_is_answered(
    cloud: Cloud, settled: dict[str, str]
) -> None:
    findings = (finding(**settled),)
    outcome = update(incident(findings=findings))
    assert outcome.status == "skipped"
    assert "left" in outcome.detail
    assert not cloud.called("BatchUpdateFindings")
    assert update(incident(findings=findings, clicked=True, change="clicked")).status == "done"
    (call,) = cloud.called("BatchUpdateFindings")
    assert set(call) == {"FindingIdentifiers", "Note"}


def test_a_persons_note_stays_in_an_automatic_run_and_is_quoted_by_a_click(cloud: Cloud) -> None:
    note = Note("please wait\nfor Ken", "alice")
    update(incident(findings=(finding(note=note),)))
    assert "Note" not in cloud.called("BatchUpdateFindings")[0]
    update(incident(findings=(finding(note=note),), clicked=True))
    text = cloud.called("BatchUpdateFindings")[1]["Note"]["Text"]
    assert text.startswith(COVERAGE["summary"])
    assert text.endswith("[earlier note: alice: please wait for Ken]")


def test_a_quotation_is_passed_on_by_later_notes(cloud: Cloud) -> None:
    note = Note("old answer [earlier note: alice: wait]", UPDATED_BY)
    update(incident(findings=(finding(note=note),)))
    text = cloud.called("BatchUpdateFindings")[0]["Note"]["Text"]
    assert "old answer" not in text
    assert text.endswith("[earlier note: alice: wait]")


def test_a_note_keeps_its_limit_and_its_end(cloud: Cloud) -> None:
    note = Note("b" * 512, "alice")
    of = incident(findings=(finding(note=note),), clicked=True)
    update(of, note="未" * 900)
    text = cloud.called("BatchUpdateFindings")[0]["Note"]["Text"]
    assert len(text) <= 512
    assert "| run " in text
    assert "[earlier note: alice: b" in text


def test_fields_of_others_are_kept(cloud: Cloud) -> None:
    update(incident(findings=(finding(user_fields={"owner": "a"}),)))
    fields = cloud.called("BatchUpdateFindings")[0]["UserDefinedFields"]
    assert fields == OURS | {"owner": "a"}


@pytest.mark.parametrize(
    "fields",
    [
        {"user_fields": {f"k{n}": "v" for n in range(50)}},
        {"user_fields": {"a": "b"}, "user_fields_whole": False},
    ],
)
def test_fields_are_not_written_where_others_would_be_lost(
    cloud: Cloud, fields: dict[str, Any]
) -> None:
    assert update(incident(findings=(finding(**fields),))).status == "done"
    assert "UserDefinedFields" not in cloud.called("BatchUpdateFindings")[0]


def test_a_finding_that_is_gone_does_not_silence_the_others(cloud: Cloud) -> None:
    cloud.script["BatchUpdateFindings"] = [refusing(("f-0", "FindingNotFound"))]
    outcome = update(incident(findings=many(3)))
    assert outcome.status == "done"
    assert outcome.result == {"updated": 2, "left": 0, "failed": 1}
    assert "FindingNotFound" in outcome.detail


def test_an_incident_of_which_nothing_could_be_written_has_failed(cloud: Cloud) -> None:
    cloud.script["BatchUpdateFindings"] = [
        refusing(("f-0", "FindingNotFound"), ("f-1", "InvalidInput"))
    ]
    outcome = update(incident(findings=many(2)))
    assert outcome.status == "failed"
    assert "2 findings refused: FindingNotFound; InvalidInput" in outcome.detail
    assert outcome.sent == {}


@pytest.mark.parametrize("code", ["ConcurrentUpdateError", "InternalFailure"])
def test_what_may_pass_is_done_again_later(cloud: Cloud, code: str) -> None:
    cloud.script["BatchUpdateFindings"] = [refusing(("f-0", code))]
    assert update(incident(findings=many(2))).status == "deferred"


def test_a_call_that_fails_concerns_its_own_findings_only(cloud: Cloud) -> None:
    cloud.script["BatchUpdateFindings"] = [error("InvalidInputException")]
    assert update().status == "failed"
    cloud.script["BatchUpdateFindings"] = [error("AccessDeniedException", status=403)]
    assert update().status == "failed"
    cloud.script["BatchUpdateFindings"] = [error("TooManyRequestsException", status=429)]
    assert update().status == "deferred"


def test_nothing_to_write_is_skipped(cloud: Cloud) -> None:
    of = incident(findings=(finding(user_fields_whole=False),))
    assert update(of, workflow=None, note="").status == "skipped"
    assert not cloud.called("BatchUpdateFindings")


def test_an_answer_is_written_on_every_finding_and_quotes(cloud: Cloud) -> None:
    findings = [finding(id="a"), finding(id="b"), finding(id="c", note=Note("mine", "bob"))]
    update_finding.answer(findings, "could not tell", runtime())
    calls = cloud.called("BatchUpdateFindings")
    written = {item["Id"]: c["Note"]["Text"] for c in calls for item in c["FindingIdentifiers"]}
    assert written == {
        "a": "could not tell",
        "b": "could not tell",
        "c": "could not tell [earlier note: bob: mine]",
    }
    assert all(set(c) == {"FindingIdentifiers", "Note"} for c in calls)


def test_an_answer_that_could_not_be_written_is_an_error(cloud: Cloud) -> None:
    for code, kind in (("FindingNotFound", PermanentError), ("InternalFailure", TransientError)):
        cloud.script["BatchUpdateFindings"] = [refusing((finding().id, code))]
        with pytest.raises(kind, match=code):
            update_finding.answer([finding()], "x", runtime())


def test_the_note_is_written_in_the_playbooks_language(cloud: Cloud) -> None:
    of = incident(count=400, refs={"jira": {"ticket": "SEC-1"}})
    wanted = Params("NOTIFIED", "【未保護】web-01")
    update_finding.run([work(wanted, of)], runtime(playbook=playbook(language="ja"), now=NOW))
    text = cloud.called("BatchUpdateFindings")[0]["Note"]["Text"]
    assert text.startswith("【未保護】web-01|未解決400件中1件(CRITICAL 1、悪用可 1)→ SEC-1|実行")
