"""The archive of the audit trail: its bucket, the key that signs, and who may do what with them.

Three separate roles: whoever deploys makes all of it and can neither sign nor change what is
sealed; only the function signs and writes; the auditor reads. The bucket and the key may be those
of another account, a log archive, which then says the same of them itself (docs/audit.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hub_responder.archive import lake
from hub_responder.archive.layout import CONTENT, DAYS, DIGESTS, SOURCES
from hub_responder.archive.ocsf import COLUMNS
from hub_toolkit.synth.alarms import alarm, of_function, own
from hub_toolkit.synth.naming import arn, attribute, named, ref
from hub_toolkit.synth.playbook import layer
from hub_toolkit.synth.roles import allow, logs, only
from hub_toolkit.synth.shared import kept_bucket, scheduled_function

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub_toolkit.synth.playbook import Resources

NAME = "archive"
TIMEOUT_S = 600
MEMORY_MB = 1024
BEHIND_S = 10_800
"""Three hours that are over and not sealed are an alarm."""
DATA = "ext"

PARAMETERS: dict[str, Any] = {
    "ArchiveRetentionDays": {
        "Type": "Number",
        "Default": 400,
        "MinValue": 365,
        "Description": "How long nobody can change or remove the archived audit trail",
    },
    "ArchiveBucketName": {
        "Type": "String",
        "Default": "",
        "Description": "A bucket for the audit trail in a log archive account; empty: one of ours",
    },
    "ArchiveKeyArn": {
        "Type": "String",
        "Default": "",
        "Description": "The key there that signs (ECC_NIST_P256); empty: one of ours",
    },
}
CONDITIONS: dict[str, Any] = {
    "OwnArchiveBucket": {"Fn::Equals": [ref("ArchiveBucketName"), ""]},
    "OwnArchiveKey": {"Fn::Equals": [ref("ArchiveKeyArn"), ""]},
}
OUTPUTS: dict[str, Any] = {
    "ArchiveBucketName": {
        "Description": "The archived audit trail",
        "Value": {"Fn::If": ["OwnArchiveBucket", ref("ArchiveBucket"), ref("ArchiveBucketName")]},
    },
    "ArchiveKeyArn": {
        "Description": "The key that signs the audit trail's digests",
        "Value": {"Fn::If": ["OwnArchiveKey", attribute("ArchiveKey"), ref("ArchiveKeyArn")]},
    },
    "AuditorRoleArn": {
        "Description": "Who reads and verifies the audit trail, and does nothing else",
        "Value": attribute("AuditorRole"),
    },
}

BUCKET_NAME = OUTPUTS["ArchiveBucketName"]["Value"]
_KEY_ARN = OUTPUTS["ArchiveKeyArn"]["Value"]


def resources() -> Resources:
    """The archive's part of the stack."""
    return {
        **_bucket(),
        "ArchiveKey": _key(),
        "ArchiveKeyAlias": {
            "Type": "AWS::KMS::Alias",
            "Condition": "OwnArchiveKey",
            "Properties": {
                "AliasName": {"Fn::Sub": "alias/${AWS::StackName}-audit"},
                "TargetKeyId": ref("ArchiveKey"),
            },
        },
        "ParquetLayer": layer("parquet", "Writes Parquet files", "build/layers/parquet/"),
        **scheduled_function(
            NAME,
            "Seals the audit trail hour by hour",
            "1 hour",
            _archiver(),
            Timeout=TIMEOUT_S,
            MemorySize=MEMORY_MB,
            EphemeralStorage={"Size": 2048},
            ReservedConcurrentExecutions=1,
            Layers=[ref("ParquetLayer")],
            variables={
                "ARCHIVE_BUCKET": BUCKET_NAME,
                "ARCHIVE_KEY": _KEY_ARN,
                "ARCHIVE_ACCOUNT": ref("AWS::AccountId"),
                # Metrics of two stacks in one account must not mix: an alarm goes by them.
                "POWERTOOLS_SERVICE_NAME": named(NAME),
            },
        ),
        "ArchiveSigningPolicy": {
            # beside the role, for the key's policy names the role
            "Type": "AWS::IAM::RolePolicy",
            "Properties": {
                "RoleName": ref("ArchiveRole"),
                "PolicyName": "signing",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [allow(["kms:GetPublicKey", "kms:Sign"], _KEY_ARN)],
                },
            },
        },
        "AuditorRole": _auditor(),
        "ArchiveBehindAlarm": alarm(
            "The audit trail was not sealed for three hours",
            own("ArchiveBehind"),
            of_function(NAME),
            "Maximum",
            threshold=BEHIND_S,
            period=3600,
            periods=3,
            missing="breaching",
        ),
        "IncompleteTrailAlarm": alarm(
            "Records of the audit trail are missing or were changed",
            own("IncompleteRuns"),
            of_function(NAME),
            "Maximum",
            period=3600,
        ),
        "LakeBehindAlarm": alarm(
            "Security Lake got no copy of the audit trail for three hours",
            own("LakeBehind"),
            of_function(NAME),
            "Maximum",
            threshold=BEHIND_S,
            period=3600,
        ),
        **_tables(),
    }


def _bucket() -> Resources:
    """The bucket: what is in it can be read, and neither changed nor removed before its time."""
    made = kept_bucket("ArchiveBucket", _EXPIRE, versions_days=1)
    bucket, policy = made["ArchiveBucket"], made["ArchiveBucketPolicy"]
    bucket["Condition"] = policy["Condition"] = "OwnArchiveBucket"
    bucket["Properties"] |= {
        "ObjectLockEnabled": True,
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {
                "DefaultRetention": {"Mode": "COMPLIANCE", "Days": ref("ArchiveRetentionDays")}
            },
        },
    }
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    objects = {"Fn::Sub": "${ArchiveBucket.Arn}/*"}
    statements += [
        _deny("s3:PutObject", objects, Condition=_NOT_THE_ARCHIVER),
        # a delete without a version would only hide an object, which no lock forbids
        _deny(["s3:DeleteObject", "s3:DeleteObjectVersion"], objects),
    ]
    return made


def _deny(action: str | list[str], resource: Any, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, **rest}


_EXPIRE = {"Id": "expire", "ExpirationInDays": ref("ArchiveRetentionDays")}
_NOT_THE_ARCHIVER = {"ArnNotEquals": {"aws:PrincipalArn": attribute("ArchiveRole")}}


def _key() -> dict[str, Any]:
    """The key: the account looks after it, and nobody but the function signs with it."""
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    statements = [
        allow("kms:*", "*", Principal={"AWS": root}),
        _deny("kms:Sign", "*", Condition=_NOT_THE_ARCHIVER),
    ]
    return {
        "Type": "AWS::KMS::Key",
        "Condition": "OwnArchiveKey",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "Description": {"Fn::Sub": "Signs the audit trail of ${AWS::StackName}"},
            "KeySpec": "ECC_NIST_P256",
            "KeyUsage": "SIGN_VERIFY",
            "PendingWindowInDays": 30,
            "KeyPolicy": {"Version": "2012-10-17", "Statement": statements},
        },
    }


def _objects(*prefixes: str) -> list[Any]:
    return [
        {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Name}/" + one, {"Name": BUCKET_NAME}]}
        for one in prefixes
    ]


_WHOLE_BUCKET = {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Name}", {"Name": BUCKET_NAME}]}


def _archiver() -> list[Any]:
    """What the function needs: the trail to read, and its objects to write."""
    parts = _objects(*(f"{at}/*" for at in (DATA, CONTENT, DAYS, DIGESTS)))
    return [
        logs("ArchiveLogGroup"),
        allow(["dynamodb:Query", "dynamodb:Scan"], attribute("AuditTable")),
        allow(["s3:GetObject", "s3:PutObject"], parts),
        allow("s3:ListBucket", _WHOLE_BUCKET),
        *_to_the_lake(),
    ]


def _to_the_lake() -> list[Any]:
    """The registered sources, and the roles that Security Lake makes for them ("LogProviderRole" in
    its API reference; with a path or without)."""
    provider = "iam::${AWS::AccountId}:role/*AmazonSecurityLake-Provider-*"
    return [
        allow(
            ["dynamodb:Query", "dynamodb:UpdateItem"],
            attribute("LedgerTable"),
            **only(lake.PARTITION),
        ),
        allow("sts:AssumeRole", {"Fn::Sub": f"arn:${{AWS::Partition}}:{provider}"}),
    ]


def _auditor() -> dict[str, Any]:
    """A role of people, by the account's own rules of who may take it."""
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    statements = [
        allow(["dynamodb:Query", "dynamodb:Scan"], attribute("AuditTable")),
        allow(["dynamodb:ListTables", "s3:ListAllMyBuckets"], "*"),  # to find the stack's own
        allow(["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"], _objects("*")),
        allow(["s3:ListBucket", "s3:ListBucketVersions"], _WHOLE_BUCKET),
        allow(["kms:GetPublicKey", "kms:Verify"], _KEY_ARN),
        allow(
            ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
            arn("cloudformation", "stack/${AWS::StackName}/*"),
        ),
    ]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": "Reads and verifies the audit trail",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
                ],
            },
            "Policies": [
                {
                    "PolicyName": "own",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                }
            ],
        },
    }


def _tables() -> Resources:
    """Athena's database and a table for each class of events. Their days are computed (Athena user
    guide, "Partition projection")."""
    database = {"Fn::Join": ["_", {"Fn::Split": ["-", named("audit")]}]}
    made: Resources = {
        "ArchiveDatabase": {
            "Type": "AWS::Glue::Database",
            "Properties": {
                "CatalogId": ref("AWS::AccountId"),
                "DatabaseInput": {"Name": database, "Description": "The audit trail, by OCSF"},
            },
        }
    }
    for uid, source in SOURCES.items():
        name = source.removeprefix("hub-responder-")
        made[f"Archive{name.capitalize()}Table"] = _glue(name, source, COLUMNS[uid])
    return made


def _glue(name: str, source: str, columns: Mapping[str, str]) -> dict[str, Any]:
    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    form = "org.apache.hadoop.hive.ql.io.parquet.MapredParquet"
    place = "region=${AWS::Region}/accountId=${AWS::AccountId}"
    location = f"s3://${{Name}}/{DATA}/{source}/{place}"
    bucket = {"Name": BUCKET_NAME}
    parameters = {
        "EXTERNAL": "TRUE",
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.eventday.type": "date",
        "projection.eventday.format": "yyyyMMdd",
        "projection.eventday.range": "20260101,NOW",
        "storage.location.template": {"Fn::Sub": [f"{location}/eventDay=${{!eventday}}/", bucket]},
    }
    described = [{"Name": column, "Type": athena(kind)} for column, kind in columns.items()]
    return {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": ref("AWS::AccountId"),
            "DatabaseName": ref("ArchiveDatabase"),
            "TableInput": {
                "Name": name,
                "Description": f"The audit trail: {name}",
                "TableType": "EXTERNAL_TABLE",
                "Parameters": parameters,
                "PartitionKeys": [{"Name": "eventday", "Type": "string"}],
                "StorageDescriptor": {
                    "Columns": described,
                    "Location": {"Fn::Sub": [f"{location}/", bucket]},
                    "InputFormat": f"{form}InputFormat",
                    "OutputFormat": f"{form}OutputFormat",
                    "SerdeInfo": {"SerializationLibrary": serde},
                },
            },
        },
    }


_PLAIN = {
    "TIMESTAMP": "timestamp",
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "BIGINT": "bigint",
    "INTEGER": "int",
}
_TOKEN = re.compile(r'"?(\w+)"?|(\[\])|([(),])')


def athena(kind: str) -> str:
    """DuckDB's type of a column as Athena's, structures and lists of them included."""
    tokens = [match.group().strip('"') for match in _TOKEN.finditer(kind)]
    told, rest = _type(tokens)
    if rest:
        raise ValueError(f"{kind}: what is {rest[0]}?")
    return told


def _type(tokens: list[str]) -> tuple[str, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "STRUCT":
        fields = []
        while rest[0] != ")":
            field, rest = rest[1], rest[2:]
            kind, rest = _type(rest)
            fields.append(f"{field}:{kind}")
        told, rest = f"struct<{','.join(fields)}>", rest[1:]
    else:
        told = _PLAIN[first]
    while rest and rest[0] == "[]":
        told, rest = f"array<{told}>", rest[1:]
    return told, rest
