"""An audit trail with its archive in moto: records are written, hours pass, periods are sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import boto3

import factories
from factories import ACCOUNT, REGION
from hub_responder import aws
from hub_responder.archive.digest import Digest, open_envelope
from hub_responder.archive.run import Done, run
from hub_responder.audit import Audit
from hub_responder.deadline import Deadline
from hub_responder.ledger.transaction import Part, Transactions
from hub_toolkit.sandbox.kms import OPERATIONS, Kms
from member_cloud import MemberCloud

TABLE, BUCKET = "audit", "archive-1"
HOUR = 3600.0


class Trail:
    """The table, the bucket and the key of one deployment; ``now`` is the wall clock.

    Args:
        stack: names them as CloudFormation does; empty: `TABLE` and `BUCKET`.
    """

    def __init__(self, begun: float, members: MemberCloud, stack: str = "") -> None:
        self.now = begun
        self.table = f"{stack}-AuditTable" if stack else TABLE
        self.bucket = f"{stack}-archivebucket" if stack else BUCKET
        self.dynamodb = boto3.client("dynamodb")
        self.s3 = boto3.client("s3")
        self.dynamodb.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
        )
        self.s3.create_bucket(
            Bucket=self.bucket,
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        self.key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/trail"
        self.kms = Kms()
        self.kms.create(self.key)
        members.operations |= {f"kms.{name}": self.kms.app for name in OPERATIONS}
        self.public: bytes = boto3.client("kms").get_public_key(KeyId=self.key)["PublicKey"]

    @property
    def keyid(self) -> str:
        """What signatures name the key by."""
        return hashlib.sha256(self.public).hexdigest()

    def write(self, request_id: str, *transactions: list[Mapping[str, Any]]) -> None:
        """A run that writes records, given as (kind and) fields, in so many transactions."""
        audit = Audit(self.table, factories.playbook(), request_id)
        submit = Transactions(aws.client("dynamodb"), audit, Deadline.after(60)).submit
        for records in transactions:
            made = [audit.record(**record) for record in records]
            submit([Part([], made)])

    def put(self, item: Mapping[str, Any]) -> None:
        """An item as somebody else would write it."""
        self.dynamodb.put_item(TableName=self.table, Item=dict(item))

    def items(self) -> list[dict[str, Any]]:
        """All items, in the order of time."""
        found = self.dynamodb.scan(TableName=self.table)["Items"]
        return sorted(found, key=lambda item: str(item["sk"]["S"]))

    def remove(self, item: Mapping[str, Any]) -> None:
        """Somebody deletes an item."""
        key = {name: item[name] for name in ("pk", "sk")}
        self.dynamodb.delete_item(TableName=self.table, Key=key)

    def archive(self, left: float = 600.0) -> Done:
        """The scheduled function runs."""
        environment = {
            "AUDIT_TABLE": self.table,
            "ARCHIVE_BUCKET": self.bucket,
            "ARCHIVE_KEY": self.key,
            "ARCHIVE_ACCOUNT": ACCOUNT,
            "AWS_REGION": REGION,
            "STAGE": "prod",
        }
        return run(environment, Deadline.after(left))

    def keys(self, prefix: str) -> list[str]:
        """The archive's objects."""
        told = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [str(one["Key"]) for one in told.get("Contents", ())]

    def body(self, key: str) -> bytes:
        """One object."""
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def digests(self) -> list[Digest]:
        """All digests, in the order of time; not verified."""
        return [open_envelope(self.body(key)).digest for key in self.keys("digests/")]
