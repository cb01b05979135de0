"""What all playbooks share: parameters, dead letters, tables, notifications, the schedule."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from hub_responder.inventory.history import COLUMNS
from hub_responder.inventory.history import PREFIX as HISTORY
from hub_toolkit.synth import roles
from hub_toolkit.synth.alarms import METRICS, alarm, of_function, own
from hub_toolkit.synth.naming import arn, attribute, log_group, logical, named, ref, where
from hub_toolkit.synth.playbook import FUNCTION_TIMEOUT_S, VISIBILITY_S, layer
from hub_toolkit.synth.roles import allow, role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub_toolkit.synth.playbook import Resources

KEPT_DAYS = 400
"""Of reports and of the fleet's history: this year's can be held against last year's."""
INVENTORY = "inventory"
INVENTORY_TIMEOUT_S = 300
INVENTORY_MB = 1024
SYNC_TIMEOUT_S = 240
"""Pages of 1,000 endpoints have up to 6 MB; 10,000 of them, DuckDB and its rows take 400 MB."""
TABLE = "coverage"
PAUSED_S = 86_400
"""A pause that lasts longer is told of."""
DLQ_RETENTION_S = 1_209_600
"""Fourteen days, the most that SQS keeps a message."""

PARAMETERS: dict[str, Any] = {
    "Stage": {
        "Type": "String",
        "Default": "prod",
        "AllowedPattern": "[a-z][a-z0-9-]{0,15}",
        "Description": "Names the secrets, hub-responder/STAGE/CONNECTION; build for it too",
    },
    "LogRetentionDays": {
        "Type": "Number",
        "Default": 90,
        "AllowedValues": [30, 60, 90, 180, 365, 400, 731],
        "Description": "How long logs are kept; the audit trail is not a log",
    },
    "LogLevel": {
        "Type": "String",
        "Default": "INFO",
        "AllowedValues": ["DEBUG", "INFO", "WARNING", "ERROR"],
        "Description": "The least severe log lines that are written",
    },
}

GLOBALS: dict[str, Any] = {
    "Function": {
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "Timeout": FUNCTION_TIMEOUT_S,
        "MemorySize": 256,
        "Environment": {
            "Variables": {
                "STAGE": ref("Stage"),
                "LEDGER_TABLE": ref("LedgerTable"),
                "AUDIT_TABLE": ref("AuditTable"),
                "DLQ_URL": ref("DeadLetterQueue"),
                "NOTIFICATIONS_TOPIC_ARN": ref("NotificationsTopic"),
                "POWERTOOLS_METRICS_NAMESPACE": METRICS,
                "LOG_LEVEL": ref("LogLevel"),
            }
        },
    }
}

OUTPUTS: dict[str, Any] = {
    "NotificationsTopicArn": {
        "Description": "Subscribe here: Amazon Q Developer in chat applications, e-mail",
        "Value": ref("NotificationsTopic"),
    },
    "DeadLetterQueueUrl": {
        "Description": "Messages that could not be handled, each with its reason",
        "Value": ref("DeadLetterQueue"),
    },
    "LedgerTableName": {
        "Description": "Incidents, their findings and what was done",
        "Value": ref("LedgerTable"),
    },
    "AuditTableName": {"Description": "The audit trail", "Value": ref("AuditTable")},
}


INVENTORY_OUTPUTS: dict[str, Any] = {
    "InventoryBucketName": {
        "Description": "The fleet as it is, and its history",
        "Value": ref("InventoryBucket"),
    },
    "InventoryDatabaseName": {
        "Description": f"Athena's database with the history; the table is {TABLE}",
        "Value": ref("InventoryDatabase"),
    },
}


def resources(queues: Mapping[str, str], scheduled: Mapping[str, str]) -> Resources:
    """The shared resources.

    Args:
        queues: the logical ids of the playbooks' queues, each with the condition that it has or "".
        scheduled: those of them that schedules send to, likewise.
    """
    return {
        "DeadLetterQueue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": named("dlq"),
                "VisibilityTimeout": VISIBILITY_S,
                "MessageRetentionPeriod": DLQ_RETENTION_S,
                "SqsManagedSseEnabled": True,
            },
        },
        "QueuePolicy": _queue_policy({"DeadLetterQueue": "", "CallsQueue": "", **queues}),
        **({"SchedulerRole": _scheduler_role(scheduled)} if scheduled else {}),
        "LedgerTable": _table(),
        "AuditTable": _table(StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"}),
        **_guard(),
        **_notifications(),
        **scheduled_function(
            "unanswered",
            "Answers clicks that ended in the DLQ",
            "5 minutes",
            roles.unanswered(),
            # Metrics of two stacks in one account must not mix: an alarm goes by them.
            variables={"POWERTOOLS_SERVICE_NAME": named("unanswered")},
        ),
        "PausedAlarm": alarm(
            "Something has been paused for over a day",
            own("PausedFor"),
            of_function("unanswered"),
            "Maximum",
            threshold=PAUSED_S,
            period=900,
        ),
        "DeadLetterAlarm": alarm(
            "Messages that could not be handled wait in the DLQ",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            {"QueueName": attribute("DeadLetterQueue", "QueueName")},
            "Maximum",
        ),
    }


def _scheduler_role(scheduled: Mapping[str, str]) -> dict[str, Any]:
    """The role with which EventBridge Scheduler sends to the queues."""
    queues = [where(attribute(queue), condition) for queue, condition in scheduled.items()]
    statement = allow("sqs:SendMessage", [attribute("DeadLetterQueue"), *queues])
    return role("Starts scheduled playbooks", [statement], "scheduler", Condition=_OF_ACCOUNT)


def _queue_policy(queues: Mapping[str, str]) -> dict[str, Any]:
    """One policy for all queues; in a queue's policy "*" is that queue.

    The stack's rules are told by their names: a list of their ARNs would pass the 8 KB that SQS
    takes at about 20 playbooks.
    """
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [where(ref(queue), condition) for queue, condition in queues.items()],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": "*",
                        "Condition": {
                            "ArnLike": {"aws:SourceArn": arn("events", "rule/${AWS::StackName}-*")}
                        },
                    },
                    deny_plain_text("sqs:*"),
                ],
            },
        },
    }


def deny_plain_text(action: str | list[str], resource: Any = "*") -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _table(**properties: Any) -> dict[str, Any]:
    """A table that outlives the stack; without a name of its own a new stack can be made."""
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True},
            **properties,
        },
    }


def _guard() -> Resources:
    """The function that sees changes of the audit trail, its mapping and its alarm."""
    removed = [{"exists": False}], [{"anything-but": ["dynamodb.amazonaws.com"]}]
    patterns: list[dict[str, Any]] = [
        {"eventName": ["MODIFY"]},
        *({"eventName": ["REMOVE"], "userIdentity": {"principalId": who}} for who in removed),
    ]
    return {
        **_function(
            "guard",
            "Records who touches the audit trail and the stack, and tells of it",
            roles.guard(),
            # Metrics of two stacks in one account must not mix: an alarm goes by them.
            variables={"POWERTOOLS_SERVICE_NAME": named("guard")},
        ),
        "GuardSource": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": ref("GuardFunction"),
                "EventSourceArn": attribute("AuditTable", "StreamArn"),
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 10,
                "BisectBatchOnFunctionError": True,
                "FilterCriteria": {"Filters": [{"Pattern": json.dumps(one)} for one in patterns]},
            },
        },
        "TamperedAlarm": alarm(
            "Somebody changed or removed records of the audit trail",
            own("Tampered"),
            of_function("guard"),
            "Sum",
            ends=False,
        ),
    }


_ALARMS = {"Service": "cloudwatch.amazonaws.com"}
_OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}


def _notifications() -> Resources:
    """The default connection: a topic that playbooks and alarms publish to."""
    topic = ref("NotificationsTopic")
    statements = [
        allow("sns:Publish", topic, Principal=_ALARMS, Condition=_OF_ACCOUNT),
        deny_plain_text("sns:Publish", topic),
    ]
    return {
        "NotificationsKey": _key(),
        "NotificationsTopic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": named("notifications"),
                "KmsMasterKeyId": ref("NotificationsKey"),
            },
        },
        "NotificationsTopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [topic],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
            },
        },
    }


def _key() -> dict[str, Any]:
    """The topic's key. CloudWatch cannot publish to a topic with AWS's own SNS key, so this one is
    the stack's; its policy says what AWS's own says, and lets CloudWatch in."""
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    through_sns = {
        "StringEquals": {
            "kms:CallerAccount": ref("AWS::AccountId"),
            "kms:ViaService": {"Fn::Sub": "sns.${AWS::Region}.amazonaws.com"},
        }
    }
    use = ["kms:Decrypt", "kms:GenerateDataKey*"]
    statements = [
        allow("kms:*", "*", Principal={"AWS": root}),
        allow(use, "*", Principal={"AWS": "*"}, Condition=through_sns),
        allow(use, "*", Principal=_ALARMS, Condition=_OF_ACCOUNT),
    ]
    return {
        "Type": "AWS::KMS::Key",
        "Metadata": _justified(
            "CKV_AWS_33", "Only through SNS and from this account, see Condition"
        ),
        "Properties": {
            "Description": {"Fn::Sub": "Notifications of ${AWS::StackName}"},
            "EnableKeyRotation": True,
            "PendingWindowInDays": 7,
            "KeyPolicy": {"Version": "2012-10-17", "Statement": statements},
        },
    }


def scheduled_function(
    name: str,
    description: str,
    rate: str,
    statements: Sequence[Any],
    *,
    variables: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Resources:
    """A function of ours that runs by the clock, with its role and log group; arguments as of
    `_function`."""
    schedule = {"Type": "Schedule", "Properties": {"Schedule": f"rate({rate})"}}
    properties |= {"Events": {"Schedule": schedule}}
    return _function(name, description, statements, variables=variables, **properties)


def _function(
    name: str,
    description: str,
    statements: Sequence[Any],
    *,
    variables: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Resources:
    """A function of ours, with its role and log group.

    Args:
        statements: of the role. variables: of the function's environment.
        properties: of the function, beside what all have.
    """
    prefix = logical(name, "")
    return {
        f"{prefix}LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": log_group(name),
                "RetentionInDays": ref("LogRetentionDays"),
            },
        },
        f"{prefix}Role": role(description, statements),
        f"{prefix}Function": {
            "Type": "AWS::Serverless::Function",
            "Metadata": {"SkipBuild": True},
            "Properties": {
                "FunctionName": named(name),
                "Description": description,
                "CodeUri": "build/functions/",
                "Handler": f"hub_responder.handlers.{name.replace('-', '_')}.handler",
                "Role": attribute(f"{prefix}Role"),
                "LoggingConfig": {"LogGroup": ref(f"{prefix}LogGroup")},
                "Environment": {
                    "Variables": {"POWERTOOLS_SERVICE_NAME": name, **(variables or {})}
                },
                **properties,
            },
        },
    }


def sync(statements: Sequence[Any]) -> Resources:
    """The function that follows tickets; only where a playbook opens some that can be followed.

    Args:
        statements: of the function's role.
    """
    return {
        "SyncLayer": layer("sync", "Whose tickets are followed", "build/sync/"),
        **scheduled_function(
            "sync",
            "Follows tickets: what people decide there reaches the findings",
            "5 minutes",
            statements,
            Timeout=SYNC_TIMEOUT_S,
            Layers=[ref("SyncLayer")],
            variables={"SYNC_DIR": "/opt", "POWERTOOLS_SERVICE_NAME": named("sync")},
        ),
        "SyncAlarm": alarm(
            "For an hour no run could ask all ticket systems what became of tickets",
            own("SilentTicketSystems"),
            of_function("sync"),
            "Minimum",  # one run in which all answer is enough
            period=3600,
            missing="breaching",
        ),
    }


RECONCILE_TIMEOUT_S = 300


def reconcile() -> Resources:
    """The function that names findings which no rule saw, and its alarm."""
    return {
        "ReconcileLayer": layer("reconcile", "What the rules select", "build/reconcile/"),
        **scheduled_function(
            "reconcile",
            "Names findings that no rule saw",
            "1 hour",
            roles.reconcile(),
            Timeout=RECONCILE_TIMEOUT_S,
            MemorySize=512,
            Layers=[ref("ReconcileLayer")],
            variables={"RECONCILE_DIR": "/opt", "POWERTOOLS_SERVICE_NAME": named("reconcile")},
        ),
        "ReconcileAlarm": alarm(
            "For three hours Security Hub could not be held against the trail",
            ("AWS/Lambda", "Errors"),
            {"FunctionName": ref("ReconcileFunction")},
            "Sum",
            period=3600,
            periods=3,
        ),
        "UnseenAlarm": alarm(
            "Security Hub has findings that a playbook's rule selects and that never came to it",
            own("UnseenFindings"),
            of_function("reconcile"),
            "Sum",
            ends=False,
        ),
    }


TICKET_WEBHOOK = "ticket-webhook"
TICKET_WEBHOOK_TIMEOUT_S = 30
"""Nobody waits longer: GitHub ends a delivery after ten seconds, Jira after twenty."""
TICKET_WEBHOOK_CONCURRENCY = 5
"""Anybody can call the address: whatever comes, the account's other functions keep theirs."""


def ticket_webhook(statements: Sequence[Any], condition: str) -> Resources:
    """The function that takes webhooks of ticket systems, at an address of its own; only where a
    connection asks for it.

    A public address needs two permissions: since October 2025 `lambda:InvokeFunction` too, here
    only through the address ("Control access to Lambda function URLs").

    Args:
        statements: of the function's role. condition: the one that holds where it is there, or "".
    """
    function = ref("TicketWebhookFunction")
    permission = {"FunctionName": function, "Principal": "*"}
    made = {
        **_function(
            TICKET_WEBHOOK,
            "Takes webhooks: what people decide in tickets reaches the findings at once",
            statements,
            Timeout=TICKET_WEBHOOK_TIMEOUT_S,
            ReservedConcurrentExecutions=TICKET_WEBHOOK_CONCURRENCY,
            Layers=[ref("SyncLayer")],
            variables={"SYNC_DIR": "/opt"},
        ),
        "TicketWebhookUrl": {
            "Type": "AWS::Lambda::Url",
            "Properties": {
                "TargetFunctionArn": attribute("TicketWebhookFunction"),
                "AuthType": "NONE",
            },
        },
        "TicketWebhookUrlPermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                **permission,
                "Action": "lambda:InvokeFunctionUrl",
                "FunctionUrlAuthType": "NONE",
            },
        },
        "TicketWebhookInvokePermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                **permission,
                "Action": "lambda:InvokeFunction",
                "InvokedViaFunctionUrl": True,
            },
        },
        "TicketWebhookAlarm": alarm(
            "Webhooks of ticket systems cannot be handled",
            ("AWS/Lambda", "Errors"),
            {"FunctionName": function},
            "Sum",
        ),
    }
    return {name: _where_all(one, condition) for name, one in made.items()}


def _where_all(resource: Mapping[str, Any], condition: str) -> dict[str, Any]:
    """A resource that is there only where the condition holds."""
    kind = {"Type": resource["Type"]}
    return {**kind, **({"Condition": condition} if condition else {}), **resource}


def ticket_webhook_output(condition: str) -> dict[str, Any]:
    """The address of the function that takes webhooks; condition as of `ticket_webhook`."""
    output = {
        "Description": "Where ticket systems send webhooks; the connection's name follows it",
        "Value": attribute("TicketWebhookUrl", "FunctionUrl"),
    }
    held = {"Condition": condition} if condition else {}
    return {"TicketWebhookUrl": {**held, **output}}


def reports() -> Resources:
    """The bucket of reports; only where a playbook writes any."""
    expire = {"Id": "expire", "ExpirationInDays": KEPT_DAYS}
    return kept_bucket("ReportsBucket", expire, versions_days=30)


def inventory(statements: Sequence[Any]) -> Resources:
    """The function that walks the fleet and the bucket for what it finds, with a table over the
    history; only where a playbook asks Vision One.

    The bucket keeps no versions: a snapshot is replaced every 15 minutes by one that says more, a
    file of the history is written once.

    Args:
        statements: of the function's role.
    """
    expire = {"Id": "expire", "Prefix": f"{HISTORY}/", "ExpirationInDays": KEPT_DAYS}
    return {
        **kept_bucket("InventoryBucket", expire),
        "InventoryLayer": layer("inventory", "What is walked", "build/inventory/"),
        **scheduled_function(
            INVENTORY,
            "Walks the fleet: a snapshot for look-ups, and its history",
            "15 minutes",
            statements,
            Timeout=INVENTORY_TIMEOUT_S,
            MemorySize=INVENTORY_MB,
            Layers=[ref("InventoryLayer"), ref("ParquetLayer")],
            variables={
                "INVENTORY_DIR": "/opt",
                "INVENTORY_BUCKET": ref("InventoryBucket"),
                "STACK": ref("AWS::StackName"),
                # Metrics of two stacks in one account must not mix: an alarm goes by them.
                "POWERTOOLS_SERVICE_NAME": named(INVENTORY),
            },
        ),
        "InventoryAlarm": alarm(
            "No snapshot of the fleet was written for an hour",
            own("InventoryAge"),
            of_function(INVENTORY),
            "Minimum",  # a run that writes all snapshots leaves none older than it takes itself
            threshold=2 * INVENTORY_TIMEOUT_S,
            period=3600,
            missing="breaching",
        ),
        **_athena(),
    }


_GLUE_TYPES = {
    "TIMESTAMP": "timestamp",
    "VARCHAR": "string",
    "VARCHAR[]": "array<string>",
    "BOOLEAN": "boolean",
    "BIGINT": "bigint",
    "INTEGER": "int",
}
"""DuckDB's type of a column -> Athena's."""
_DATABASE = {"Fn::Join": ["_", {"Fn::Split": ["-", ref("AWS::StackName")]}]}
"""The stack's name, as SQL takes it without quotes."""


def _athena() -> Resources:
    """A table over the history. Its days are computed, so that nobody has to tell Glue of each
    (Athena user guide, "Partition projection")."""
    columns = [{"Name": name, "Type": _GLUE_TYPES[kind]} for name, kind in COLUMNS.items()]
    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    form = "org.apache.hadoop.hive.ql.io.parquet.MapredParquet"
    location = f"s3://${{InventoryBucket}}/{HISTORY}"
    parameters = {
        "EXTERNAL": "TRUE",
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.format": "yyyy-MM-dd",
        "projection.day.range": f"NOW-{KEPT_DAYS}DAYS,NOW",
        "storage.location.template": {"Fn::Sub": f"{location}/day=${{!day}}/"},
    }
    return {
        "InventoryDatabase": {
            "Type": "AWS::Glue::Database",
            "Properties": {
                "CatalogId": ref("AWS::AccountId"),
                "DatabaseInput": {"Name": _DATABASE, "Description": "History of the fleet"},
            },
        },
        "InventoryTable": {
            "Type": "AWS::Glue::Table",
            "Properties": {
                "CatalogId": ref("AWS::AccountId"),
                "DatabaseName": ref("InventoryDatabase"),
                "TableInput": {
                    "Name": TABLE,
                    "Description": "A row for each instance and walk",
                    "TableType": "EXTERNAL_TABLE",
                    "Parameters": parameters,
                    "PartitionKeys": [{"Name": "day", "Type": "string"}],
                    "StorageDescriptor": {
                        "Columns": columns,
                        "Location": {"Fn::Sub": f"{location}/"},
                        "InputFormat": f"{form}InputFormat",
                        "OutputFormat": f"{form}OutputFormat",
                        "SerdeInfo": {"SerializationLibrary": serde},
                    },
                },
            },
        },
    }


def _justified(check: str, why: str) -> dict[str, Any]:
    """Metadata of a resource that one of checkov's checks is wrong about, or is not meant for."""
    return {"checkov": {"skip": [{"id": check, "comment": why}]}}


def kept_bucket(name: str, rule: Mapping[str, Any], versions_days: int = 0) -> Resources:
    """A bucket that outlives the stack: encrypted, TLS only, not public.

    Args:
        rule: what expires when. versions_days: how long what was overwritten is kept; 0: not.
    """
    bucket = attribute(name)
    objects = {"Fn::Sub": f"${{{name}.Arn}}/*"}
    unversioned = _justified("CKV_AWS_21", "What is in it is written anew, or only once")
    versions = {"NoncurrentVersionExpiration": {"NoncurrentDays": versions_days}}
    versioning = {"VersioningConfiguration": {"Status": "Enabled"}}
    return {
        name: {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            **({} if versions_days else {"Metadata": unversioned}),
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                    ]
                },
                **(versioning if versions_days else {}),
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "LifecycleConfiguration": {
                    "Rules": [
                        {
                            **rule,
                            "Status": "Enabled",
                            **(versions if versions_days else {}),
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                        }
                    ]
                },
            },
        },
        f"{name}Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": ref(name),
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [deny_plain_text("s3:*", [bucket, objects])],
                },
            },
        },
    }


def mail_events_id(name: str) -> str:
    """The logical id of a configuration set's events; names take characters that ids do not."""
    return f"MailEvents{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def mail_events(name: str, condition: str = "") -> Resources:
    """What SES says later of messages, to EventBridge; its only bus there is the default one.

    Args:
        name: of the configuration set, which is there already.
        condition: the one that holds where it is used.
    """
    return {
        mail_events_id(name): {
            "Type": "AWS::SES::ConfigurationSetEventDestination",
            **({"Condition": condition} if condition else {}),
            "Properties": {
                "ConfigurationSetName": name,
                "EventDestination": {
                    "Name": named("returned"),
                    "Enabled": True,
                    "MatchingEventTypes": ["bounce", "complaint", "reject"],
                    "EventBridgeDestination": {"EventBusArn": arn("events", "event-bus/default")},
                },
            },
        }
    }


def lapsed() -> Resources:
    """The function that ends suppressions; only where a playbook suppresses."""
    return scheduled_function(
        "lapsed", "Ends suppressions that are over", "6 hours", roles.lapsed()
    )
