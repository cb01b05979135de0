from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from hub_toolkit.sandbox import routes
from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.control import Control, ControlError
from hub_toolkit.sandbox.dynamodb import ItemStore
from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.event_plane.bus import EventPlane
from hub_toolkit.sandbox.faults import Faults
from hub_toolkit.sandbox.idle import Idle
from hub_toolkit.sandbox.inbox import Inbox
from hub_toolkit.sandbox.members.plane import Members
from hub_toolkit.sandbox.security_hub.hub import SecurityHub
from hub_toolkit.sandbox.sqs import Queues, SqsError
from hub_toolkit.sandbox.tickets import Tickets
from hub_toolkit.sandbox.vendors.vision_one import VisionOne
from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity

REGION, ACCOUNT, START = "us-east-1", "111122223333", 1_800_000_000.0
PRODUCT = f"arn:aws:securityhub:{REGION}::product/aws/inspector"
WORK = f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"


class World:
    """The control routes over real services; ``get`` and ``post`` call them."""

    def __init__(self) -> None:
        self.clock = Clock(start=START)
        self.queues = Queues(self.clock, REGION, ACCOUNT, "http://127.0.0.1:1")
        self.queues.create("work")
        self.queues.create("dead")
        self.events = EventPlane(self.clock.now, self.queues, REGION, ACCOUNT)
        self.events.put_rule("findings", {"source": ["aws.securityhub"]})
        self.events.put_targets("findings", [{"Id": "work", "Arn": WORK}])
        self.hub = SecurityHub(self.clock.now, self.events.put_event, REGION, ACCOUNT)
        self.hub.handle("CreateActionTarget", {"Name": "A", "Description": "B", "Id": "Check"})
        self.tables = ItemStore(self.clock.now, region=REGION, account=ACCOUNT)
        self.vision_one = VisionOne(self.clock.now, token="key")
        self.workload_security = WorkloadSecurity(self.clock.now, api_key="key")
        self.members = Members(self.clock.now, ACCOUNT, REGION, self.hub.get)
        self.instances = self.members.instances
        self.busy = False
        self.ticked: list[str] = []
        parts = routes.Parts(
            clock=self.clock,
            queues=self.queues,
            events=self.events,
            hub=self.hub,
            tables=self.tables,
            inbox=Inbox(self.clock.now),
            tickets=Tickets(),
            faults=Faults(),
            idle=Idle(self.clock, self.queues, [WORK], lambda: self.busy),
            members=self.members,
            vision_ones=[self.vision_one],
            workload_securities=[self.workload_security],
            connections={},
            dead_letters=[DEAD],
            audit_tables=["audit"],
            tick=self._tick,
        )
        self.client = Client(Control(routes.table(parts), (AwsError, SqsError, ValueError)))

    def _tick(self, name: str) -> Any:
        if name != "known":
            raise ControlError("there is no scheduled function", 404)
        self.ticked.append(name)
        return {"function": name, "result": None}

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/_sandbox/{path}")

    def post(self, path: str, body: Any, method: str = "POST") -> TestResponse:
        return self.client.open(f"/_sandbox/{path}", method=method, json=body)

    def events_sent(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(message.body) for message in self.queues.messages(WORK)]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.clock.close()


def finding(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": name,
        "ProductArn": PRODUCT,
        "GeneratorId": "AWSInspector",
        "AwsAccountId": ACCOUNT,
        "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
        "CreatedAt": "2026-11-01T00:00:00Z",
        "UpdatedAt": "2026-11-01T00:00:00Z",
        "Severity": {"Label": "HIGH"},
        "Title": "t",
        "Description": "d",
        "Resources": [{"Type": "AwsEc2Instance", "Id": "i-1"}],
        **fields,
    }


def event(*findings: Any, **fields: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "e-1",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": "2026-11-22T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {"findings": list(findings)},
        **fields,
    }


def test_an_event_goes_through_the_rules_and_the_answer_names_them(world: World) -> None:
    answer = world.post("events", event(finding("f-1")))
    assert answer.json == {"event_id": "e-1", "rules": ["findings"]}
    assert world.events_sent() == [event(finding("f-1"))]


def test_security_hub_holds_the_findings_of_an_event_without_telling_again(world: World) -> None:
    world.post("events", event(finding("f-1")))
    held = world.hub.get("f-1")
    assert held is not None
    assert held["Workflow"] == {"Status": "NEW"}
    assert len(world.events_sent()) == 1


def test_a_finding_that_is_held_already_is_kept_as_it_is(world: World) -> None:
    world.hub.seed(finding("f-1", Workflow={"Status": "NOTIFIED"}))
    world.post("events", event(finding("f-1")))
    held = world.hub.get("f-1")
    assert held is not None
    assert held["Workflow"] == {"Status": "NOTIFIED"}


@pytest.mark.parametrize("odd", [None, 7, "text", {}, {"Id": []}, {"finding_info": 3}, {"Id": "x"}])
def test_a_finding_that_is_none_is_passed_over_and_its_neighbour_held(
    world: World, odd: Any
) -> None:
    assert world.post("events", event(odd, finding("f-2"))).status_code == 200
    assert world.hub.get("f-2") is not None


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ([], "JSON object"),
        ({"id": "x"}, "no time, source"),
        (event(detail=[]), "detail"),
    ],
)
def test_what_is_no_event_is_refused(world: World, body: Any, complaint: str) -> None:
    answer = world.post("events", body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert complaint in answer.json["error"]


def test_a_click_sends_one_event_for_each_finding(world: World) -> None:
    world.hub.seed(finding("f-1"))
    world.hub.seed(finding("f-2", AwsAccountId="444455556666"))
    answer = world.post("click", {"action_id": "Check", "finding_ids": ["f-1", "f-2"]})
    sent = world.events_sent()
    assert answer.json == {"event_ids": [one["id"] for one in sent]}
    assert [one["detail"]["findings"][0]["Id"] for one in sent] == ["f-1", "f-2"]
    assert {one["detail-type"] for one in sent} == {"Security Hub Findings - Custom Action"}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"action_id": "Nope", "finding_ids": ["f-1"]}, "Nope"),
        ({"action_id": "Check", "finding_ids": ["missing"]}, "missing"),
        ({"action_id": "Check", "finding_ids": []}, "finding_ids"),
        ({"action_id": "Check", "finding_ids": "f-1"}, "finding_ids"),
        ({"finding_ids": ["f-1"]}, "action_id"),
        ({"action": "Check"}, "action_id, finding_ids"),
        ("Check", "JSON object"),
    ],
)
def test_a_click_that_cannot_be_is_refused_with_the_reason(
    world: World, body: Any, complaint: str
) -> None:
    answer = world.post("click", body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert complaint in answer.json["error"]


def test_an_insight_is_sent_with_its_results(world: World) -> None:
    world.hub.seed(finding("f-1"))
    filters = {"SeverityLabel": [{"Value": "HIGH", "Comparison": "EQUALS"}]}
    request = {"Name": "High", "Filters": filters, "GroupByAttribute": "ResourceId"}
    arn = world.hub.handle("CreateInsight", request)["InsightArn"]
    assert world.post("insight", {"action_id": "Check", "insight_arn": arn}).status_code == 200
    assert world.events_sent()[0]["detail"]["insightResults"] == [{"i-1": 1}]


def test_it_is_idle_when_nothing_is_queued_and_dead_letters_do_not_count(world: World) -> None:
    world.queues.send(DEAD, "dead")
    assert world.get("idle?timeout=0").status_code == 200


@pytest.mark.parametrize("delay", [0, 599])
def test_it_is_not_idle_while_a_message_waits_or_is_due_within_ten_minutes(
    world: World, delay: int
) -> None:
    world.queues.send(WORK, "x", delay=delay)
    answer = world.get("idle?timeout=0")
    assert answer.status_code == 408
    assert answer.json is not None
    assert "not idle" in answer.json["error"]


def test_what_is_due_later_than_in_ten_minutes_does_not_count(world: World) -> None:
    world.queues.send(WORK, "x", delay=700)
    assert world.get("idle?timeout=0").status_code == 200


def test_it_is_not_idle_while_a_message_is_in_flight_or_an_invocation_runs(world: World) -> None:
    world.queues.send(WORK, "x")
    (message,) = world.queues.receive(WORK)
    assert world.get("idle?timeout=0").status_code == 408
    world.queues.delete(WORK, message.receipt)
    world.busy = True
    assert world.get("idle?timeout=0").status_code == 408


@pytest.mark.parametrize("timeout", ["x", "-1", "1e9", "nan"])
def test_a_timeout_that_is_no_number_of_seconds_is_refused(world: World, timeout: str) -> None:
    assert world.get(f"idle?timeout={timeout}").status_code == 400


def test_the_clock_jumps_and_changes_its_speed(world: World) -> None:
    answer = world.post("clock", {"advance_s": 3600, "speed": 60})
    assert answer.json is not None
    assert answer.json["speed"] == 60
    assert answer.json["now"] >= START + 3600


@pytest.mark.parametrize(
    "body", [{}, {"speed": 0}, {"speed": "fast"}, {"speed": True}, {"advance_s": -1}, {"x": 1}]
)
def test_a_clock_that_cannot_be_is_refused(world: World, body: Any) -> None:
    assert world.post("clock", body).status_code == 400


def test_audit_records_are_listed_oldest_first(world: World) -> None:
    key = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    world.tables.create_table(
        {
            "TableName": "audit",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": key,
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        }
    )
    lines = {
        ("b", "1"): '{"at":"2026-01-02","kind":"later"}\n{"at":"2026-01-02","kind":"last\u2028"}',
        ("a", "2"): '{"at":"2026-01-01","kind":"first"}',
    }
    for (pk, sk), text in lines.items():
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "records": {"S": text}}
        world.tables.handle("PutItem", {"TableName": "audit", "Item": item})
    records = world.get("audit").json
    assert records is not None
    assert [record["kind"] for record in records] == ["first", "later", "last\u2028"]


def test_dead_letters_are_listed_with_reason_and_parsed_body(world: World) -> None:
    reason = {"reason": {"DataType": "String", "StringValue": "unreadable: no JSON"}}
    world.queues.send(DEAD, '{"a": 1}', reason)
    world.queues.send(DEAD, "not json")
    letters = world.get("dlq").json
    assert letters is not None
    shown = [(one["reason"], one["body"], one["queue"]) for one in letters]
    assert shown == [("unreadable: no JSON", {"a": 1}, "dead"), ("", "not json", "dead")]


def test_faults_are_added_shown_and_cleared(world: World) -> None:
    assert world.post("faults", [{"target": "slack", "status": 503, "times": 2}]).status_code == 200
    pending = world.get("faults").json
    assert pending is not None
    assert [(one["target"], one["times"]) for one in pending] == [("slack", 2)]
    assert world.client.delete("/_sandbox/faults", json={}).status_code == 200
    assert world.get("faults").json == []
    assert world.post("faults", [{"target": "slack"}]).status_code == 400
    assert world.post("faults", {"target": "slack"}).status_code == 400


def test_the_endpoints_of_vision_one_are_replaced(world: World) -> None:
    item = {"agentGuid": "g-1", "endpointName": "web-01"}
    answer = world.post("vision_one/endpoints", [item], "PUT")
    assert answer.json == {"endpoints": 1}
    listed = Client(world.vision_one.app).get(
        "/v3.0/endpointSecurity/endpoints", headers={"Authorization": "Bearer key"}
    )
    assert listed.json is not None
    assert [one["endpointName"] for one in listed.json["items"]] == ["web-01"]
    assert world.post("vision_one/endpoints", {"a": 1}, "PUT").status_code == 400
    assert world.post("vision_one/endpoints", [7], "PUT").status_code == 400


def test_the_alerts_of_vision_one_are_replaced(world: World) -> None:
    assert world.post("vision_one/alerts", [{"id": "WB-1"}], "PUT").json == {"alerts": 1}
    listed = Client(world.vision_one.app).get(
        "/v3.0/workbench/alerts", headers={"Authorization": "Bearer key"}
    )
    assert listed.json is not None
    assert [one["id"] for one in listed.json["items"]] == ["WB-1"]
    assert world.post("vision_one/alerts", [7], "PUT").status_code == 400


@pytest.mark.parametrize(
    ("path", "shown", "item"),
    [
        ("computers", "computers", {"ID": 1, "hostName": "web-01"}),
        ("rules", "intrusionPreventionRules", {"ID": 1, "name": "Example (CVE-2026-1)"}),
    ],
)
def test_computers_and_rules_are_replaced(
    world: World, path: str, shown: str, item: dict[str, Any]
) -> None:
    assert world.post(f"workload_security/{path}", [item], "PUT").json == {path: 1}
    found = Client(world.workload_security.app).post(
        f"/api/{shown.lower()}/search",
        headers={"Authorization": "ApiKey key", "api-version": "v1"},
    )
    assert found.json is not None
    assert [one["ID"] for one in found.json[shown]] == [1]
    assert world.post(f"workload_security/{path}", {}, "PUT").status_code == 400
    assert world.post(f"workload_security/{path}", [{}], "PUT").status_code == 400


def test_a_scheduled_function_is_run_by_name(world: World) -> None:
    assert world.post("tick", {"function": "known"}).status_code == 200
    assert world.ticked == ["known"]
    assert world.post("tick", {"function": "other"}).status_code == 404
    assert world.post("tick", {}).status_code == 400


def test_an_unknown_route_names_those_that_exist(world: World) -> None:
    answer = world.get("nothing")
    assert answer.status_code == 404
    assert answer.json is not None
    assert "/_sandbox/click" in answer.json["error"]
    assert world.get("click").status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}'])
def test_a_body_that_is_not_json_is_refused(world: World, body: bytes) -> None:
    answer = world.client.post("/_sandbox/click", data=body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert set(answer.json) == {"error"}


def test_instances_replace_those_that_were_there(world: World) -> None:
    item = {"InstanceId": "i-1", "OwnerId": ACCOUNT, "Region": REGION, "Tags": {"a": "b"}}
    assert world.post("ec2/instances", [item], "PUT").json == {"instances": 1}
    assert [one.tags for one in world.instances.there(ACCOUNT, REGION)] == [{"a": "b"}]
    assert world.post("ec2/instances", [], "PUT").json == {"instances": 0}
    assert world.instances.there(ACCOUNT, REGION) == []


@pytest.mark.parametrize(
    "items",
    [
        [{"InstanceId": "i-1"}],
        [{"InstanceId": "web-01", "OwnerId": ACCOUNT, "Region": REGION}],
        [{"InstanceId": "i-1", "OwnerId": ACCOUNT, "Region": REGION, "State": "gone"}],
        [{"InstanceId": "i-1", "OwnerId": ACCOUNT, "Region": REGION, "Tags": {"a": 1}}],
        [{"InstanceId": "i-1", "OwnerId": ACCOUNT, "Region": REGION}] * 2,
    ],
)
def test_instances_that_are_none_are_refused_and_nothing_is_changed(
    world: World, items: list[Any]
) -> None:
    world.instances.replace([{"InstanceId": "i-9", "OwnerId": ACCOUNT, "Region": REGION}])
    assert world.post("ec2/instances", items, "PUT").status_code == 400
    assert [one.instance_id for one in world.instances.there(ACCOUNT, REGION)] == ["i-9"]


def test_tasks_container_instances_and_groups_replace_those_that_were_there(world: World) -> None:
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:%s/shop/{1:032x}"
    for path, key, item in (
        ("ecs/tasks", "tasks", {"taskArn": arn % "task", "launchType": "FARGATE"}),
        (
            "ecs/container-instances",
            "container_instances",
            {"containerInstanceArn": arn % "container-instance", "ec2InstanceId": "i-1"},
        ),
        (
            "autoscaling/groups",
            "groups",
            {"AutoScalingGroupName": "web", "OwnerId": ACCOUNT, "Region": REGION},
        ),
    ):
        assert world.post(path, [item], "PUT").json == {key: 1}
        for wrong in ([{}], [{**item, "more": 1}], [1], item):
            assert world.post(path, wrong, "PUT").status_code == 400
        assert world.post(path, [], "PUT").json == {key: 0}
