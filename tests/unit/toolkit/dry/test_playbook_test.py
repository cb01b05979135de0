"""``hub-responder playbook test``: what cases can give and expect, and what it says of them."""

from __future__ import annotations

import os
import socket
import textwrap
import time
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from factories import REPOSITORY
from hub_responder import aws, clock
from hub_toolkit.dry.coverages import REASONS, TIERS

from .conftest import CONNECTIONS, PLAYBOOK, Project, event, finding

UNPROTECTED = "given: {coverage: {verdict: UNPROTECTED}}"
PROTECTED = "given: {coverage: {verdict: PROTECTED}}"
ECS = "arn:aws:ecs:us-east-1:111122223333:"
TASK = f"{ECS}task/shop/{7:032x}"


def case(expect: str, given: str = UNPROTECTED, name: str = "one", rest: str = "") -> str:
    return f"- name: {name}\n  event: high.json\n  {given}\n  expect: {expect}\n{rest}"


def test_all_that_can_be_expected_of_a_playbook_that_acts(project: Project) -> None:
    project.passes(
        """\
        - name: everything
          event: high.json
          given: {coverage: {verdict: UNPROTECTED}}
          expect:
            matched: imported
            coverage: {verdict: UNPROTECTED, reasons: [no_endpoint]}
            ticket: opened
            tell: sent
            answer: {done: 1 finding updated, updated: 1}
            workflow: NOTIFIED
            note: {contains: [no Vision One agent, SEC-1], lacks: PROTECTED is wrong}
            message: [{to: chat, contains: HIGH on platform}]
            finding: {UserDefinedFields: {hubResponderVerdict: UNPROTECTED}}
        - name: the fields of its ticket
          event: high.json
          given: {coverage: {verdict: UNPROTECTED}}
          expect:
            ticket:
              system: jira
              connection: tickets
              summary: Look at CVE-2026-0001
              body: UNPROTECTED
              labels: [hub-responder]
              count: 1
        - name: what does not happen
          event: high.json
          given: {coverage: {verdict: PROTECTED}}
          expect: {ticket: {skipped: coverage.verdict}}
        - name: no ticket at all
          event: high.json
          given: {coverage: {verdict: PROTECTED}}
          expect: {ticket: false, message: {contains: PROTECTED, lacks: UNPROTECTED}}
        """.replace("[HIGH on platform, {to: chat}]", "[{to: chat, contains: HIGH on platform}]")
    )


FAILING = [
    ("{matched: false}", "matched expected no rule"),
    ("{matched: [lifecycle]}", "matched expected lifecycle"),
    ("{ticket: skipped}", "ticket expected skipped"),
    ("{tell: not_run}", "tell expected not run"),
    ("{tell: {done: nothing like it}}", "tell expected done because of 'nothing like it'"),
    ("{coverage: {verdict: PROTECTED}}", "coverage expected verdict: PROTECTED"),
    ("{answer: {updated: 7}}", "answer expected updated: 7"),
    ("{workflow: RESOLVED}", "workflow expected RESOLVED"),
    ("{note: everything is fine}", "note expected text containing 'everything is fine'"),
    ("{note: {lacks: UNPROTECTED}}", "note expected text without 'UNPROTECTED'"),
    ("{message: never said}", "message expected text containing 'never said'"),
    ("{message: {lacks: HIGH on platform}}", "message expected text without"),
    ("{message: [{to: tickets, contains: x}]}", "message to tickets expected a message"),
    ("{message: false}", "message expected none"),
    ("{ticket: false}", "ticket expected none"),
    ("{ticket: {summary: another}}", "ticket.summary expected another"),
    ("{ticket: {count: 2}}", "ticket expected 2 tickets"),
    ("{finding: {Title: another}}", "finding.Title expected another"),
    ("{skipped: maintenance}", "skipped expected because of 'maintenance'"),
    ("{why_not: Severity}", "why_not expected text containing 'Severity'"),
]


def test_each_expectation_fails_where_it_is_not_so(project: Project) -> None:
    cases = [case(expect, name=f"case {n:02d}") for n, (expect, _) in enumerate(FAILING)]
    project.cases("".join(cases))
    code, said = project.test()
    assert code == 1
    told = " ".join(said.split()).split("FAIL case ")[1:]
    assert len(told) == len(FAILING)
    for (_, line), one in zip(FAILING, told, strict=True):
        assert line in one


def test_a_failure_says_where_the_case_is_and_what_was_recorded(project: Project) -> None:
    said = project.fails(case("{ticket: opened}", PROTECTED), "ticket expected opened")
    words = [" ".join(one.split()) for one in said.splitlines()]
    assert "FAIL one" in words
    assert f"playbooks/watch/playbook.yaml:{PLAYBOOK.count(chr(10)) + 2}:5" in words
    assert "got skipped" in words
    assert "because not so: coverage.verdict == 'UNPROTECTED'" in words
    assert words[-1].startswith("1 case of 1 playbook: 1 failed, 0 passed")


def test_a_rule_that_does_not_match_says_which_field(project: Project) -> None:
    low = "\n  finding: {Severity: {Label: LOW}}"
    said = project.fails(case("{tell: sent}", UNPROTECTED + low), "tell expected sent")
    wanted = 'imported: detail.findings.Severity.Label is "LOW", wanted "HIGH" or "CRITICAL"'
    assert wanted in " ".join(said.split())
    expect = "{matched: false, why_not: Severity.Label, tell: not_run}"
    project.passes(case(expect, f"given: {{}}{low}"))


def test_passing_cases_are_only_counted_and_verbose_tells_of_them(project: Project) -> None:
    project.cases(case("{tell: sent}"))
    code, said = project.test()
    assert (code, said.count("\n")) == (0, 1)
    code, said = project.test("-v")
    assert code == 0
    for part in ("ok   one", "rules", "imported", "tell (notify): done: sent to chat",
                 "to chat (slack)", "HIGH on platform"):  # fmt: skip
        assert part in said


WITH_LINK = """\
connections:
  vision-one: {type: vision_one, workload_security: swp}
  swp: {type: workload_security}
  chat: {type: slack, channel: C0SANDBOX01}
  tickets: {type: jira, url: https://example.atlassian.net, project: SEC}
"""


def test_every_verdict_that_can_be_given_is_what_the_action_answers(project: Project) -> None:
    project.write("playbooks/connections.yaml", WITH_LINK)
    bucket = "finding: {Resources: [{Type: AwsS3Bucket, Id: 'arn:aws:s3:::example'}]}"
    cases = []
    for verdict, reasons in REASONS.items():
        for reason in reasons or [""]:
            about = ":firewall" if reason.startswith("module_") else ""
            because = f", reasons: ['{reason}{about}']" if reason else ""
            named = ", tags: {Name: web-01}"
            given = f"given: {{coverage: {{verdict: {verdict}{because}}}{named}}}"
            if verdict == "NOT_APPLICABLE":
                given += f"\n  trigger: click\n  {bucket}"
            expect = f"{{coverage: {{verdict: {verdict}}}}}"
            cases.append(case(expect, given, name=f"{verdict} {reason}".strip()))
    project.passes("".join(cases))


def test_a_verdict_that_the_playbook_cannot_come_to_fails_the_case(project: Project) -> None:
    given = "given: {coverage: {verdict: DEGRADED, reasons: ['module_off:anti_malware']}}"
    said = project.fails(
        case("{tell: sent}", given), "given coverage expected DEGRADED module_off:anti_malware"
    )
    assert "the playbook does not look at what makes it DEGRADED" in said


@pytest.mark.parametrize("tier", [tier for tier in TIERS if tier != "workload_instance_id"])
def test_a_case_gives_how_the_agent_is_found(project: Project, tier: str) -> None:
    project.write("playbooks/connections.yaml", WITH_LINK)
    given = f"given: {{coverage: {{verdict: PROTECTED, tier: {tier}}}}}"
    project.passes(case(f"{{coverage: {{verdict: PROTECTED, tier: {tier}}}}}", given))


def test_a_case_gives_what_is_told_of_cves(project: Project) -> None:
    project.write("playbooks/connections.yaml", WITH_LINK)
    cves = ["CVE-2026-1001", "CVE-2026-1002", "CVE-2026-1003", "CVE-2026-1004"]
    found = "{Vulnerabilities: [" + ", ".join(f"{{Id: {cve}}}" for cve in cves) + "]}"
    project.passes(f"""\
        - name: all at once
          event: high.json
          finding: {found}
          given:
            coverage:
              verdict: PROTECTED
              cves:
                - {{cve: CVE-2026-1001, state: shielded, rules: [11, 12]}}
                - {{cve: CVE-2026-1002, state: detect_only}}
                - {{cve: CVE-2026-1003, state: shieldable}}
                - {{cve: CVE-2026-1004, state: not_shieldable}}
          expect:
            coverage: {{verdict: PROTECTED}}
            note: "CVE-2026-1001: shielded by rules 11, 12 (prevent)"
        - name: none is told
          event: high.json
          finding: {found}
          given:
            coverage: {{verdict: PROTECTED, cves: [{{cve: CVE-2026-1001, state: unknown}}]}}
          expect: {{note: "CVE-2026-1001: IPS state not told"}}
        - name: without an agent
          event: high.json
          finding: {found}
          given:
            coverage: {{verdict: UNPROTECTED, cves: [{{cve: CVE-2026-1001, state: shieldable}}]}}
          expect: {{note: "CVE-2026-1001: shieldable: rule"}}
    """)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("tier: workload_agent_guid", "given coverage expected PROTECTED"),
        (
            "cves: [{cve: CVE-2026-0001, state: shielded}]",
            "given coverage.cves CVE-2026-0001 expected shielded",
        ),
    ],
)
def test_what_takes_a_link_fails_without_one(project: Project, given: str, line: str) -> None:
    given = f"given: {{coverage: {{verdict: PROTECTED, {given}}}}}"
    project.fails(case("{tell: sent}", given), line)


def test_a_case_gives_tags_time_params_and_a_language(project: Project) -> None:
    project.passes("""\
        - name: tags, time and params
          event: high.json
          given:
            coverage: {verdict: UNPROTECTED}
            tags: {owner: 支払い}
            time: "2026-11-22T22:30:00+09:00"
            params: {word: urgent}
          expect: {message: [HIGH on 支払い, urgent, "13:30:15 UTC"]}
        - name: a tag is taken away
          event: high.json
          given: {tags: {owner: null}}
          expect: {message: HIGH on —}
        - name: in Japanese
          language: ja
          event: high.json
          given: {coverage: {verdict: UNPROTECTED}}
          expect: {message: 通知, note: 【未保護】}
        - name: a shorter time counts as stale
          event: high.json
          given:
            params: {stale: 1m}
            estate:
              vision_one:
                - eppAgent:
                    virtualMachineDetails: {cloudInstanceId: i-0a1b2c3d4e5f60718}
          expect: {coverage: {verdict: DEGRADED, reasons: [stale]}}
        """)


def test_a_case_starts_with_an_event_a_finding_or_a_click(project: Project) -> None:
    project.write("playbooks/watch/tests/own.json", event(finding(Title="Its own")))
    project.passes("""\
        - name: an event of the playbook's own
          event: own.json
          expect: {ticket: {summary: Look at Its own}}
        - name: changes laid over an event's finding
          event: high.json
          finding: {Severity: {Label: CRITICAL}, Resources: [{Tags: {owner: pay}}]}
          expect: {message: CRITICAL on pay}
        - name: an event written here
          event:
            detail-type: Security Hub Findings - Imported
            detail: {findings: []}
          expect: {matched: false}
        - name: a finding alone
          finding:
            Severity: {Label: HIGH}
            Resources:
              - {Type: AwsEc2Instance, Id: "arn:aws:ec2:us-east-1:111122223333:instance/i-0abc"}
          expect: {matched: imported, ticket: opened}
        - name: a click on a low finding
          event: high.json
          finding: {Severity: {Label: LOW}}
          trigger: click
          expect: {matched: action, tell: sent, note: UNPROTECTED}
        """)


def test_what_was_handled_before_counts(project: Project) -> None:
    project.passes("""\
        - name: the same again is quiet
          event: high.json
          given: {earlier: [{ago: 2h}]}
          expect: {tell: updated, message: false, ticket: {count: 1, comments: CVE-2026-0001}}
        - name: what is worse is told at once
          event: high.json
          finding: {Severity: {Label: CRITICAL}}
          given: {earlier: [{ago: 2h, finding: {Severity: {Label: HIGH}}}]}
          expect: {tell: sent, message: CRITICAL}
        - name: longer ago than it stays quiet
          event: high.json
          given: {earlier: [{ago: 5h, times: 2}]}
          expect: {tell: sent}
        """)


RELATED = "{% for one in incident.related %}{{ one.severity }} {{ one.title }}, {% endfor %}"


def test_the_other_findings_on_the_resource_are_given(project: Project) -> None:
    text = f"# {{{{ incident.severity }}}}: {RELATED}none more\n"
    project.cases("""\
        - name: those that are live, the worst first
          event: high.json
          given:
            related:
              - {Title: a port, Severity: {Label: LOW}}
              - {Title: a trojan, Severity: {Label: CRITICAL}}
              - {Title: an old one, RecordState: ARCHIVED}
              - {Title: elsewhere, Resources: [{Id: "arn:aws:s3:::other"}]}
          expect: {message: "HIGH: CRITICAL a trojan, LOW a port, none more"}
        - name: none
          event: high.json
          expect: {message: "HIGH: none more"}
        - name: what was handled in the incident before is its own
          event: high.json
          given: {earlier: [{ago: 5h}], related: [{Title: a port, Severity: {Label: LOW}}]}
          expect: {message: "HIGH: LOW a port, none more"}
        - name: a hub that refuses
          event: high.json
          given: {faults: [{target: securityhub.GetFindings, status: 403, times: 9}]}
          expect: {tell: {failed: GetFindings}}
        """)
    project.write("playbooks/watch/templates/message.en.md.j2", text)
    code, said = project.test()
    assert code == 0, said


CHOSEN = """\
connections:
  vision-one: {type: vision_one}
  chat: {type: slack, channel: "{{ tag('channel') }}", allow: [C0SANDBOX01, C0SANDBOX02]}
  tickets:
    type: jira
    url: https://example.atlassian.net
    project: "{{ 'PAY' if tag('owner') == 'pay' else 'SEC' }}"
    allow: [PAY, SEC]
"""


def test_places_that_templates_choose_are_there_and_others_refused(project: Project) -> None:
    project.write("playbooks/connections.yaml", CHOSEN)
    project.passes("""\
        - name: the one's
          event: high.json
          given: {coverage: {verdict: UNPROTECTED}, tags: {owner: pay, channel: C0SANDBOX02}}
          expect: {tell: {channel: C0SANDBOX02}, note: PAY-1}
        - name: the others'
          event: high.json
          given: {coverage: {verdict: UNPROTECTED}, tags: {channel: C0SANDBOX01}}
          expect: {tell: {channel: C0SANDBOX01}, note: SEC-1}
        - name: nobody's
          event: high.json
          given: {coverage: {verdict: UNPROTECTED}, tags: {channel: C0SANDBOX03}}
          expect:
            tell: {failed: "gives 'C0SANDBOX03', which is not in `allow`"}
            message: [{to: sns, contains: watch could not do everything}]
        """)


def test_an_issue_in_github_is_a_ticket(project: Project) -> None:
    jira = "{type: jira, url: https://example.atlassian.net, project: SEC}"
    connections = CONNECTIONS.replace(jira, "{type: github, repository: acme/findings}")
    assert "github" in connections
    project.write("playbooks/connections.yaml", connections)
    project.passes("""\
        - name: opened
          event: high.json
          given: {coverage: {verdict: UNPROTECTED}}
          expect:
            ticket:
              system: github
              connection: tickets
              summary: Look at CVE-2026-0001
              body: UNPROTECTED
              labels: [hub-responder]
              count: 1
            note: acme/findings#1
        - name: limited
          event: high.json
          given:
            coverage: {verdict: UNPROTECTED}
            faults: [{target: github, status: 429, times: 1}]
          expect: {ticket: opened}
        """)


CONDITIONS = """\
only_if:
  - finding.severity >= 'CRITICAL' or open('office')
  - seen(30, 'FALSE_POSITIVE') < 3
always_if: ["tag('priority') == '緊急'"]
"""
OFFICE = """\
timezone: Asia/Tokyo
calendars:
  office: {weekdays: [Mon, Tue, Wed, Thu, Fri], hours: 09:00-18:00}
"""


def test_conditions_follow_the_time_the_tags_and_the_history(project: Project) -> None:
    project.write("playbooks/settings.yaml", OFFICE)
    project.passes(
        """\
        - name: at night only what is critical
          event: high.json
          given: {time: "2026-11-24T22:30:00"}
          expect: {matched: imported, skipped: "not so: finding.severity >= 'CRITICAL'",
                   tell: not_run, message: false, workflow: NEW}
        - name: by day the rest as well
          event: high.json
          given: {time: "2026-11-24T10:30:00"}
          expect: {tell: sent}
        - name: what is urgent always
          event: high.json
          given: {time: "2026-11-24T22:30:00", tags: {priority: 緊急}}
          expect: {tell: sent}
        - name: three times a false positive, then silent
          event: high.json
          finding: {Severity: {Label: CRITICAL}}
          given: {earlier: [{ago: 3d, times: 3, closed_as: FALSE_POSITIVE}]}
          expect: {skipped: "seen(30", tell: not_run}
        - name: twice is not enough
          event: high.json
          finding: {Severity: {Label: CRITICAL}}
          given: {earlier: [{ago: 3d, times: 2, closed_as: FALSE_POSITIVE}]}
          expect: {coverage: done}
        """,
        CONDITIONS,
    )


def test_tags_are_looked_up_where_the_finding_has_none(project: Project) -> None:
    project.passes(
        """\
        - name: of the instance
          event: high.json
          given:
            estate: {ec2: [{InstanceId: i-0a1b2c3d4e5f60718, Tags: {team: blue}}]}
          expect: {tell: sent}
        - name: of another team's
          event: high.json
          given:
            estate: {ec2: [{InstanceId: i-0a1b2c3d4e5f60718, Tags: {team: red}}]}
          expect: {skipped: "tag('team')"}
        """,
        "only_if: [\"tag('team') == 'blue'\"]\n",
    )


BEHIND = """\
        - name: {kind}
          event: high.json
          trigger: click
          finding: {{Resources: [{resource}]}}
          given: {{coverage: {{verdict: DEGRADED, reasons: [stale]}}}}
          expect: {{coverage: {{verdict: DEGRADED, reasons: [stale]}}, note: "{behind}"}}
"""


@pytest.mark.parametrize(
    ("kind", "name", "details", "behind"),
    [
        ("AwsEcsTask", TASK, "null", "00000001 behind task/shop"),
        ("AwsEcsContainerInstance", f"{ECS}container-instance/s/{7:032x}", "null", "00000001"),
        ("AwsAutoScalingAutoScalingGroup", "web", "null", "00000001 behind web"),
        ("Container", "c", "{Other: {nodeName: ip-10-0-0-5.ec2.internal}}", "00000001 behind c"),
        ("Container", "c", "{Other: {instanceId: i-0aa1}}", "i-0aa1 behind c"),
    ],
)
def test_a_verdict_that_is_given_is_that_of_the_instance_behind_the_resource(
    project: Project, kind: str, name: str, details: str, behind: str
) -> None:
    resource = f'{{Type: {kind}, Id: "{name}", Details: {details}}}'
    project.passes(BEHIND.format(kind=kind, resource=resource, behind=behind))


def test_what_a_case_says_of_tasks_and_groups_counts(project: Project) -> None:
    project.passes(
        f"""\
        - name: on Fargate
          event: high.json
          trigger: click
          finding: {{Resources: [{{Type: AwsEcsTask, Id: "{TASK}", Details: null}}]}}
          given: {{estate: {{tasks: [{{taskArn: "{TASK}", launchType: FARGATE}}]}}}}
          expect: {{coverage: {{verdict: NOT_APPLICABLE}}}}
        - name: without instances
          event: high.json
          trigger: click
          finding: {{Resources: [{{Type: AwsAutoScalingAutoScalingGroup, Id: web}}]}}
          given: {{estate: {{groups: [{{AutoScalingGroupName: web}}]}}}}
          expect: {{coverage: {{verdict: NOT_APPLICABLE}}}}
        """
    )


SHIELDING = """\
  - id: shield
    uses: vision_one.apply_ips_rules
    with: {connection: protection}
"""


def test_rules_are_assigned_to_the_computers_that_a_case_gives(project: Project) -> None:
    protection = "  protection: {type: workload_security}\n"
    project.write("playbooks/connections.yaml", CONNECTIONS + protection)
    project.passes(
        """\
        - name: a rule that is there
          event: high.json
          finding: {Vulnerabilities: [{Id: CVE-2026-0001}]}
          given:
            estate:
              rules: [{ID: 7, name: Example (CVE-2026-0001), CVE: CVE-2026-0001}]
              computers:
                - ID: 34
                  agentVersion: 20.0.2.1234
                  agentFingerPrint: "F9:51"
                  computerStatus: {agentStatus: active, agentStatusMessages: [Managed (Online)]}
                  ec2VirtualMachineSummary:
                    {accountID: "111122223333", instanceID: i-0a1b2c3d4e5f60718}
                  intrusionPrevention:
                    {state: prevent, moduleStatus: {agentStatus: active}, ruleIDs: []}
          expect: {shield: {assigned: [7]}}
        - name: a computer that there is not
          event: high.json
          finding: {Vulnerabilities: [{Id: CVE-2026-0001}]}
          expect: {shield: failed}
        """,
        SHIELDING,
    )


def test_a_playbook_that_only_observes_sends_nothing(project: Project) -> None:
    project.write("playbooks/settings.yaml", "playbooks: {watch: {mode: observe}}\n")
    project.passes("""\
        - name: observed
          event: high.json
          expect:
            coverage: done
            ticket: {observed: would open a ticket in tickets}
            tell: observed
            message: false
            workflow: NEW
        """)


def test_a_system_that_fails_is_scripted_and_waits_pass_at_once(project: Project) -> None:
    project.passes("""\
        - name: jira is down for an hour
          event: high.json
          given: {faults: [{target: jira, status: 503, times: 6}]}
          expect: {ticket: opened, tell: sent}
        - name: slack refuses for good
          event: high.json
          given: {faults: [{target: chat, status: 403, times: 100}]}
          expect: {tell: {failed: credential or permission refused}, ticket: opened}
        - name: what cannot be told is told after a while
          event: high.json
          given: {coverage: {verdict: UNKNOWN, reasons: [rate_limited]}}
          expect: {tell: sent, ticket: skipped, message: UNKNOWN}
        """)


@pytest.mark.parametrize(
    ("mail", "rest", "status"),
    [
        ("ses", "", 503),
        ("ses", ", configuration_set: soc", 429),
        ("smtp", ", host: smtp.example.com", 451),
    ],
)
def test_e_mail_is_caught_and_comes_later_where_it_is_refused_for_now(
    project: Project, mail: str, rest: str, status: int
) -> None:
    of = f"{{type: {mail}, sender: a@example.com, to: [b@example.com]{rest}}}"
    tickets = "  tickets: {type: opscenter}\n  vision-one: {type: vision_one}\n"
    project.write("playbooks/connections.yaml", f"connections:\n  chat: {of}\n{tickets}")
    project.passes(f"""\
        - name: later
          event: high.json
          given:
            coverage: {{verdict: UNPROTECTED}}
            faults: [{{target: chat, status: {status}, times: 2}}]
          expect:
            tell: done
            message: [{{to: chat, contains: [HIGH on platform, no Vision One agent]}}]
        """)


@pytest.mark.parametrize(
    ("recipient", "again"),
    [("bounce@simulator.amazonses.com", True), ("complaint@simulator.amazonses.com", False)],
)
def test_e_mail_that_comes_back_is_told_and_what_bounced_goes_another_way(
    project: Project, recipient: str, again: bool
) -> None:
    project.write(
        "playbooks/connections.yaml",
        f"""\
connections:
  chat:
    type: ses
    sender: a@example.com
    to: [{recipient}]
    configuration_set: soc
    fallback: backup
  backup: {{type: slack, channel: C0SANDBOX01}}
  tickets: {{type: opscenter}}
  vision-one: {{type: vision_one}}
""",
    )
    said = f"""\
        - name: back
          event: high.json
          {UNPROTECTED}
          expect:
            tell: done
            message:
              - {{to: chat, contains: HIGH on platform}}
              - {{to: sns, contains: [did not arrive as it should, {recipient}]}}
    """
    project.passes(said)
    other = "[{to: backup, contains: [HIGH on platform, no Vision One agent, did not reach]}]"
    if again:
        project.passes(case(f"{{message: {other}}}"))
    else:
        project.fails(case(f"{{message: {other}}}"), "message")


def test_an_action_can_be_given_its_answer(project: Project) -> None:
    project.passes("""\
        - name: the ticket is another system's
          event: high.json
          given: {ticket: {id: X-1, url: https://example.com/X-1, opened: true}}
          expect: {ticket: {id: X-1}, tell: sent}
        """)
    said = project.fails(
        case("{ticket: false}", "given: {ticket: {id: X-1, url: '', opened: true}}", rest="""\
- name: two
  event: high.json
  given: {ticket: {id: X-1, url: '', opened: true}}
  expect: {ticket: {count: 1}}
"""),
        "ticket expected 1 tickets",
    )  # fmt: skip
    assert "1 failed, 1 passed" in said


def test_cases_may_lie_in_files_of_their_own(project: Project) -> None:
    project.write("playbooks/watch/tests/one.yaml", case("{tell: sent}", name="single")[2:]
                  .replace("\n  ", "\n"))  # fmt: skip
    project.write("playbooks/watch/tests/more.yaml", case("{tell: skipped}", name="listed"))
    project.write("playbooks/watch/tests/under.yaml", "tests:\n" + case("{tell: sent}", name="sub"))
    code, said = project.test()
    assert code == 1
    assert "FAIL listed" in said
    assert "playbooks/watch/tests/more.yaml:1:3" in said
    assert "1 failed, 2 passed" in said


WRONG: dict[str, tuple[str, str]] = {
    "a key of a case": (
        "- {name: a, evnt: high.json, expect: {tell: sent}}",
        "1:14: unknown key in a case: `evnt`; did you mean `event`?",
    ),
    "a key of given": (
        "- {name: a, event: high.json, given: {covrage: {}}, expect: {tell: sent}}",
        "1:40: unknown key in given: `covrage`; did you mean `coverage`?",
    ),
    "a key of expect": (
        "- {name: a, event: high.json, expect: {mesage: x}}",
        "1:41: unknown key in expect: `mesage`; did you mean `message`?",
    ),
    "how a step ends": (
        "- {name: a, event: high.json, expect: {ticket: openned}}",
        "1:49: `ticket` is false, how that step ends, or a mapping of its fields",
    ),
    "how another step ends": (
        "- {name: a, event: high.json, expect: {tell: snt}}",
        "1:47: unknown end of step tell: `snt`; did you mean `sent`?",
    ),
    "a result": (
        "- {name: a, event: high.json, expect: {coverage: {verdct: x}}}",
        "1:52: unknown key of step coverage: `verdct`; did you mean `verdict`?",
    ),
    "an event file": (
        "- {name: a, event: hihg.json, expect: {tell: sent}}",
        "1:21: there is no event file `hihg.json` in the playbook's tests/ nor in events/; did",
    ),
    "an event outside": (
        "- {name: a, event: ../events/high.json, expect: {tell: sent}}",
        "1:21: there is no event file `../events/high.json` in",
    ),
    "a field of a finding": (
        "- {name: a, finding: {Severty: {Label: HIGH}}, expect: {tell: sent}}",
        "1:24: `Severty` is no field of an ASFF finding; did you mean `Severity`?",
    ),
    "a tier": (
        "- {name: a, event: high.json, given: {coverage: {verdict: PROTECTED, tier: name}}}",
        "1:77: unknown value of `tier`: `name`",
    ),
    "a CVE that is none": (
        "- {name: a, event: high.json, given: {coverage: {verdict: PROTECTED, cves: [7]}}}",
        "1:78: given.coverage.cves is a list of mappings, not of a number",
    ),
    "a state of a CVE": (
        (
            "- {name: a, event: high.json, given: {coverage: {verdict: PROTECTED,"
            " cves: [{cve: CVE-2026-1111, state: open}]}}, expect: {}}"
        ),
        "1:106: `state`: unknown value `open`. There is: detect_only,",
    ),
    "a verdict": (
        "- {name: a, event: high.json, given: {coverage: {verdict: PROTECT}}, expect: {}}",
        "1:60: unknown value of `verdict`: `PROTECT`; did you mean `PROTECTED`?",
    ),
    "a reason": (
        "- {name: a, event: high.json, given: {coverage: {verdict: DEGRADED, reasons: [ofline]}}}",
        "1:80: unknown reason for DEGRADED: `ofline`; did you mean `offline`?",
    ),
    "a rule": (
        "- {name: a, event: high.json, expect: {matched: importd}}",
        "1:50: unknown rule `importd`; did you mean `imported`?",
    ),
    "a workflow": (
        "- {name: a, event: high.json, expect: {workflow: NOTIFID}}",
        "1:51: unknown workflow `NOTIFID`; did you mean `NOTIFIED`?",
    ),
    "a field of a ticket": (
        "- {name: a, event: high.json, expect: {ticket: {sumary: x}}}",
        "1:50: unknown field of a ticket: `sumary`; did you mean `summary`?",
    ),
    "a trigger": (
        "- {name: a, event: high.json, trigger: clik, expect: {tell: sent}}",
        "1:41: unknown value of `trigger`: `clik`; did you mean `click`?",
    ),
    "a param": (
        "- {name: a, event: high.json, given: {params: {stal: 1h}}, expect: {tell: sent}}",
        "1:49: unknown param `stal`; did you mean `stale`?",
    ),
    "a param's type": (
        "- {name: a, event: high.json, given: {params: {word: 5}}, expect: {tell: sent}}",
        "1:55: param word is a str like 'plain', not a number",
    ),
    "a time": (
        "- {name: a, event: high.json, given: {time: tomorrow}, expect: {tell: sent}}",
        "1:46: `time` is ISO 8601, as 2026-11-22T22:30:00+09:00",
    ),
    "a duration": (
        "- {name: a, event: high.json, given: {earlier: [{ago: soon}]}, expect: {tell: sent}}",
        "1:56: `ago` is a duration, as 30m or 2d",
    ),
    "as what it was closed": (
        "- {name: a, event: high.json, given: {earlier: [{closed_as: wrong}]}, expect: {}}",
        "1:62: `closed_as` must be capital letters, as FALSE_POSITIVE, not `wrong`",
    ),
    "a field of a related finding": (
        "- {name: a, event: high.json, given: {related: [{Titel: x}]}, expect: {tell: sent}}",
        "1:51: `Titel` is no field of an ASFF finding; did you mean `Title`?",
    ),
    "a related finding in OCSF": (
        "- {name: a, event: high.json, given: {related: [{finding_info: {}}]}, expect: {}}",
        "1:50: `related` holds findings in ASFF, which GetFindings answers in",
    ),
    "a fault": (
        "- {name: a, event: high.json, given: {faults: [{target: jira}]}, expect: {tell: sent}}",
        "1:48: fault 0: one of status, delay_s, truncate, drip_s, reset or time_out is needed",
    ),
    "nothing that arrives": (
        "- {name: a, expect: {tell: sent}}",
        "1:4: a case needs `event` or `finding`: what arrives",
    ),
    "nothing expected": (
        "- {name: a, event: high.json, expect: {}}",
        "1:40: `expect` is empty: say what should come of it",
    ),
    "no expect": (
        "- {name: a, event: high.json}",
        "1:4: a case lacks `expect`",
    ),
    "two of a name": (
        "- {name: a, event: high.json, expect: {tell: sent}}\n- {name: a, finding: {}, expect: {}}",
        "2:4: two cases are named `a`, the first at playbooks/watch/playbook.yaml:",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_in_a_case_is_told_with_its_place(project: Project, what: str) -> None:
    text, told = WRONG[what]
    project.cases(text)
    code, said = project.test()
    line, _, rest = told.partition(":")
    at = PLAYBOOK.count("\n") + 1 + int(line)
    # `cases` indents by two
    column, _, message = rest.partition(": ")
    assert code == 2
    assert f"playbooks/watch/playbook.yaml:{at}:{int(column) + 1}: {message}" in said, said


def test_all_mistakes_are_told_at_once(project: Project) -> None:
    project.cases("- {name: a, evnt: x, expect: {tll: sent}}\n- {nme: b}")
    code, said = project.test()
    assert code == 2
    assert all(word in said for word in ("`evnt`", "`tll`", "`nme`"))


def test_a_playbook_without_cases_and_one_that_does_not_exist(project: Project) -> None:
    code, said = project.test()
    assert code == 2
    assert said.startswith("watch has no test case\n0 cases of 0 playbooks: 0 passed")
    code, said = project.test("wach")
    assert code == 2
    assert "unknown playbook `wach`; did you mean `watch`?" in said


def test_what_cannot_be_made_fails_the_case_and_not_the_others(project: Project) -> None:
    project.cases("""\
        - {name: no schedule, trigger: schedule, expect: {tell: sent}}
        - name: no endpoint
          event: high.json
          given: {estate: {ec2: [{InstanceId: nothing}]}}
          expect: {tell: sent}
        - {name: well, event: high.json, expect: {tell: sent}}
        """)
    code, said = project.test()
    assert code == 1
    assert "trigger: schedule, but the playbook has no `on.schedule`" in said
    assert "2 failed, 1 passed" in said


def test_junit_is_written_also_where_a_case_fails(project: Project) -> None:
    project.cases(case("{tell: sent}") + case("{tell: skipped}", name='<"bad">'))
    file = project.root / "reports" / "junit.xml"
    assert project.test("--junit", file)[0] == 1
    suites = Xml.parse(file).getroot()  # noqa: S314 - our own file
    (suite,) = suites
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("watch", "2", "1")
    good, bad = suite
    assert (good.get("name"), list(good)) == ("one", [])
    assert bad.get("name") == '<"bad">'
    assert bad.get("file") == "playbooks/watch/playbook.yaml"
    (failure,) = bad
    assert failure.get("message") == "tell: expected skipped, got done"
    assert "sent to chat" in str(failure.text)


def test_only_the_named_playbooks_are_tested(project: Project) -> None:
    other = PLAYBOOK.replace("name: watch", "name: other").replace("id: Watch", "id: Other")
    project.playbook(f"{other}tests:\n  {case('{tell: skipped}').replace(chr(10), chr(10) + '  ')}",
                     "other")  # fmt: skip
    project.cases(case("{tell: sent}"))
    assert project.test("watch")[0] == 0
    assert project.test("other")[0] == 1
    assert project.test()[0] == 1


def test_folders_laid_over_are_tested_as_one(project: Project, tmp_path: Any) -> None:
    project.cases(case("{message: ours}"))
    assert project.test()[0] == 1
    project.write("ours/watch/templates/message.en.md.j2", "# ours\n")
    folders = f"{project.root / 'playbooks'}:{project.root / 'ours'}"
    code, said = project.test("--playbooks", folders)
    assert code == 0, said


def test_cases_do_not_see_each_other(project: Project) -> None:
    away = "given: {faults: [{target: vision_one, status: 403, times: 9}]}"
    project.passes(
        case("{ticket: {count: 1}}", name="first")
        + case("{coverage: {verdict: UNKNOWN}, ticket: skipped}", away, name="second")
        + case("{ticket: {count: 1}, tell: sent, workflow: NOTIFIED}", name="third")
    )


def test_nothing_leaves_the_process_and_nothing_of_it_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    before = dict(os.environ)
    june = UNPROTECTED[:-1] + ", time: '2026-06-01T00:00:00'}"
    project.passes(case("{ticket: opened, tell: sent, workflow: NOTIFIED}", june))
    assert dict(os.environ) == before
    assert abs(clock.now() - time.time()) < 600  # the case's own time is in another month
    assert "dry.invalid" not in str(getattr(aws, "_CLIENTS", {}))


def test_a_scheduled_playbook_is_started_by_its_schedule(project: Project) -> None:
    project.playbook("""\
format: 1
name: watch
summary: For tests
on:
  schedule: {cron: "0 9 ? * MON *", timezone: Asia/Tokyo}
group_by: []
steps:
  - {id: tell, uses: notify, with: {to: chat, template: plain.md.j2}}
tests:
  - name: it starts
    trigger: schedule
    given: {time: "2026-11-23T09:00:00+09:00"}
    expect: {matched: schedule}
""")
    project.write("playbooks/watch/templates/plain.md.j2", "# Good morning\n")
    code, said = project.test()
    assert code == 0, said


ARN = "arn:aws:securityhub:us-east-1:111122223333:insight/111122223333/custom/mine"
SCHEDULED = f"""\
format: 1
name: watch
summary: For tests
on:
  schedule: {{cron: "0 9 ? * MON *", findings: {{insight: "{ARN}"}}}}
steps:
  - {{id: coverage, uses: vision_one.check_coverage}}
  - {{id: tell, uses: notify, with: {{to: chat, template: message.md.j2}}}}
tests:
"""


def test_a_schedule_gets_the_findings_of_its_insight(project: Project) -> None:
    project.write("events/two.json", event(finding(), finding(Id="other", Title="another")))
    project.playbook(f"""{SCHEDULED}\
  - name: that of an event, with its changes and tags
    trigger: schedule
    event: high.json
    finding: {{Severity: {{Label: LOW}}}}
    given: {{coverage: {{verdict: DEGRADED}}, tags: {{owner: shop}}}}
    expect: {{matched: schedule, coverage: {{verdict: DEGRADED}}, message: LOW on shop}}
  - name: several
    trigger: schedule
    event: two.json
    expect: {{tell: sent}}
  - name: one that is written here
    trigger: schedule
    finding: {{Severity: {{Label: LOW}}, Resources: [{{Tags: {{owner: us}}}}]}}
    expect: {{message: LOW on us}}
  - name: what is archived is not in it
    trigger: schedule
    event: high.json
    finding: {{RecordState: ARCHIVED}}
    expect: {{tell: not_run, message: false}}
  - name: none
    trigger: schedule
    expect: {{tell: not_run, message: false}}
""")
    project.write("playbooks/watch/templates/message.en.md.j2", TEMPLATE)
    code, said = project.test()
    assert code == 0, said


TEMPLATE = "# {{ incident.severity }} on {{ finding.resource.tags.get('owner', 'nobody') }}\n"


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("event: ocsf.json", "an insight's findings come in ASFF, not in OCSF"),
        ("event: high.json", "`on.schedule.findings` names no insight"),
    ],
)
def test_what_no_insight_holds_is_said(project: Project, case: str, said: str) -> None:
    ocsf = (REPOSITORY / "events" / "inspector-high-ec2-ocsf.json").read_text(encoding="utf-8")
    project.write("events/ocsf.json", ocsf)
    text = (
        SCHEDULED if "ocsf" in case else SCHEDULED.replace(f', findings: {{insight: "{ARN}"}}', "")
    )
    project.playbook(f"{text}  - {{name: a, trigger: schedule, {case}, expect: {{tell: sent}}}}\n")
    project.write("playbooks/watch/templates/message.en.md.j2", TEMPLATE)
    code, told = project.test()
    assert code == 1
    assert said in " ".join(told.split())


PROGRAMS = """\
format: 1
name: watch
summary: For tests
on:
  imported: {match: {Severity: {Label: [HIGH, CRITICAL]}}}
steps:
  - id: asked
    uses: call
    with:
      to: cmdb
      payload: {instance: "{{ incident.resource.instance_id }}"}
      answer: {received: boolean}
  - {id: kept, uses: forward, with: {target: "arn:aws:sqs:us-east-1:111122223333:team-queue"}}
  - {id: filed, uses: forward, with: {target: "arn:aws:s3:::example-findings/hub"}}
tests:
  - name: programs get what they are to get
    event: high.json
    expect:
      asked: {done: cmdb}
      kept: done
      filed: done
      message: false
      request:
        - {to: cmdb, contains: i-0a1b2c3d4e5f60718, lacks: CVE-9999}
        - {contains: [CVE-2026-0001]}
  - name: the answer is another
    event: high.json
    given: {faults: [{target: cmdb, status: 400}]}
    expect: {asked: failed, kept: done}
"""


def test_what_other_programs_get_is_a_request(project: Project) -> None:
    project.write("playbooks/connections.yaml", "connections:\n  cmdb: {type: webhook, "
                  "url: https://cmdb.example.com/hook}\n")  # fmt: skip
    project.playbook(PROGRAMS)
    code, said = project.test()
    assert code == 0, said
    project.playbook(PROGRAMS.replace("CVE-9999", "instance"))
    code, said = project.test()
    assert code == 1
    assert "request to cmdb expected text without 'instance'" in " ".join(said.split())
    file = project.root / "events/high.json"
    code, said, _ = project.run("replay", file, "--dry-run")
    assert code == 0
    assert "request to cmdb (webhook): POST /" in said
    assert "request to sqs (sqs): POST /SendMessageBatch" in said


RESPONSE = """\
format: 1
name: watch
summary: For tests
on:
  custom_action: {id: Watch, name: Watch, description: Look at it}
steps:
  - {id: shield, uses: vision_one.apply_ips_rules}
  - {id: isolate, uses: endpoint.isolate}
tests:
"""
LINKED = """\
connections:
  vision-one: {type: vision_one, workload_security: workload, isolation: true}
  workload: {type: workload_security}
"""


def test_rules_and_isolation_run_through_the_production_path(project: Project) -> None:
    project.write("playbooks/connections.yaml", LINKED)
    cases = """
        - name: rules are assigned and the instance is isolated
          event: high.json
          trigger: click
          finding: {Vulnerabilities: [{Id: CVE-2026-0001}, {Id: CVE-2026-0002}]}
          given:
            estate:
              computers: [{}]
              rules: [{ID: 11, CVE: [CVE-2026-0001]}]
              vision_one:
                - eppAgent:
                    virtualMachineDetails:
                      cloudInstanceId: i-0a1b2c3d4e5f60718
                      cloudAccountId: "111122223333"
          expect:
            shield: {assigned: [11], sent: [CVE-2026-0001], to_patch: [CVE-2026-0002]}
            isolate: {status: succeeded}
            request: hub-responder watch
        - name: the module is off, the endpoint is isolated already
          event: high.json
          trigger: click
          finding: {Vulnerabilities: [{Id: CVE-2026-0001}]}
          given:
            estate:
              computers: [{intrusionPrevention: {state: "off"}}]
              rules: [{ID: 11, CVE: [CVE-2026-0001]}]
              vision_one:
                - isolationStatus: "on"
                  eppAgent:
                    virtualMachineDetails:
                      cloudInstanceId: i-0a1b2c3d4e5f60718
                      cloudAccountId: "111122223333"
          expect: {shield: {not_enforced: [CVE-2026-0001], why: "off"}, isolate: {status: already}}
        - name: nobody knows the instance
          event: high.json
          trigger: click
          finding: {Vulnerabilities: [{Id: CVE-2026-0001}]}
          expect: {shield: failed, isolate: failed}
        - name: results can be given
          event: high.json
          trigger: click
          given:
            shield: {computer: 1, name: web-01, shielded: [CVE-2026-0001]}
            isolate: {status: already, endpoint: web-01, agent_guid: g}
          expect: {shield: {shielded: [CVE-2026-0001]}, isolate: done}
    """
    project.playbook(RESPONSE + textwrap.indent(textwrap.dedent(cases), "  "))
    code, said = project.test("-v")
    assert code == 0, said
