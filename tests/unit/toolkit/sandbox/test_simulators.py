from __future__ import annotations

import base64
import json
import smtplib
import ssl
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import Client

from hub_toolkit.sandbox.aws_app import Call, Performed
from hub_toolkit.sandbox.aws_effects import AwsEffects, OpsItems
from hub_toolkit.sandbox.faults import Faults
from hub_toolkit.sandbox.inbox import Inbox
from hub_toolkit.sandbox.kills import Kills
from hub_toolkit.sandbox.mounts import Mounts
from hub_toolkit.sandbox.opscenter import OpsCenter
from hub_toolkit.sandbox.simulators import Around, Simulators
from hub_toolkit.sandbox.tickets import Tickets

ENDPOINT = "http://127.0.0.1:1"
MESSAGE = b"From: a@example.com\r\nSubject: =?utf-8?b?5pyq5L+d6K23?=\r\n\r\nhello\r\n"


def now() -> float:
    return 1_800_000_000.0


class World:
    """Simulators with nothing but an inbox and faults around them."""

    def __init__(self) -> None:
        self.inbox, self.faults, self.tickets = Inbox(now), Faults(), Tickets()
        kills = Kills(self.faults, lambda _port: False, lambda _port: False)
        self.simulators = Simulators(
            Around(now, ENDPOINT, self.inbox, self.faults, self.tickets, kills)
        )
        self.client = Client(Mounts(self.simulators.apps, "connection"))

    def post(self, url: str, body: Any, **headers: str) -> int:
        path = url.removeprefix(f"{ENDPOINT}/_vendors")
        assert path != url
        return self.client.post(path, json=body, headers=headers).status_code


def test_a_slack_bots_messages_arrive_under_its_connections_name() -> None:
    world = World()
    settings = world.simulators.add("bot", {"type": "slack", "channel": "C0SANDBOX01"})
    token = world.simulators.secrets["bot"]["token"]
    body = {"channel": "C0SANDBOX01", "text": "hello"}
    url = f"{settings['base_url']}/chat.postMessage"
    assert world.post(url, body, Authorization=f"Bearer {token}") == 200
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["connection"]) == ("slack", "bot")
    assert delivery["body"] == body


def test_all_places_that_a_template_may_choose_are_there() -> None:
    world = World()
    chosen = {"channel": "{{ tag('C') }}", "allow": ["C0SANDBOX01", "C0SANDBOX02"]}
    settings = world.simulators.add("bot", {"type": "slack", **chosen})
    assert settings["channel"] == chosen["channel"]
    token = {"Authorization": f"Bearer {world.simulators.secrets['bot']['token']}"}
    for channel in ("C0SANDBOX01", "C0SANDBOX02", "C0SANDBOX03"):
        world.post(f"{settings['base_url']}/chat.postMessage", _message(channel), **token)
    arrived = [one["body"]["channel"] for one in world.inbox.deliveries()]
    assert arrived == chosen["allow"]
    projects = {"project": "{{ tag('P') }}", "allow": ["PAY", "OPS"]}
    world.simulators.add("jira", {"type": "jira", "url": "https://x.atlassian.net", **projects})
    secret = world.simulators.secrets["jira"]
    statuses = {
        project: world.client.post(
            "/jira/rest/api/3/issue",
            json={
                "fields": {
                    "project": {"key": project},
                    "issuetype": {"name": "Task"},
                    "summary": "s",
                }
            },
            auth=(secret["email"], secret["api_token"]),
        ).status_code
        for project in ("PAY", "OPS", "SEC")
    }
    assert statuses == {"PAY": 201, "OPS": 201, "SEC": 400}


def _message(channel: str) -> dict[str, str]:
    return {"channel": channel, "text": "hello"}


def test_a_webhooks_address_is_its_secret() -> None:
    world = World()
    settings = world.simulators.add("hook", {"type": "slack_webhook"})
    assert settings == {"type": "slack_webhook", "private": True, "ca": ""}
    assert world.post(world.simulators.secrets["hook"]["webhook_url"], {"text": "hi"}) == 200
    (delivery,) = world.inbox.deliveries()
    assert (delivery["connection"], delivery["path"]) == ("hook", "/services/***")


def test_a_workflow_accepts_what_teams_does_not_show() -> None:
    world = World()
    added = world.simulators.add("soc", {"type": "teams"})
    assert added == {"type": "teams", "private": True, "ca": ""}
    url = world.simulators.secrets["soc"]["webhook_url"]
    kind = "application/vnd.microsoft.card.adaptive"
    for version in ("1.4", "2.0"):
        card = {"type": "AdaptiveCard", "version": version, "body": []}
        attachments = [{"contentType": kind, "content": card}]
        assert world.post(url, {"type": "message", "attachments": attachments}) == 202
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["connection"]) == ("teams", "soc")
    assert "sig" not in delivery["path"]
    (refused,) = world.inbox.refused()
    assert (refused["status"], "version" in refused["reason"]) == (202, True)


def test_alerts_are_in_the_inbox_and_fail_as_scripted() -> None:
    world = World()
    settings = world.simulators.add("on-call", {"type": "pagerduty", "region": "eu"})
    base = f"{ENDPOINT}/_vendors/on-call"
    assert settings == {
        "type": "pagerduty", "region": "eu", "base_url": base, "private": True, "ca": ""
    }  # fmt: skip
    key = world.simulators.secrets["on-call"]["routing_key"]
    payload = {"summary": "s", "source": "web-01", "severity": "error"}
    event = {"routing_key": key, "event_action": "trigger", "dedup_key": "k", "payload": payload}
    world.faults.add([{"target": "pagerduty", "status": 429}])
    url = f"{base}/v2/enqueue"
    assert world.post(url, event) == 429
    assert world.post(url, event) == 202
    assert world.post(url, {**event, "event_action": "resolve", "dedup_key": "other"}) == 202
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["connection"]) == ("pagerduty", "on-call")
    assert delivery["body"]["payload"] == payload
    assert "no open alert" in world.inbox.refused()[-1]["reason"]


def test_a_repositorys_issues_are_tickets_and_fail_as_scripted() -> None:
    world = World()
    given = {"type": "github", "repository": "acme/findings"}
    settings = world.simulators.add("gh", given)
    base = f"{ENDPOINT}/_vendors/gh/api/v3"
    assert settings == {**given, "base_url": base, "private": True, "ca": ""}
    token = world.simulators.secrets["gh"]["token"]
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "test"}
    world.faults.add([{"target": "github", "status": 503}])
    url = f"{base}/repos/acme/findings/issues"
    assert [world.post(url, {"title": "t"}, **headers) for _ in range(2)] == [503, 201]
    (ticket,) = world.tickets.list()
    assert (ticket["system"], ticket["connection"]) == ("github", "gh")
    assert ticket["id"] == "acme/findings#1"
    assert world.client.get("/gh/acme/findings/issues/1").status_code == 200


def test_a_servicenow_tables_records_are_tickets_and_fail_as_scripted() -> None:
    world = World()
    given = {"type": "servicenow", "url": "https://x.example", "auth": "oauth"}
    settings = world.simulators.add("snow", given)
    base = f"{ENDPOINT}/_vendors/snow"
    assert settings == {**given, "url": base, "private": True, "ca": ""}
    form = {"grant_type": "client_credentials", **world.simulators.secrets["snow"]}
    told = world.client.post("/snow/oauth_token.do", data=form).get_json()
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    world.faults.add([{"target": "servicenow", "status": 429, "retry_after": 9}])
    url, body = f"{base}/api/now/table/incident", {"short_description": "t"}
    assert [world.post(url, body, **headers) for _ in range(2)] == [429, 201]
    (ticket,) = world.tickets.list()
    assert (ticket["system"], ticket["id"], ticket["state"]) == ("servicenow", "INC0010001", "open")
    (delivery,) = world.inbox.deliveries()  # asking for a token is none
    assert delivery["body"] == body


def test_a_jira_projects_issues_are_tickets() -> None:
    world = World()
    given = {"type": "jira", "url": "https://x.atlassian.net", "project": "OPS"}
    settings = world.simulators.add("jira-ops", given)
    secret = world.simulators.secrets["jira-ops"]
    fields = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "s"}
    response = world.client.post(
        settings["url"].removeprefix(f"{ENDPOINT}/_vendors") + "/rest/api/3/issue",
        json={"fields": fields},
        auth=(secret["email"], secret["api_token"]),
    )
    assert response.status_code == 201
    (ticket,) = world.tickets.list()
    assert (ticket["system"], ticket["connection"], ticket["id"]) == ("jira", "jira-ops", "OPS-1")


def test_vision_one_answers_only_to_the_key_of_its_secret() -> None:
    world = World()
    settings = world.simulators.add("vision-one", {"type": "vision_one", "region": "jp"})
    path = "/vision-one/v3.0/endpointSecurity/endpoints"
    assert settings["base_url"] == f"{ENDPOINT}/_vendors/vision-one"
    key = world.simulators.secrets["vision-one"]["token"]
    assert world.client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert world.client.get(path, headers={"Authorization": "Bearer other"}).status_code == 401


@pytest.mark.parametrize(
    ("kind", "header"),
    [("cloud_one", "Authorization: ApiKey {}"), ("console", "api-secret-key: {}")],
)
def test_workload_security_takes_the_kind_of_key_that_the_connection_says(
    kind: str, header: str
) -> None:
    world = World()
    settings = world.simulators.add("swp", {"type": "workload_security", "key": kind})
    assert settings["base_url"] == f"{ENDPOINT}/_vendors/swp"
    name, _, value = header.format(world.simulators.secrets["swp"]["api_key"]).partition(": ")
    (tenant,) = world.simulators.workload_securities
    tenant.replace_rules([{"ID": 1, "name": "a"}])
    tenant.replace_computers([{"ID": 7, "intrusionPrevention": {}}])

    def post(path: str, given: str = value) -> int:
        headers = {name: given, "api-version": "v1"}
        body = {} if path.endswith("search") else {"ruleIDs": [1]}
        return world.client.post(
            f"/swp/api/computers/{path}", json=body, headers=headers
        ).status_code

    assert post("search") == 200
    assert post("search", "ApiKey other") == 401
    world.faults.add([{"target": "workload_security", "status": 503}])
    assert [post("7/intrusionprevention/assignments") for _ in range(2)] == [503, 200]
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["connection"]) == ("workload_security", "swp")
    assert delivery["body"] == {"ruleIDs": [1]}


@pytest.mark.parametrize("target", ["slack", "hook"])
def test_faults_name_the_system_or_the_connection(target: str) -> None:
    world = World()
    world.simulators.add("hook", {"type": "slack_webhook"})
    world.faults.add([{"target": target, "status": 503}])
    url = world.simulators.secrets["hook"]["webhook_url"]
    assert [world.post(url, {"text": "hi"}) for _ in range(2)] == [503, 200]
    assert len(world.inbox.deliveries()) == 1


def test_adding_a_connection_again_keeps_its_simulator() -> None:
    world = World()
    first = world.simulators.add("hook", {"type": "slack_webhook"})
    secret = dict(world.simulators.secrets["hook"])
    assert world.simulators.add("hook", {"type": "slack_webhook"}) == first
    assert world.simulators.secrets["hook"] == secret


def performed(target: str, body: bytes, *, form: bool = False, refused: bool = False) -> Performed:
    service, operation = target.split(".")
    return Performed(Call(service, operation), body, form, 400 if refused else 200, refused)


def test_an_sns_message_is_in_the_inbox_under_its_connections_name() -> None:
    world = World()
    assert world.simulators.add("amazon-q", {"type": "sns"}) == {"type": "sns"}
    effects = AwsEffects(world.inbox, world.simulators)
    body = b"Action=Publish&TopicArn=arn&Message=%7B%22version%22%3A%221.0%22%7D"
    effects.performed(performed("sns.Publish", body, form=True))
    effects.performed(performed("sns.CreateTopic", b"Action=CreateTopic", form=True))
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["connection"]) == ("sns", "amazon-q")
    assert delivery["body"]["Message"] == {"version": "1.0"}
    assert effects.targets(Call("sns", "Publish")) == ("amazon-q",)


def test_an_ops_item_is_in_the_inbox_and_what_was_refused_is_not() -> None:
    world = World()
    effects = AwsEffects(world.inbox, world.simulators)
    effects.performed(performed("ssm.CreateOpsItem", b'{"Title": "t"}'))
    effects.performed(performed("ssm.CreateOpsItem", b'{"Title": "no"}', refused=True))
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["body"]) == ("opscenter", {"Title": "t"})
    assert [one["body"] for one in world.inbox.refused()] == [{"Title": "no"}]


def test_ops_items_are_tickets() -> None:
    center = OpsCenter(now, "us-east-1", "111122223333")
    dedup = {"Type": "SearchableString", "Value": json.dumps({"dedupString": "hr-1"})}
    request = {
        "Title": "t",
        "Description": "d",
        "Source": "s",
        "OperationalData": {"/aws/dedup": dedup},
    }
    created = center.handle("CreateOpsItem", request)
    (ticket,) = OpsItems(center).tickets()
    assert (ticket["id"], ticket["summary"]) == (created["OpsItemId"], "t")
    assert (ticket["status"], ticket["body"]) == ("Open", "d")
    assert "hr-1" in ticket["labels"][0]


def test_what_steps_start_and_forward_is_in_the_inbox_with_its_content_shown() -> None:
    world = World()
    effects = AwsEffects(world.inbox, world.simulators, frozenset({"forwarded"}))
    record = {"Data": base64.b64encode(b'{"Id": "f-1"}').decode(), "PartitionKey": "p"}
    entry = {"Id": "0", "MessageBody": '{"Id": "f-2"}'}
    for target, body in {
        "kinesis.PutRecords": {"Records": [record, {"Data": "no base64"}]},
        "sqs.SendMessageBatch": {"QueueUrl": "http://x/1/forwarded", "Entries": [entry]},
        "states.StartExecution": {"name": "n", "input": '{"a": 1}'},
        "lambda.Invoke": {"a": 2},
    }.items():
        effects.performed(performed(target, json.dumps(body).encode()))
    shown = {one["system"]: one["body"] for one in world.inbox.deliveries()}
    assert [one["Data"] for one in shown["kinesis"]["Records"]] == [{"Id": "f-1"}, "no base64"]
    assert shown["sqs"]["Entries"][0]["MessageBody"] == {"Id": "f-2"}
    assert shown["stepfunctions"]["input"] == {"a": 1}
    assert shown["lambda"] == {"a": 2}


def test_the_responders_own_queues_are_no_delivery() -> None:
    world = World()
    effects = AwsEffects(world.inbox, world.simulators, frozenset({"forwarded"}))
    body = json.dumps({"QueueUrl": "http://x/1/imports", "Entries": []}).encode()
    effects.performed(performed("sqs.SendMessageBatch", body))
    effects.performed(performed("sqs.SendMessageBatch", b"[]"))
    assert world.inbox.deliveries() == []


def test_a_webhook_is_simulated_at_a_private_address_with_a_key_of_its_own() -> None:
    world = World()
    added = world.simulators.add("cmdb", {"type": "webhook", "url": "https://cmdb.example.com/"})
    assert added["private"] is True
    assert added["url"].endswith("/_vendors/cmdb/")
    assert set(world.simulators.secrets["cmdb"]) == {"signing_key"}


def test_a_topics_messages_arrive_under_its_connections_name() -> None:
    world = World()
    other = "arn:aws:sns:us-east-1:111122223333:on-call"
    world.simulators.add("chat", {"type": "sns"})
    world.simulators.add("on-call", {"type": "sns", "topic_arn": other})
    effects = AwsEffects(world.inbox, world.simulators)
    for arn in (other, "arn:aws:sns:us-east-1:111122223333:hub-responder-notifications"):
        body = urlencode({"TopicArn": arn, "Message": "{}"}).encode()
        effects.performed(performed("sns.Publish", body, form=True))
    assert [one["connection"] for one in world.inbox.deliveries()] == ["on-call", "chat"]


def test_a_mail_server_listens_where_servers_are_wanted_and_shows_its_messages() -> None:
    world, given = World(), {"type": "smtp", "host": "smtp.example.com", "security": "tls"}
    assert world.simulators.add("quiet", given) == given
    with ExitStack() as closing:
        world.simulators.closing = closing
        made = world.simulators.add("mail", given)
        assert (made["host"], made["private"]) == ("127.0.0.1", True)
        assert world.simulators.add("mail", given) == made
        context = ssl.create_default_context(cadata=made["ca"])
        with smtplib.SMTP_SSL(made["host"], made["port"], context=context) as client:
            secret = world.simulators.secrets["mail"]
            client.login(secret["username"], secret["password"])
            client.sendmail("a@example.com", ["b@example.com"], MESSAGE)
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["connection"]) == ("smtp", "mail")
    body = delivery["body"]
    assert (body["subject"], body["to"], body["text"]) == ("未保護", ["b@example.com"], "hello\r\n")


def test_a_mail_through_ses_is_in_the_inbox_decoded_under_its_connections_name() -> None:
    world = World()
    for name, to in (("one", "x@example.com"), ("two", "b@example.com")):
        world.simulators.add(name, {"type": "ses", "sender": "a@example.com", "to": [to]})
    effects = AwsEffects(world.inbox, world.simulators)
    request = {
        "Destination": {"ToAddresses": ["b@example.com"]},
        "Content": {"Raw": {"Data": base64.b64encode(MESSAGE).decode()}},
    }
    effects.performed(performed("ses.SendEmail", json.dumps(request).encode()))
    effects.performed(performed("ses.SendEmail", b"[]", refused=True))
    (delivery,) = world.inbox.deliveries()
    assert (delivery["system"], delivery["connection"]) == ("ses", "two")
    assert (delivery["body"]["subject"], delivery["body"]["text"]) == ("未保護", "hello\r\n")
    assert effects.targets(Call("ses", "SendEmail")) == ("one",)
