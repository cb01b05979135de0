"""A data lake beside a deployment's trail: Security Lake, its bucket and the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3

from factories import ACCOUNT, REGION
from hub_responder.archive import lake
from hub_responder.archive.delivery import deliver
from hub_responder.deadline import Deadline
from hub_toolkit.sandbox.security_lake import S3_OPERATIONS, SecurityLake
from member_cloud import MemberCloud
from trails import Trail

LEDGER = "ledger"
EXTERNAL = "0123456789abcdef"


class Lake:
    """What the archive of a `Trail` is copied to."""

    def __init__(self, trail: Trail, members: MemberCloud) -> None:
        self.trail = trail
        self.security_lake = SecurityLake(ACCOUNT, REGION, members.members.accounts)
        guarded = self.security_lake.around(members.other)
        members.services["securitylake"] = self.security_lake.app
        members.operations |= dict.fromkeys(S3_OPERATIONS, guarded)
        trail.s3.create_bucket(
            Bucket=self.security_lake.bucket,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        trail.dynamodb.create_table(
            TableName=LEDGER,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
        )

    def register(self, class_uid: int) -> lake.Source:
        """A source, in Security Lake and in the ledger."""
        name = f"hub-responder-{class_uid}"
        made = boto3.client("securitylake").create_custom_log_source(
            sourceName=name,
            configuration={
                "crawlerConfiguration": {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/crawler"},
                "providerIdentity": {"principal": ACCOUNT, "externalId": EXTERNAL},
            },
        )["source"]["provider"]
        source = lake.Source(
            str(class_uid),
            name,
            EXTERNAL,
            phase=lake.ACTIVE,
            location=made["location"],
            role_arn=made["roleArn"],
        )
        self.keep(source)
        return source

    def keep(self, source: lake.Source) -> None:
        """The ledger's item as it is given."""
        item = lake.item_of(lake.SOURCES, source)
        self.trail.dynamodb.put_item(TableName=LEDGER, Item=item)

    def change(self, class_uid: int, **changed: str) -> None:
        """Somebody else changes an item."""
        self.keep(replace(self.sources()[str(class_uid)], **changed))

    def remove(self, class_uid: int) -> None:
        """The item goes."""
        key = lake.key_of(lake.SOURCES, str(class_uid))
        self.trail.dynamodb.delete_item(TableName=LEDGER, Key=key)

    def sources(self) -> dict[str, lake.Source]:
        """What the ledger keeps, by class."""
        items = self.trail.dynamodb.query(**lake.query(LEDGER, lake.SOURCES))["Items"]
        return {item["sk"]["S"]: lake.read(item) for item in items}

    def hours(self, hours: float) -> int:
        """So much time passes, and the function runs: how many objects were delivered."""
        self.trail.now += hours * 3600
        done = self.trail.archive()
        environment = {"LEDGER_TABLE": LEDGER, "ARCHIVE_BUCKET": self.trail.bucket}
        return deliver(environment, Deadline.after(600), done.first)

    def objects(self) -> dict[str, bytes]:
        """What is in the lake."""
        bucket, s3 = self.security_lake.bucket, self.trail.s3
        told: list[Any] = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        keys = [str(one["Key"]) for one in told]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
