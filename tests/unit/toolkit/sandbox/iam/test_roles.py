"""A function may do what its role allows: seen by AWS's own clients, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from hub_toolkit.sandbox.iam import Roles
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.template import plan
from hub_toolkit.sandbox.workers.environment import access_key
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, respond

ACCOUNT, REGION = "111122223333", "us-east-1"
PLACE = Place("stack", ACCOUNT, REGION, "http://127.0.0.1:1")
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:stack-in"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/stack-Table"
LAMBDAS = [
    {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/worker:*",
    },
    {
        "Effect": "Allow",
        "Action": ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        "Resource": QUEUE,
    },
]
OWN = {
    "Effect": "Allow",
    "Action": ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"],
    "Resource": TABLE,
    "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["own#*"]}},
}


def template(*statements: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    return {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stack-in"}},
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": key}},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"Policies": [{"PolicyName": "own", "PolicyDocument": document}]},
            },
            "Function": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "FunctionName": "worker",
                    "Handler": "a.b",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Events": {"In": {"Type": "SQS", "Properties": {"Queue": QUEUE}}},
                },
            },
        }
    }


class Guarded:
    """AWS behind the role of the function ``worker``; it answers ``{}`` to everything."""

    def __init__(self, *statements: dict[str, Any], status: int = 200) -> None:
        self.roles = Roles(plan(template(*LAMBDAS, *statements), PLACE, {}), PLACE)
        self.reached: list[str] = []
        self._status = status
        self._listener = Listener(threads=2)
        self._listener.start(self.roles.around(self._answer))
        self._clients: list[Any] = []

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.reached.append(str(environ.get("HTTP_X_AMZ_TARGET") or environ["PATH_INFO"]))
        return respond(start_response, self._status, b"{}")

    def client(self, service: str, key: str = access_key("worker")) -> Any:
        made = boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._listener.endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
        self._clients.append(made)
        return made

    def close(self) -> None:
        for one in self._clients:
            one.close()
        self._listener.stop()


Make = Callable[..., Guarded]


@pytest.fixture
def guarded() -> Iterator[Make]:
    made: list[Guarded] = []

    def make(*statements: dict[str, Any], **options: Any) -> Guarded:
        made.append(Guarded(*statements, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def refused(call: Callable[..., Any], **request: Any) -> str:
    """The error's code."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    assert "not authorized" in str(raised.value)
    return str(raised.value.response["Error"]["Code"])


def test_what_no_statement_allows_is_refused_in_each_protocol_as_aws_does(guarded: Make) -> None:
    aws = guarded()
    item = {"pk": {"S": "own#1"}}
    codes = [
        refused(aws.client("dynamodb").put_item, TableName="stack-Table", Item=item),
        refused(aws.client("sqs").purge_queue, QueueUrl=f"http://x/{ACCOUNT}/stack-in"),
        refused(aws.client("sns").publish, TopicArn="arn:aws:sns:us-east-1:1:t", Message="m"),
        refused(aws.client("ec2").describe_instances),
        refused(aws.client("s3").get_object, Bucket="b", Key="k"),
        refused(aws.client("securityhub").get_findings),
    ]
    assert codes == [
        "AccessDeniedException",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedOperation",
        "AccessDenied",
        "AccessDeniedException",
    ]
    assert not aws.reached
    denied = {action for action, _ in aws.roles.report()["worker"]["denied"]}
    assert denied >= {"dynamodb:PutItem", "sns:Publish", "ec2:DescribeInstances", "s3:GetObject"}


def test_a_ticket_of_security_hub_needs_its_connector_and_no_hub(guarded: Make) -> None:
    known = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:connectorv2/c-1"
    allowed = {"Effect": "Allow", "Action": "securityhub:CreateTicketV2", "Resource": known}
    create = guarded(allowed).client("securityhub").create_ticket_v2
    create(ConnectorId="c-1", FindingMetadataUid="f-1")
    refused(create, ConnectorId="c-2", FindingMetadataUid="f-1")


def test_whoever_is_no_function_may_do_anything(guarded: Make) -> None:
    aws = guarded()
    aws.client("securityhub", key="anything").get_findings()
    assert aws.reached == ["/findings"]


def test_a_function_reaches_only_its_own_partitions(guarded: Make) -> None:
    aws = guarded(OWN)
    table = aws.client("dynamodb")
    own, other = {"pk": {"S": "own#1"}}, {"pk": {"S": "other#1"}}

    def query(pk: str) -> dict[str, Any]:
        return {
            "TableName": "stack-Table",
            "KeyConditionExpression": "#k = :k",
            "ExpressionAttributeNames": {"#k": "pk"},
            "ExpressionAttributeValues": {":k": {"S": pk}},
        }

    def put(item: Any) -> dict[str, Any]:
        return {"Put": {"TableName": "stack-Table", "Item": item}}

    table.put_item(TableName="stack-Table", Item=own)
    table.query(**query("own#1"))
    table.batch_get_item(RequestItems={"stack-Table": {"Keys": [own, own | {"sk": {"S": "1"}}]}})
    table.transact_write_items(TransactItems=[put(own)])
    assert len(aws.reached) == 4
    refused(table.put_item, TableName="stack-Table", Item=other)
    refused(table.query, **query("other#1"))
    refused(table.batch_get_item, RequestItems={"stack-Table": {"Keys": [own, other]}})
    refused(table.transact_write_items, TransactItems=[put(own), put(other)])
    refused(table.put_item, TableName="elsewhere", Item=own)
    refused(table.get_item, TableName="stack-Table", Key=own)
    assert len(aws.reached) == 4


def test_two_statements_do_not_allow_together_what_neither_allows(guarded: Make) -> None:
    more = {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["more#*"]}}}
    aws = guarded(OWN, OWN | more)
    keys = [{"pk": {"S": "own#1"}}, {"pk": {"S": "more#1"}}]
    batch = {"stack-Table": {"Keys": keys}}
    refused(aws.client("dynamodb").batch_get_item, RequestItems=batch)


def test_a_statement_that_denies_wins(guarded: Make) -> None:
    topic = "arn:aws:sns:us-east-1:111122223333:t"
    allow = {"Effect": "Allow", "Action": "SNS:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "sns:Publish", "Resource": f"{topic[:-1]}?"}
    aws = guarded(allow, deny)
    refused(aws.client("sns").publish, TopicArn=topic, Message="m")
    assert not aws.reached


def test_an_object_that_is_not_there_is_denied_to_whoever_may_not_list(guarded: Make) -> None:
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/current/*"}
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}
    for statements, status in (([read], 403), ([read, listing], 404)):
        s3 = guarded(*statements, status=404).client("s3")
        with pytest.raises(ClientError) as raised:
            s3.get_object(Bucket="b", Key="current/x")
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_the_report_tells_what_was_used_and_what_never_was(guarded: Make) -> None:
    aws = guarded(OWN)
    aws.client("dynamodb").put_item(TableName="stack-Table", Item={"pk": {"S": "own#1"}})
    report = aws.roles.report()["worker"]
    assert ["dynamodb:PutItem", TABLE] in report["used"]
    assert report["denied"] == []
    own = {"resources": [TABLE], "keys": {"dynamodb:LeadingKeys": ["own#*"]}}
    assert report["grants"][-3:] == [
        {"action": "dynamodb:BatchGetItem", **own, "needed": False},
        {"action": "dynamodb:PutItem", **own, "needed": True},
        {"action": "dynamodb:Query", **own, "needed": False},
    ]
    assert all(one["needed"] for one in report["grants"][:-3])  # what Lambda itself does


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (LAMBDAS[:1], "the role of worker does not allow sqs:DeleteMessage"),
        (LAMBDAS[1:], "the role of worker does not allow logs:CreateLogStream"),
        ([*LAMBDAS, OWN | {"NotAction": "s3:*"}], "NotAction"),
        ([*LAMBDAS, OWN | {"Condition": {"Bool": {"a": "b"}}}], "condition Bool"),
    ],
)
def test_a_role_that_aws_could_not_use_or_that_is_not_understood_is_an_error(
    statements: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        Roles(plan(template(*statements), PLACE, {}), PLACE)
