"""The permissions that a request to AWS needs: actions, resources and condition keys.

From the Service Authorization Reference. An operation that is not listed here needs the action of
its own name; on which resource is not known, so any statement for the action will do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec

from hub_toolkit.sandbox import mail, ses
from hub_toolkit.sandbox.aws_app import identify, is_form
from hub_toolkit.sandbox.dynamodb import DynamoDBError
from hub_toolkit.sandbox.dynamodb.expressions.key_conditions import compile_key_tests
from hub_toolkit.sandbox.dynamodb.expressions.placeholders import Placeholders
from hub_toolkit.sandbox.members import cbor
from hub_toolkit.sandbox.wsgi import read_body

if TYPE_CHECKING:
    from hub_toolkit.sandbox.identifiers import Place
    from hub_toolkit.sandbox.wsgi import Environ

Request = Mapping[str, Any]
LEADING_KEYS = "dynamodb:LeadingKeys"
_REGION = re.compile(r"Credential=[^/]*/\d*/([a-z0-9-]+)/")
_PREFIXES = {"tagging": "tag", "states": "states", "monitoring": "cloudwatch"}
"""Signing name -> prefix of its actions, where they differ."""
_PLURAL = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "PublishBatch": "Publish",
}
_S3 = {
    "PUT": "s3:PutObject",
    "POST": "s3:PutObject",  # the parts of an upload
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "DELETE": "s3:DeleteObject",
}
_NO_RESOURCE = frozenset(
    {
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "inspector2:BatchGetFindingDetails",
        "inspector2:ListFindings",
        "ssm:CreateOpsItem",
        "ssm:DescribeInstanceInformation",
        "ssm:GetCommandInvocation",
        "ssm:ListCommands",
        "tag:GetResources",
    }
)
"""Actions without resource-level permissions: a policy must say ``*``."""
_FREE = frozenset({"sts:GetCallerIdentity"})
"""Nobody needs a permission for it, and none can be denied."""


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that a request needs.

    Attributes:
        resource: an ARN, "*" where the action knows none; empty: not known here.
        keys: the condition keys of the request that are known here.
    """

    action: str
    resource: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Needs:
    """Reads the needs of requests.

    Args:
        place: the sandbox's.
        partitions: the name of the partition key by table.
    """

    def __init__(self, place: Place, partitions: Mapping[str, str]) -> None:
        self._account = place.account
        self._partitions = partitions

    def of(self, environ: Environ) -> list[Need]:
        """What a request needs; empty where it needs nothing."""
        call = identify(environ)
        where = _Where(environ, self._account)
        if call.service == "s3":
            return _s3(environ)
        if call.service == "lambda" and call.operation == "Invoke":
            return _invoked(environ, where)
        operation = _PLURAL.get(call.operation, call.operation)
        action = f"{_PREFIXES.get(call.service, call.service)}:{operation}"
        if action in _FREE or action in _NO_RESOURCE:
            return [Need(action, "*")] if action in _NO_RESOURCE else []
        if call.service == "dynamodb":
            return self._dynamodb(action, where)
        if call.service == "ses":
            return _ses(action, where, environ)
        found = _RESOURCES.get(action) or _RESOURCES.get(f"{call.service}:")
        return [Need(action, one) for one in found(where)] if found else [Need(action)]

    def _dynamodb(self, action: str, where: _Where) -> list[Need]:
        request = where.request
        operation = action.partition(":")[2]
        if operation == "TransactWriteItems":
            # authorised as the operations in it ("Using IAM with transactions")
            return [
                self._item(f"dynamodb:{_TRANSACT[kind]}", where, one)
                for entry in _listed(request.get("TransactItems"))
                for kind, one in entry.items()
                if kind in _TRANSACT
            ]
        if operation == "TransactGetItems":
            entries = _listed(request.get("TransactItems"))
            return [self._item("dynamodb:GetItem", where, one.get("Get", {})) for one in entries]
        if operation in {"BatchGetItem", "BatchWriteItem"}:
            return [
                self._need(action, where, table, self._batch(table, held))
                for table, held in _object(request.get("RequestItems")).items()
            ]
        if operation == "Query":
            table = str(request.get("TableName", ""))
            return [self._need(action, where, table, self._queried(table, request))]
        return [self._item(action, where, request)]

    def _item(self, action: str, where: _Where, request: Request) -> Need:
        table = str(request.get("TableName", ""))
        item = request.get("Item") or request.get("Key") or {}
        return self._need(action, where, table, self._leading(table, [item]))

    @staticmethod
    def _need(action: str, where: _Where, table: str, leading: tuple[str, ...]) -> Need:
        keys = {LEADING_KEYS: leading} if leading else {}
        return Need(action, where.named("dynamodb", f"table/{table}"), keys)

    def _batch(self, table: str, held: Any) -> tuple[str, ...]:
        if isinstance(held, dict):
            return self._leading(table, _listed(held.get("Keys")))
        writes = [write for entry in _listed(held) for write in entry.values()]
        return self._leading(table, [one.get("Item") or one.get("Key") or {} for one in writes])

    def _leading(self, table: str, items: Iterable[Any]) -> tuple[str, ...]:
        name = self._partitions.get(table, "")
        values = (_object(item).get(name) for item in items)
        return tuple(str(held) for one in values for held in _object(one).values())

    def _queried(self, table: str, request: Request) -> tuple[str, ...]:
        try:
            placeholders = Placeholders(request, "KeyConditionExpression")
            test = compile_key_tests(placeholders).get(self._partitions.get(table, ""))
        except DynamoDBError:
            return ()  # the table refuses it too
        values = [placeholders.values[one] for one in test.operands] if test else []
        return tuple(str(held) for one in values for held in one.values())


class _Where:
    """A request, and the names of what it is about."""

    def __init__(self, environ: Environ, account: str) -> None:
        self._account = account
        signed = _REGION.search(str(environ.get("HTTP_AUTHORIZATION", "")))
        self._region = signed[1] if signed else ""
        self.request: Request = _parsed(environ)

    def named(self, service: str, resource: str) -> str:
        """An ARN in the request's region, where ``resource`` is none already."""
        if resource.startswith("arn:") or ":arn:" in resource or "/arn:" in resource:
            return resource[resource.index("arn:") :]
        return f"arn:aws:{service}:{self._region}:{self._account}:{resource}"

    def text(self, *names: str) -> str:
        """The first of these members that the request has."""
        return next((str(self.request[name]) for name in names if self.request.get(name)), "")


_TRANSACT = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _parsed(environ: Environ) -> Request:
    body = read_body(environ)
    if is_form(environ):
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    if "cbor" in str(environ.get("CONTENT_TYPE", "")):
        return _object(cbor.decode(body))
    try:
        return _object(msgspec.json.decode(body or b"{}"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # the service refuses it too


def _object(value: Any) -> Request:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Request]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _s3(environ: Environ) -> list[Need]:
    bucket, _, key = unquote(str(environ["PATH_INFO"])).lstrip("/").partition("/")
    if not key:
        return [Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")]
    method = str(environ["REQUEST_METHOD"])
    return [Need(_S3.get(method, f"s3:{method}"), f"arn:aws:s3:::{bucket}/{key}")]


def _invoked(environ: Environ, where: _Where) -> list[Need]:
    function = unquote(str(environ["PATH_INFO"])).split("/")[3]
    return [Need("lambda:InvokeFunction", where.named("lambda", f"function:{function}"))]


def _ses(action: str, where: _Where, environ: Environ) -> list[Need]:
    """The sender's identity and the configuration set; which of address and domain is the
    identity, the account decides, so that either will do here."""
    written = where.text("FromEmailAddress")
    if not written:
        with suppress(mail.MailError):  # SES refuses it too
            written = str(ses.shown(read_body(environ)).get("from", ""))
    sender = parseaddr(written)[1]
    keys = {"ses:FromAddress": (sender,)}
    named = [f"identity/{sender}"]
    if chosen := where.text("ConfigurationSetName"):
        named.append(f"configuration-set/{chosen}")
    actions = [action]
    if action == "ses:SendEmail" and "Raw" in _object(where.request.get("Content")):
        actions.append("ses:SendRawEmail")
    return [Need(one, where.named("ses", name), keys) for one in actions for name in named]


def _queue(where: _Where) -> list[str]:
    name = where.text("QueueUrl", "QueueName").rpartition("/")[2]
    return [where.named("sqs", name)]


def _hub(where: _Where) -> list[str]:
    return [where.named("securityhub", "hub/default")]


def _secret(where: _Where) -> list[str]:
    """Secrets Manager ends each secret's ARN with six random characters."""
    return [where.named("secretsmanager", f"secret:{where.text('SecretId')}-AbCdEf")]


def _key(where: _Where) -> list[str]:
    return [where.named("kms", f"key/{where.text('KeyId')}")]


def _ecs(kind: str, member: str) -> Callable[[_Where], list[str]]:
    def found(where: _Where) -> list[str]:
        cluster = where.text("cluster").rpartition("/")[2] or "default"
        held = where.request.get(member)
        names = held if isinstance(held, list) else []
        return [where.named("ecs", f"{kind}/{cluster}/{name}") for name in map(str, names)]

    return found


def _command(where: _Where) -> list[str]:
    name = where.text("DocumentName")
    document = where.named("ssm", f"document/{name}")
    if name.startswith("AWS"):  # AWS's own belong to no account
        region = document.split(":")[3]
        document = f"arn:aws:ssm:{region}::document/{name}"
    held = where.request.get("InstanceIds")
    instances = held if isinstance(held, list) else []
    return [document, *(where.named("ec2", f"instance/{one}") for one in map(str, instances))]


_RESOURCES: Mapping[str, Callable[[_Where], list[str]]] = {
    "ecs:DescribeContainerInstances": _ecs("container-instance", "containerInstances"),
    "ecs:DescribeTasks": _ecs("task", "tasks"),
    "kinesis:PutRecords": lambda where: [
        where.named("kinesis", where.text("StreamARN") or f"stream/{where.text('StreamName')}")
    ],
    "kms:": _key,
    "secretsmanager:GetSecretValue": _secret,
    "securityhub:": _hub,
    "securityhub:CreateTicketV2": lambda where: [
        where.named("securityhub", f"connectorv2/{where.text('ConnectorId')}")
    ],
    "sns:Publish": lambda where: [where.text("TopicArn")],
    "sqs:": _queue,
    "ssm:GetOpsItem": lambda where: [where.named("ssm", f"opsitem/{where.text('OpsItemId')}")],
    "ssm:SendCommand": _command,
    "ssm:UpdateOpsItem": lambda where: [where.named("ssm", f"opsitem/{where.text('OpsItemId')}")],
    "states:StartExecution": lambda where: [where.text("stateMachineArn")],
    "sts:AssumeRole": lambda where: [where.text("RoleArn")],
}
"""The resources of an action, or of all actions of a service (``SERVICE:``)."""
