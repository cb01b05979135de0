"""``security-lake`` and ``trend-lake`` where something is wrong, missing or died halfway."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner

from factories import ACCOUNT
from hub_toolkit.cli import application
from hub_toolkit.lake.delivered import Deliveries
from hub_toolkit.lake.trend import Registrations as Client
from hub_toolkit.lake.trend import key_in
from hub_toolkit.sandbox import dynamodb
from hub_toolkit.sandbox.security_lake import SecurityLake
from hub_toolkit.sandbox.simulators import PATH, REGISTRATIONS
from hub_toolkit.sandbox.vendors.security_lake_registrations import Registrations
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, respond
from hub_toolkit.stack import LOCAL_REGION, DeploymentError, Stack
from hub_toolkit.trail.operator import Operator
from member_cloud import MemberCloud

STACK = "hub-responder-test"
CRAWLER = f"arn:aws:iam::{ACCOUNT}:role/service-role/crawler"
REGISTER = ["security-lake", "register", "--crawler-role", CRAWLER, "--why", "the SOC asks"]
UNREGISTER = ["security-lake", "unregister", "--why", "over"]
TREND = ["trend-lake", "register", "dns-activity", "--crawler-role", CRAWLER]
TREND += ["--tenant", "202400001234", "--secret", "cloud-one", "--why", "hunting"]
CREATE = "securitylake.CreateCustomLogSource"
ENDED = ["trend-lake", "unregister", "--secret", "cloud-one", "--why", "over"]
Run = Callable[..., tuple[int, str]]


@dataclass
class World:
    """A deployment with Security Lake; ``answers`` replace what Trend answers to GET."""

    members: MemberCloud
    lake: SecurityLake
    tables: dynamodb.ItemStore
    trend: Registrations
    secret: str = '{"api_key": "tenant-key"}'
    answers: list[bytes] = field(default_factory=list)
    lost: int = 0

    def security_lake(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Security Lake; the answers of so many creations are ``lost``."""
        if self.lost and str(environ["PATH_INFO"]).endswith("/custom"):
            self.lost -= 1
            self.lake.app(environ, lambda *_: None)
            return respond(start_response, 500, b'{"__type": "InternalServerException"}')
        return self.lake.app(environ, start_response)

    def other(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Trend, and Secrets Manager."""
        path = str(environ["PATH_INFO"])
        if not path.startswith(f"{PATH}/{REGISTRATIONS}"):
            return respond(start_response, 200, json.dumps({"SecretString": self.secret}).encode())
        if self.answers and environ["REQUEST_METHOD"] == "GET":
            return respond(start_response, 200, self.answers.pop())
        environ["PATH_INFO"] = path.removeprefix(f"{PATH}/{REGISTRATIONS}")
        return self.trend.app(environ, start_response)

    def create(self, name: str) -> None:
        """Somebody else makes a source."""
        with_stack = Stack(self.members.url, STACK)
        identity = {"principal": ACCOUNT, "externalId": "theirs"}
        with_stack.call(
            "securitylake",
            "create_custom_log_source",
            sourceName=name,
            configuration={
                "crawlerConfiguration": {"roleArn": CRAWLER},
                "providerIdentity": identity,
            },
        )
        with_stack.close()

    def names(self) -> list[str]:
        """The sources in Security Lake."""
        stack = Stack(self.members.url, STACK)
        found = stack.call("securitylake", "list_log_sources")["sources"]
        stack.close()
        return [one["customLogSource"]["sourceName"] for held in found for one in held["sources"]]

    def records(self) -> list[dict[str, Any]]:
        """The audit records."""
        items = self.tables.handle("Scan", {"TableName": f"{STACK}-AuditTable"})["Items"]
        lines = [line for item in items for line in item["records"]["S"].splitlines()]
        return sorted(map(json.loads, lines), key=lambda record: str(record["at"]))


@pytest.fixture
def world(members: MemberCloud) -> World:
    tables = dynamodb.ItemStore(lambda: members.now, region=LOCAL_REGION, account=ACCOUNT)
    for table in ("LedgerTable", "AuditTable"):
        tables.handle(
            "CreateTable",
            {
                "TableName": f"{STACK}-{table}",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
                ],
            },
        )
    lake = SecurityLake(ACCOUNT, LOCAL_REGION, members.members.accounts)
    made = World(members, lake, tables, Registrations(api_key="tenant-key"))
    members.services |= {"dynamodb": dynamodb.app(tables), "securitylake": made.security_lake}
    members.other = made.other
    return made


@pytest.fixture
def run(world: World) -> Run:
    """A command on the deployment: its exit code, and what it printed."""

    def command(*words: str) -> tuple[int, str]:
        args = [*words, "--endpoint", world.members.url, "--stack", STACK]
        result = CliRunner(env={"COLUMNS": "300"}).invoke(application(), args)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return command


@pytest.fixture
def stack(world: World) -> Iterator[Stack]:
    made = Stack(world.members.url, STACK)
    yield made
    made.close()


@pytest.mark.parametrize("words", [REGISTER, TREND])
def test_without_a_data_lake_it_says_where_to_enable_one(
    world: World, run: Run, words: list[str]
) -> None:
    world.lake.enabled = False
    code, told = run(*words)
    assert (code, "there is no data lake in us-east-1: enable Security Lake" in told) == (2, True)
    assert world.records() == []


@pytest.mark.parametrize(
    ("operation", "needed"),
    [
        (CREATE, "securitylake:CreateCustomLogSource"),
        ("securitylake.ListDataLakes", "securitylake:ListDataLakes"),
    ],
)
def test_without_rights_it_names_them_and_can_be_given_again(
    world: World, run: Run, operation: str, needed: str
) -> None:
    world.members.faults.add([{"target": operation, "status": 403}])
    code, told = run(*REGISTER)
    assert (code, "AccessDeniedException" in told, f"you need {needed}" in told) == (2, True, True)
    assert run("security-lake", "status") == (0, "Nothing is registered.\n")
    assert run(*REGISTER)[0] == 0
    assert len(world.names()) == 3


def test_a_name_that_is_taken_is_left_alone_and_another_one_will_do(world: World, run: Run) -> None:
    world.create("hub-responder-2005")
    code, told = run(*REGISTER)
    assert code == 2
    assert "named hub-responder-2005 already, which this stack did not make" in told
    assert world.names() == ["hub-responder-2005"]
    assert world.records() == []
    assert run(*REGISTER, "--name", "soc")[0] == 0
    assert set(world.names()) == {"hub-responder-2005", "soc-7001", "soc-2005", "soc-6003"}
    code, told = run(*REGISTER, "--name", "other")
    assert (code, "7001 is registered as soc-7001: unregister it first" in told) == (2, True)
    assert run(*UNREGISTER)[0] == 0
    assert world.names() == ["hub-responder-2005"]


def test_a_name_that_is_taken_meanwhile_is_left_alone(world: World, run: Run) -> None:
    for uid in (7001, 2005, 6003):
        world.create(f"hub-responder-{uid}")
    unseen = {"target": "securitylake.ListLogSources", "status": 200, "body": '{"sources": []}'}
    world.members.faults.add([{**unseen, "times": 3}])
    code, told = run(*REGISTER)
    assert (code, "already, which this stack did not make" in told) == (2, True)
    assert run("security-lake", "status")[1] == "Nothing is registered.\n"


def test_a_conflict_with_an_earlier_change_is_no_taken_name(world: World, run: Run) -> None:
    refused = json.dumps({"__type": "ConflictException", "message": "not yet propagated"})
    fault = {"target": CREATE, "skip": 1, "status": 409, "body": refused, "times": 1}
    world.members.faults.add([fault])
    code, told = run(*REGISTER)
    assert (code, "run the command again" in told, "did not make" in told) == (2, True, False)
    assert run(*REGISTER)[0] == 0
    assert len(world.names()) == 3


def test_a_source_that_is_listed_late_is_taken_over(world: World, run: Run) -> None:
    world.lost = 1
    assert run(*REGISTER)[0] == 2
    unseen = {"target": "securitylake.ListLogSources", "status": 200, "body": '{"sources": []}'}
    world.members.faults.add([{**unseen, "times": 4}])
    assert run(*REGISTER)[0] == 2
    assert run(*REGISTER)[0] == 0
    assert run(*UNREGISTER)[0] == 0
    assert world.names() == []


def test_a_source_whose_answer_was_lost_is_taken_over(world: World, run: Run) -> None:
    world.lost = 1
    assert run(*REGISTER)[0] == 2
    code, told = run("security-lake", "status", "--json")
    (held,) = json.loads(told)["sources"]
    assert (code, held["phase"], held["there"]) == (1, "wanted", True)
    code, told = run(*REGISTER, "--json")
    assert (code, [one["new"] for one in json.loads(told)]) == (0, [True] * 3)
    assert run("security-lake", "status")[0] == 0
    kinds = [(one["kind"], one["detail"]) for one in world.records()]
    assert kinds == [
        ("registered", f"Security Lake source hub-responder-{uid}") for uid in (7001, 2005, 6003)
    ]


def test_unregister_goes_on_where_it_failed(world: World, run: Run) -> None:
    assert run(*UNREGISTER) == (0, "Nothing was registered.\n")
    run(*REGISTER)
    deleting = {"target": "securitylake.DeleteCustomLogSource", "status": 403, "skip": 1}
    world.members.faults.add([deleting])
    code, told = run(*UNREGISTER)
    assert (code, "you need securitylake:DeleteCustomLogSource" in told) == (2, True)
    code, told = run(*REGISTER)
    assert (code, "is being removed: run unregister again first" in told) == (2, True)
    assert run("security-lake", "status")[0] == 1
    assert run(*UNREGISTER)[0] == 0
    assert world.names() == []
    kinds = [one["kind"] for one in world.records()]
    assert kinds == ["registered"] * 3 + ["unregistered"] * 3


def test_status_tells_what_is_gone_and_what_security_lake_says(world: World, run: Run) -> None:
    run(*REGISTER)
    world.lake.exceptions.append(
        {
            "exception": "Crawler_failed",
            "region": LOCAL_REGION,
            "remediation": "Check_role",
            "timestamp": "2026-11-01T00:00:00Z",
        }
    )
    code, told = run("security-lake", "status")
    assert (code, "Security Lake says: 2026-11-01" in told) == (0, True)
    assert "Crawler_failed Check_role" in told
    assert told.count("nothing yet") == 3
    stack = Stack(world.members.url, STACK)
    stack.call("securitylake", "delete_custom_log_source", sourceName="hub-responder-7001")
    stack.close()
    code, told = run("security-lake", "status")
    assert (code, told.count("active, not in Security Lake")) == (1, 1)
    assert run(*UNREGISTER)[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*REGISTER, "--name", "a-name-of-16-not"], "--name takes 1 to 15"),
        ([*REGISTER, "--name", "a b"], "--name takes 1 to 15"),
        ([*REGISTER[:3], "crawler", *REGISTER[4:]], "'crawler' is no role's ARN"),
        ([*REGISTER[:-1], " "], "--why has 0 characters"),
        ([*TREND, "--tenant", "é"], "--tenant takes 2 to 1,224"),
    ],
)
def test_bad_usage_is_said_and_nothing_is_made(
    world: World, run: Run, words: list[str], said: str
) -> None:
    code, told = run(*words)
    assert (code, said in told) == (2, True)
    assert world.names() == []


def test_a_source_of_the_longest_name_is_taken(world: World, run: Run) -> None:
    assert run(*REGISTER, "--name", "a" * 15)[0] == 0
    assert all(len(name) == 20 for name in world.names())


def test_a_key_that_is_not_valid_makes_nothing(world: World, run: Run) -> None:
    world.secret = '{"api_key": "another"}'
    code, told = run(*TREND)
    assert (code, "is the API key the tenant's, and valid?" in told) == (2, True)
    assert "another" not in told
    assert world.names() == []


@pytest.mark.parametrize("secret", ["", "{}", "{", '{"api_key": ""}', "two words"])
def test_a_secret_without_a_key_is_refused(world: World, stack: Stack, secret: str) -> None:
    world.secret = secret
    with pytest.raises(DeploymentError, match="secret cloud-one holds no API key"):
        key_in(stack, "cloud-one")


@pytest.mark.parametrize("secret", ["tenant-key", ' {"api_key": "tenant-key"} '])
def test_the_key_stands_alone_or_as_connections_have_it(
    world: World, stack: Stack, secret: str
) -> None:
    world.secret = secret
    assert key_in(stack, "cloud-one") == "tenant-key"


@pytest.mark.parametrize("answer", [b"[]", b'{"registrations": [], "total": 0}'])
def test_a_list_alone_and_an_object_with_one_are_read(
    world: World, stack: Stack, answer: bytes
) -> None:
    world.answers.append(answer)
    assert Client(stack, "tenant-key").listed() == []


@pytest.mark.parametrize("answer", [b"{}", b"7", b'{"a": [], "b": []}', b"[1]", b"<html>"])
def test_an_answer_in_another_form_ends_it_before_anything_is_made(
    world: World, run: Run, answer: bytes
) -> None:
    world.answers.append(answer)
    code, told = run(*TREND)
    assert (code, "form that is not known" in told or "not JSON" in told) == (2, True)
    assert world.names() == []


def test_a_registration_without_an_id_is_not_guessed(world: World, run: Run) -> None:
    assert run(*TREND)[0] == 0
    role = f"arn:aws:iam::{ACCOUNT}:role/AmazonSecurityLake-Provider-trend-dns-{LOCAL_REGION}"
    nameless = json.dumps([{"eventClass": "dns-activity", "roleArn": role}]).encode()
    world.answers.append(nameless)
    code, told = run(*ENDED)
    assert (code, "Trend names no id for dns-activity: remove it at Trend" in told) == (2, True)
    assert run(*ENDED)[0] == 0
    assert world.names() == []


def test_registrations_of_others_are_listed_and_left_alone(world: World, run: Run) -> None:
    stack = Stack(world.members.url, STACK)
    role = f"arn:aws:iam::{ACCOUNT}:role/theirs"
    Client(stack, "tenant-key").register("file-activity", "their-lake", "ext/x", role)
    stack.close()
    assert run(*TREND)[0] == 0
    code, told = run("trend-lake", "list", "--secret", "cloud-one")
    assert (code, "not of this stack" in told, "s3://their-lake/ext/x" in told) == (0, True, True)
    assert run(*ENDED)[0] == 0
    code, told = run("trend-lake", "list", "--secret", "cloud-one", "--json")
    assert [one["event_class"] for one in json.loads(told)] == ["file-activity"]


def test_another_tenant_needs_another_source(world: World, run: Run) -> None:
    assert run(*TREND)[0] == 0
    code, told = run(*TREND, "--tenant", "202499999999")
    assert (code, "trend-dns was made for another tenant: unregister it first" in told) == (2, True)


def test_trend_delivers_to_four_regions_only(world: World, stack: Stack) -> None:
    stack.endpoint = None
    stack.region = "eu-west-1"
    with pytest.raises(DeploymentError, match="Trend delivers to no lake in eu-west-1"):
        Client(stack, "tenant-key")
    for region, trend in {
        "us-east-1": "us-1",
        "ap-southeast-2": "au-1",
        "ap-northeast-1": "jp-1",
        "eu-central-1": "de-1",
    }.items():
        stack.region = region
        client = Client(stack, "tenant-key")
        host = f"security-lake.{trend}.cloudone.trendmicro.com"
        assert client.address == f"https://{host}/api/registrations"


def test_who_ran_it_is_recorded(world: World, run: Run, stack: Stack) -> None:
    assert run(*TREND)[0] == 0
    run(*ENDED)
    told = [(one["kind"], one["why"], one["actor"]) for one in world.records()]
    who = Operator(stack).arn
    assert told == [("registered", "hunting", who), ("unregistered", "over", who)]
    assert Deliveries(stack, Client(stack, "tenant-key")).listed() == []
