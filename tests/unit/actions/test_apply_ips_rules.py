"""``vision_one.apply_ips_rules``: the missing rules, once, on the one right computer, proven."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from factories import (
    ACCOUNT,
    INSTANCE,
    NOW,
    finding,
    incident,
    playbook,
    resource,
    runtime,
    vulnerability,
    work,
)
from hub_responder import clock
from hub_responder.actions import apply_ips_rules
from hub_responder.actions.apply_ips_rules import ACTION, Params
from hub_responder.actions.base import Outcome, Work
from hub_responder.errors import ConfigurationError
from hub_responder.runtime import Runtime
from hub_responder.workload_security import shields
from loopback import Cloud, Loopback, Reply
from workload import KEY, Workload, bare, by_agent, computer, ips, rule

CVE, OTHER, NONE = "CVE-2026-1111", "CVE-2026-2222", "CVE-2026-3333"
RULES = [rule(11, CVE), rule(12, CVE, OTHER), rule(13, OTHER)]


@pytest.fixture
def tenant(server: Loopback, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workload]:
    """Server & Workload Protection with `RULES`; the wall clock is its clock."""
    shields.forget()
    made = Workload(server)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: made.now))
    cloud.secrets["hub-responder/test/workload"] = {"api_key": KEY}
    made.holds(rules=RULES)
    yield made
    shields.forget()


def linked(tenant: Workload, **more: Any) -> Runtime:
    connections = {
        "vision-one": {"type": "vision_one", "workload_security": "workload"},
        "workload": {"type": "workload_security", "base_url": tenant.server.url},
        "alone": {"type": "vision_one"},
    }
    return runtime(playbook=playbook(connections=connections, **more))


def about(*cves: str, params: Params | None = None, **more: Any) -> Work:
    """The work on an incident whose findings name these CVEs, one each."""
    named = cves or (CVE,)
    found = tuple(
        finding(id=f"f-{name}", vulnerabilities=(vulnerability(id=name, cve_ids=(name,)),))
        for name in named
    )
    return work(params or Params(), incident(findings=found), **more)


def run(tenant: Workload, of: Work, **more: Any) -> Outcome:
    (outcome,) = apply_ips_rules.run([of], linked(tenant, **more))
    return outcome


def assignments(tenant: Workload) -> list[list[int]]:
    """The rules of each request that assigned some."""
    return [r.json["ruleIDs"] for r in tenant.asked("/assignments") if r.method == "POST"]


def test_missing_rules_are_assigned_and_read_back(tenant: Workload) -> None:
    tenant.holds(computer(**ips(rules=[11, 99])))
    outcome = run(tenant, about(CVE, OTHER, NONE))
    assert outcome.status == "done"
    assert assignments(tenant) == [[12, 13]]
    result = outcome.result
    assert (result["computer"], result["name"]) == (34, "web-01")
    assert (result["assigned"], result["there"], result["left"]) == ((12, 13), (11,), ())
    assert (result["sent"], result["shielded"]) == ((CVE, OTHER), ())
    assert (result["to_patch"], result["not_enforced"], result["untold"]) == ((NONE,), (), ())
    assert outcome.detail == result["summary"]
    assert outcome.detail == (
        "IPS rules 12, 13 assigned to web-01, sent to the agent; blocked once the agent has them: "
        f"{CVE}, {OTHER}; no IPS rule: {NONE}; still to plan: the patch"
    )
    methods = [r.method for r in tenant.server.requests]
    assert methods.index("POST") < len(methods) - 1 - methods[::-1].index("GET")


def test_what_is_there_already_is_left_and_nothing_is_written(tenant: Workload) -> None:
    tenant.holds(computer())
    outcome = run(tenant, about())
    assert (outcome.status, assignments(tenant)) == ("done", [])
    assert outcome.result["there"] == (11, 12)
    assert outcome.result["shielded"] == (CVE,)
    assert outcome.detail.startswith("all IPS rules were assigned to web-01 before; blocked: ")


def test_a_second_run_assigns_nothing_more(tenant: Workload) -> None:
    tenant.holds(computer(**ips(rules=[])))
    run(tenant, about())
    outcome = run(tenant, about())
    assert assignments(tenant) == [[11, 12]]
    assert (outcome.result["assigned"], outcome.result["there"]) == ((), (11, 12))


def test_an_agent_that_has_taken_its_policy_blocks(tenant: Workload) -> None:
    early = {"lastSendPolicySuccess": int((NOW - 60) * 1000)}
    tenant.holds(computer(**ips(rules=[]), **early))
    assert run(tenant, about()).result["sent"] == (CVE,)

    quick = computer(**ips(rules=[11, 12]), lastSendPolicySuccess=int((NOW + 1) * 1000))
    tenant.holds(computer(**ips(rules=[]), **early))
    tenant.replies = [None, None, None, Reply(200, quick)]
    assert run(tenant, about()).result["shielded"] == (CVE,)


def test_a_clock_that_is_ahead_proves_nothing(tenant: Workload) -> None:
    tenant.holds(computer(**ips(rules=[]), lastSendPolicySuccess=int((NOW + 900) * 1000)))
    assert run(tenant, about()).result["sent"] == (CVE,)


def test_an_attempt_in_doubt_looks_first_and_claims_no_more_than_it_knows(
    tenant: Workload,
) -> None:
    tenant.holds(computer(lastSendPolicySuccess=int((NOW - 60) * 1000)))
    outcome = run(tenant, about(in_doubt=True, attempted_at=NOW - 30))
    assert (outcome.status, assignments(tenant)) == ("done", [])
    assert (outcome.result["sent"], outcome.result["shielded"]) == ((CVE,), ())
    outcome = run(tenant, about(in_doubt=True, attempted_at=NOW - 90))
    assert (outcome.result["sent"], outcome.result["shielded"]) == ((), (CVE,))


ASLEEP = {"computerStatus": {"agentStatus": "warning", "agentStatusMessages": []}}
"""The simulated module stays as it is: its agent takes nothing."""


@pytest.mark.parametrize(
    ("overrides", "field", "why"),
    [
        (ips("detect", rules=[]), "not_enforced", "detect"),
        (ips("off", "inactive", []), "not_enforced", "off"),
        (ips("prevent", "inactive", []) | ASLEEP, "untold", ""),
        (ips("prevent", "error", []) | ASLEEP, "untold", ""),
        (ips("prevent", "inactive"), "not_enforced", "off"),
        ({"agentVersion": "8.0.0.1", **ips(rules=[])}, "not_enforced", "rule"),
        ({"_rules": {"11": {"detectOnly": True}}, **ips(rules=[])}, "not_enforced", "rule"),
        ({"lastAgentCommunication": 1000, **ips(rules=[])}, "untold", ""),
    ],
)
def test_rules_that_do_not_act_are_said_plainly(
    tenant: Workload, overrides: dict[str, Any], field: str, why: str
) -> None:
    tenant.holds(computer(**overrides))
    outcome = run(tenant, about())
    assert outcome.status == "done"
    assert (outcome.result[field], outcome.result["why"]) == ((CVE,), why)
    assert (outcome.result["sent"], outcome.result["shielded"]) == ((), ())
    assert ("NOT blocked" in outcome.detail) == (field == "not_enforced")


def test_no_more_than_the_most_are_assigned_and_the_rest_is_told(tenant: Workload) -> None:
    tenant.holds(computer(**ips(rules=[])))
    outcome = run(tenant, about(CVE, OTHER, params=Params(most=2)))
    assert assignments(tenant) == [[11, 12]]
    result = outcome.result
    assert (result["left"], result["sent"], result["waiting"]) == ((13,), (CVE,), (OTHER,))


def test_the_most_urgent_cves_come_first(tenant: Workload) -> None:
    tenant.holds(computer(**ips(rules=[])))
    calm = vulnerability(id=CVE, cve_ids=(CVE,), exploit_available=False, epss=0.1)
    hot = vulnerability(id=OTHER, cve_ids=(OTHER,))
    findings = (finding(vulnerabilities=(calm,)), finding(id="f-2", vulnerabilities=(hot,)))
    run(tenant, work(Params(most=2), incident(findings=findings)))
    assert assignments(tenant) == [[12, 13]]


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([], f"there is no computer for {INSTANCE}"),
        ([computer(account="444455556666")], "of account 444455556666, not of 111122223333"),
        ([computer(account="")], "of account none, not of 111122223333"),
        ([computer(ID=1), by_agent(ID=2)], "is 2 computers (1, 2)"),
        ([bare()], "computer 34 of i-0abc1234def567890 has no agent"),
    ],
    ids=["none", "other account", "no account", "two", "no agent"],
)
def test_only_the_one_computer_that_surely_is_the_instance_gets_rules(
    tenant: Workload, held: list[Any], said: str
) -> None:
    tenant.holds(*held)
    outcome = run(tenant, about())
    assert outcome.status == "failed"
    assert said in outcome.detail
    assert assignments(tenant) == []


def test_a_computer_of_another_account_is_not_taken_for_it(tenant: Workload) -> None:
    tenant.holds(computer(account="444455556666", ID=1), computer(**ips(rules=[])))
    assert run(tenant, about()).result["computer"] == 34


def test_nothing_is_assigned_where_the_rules_of_one_cve_cannot_be_told(
    tenant: Workload, slept: list[float]
) -> None:
    tenant.holds(computer(**ips(rules=[])))
    tenant.replies = [None, None, None, Reply(503), Reply(503)]
    outcome = run(tenant, about(CVE, OTHER))
    assert (outcome.status, outcome.in_doubt, assignments(tenant)) == ("deferred", False, [])


def test_a_computer_that_does_not_tell_its_rules_gets_none(tenant: Workload) -> None:
    tenant.holds(computer(intrusionPrevention=None))
    outcome = run(tenant, about())
    assert outcome.status == "failed"
    assert "does not tell which rules" in outcome.detail
    assert assignments(tenant) == []


@pytest.mark.parametrize(
    ("trouble", "doubt"),
    [(Reply(503), True), (Reply(hang_up=True), True), (Reply(429), False)],
    ids=repr,
)
def test_an_assignment_that_fails_is_deferred_and_not_repeated(
    tenant: Workload, slept: list[float], trouble: Reply, *, doubt: bool
) -> None:
    tenant.holds(computer(**ips(rules=[])))
    tenant.replies = [None, None, None, trouble]
    outcome = run(tenant, about())
    assert (outcome.status, outcome.in_doubt) == ("deferred", doubt)
    assert len(assignments(tenant)) == 1


def test_what_cannot_be_read_back_is_in_doubt(tenant: Workload, slept: list[float]) -> None:
    tenant.holds(computer(**ips(rules=[])))
    tenant.replies = [None, None, None, None, Reply(429)]
    outcome = run(tenant, about())
    assert (outcome.status, outcome.in_doubt) == ("deferred", True)
    assert "not read back" in outcome.detail


def test_rules_that_do_not_stay_are_no_success(tenant: Workload) -> None:
    tenant.holds(computer(**ips(rules=[])))
    tenant.replies = [None, None, None, Reply(200, {})]
    outcome = run(tenant, about())
    assert (outcome.status, outcome.in_doubt) == ("deferred", True)
    tenant.replies = [None, None, Reply(200, {})]
    outcome = run(tenant, about(in_doubt=True, attempted_at=NOW))
    assert outcome.status == "failed"
    assert "does not show them" in outcome.detail


def test_a_refusal_says_why(tenant: Workload) -> None:
    tenant.holds(computer(**ips(rules=[])))
    tenant.replies = [None, None, None, Reply(400, {"message": "Invalid rule ID"})]
    outcome = run(tenant, about())
    assert outcome.status == "failed"
    assert outcome.detail.endswith("answered 400: Invalid rule ID")
    tenant.replies = [None, None, None, Reply(403)]
    assert run(tenant, about()).status == "failed"


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (about("GHSA-1"), "the findings name no CVE"),
        (
            work(
                Params(), incident(findings=(finding(resources=(resource(type="AwsS3Bucket"),)),))
            ),
            "is no instance",
        ),
    ],
)
def test_without_instance_or_cve_nothing_is_done(tenant: Workload, of: Work, said: str) -> None:
    outcome = run(tenant, of)
    assert outcome.status == "skipped"
    assert said in outcome.detail
    assert tenant.server.requests == []


def test_more_cves_than_are_looked_at_are_counted(tenant: Workload) -> None:
    tenant.holds(computer())
    outcome = run(tenant, about(CVE, *(f"CVE-2026-{n}" for n in range(4000, 4024))))
    assert outcome.result["left_out"] == 5
    assert len(outcome.result["to_patch"]) == 19


def test_it_is_said_in_the_playbooks_language(tenant: Workload) -> None:
    tenant.holds(computer())
    assert run(tenant, about(), language="ja").detail.startswith("web-01のIPSルールは割り当て済み")


def test_one_incidents_trouble_is_its_own(tenant: Workload) -> None:
    tenant.holds(computer())
    other = resource(instance_id="i-0other", id=f"arn:aws:ec2:x:{ACCOUNT}:instance/i-0other")
    works = [about(), work(Params(), incident(findings=(finding(resources=(other,)),)))]
    outcomes = apply_ips_rules.run(works, linked(tenant))
    assert [outcome.status for outcome in outcomes] == ["done", "failed"]


def test_observed_it_says_what_it_would_do_and_asks_nobody(tenant: Workload) -> None:
    assert ACTION.plan is not None
    said = ACTION.plan(about(CVE, OTHER), linked(tenant))
    assert said == f"would assign to {INSTANCE} the IPS rules that it lacks for {CVE}, {OTHER}"
    many = about(*(f"CVE-2026-{n}" for n in range(4000, 4010)))
    assert ACTION.plan(many, linked(tenant)).endswith("and 5 more")
    assert ACTION.plan(about("GHSA-1"), linked(tenant)).startswith("would assign no rule: ")
    with pytest.raises(ConfigurationError, match="workload_security"):
        ACTION.plan(about(params=Params(connection="alone")), linked(tenant))
    assert tenant.server.requests == []


@pytest.mark.parametrize("name", ["alone", "nowhere"])
def test_a_connection_that_leads_to_no_rules_fails(tenant: Workload, name: str) -> None:
    outcome = run(tenant, about(params=Params(connection=name)))
    assert outcome.status == "failed"
    assert tenant.server.requests == []


def test_its_role_reads_the_one_secret_that_it_needs_and_keeps_the_pace() -> None:
    connections = linked_settings()
    secret, pace = ACTION.permissions({}, connections)
    assert "pace#workload'" in str(pace["Condition"])
    (place,) = secret["Resource"]
    assert place["Fn::Sub"].endswith(":secret:hub-responder/${Stage}/workload-??????")


def linked_settings() -> dict[str, dict[str, Any]]:
    return {
        "vision-one": {"type": "vision_one", "workload_security": "workload"},
        "workload": {"type": "workload_security"},
    }
