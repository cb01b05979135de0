"""``hub-responder replay``: files, stdin and dead letters, dry and once more for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hub_responder.events import decode_finding
from hub_toolkit.dry.clock import StillClock
from hub_toolkit.dry.elsewhere import Elsewhere
from hub_toolkit.sandbox.core import Core
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.kills import Kills
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.sqs import Message
from hub_toolkit.sandbox.wsgi import respond_error

from .conftest import PLAYBOOK, Project, event, finding

ACCOUNT, REGION, STACK = "111122223333", "us-east-1", "hub-responder"


def dry(project: Project, *words: object, stdin: str | None = None) -> list[Any]:
    """What a dry run prints as JSON."""
    code, said, errors = project.run("replay", *words, "--dry-run", "--json", stdin=stdin)
    assert code in (0, 1), errors
    found: list[Any] = json.loads(said)
    return found


def test_a_dry_run_tells_rules_steps_messages_tickets_calls_and_the_finding(
    project: Project,
) -> None:
    (told,) = dry(project, project.root / "events/high.json", "--verdict", "UNPROTECTED")
    assert (told["event_id"], told["account"], told["region"]) == ("e-0001", ACCOUNT, REGION)
    (played,) = told["playbooks"]
    assert (played["playbook"], played["matched"]) == ("watch", True)
    rules = {rule["rule"]: rule for rule in played["rules"]}
    assert rules["imported"] == {"rule": "imported", "matched": True, "why_not": []}
    assert not rules["lifecycle"]["matched"]
    assert played["conditions"] == [
        {"expression": "coverage.verdict == 'UNPROTECTED'", "value": True, "step": "ticket",
         "finding": ""}
    ]  # fmt: skip
    (incident,) = played["incidents"]
    assert incident["status"] == "done"
    steps = {step["id"]: step for step in incident["steps"]}
    assert [step["status"] for step in steps.values()] == ["done"] * 4
    assert steps["coverage"]["result"]["verdict"] == "UNPROTECTED"
    (message,) = played["messages"]
    assert (message["system"], message["connection"]) == ("slack", "chat")
    assert message["path"] == "/api/chat.postMessage"
    assert message["text"].startswith("HIGH on platform\nUNPROTECTED: no Vision One agent")
    assert message["body"]["channel"] == "C0SANDBOX01"
    (ticket,) = played["tickets"]
    assert ticket["text"] == "Look at CVE-2026-0001 - openssl\nUNPROTECTED"
    assert ticket["body"]["fields"]["project"] == {"key": "SEC"}
    effects = [call["connection"] for call in played["calls"] if call["effect"]]
    assert effects == ["tickets", "chat", "securityhub.BatchUpdateFindings"]
    assert played["bookkeeping"]["dynamodb.TransactWriteItems"] > 0
    (change,) = told["findings"]
    assert change["workflow"] == ["NEW", "NOTIFIED"]
    assert change["note"][0] == ""
    assert "SEC-1" in change["note"][1]
    assert change["fields"]["hubResponderVerdict"] == "UNPROTECTED"


def test_every_playbook_is_played_and_one_can_be_chosen(project: Project) -> None:
    other = PLAYBOOK.replace("name: watch", "name: watch-more").replace("id: Watch", "id: More")
    project.playbook(other.replace("HIGH, CRITICAL", "CRITICAL"), "watch-more")
    (told,) = dry(project, project.root / "events/high.json")
    assert [(one["playbook"], one["matched"]) for one in told["playbooks"]] == [
        ("watch", True),
        ("watch-more", False),
    ]
    assert told["playbooks"][1]["incidents"] == []
    assert told["playbooks"][1]["calls"] == []
    why = {rule["rule"]: rule["why_not"] for rule in told["playbooks"][1]["rules"]}["imported"]
    assert why == [
        {
            "path": "detail.findings.Severity.Label",
            "wanted": ["CRITICAL"],
            "found": ["HIGH"],
            "said": 'detail.findings.Severity.Label is "HIGH", wanted "CRITICAL"',
        }
    ]
    (told,) = dry(project, project.root / "events/high.json", "--playbook", "watch-more")
    assert [one["playbook"] for one in told["playbooks"]] == ["watch-more"]
    code, _, errors = project.run("replay", "x", "--dry-run", "--playbook", "wach")
    assert code == 2
    assert "unknown playbook `wach`; did you mean `watch`?" in errors


def test_conditions_are_told_with_their_values(project: Project) -> None:
    conditions = "only_if: [\"finding.severity >= 'HIGH'\", \"tag('owner') == 'pay'\"]\n"
    project.playbook(PLAYBOOK + conditions)
    (told,) = dry(project, project.root / "events/high.json")
    (played,) = told["playbooks"]
    assert [(one["expression"], one["value"]) for one in played["conditions"]] == [
        ("finding.severity >= 'HIGH'", True),
        ("tag('owner') == 'pay'", False),
    ]
    assert {one["finding"] for one in played["conditions"]} == {finding()["Id"]}
    assert played["skipped"] == ["not so: tag('owner') == 'pay'"]
    code, said, _ = project.run("replay", project.root / "events/high.json", "--dry-run")
    assert code == 0
    assert "tag('owner') == 'pay': false" in said
    assert "skipped: not so: tag('owner') == 'pay'" in said


def test_people_read_the_same(project: Project) -> None:
    file = project.root / "events/high.json"
    code, said, _ = project.run("replay", file, "--dry-run", "--verdict", "PROTECTED")
    assert code == 0
    for part in (
        "Nothing is sent. Vision One answers PROTECTED.",
        "watch: matches, rule imported",
        "ticket (ticket.open): skipped: not so: coverage.verdict == 'UNPROTECTED'",
        "if coverage.verdict == 'UNPROTECTED': false",
        "message to chat (slack): POST /api/chat.postMessage",
        "vision-one GET /v3.0/endpointSecurity/endpoints, 2 times",
        "securityhub.BatchUpdateFindings",
        "workflow NEW -> NOTIFIED",
        "hubResponderVerdict: PROTECTED",
    ):
        assert part in said
    assert '"blocks"' not in said
    code, said, _ = project.run("replay", file, "--dry-run", "-v")
    assert '"blocks"' in said
    low = project.write("low.json", event(finding(Severity={"Label": "LOW"})))
    code, said, _ = project.run("replay", low, "--dry-run")
    assert code == 0
    assert "watch: does not match" in said
    wanted = 'imported: detail.findings.Severity.Label is "LOW", wanted "HIGH" or "CRITICAL"'
    assert wanted in said
    assert "lifecycle:" not in said


def test_what_a_finding_says_does_not_steer_the_terminal(project: Project) -> None:
    hostile = finding(Title="\x1b]0;owned\x07\x1b[2J[red]x[/red]\u202e", Severity={"Label": "LOW"})
    file = project.write("hostile.json", event(hostile, id="\x1b[31m"))
    code, said, _ = project.run("replay", file, "--dry-run")
    assert code == 0
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[red]x[/red]" in said


def test_a_failed_step_is_exit_1(project: Project) -> None:
    wrong = PLAYBOOK.replace("{{ coverage.summary }}", "{{ coverage.evidence['x']['y'] }}")
    project.playbook(wrong)
    code, said, _ = project.run("replay", project.root / "events/high.json", "--dry-run")
    assert code == 1
    assert "answer (finding.update): failed: could not decide" in said


def test_an_event_comes_from_stdin_as_well(project: Project) -> None:
    (told,) = dry(project, "-", stdin=json.dumps(event(id="from-stdin")))
    assert told["event_id"] == "from-stdin"
    assert told["playbooks"][0]["matched"]


def test_a_click_is_at_home_where_it_was_clicked(project: Project) -> None:
    arn = "arn:aws:securityhub:eu-west-1:444455556666:action/custom/Watch"
    clicked = event(resources=[arn], account="444455556666", region="eu-west-1")
    clicked["detail-type"] = "Security Hub Findings - Custom Action"
    clicked["detail"] |= {"actionName": "Watch", "actionDescription": ""}
    (told,) = dry(project, project.write("click.json", clicked))
    matched = [rule["rule"] for rule in told["playbooks"][0]["rules"] if rule["matched"]]
    assert matched == ["action"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "not JSON"),
        ("[1]", "no EventBridge event"),
        ('{"detail": 5}', "no EventBridge event"),
        ("[" * 100_000, "not JSON"),
        ('"' + "x" * 1_100_000 + '"', "over 1,048,576 bytes"),
    ],
)
def test_what_is_no_event_is_exit_2(project: Project, content: str, told: str) -> None:
    code, said, errors = project.run("replay", project.write("no.json", content), "--dry-run")
    assert (code, said) == (2, "")
    assert told in errors


def test_an_event_that_no_rule_can_know_is_played_as_what_it_is(project: Project) -> None:
    file = project.write("other.json", {"source": "aws.ec2", "detail-type": "x", "detail": {}})
    (told,) = dry(project, file)
    assert not told["playbooks"][0]["matched"]
    assert told["findings"] == []


def test_wrong_usage_is_exit_2_and_says_why(project: Project) -> None:
    file = project.root / "events/high.json"
    for words, told in (
        (["nofile"], "there is no such file, and it is not the id of a message in the DLQ"),
        ([file, "--dry-run", "--verdict", "PROTECT"], "unknown verdict `PROTECT`; did you mean"),
        ([file, "--dry-run", "--verdict", "DEGRADED slow"], "unknown reason for DEGRADED: `slow`"),
        ([file, "--dry-run", "--stage", "No Stage"], "`No Stage` is no stage's name"),
    ):
        code, said, errors = project.run("replay", *words)
        assert (code, said) == (2, ""), words
        assert told in errors


# A deployment


class Stack:
    """SQS and Security Hub of a deployment, over HTTP; no function runs."""

    def __init__(self) -> None:
        self._listener = Listener(threads=4)
        self.endpoint = self._listener.endpoint
        place = Place(STACK, ACCOUNT, REGION, self.endpoint)
        self.core = Core(StillClock(1_800_000_000.0), place, Elsewhere(place))
        kills = Kills(self.core.faults, lambda _port: False, lambda _port: False)

        def none(_environ: Any, start_response: Any) -> list[bytes]:
            return respond_error(start_response, 404, "no control routes")

        self.queues = self.core.queues
        self.dlq = self.queues.create(f"{STACK}-dlq")
        policy = {"deadLetterTargetArn": self.arn("dlq"), "maxReceiveCount": 1}
        for name in ("watch-imports", "watch-clicks"):
            self.queues.create(f"{STACK}-{name}", {"RedrivePolicy": json.dumps(policy)})
        self._listener.start(self.core.app(self.core.simulators(kills), kills, none))

    def close(self) -> None:
        self.queues.close()
        self._listener.stop()

    def arn(self, name: str) -> str:
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-{name}"

    def redriven(self, body: Any, queue: str) -> str:
        """A message whose receives are used up; its id."""
        sent = self.queues.send(self.arn(queue), json.dumps(body))
        for _ in range(2):
            self.queues.receive(self.arn(queue), visibility=0)
        return sent.id

    def buried(self, body: Any, reason: str = "") -> str:
        """A message that the responder put there itself; its id."""
        attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        return self.queues.send(self.dlq, json.dumps(body), attributes).id

    def held(self, name: str) -> list[Message]:
        return self.queues.messages(self.arn(name))


@pytest.fixture
def stack() -> Iterator[Stack]:
    made = Stack()
    yield made
    made.close()


def test_a_dead_letter_is_played_and_stays_as_it_was(project: Project, stack: Stack) -> None:
    for number in range(25):
        stack.buried({"number": number})
    wanted = stack.redriven(event(id="dead"), "watch-imports")
    (told,) = dry(project, wanted, "--endpoint", stack.endpoint)
    assert told["event_id"] == "dead"
    assert told["playbooks"][0]["matched"]
    depth = stack.queues.depth(stack.dlq)
    assert (depth.visible, depth.in_flight) == (26, 0)
    assert stack.held("watch-imports") == []
    code, said, _ = project.run("replay", wanted, "--dry-run", "--endpoint", stack.endpoint)
    assert code == 0
    assert f"Message {wanted} of the DLQ from {STACK}-watch-imports; it stays there." in said


def test_a_message_that_is_not_there_is_said_so(project: Project, stack: Stack) -> None:
    stack.buried(event())
    missing = "00000000-0000-4000-8000-000000000000"
    code, said, errors = project.run("replay", missing, "--dry-run", "--endpoint", stack.endpoint)
    assert (code, said) == (2, "")
    assert f"there is no message {missing} in {STACK}-dlq (1 looked at)" in errors
    assert stack.queues.depth(stack.dlq).visible == 1
    words = ["replay", missing, "--dry-run", "--endpoint", stack.endpoint, "--stack", "another"]
    code, _, errors = project.run(*words)
    assert code == 2
    assert "there is no queue another-dlq" in errors


def test_a_failed_step_is_played_with_its_findings_as_they_are_now(
    project: Project, stack: Stack
) -> None:
    stack.core.hub.seed(finding(Title="As it is now"))
    compact = decode_finding(finding()).compact()
    body = {"hub_responder": "failed", "pk": "watch#0", "step": "tell", "findings": [compact]}
    letter = stack.buried(body, "tell: chat answered 400")
    (told,) = dry(project, letter, "--endpoint", stack.endpoint)
    assert told["findings"][0]["title"] == "As it is now"
    code, said, _ = project.run("replay", letter, "--dry-run", "--endpoint", stack.endpoint)
    assert code == 0
    assert "of the DLQ: tell: chat answered 400; it stays there." in said
    code, said, errors = project.run("replay", letter, "--yes", "--endpoint", stack.endpoint)
    assert code == 0, errors
    (sent,) = stack.held("watch-imports")
    assert json.loads(sent.body)["detail"]["findings"][0]["Id"] == finding()["Id"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"hub_responder": "settle", "pk": "watch#0"}, "it is a note of our own ('settle')"),
        (["no object"], "its body is no object"),
        (
            {"hub_responder": "failed", "pk": "watch#0", "findings": [{"x": 1}]},
            "a step failed, and its findings are not there any more",
        ),
    ],
)
def test_a_dead_letter_without_an_event_says_what_it_is(
    project: Project, stack: Stack, body: Any, why: str
) -> None:
    letter = stack.buried(body, "gave up")
    code, _, errors = project.run("replay", letter, "--dry-run", "--endpoint", stack.endpoint)
    assert code == 2
    assert f"message {letter} stands for no event that can be replayed: {why}" in errors
    assert "it is there because: gave up" in errors
    assert stack.queues.depth(stack.dlq).visible == 1


def test_without_dry_run_a_dead_letter_goes_once_to_the_queue_it_came_from(
    project: Project, stack: Stack
) -> None:
    letter = stack.redriven(event(id="again"), "watch-clicks")
    words = ["replay", letter, "--endpoint", stack.endpoint]
    code, said, _ = project.run(*words, stdin="n\n")
    assert code == 1
    assert f"Send {letter} once to {STACK}-watch-clicks?" in said
    assert stack.held("watch-clicks") == []
    code, said, errors = project.run(*words, stdin="y\n")
    assert code == 0, errors
    (sent,) = stack.held("watch-clicks")
    assert json.loads(sent.body) == event(id="again")
    assert f"sent once to {STACK}-watch-clicks, message {sent.id}" in said
    assert f"message {letter} stays in {STACK}-dlq" in said
    assert [one.id for one in stack.held("dlq")] == [letter]


def test_a_file_goes_to_the_queues_of_the_playbooks_that_it_matches(
    project: Project, stack: Stack
) -> None:
    file = project.root / "events/high.json"
    code, said, errors = project.run("replay", file, "--yes", "--endpoint", stack.endpoint)
    assert code == 0, errors
    assert f"sent once to {STACK}-watch-imports" in said
    assert [json.loads(one.body)["id"] for one in stack.held("watch-imports")] == ["e-0001"]
    assert stack.held("watch-clicks") == []
    low = project.write("low.json", event(finding(Severity={"Label": "LOW"})))
    code, _, errors = project.run("replay", low, "--yes", "--endpoint", stack.endpoint)
    assert code == 1
    assert "no rule of a playbook matches: nothing is sent; --dry-run shows why" in errors
    assert len(stack.held("watch-imports")) == 1


def test_a_deployment_that_does_not_answer_is_said_so(project: Project) -> None:
    letter = "00000000-0000-4000-8000-000000000000"
    code, _, errors = project.run("replay", letter, "--endpoint", "http://127.0.0.1:9")
    assert code == 2
    assert "sqs at http://127.0.0.1:9 cannot be asked" in errors
