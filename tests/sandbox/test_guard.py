"""Somebody who can touches the audit trail: that is in the trail too."""

from __future__ import annotations

import json
from hashlib import sha256

from live import Live

TABLE = "hub-responder-AuditTable"


def test_a_record_that_is_removed_or_changed_is_recorded_with_what_was_there(live: Live) -> None:
    live.imported(live.finding(live.instance()))
    live.settle()
    dynamodb = live.client("dynamodb")
    (one, *_) = dynamodb.scan(TableName=TABLE, Limit=1)["Items"]
    at = json.loads(one["records"]["S"].split("\n")[0])["at"]
    moment = one["sk"]["S"].partition("#")[0]
    lines, keys = {}, {}
    for number in (1, 2):  # runs of their own: those of others stay whole
        record = {"id": f"touched-{number}.1", "at": at, "kind": "skipped", "detail": "日本語"}
        lines[number] = json.dumps(record)
        keys[number] = {"pk": one["pk"], "sk": {"S": f"{moment}#touched-{number}#0001"}}
        item = {**keys[number], "records": {"S": lines[number]}, "expires": one["expires"]}
        dynamodb.put_item(TableName=TABLE, Item=item)
    live.settle()
    assert not [each for each in live.control("GET", "audit") if each["kind"] == "tampered"]
    dynamodb.delete_item(TableName=TABLE, Key=keys[1])
    dynamodb.update_item(
        TableName=TABLE,
        Key=keys[2],
        UpdateExpression="SET records = :r",
        ExpressionAttributeValues={":r": {"S": lines[2].replace("skipped", "repeat")}},
    )
    live.settle()
    found = [each for each in live.control("GET", "audit") if each["kind"] == "tampered"]
    told = {each["item"]: each for each in found}
    assert len(told) == len(found) == 2
    for number, operation in ((1, "REMOVE"), (2, "MODIFY")):
        name = f"{keys[number]['pk']['S']} {keys[number]['sk']['S']}"
        assert told[name]["source"]["operation"] == operation
        before = sha256(lines[number].encode()).hexdigest()
        assert told[name]["result"]["before"] == before
        assert told[name]["contents"]["records"] == {name: before}


ADA = "arn:aws:sts::111122223333:assumed-role/Admin/ada"
ARCHIVER = "arn:aws:iam::111122223333:role/hub-responder-ArchiveRole"
BUCKET = "hub-responder-archivebucket"


def called(live: Live, operation: str, service: str, parameters: object, **detail: object) -> bool:
    """CloudTrail tells of a call; whether a rule of ours wants to hear of it."""
    event = {
        "version": "0",
        "id": f"cloudtrail-{operation}",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": "111122223333",
        "time": "2026-11-20T01:02:03Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventID": f"id-of-{operation}",
            "eventName": operation,
            "eventSource": f"{service}.amazonaws.com",
            "eventCategory": "Management",
            "eventTime": "2026-11-20T01:02:03Z",
            "sourceIPAddress": "203.0.113.7",
            "userIdentity": {"arn": ADA},
            "requestParameters": parameters,
            "readOnly": False,
            **detail,
        },
    }
    return bool(live.control("POST", "events", event)["rules"])


def test_who_changes_the_stack_and_who_reads_the_archive_is_in_the_trail(live: Live) -> None:
    name = {"functionName": "hub-responder-inspector-coverage"}
    assert called(live, "UpdateFunctionConfiguration20150331v2", "lambda", name)
    assert called(live, "DisableRule", "events", {"name": "hub-responder-inspector-coverage-x"})
    mapping = {"uUID": "b0b0c0c0-0000-4000-8000-000000000001", "enabled": False}
    assert called(live, "UpdateEventSourceMapping20150331", "lambda", mapping)
    assert called(live, "DeleteSchedule", "scheduler", {"name": "hub-responder-weekly-digest"})
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/hub-responder-dlq"
    assert called(live, "PurgeQueue", "sqs", {"queueUrl": url})
    assert called(live, "DeleteTable", "dynamodb", {"tableName": "hub-responder-AuditTable"})
    assert called(live, "PutBucketPolicy", "s3", {"bucketName": BUCKET})
    assert not called(live, "DeleteFunction20150331", "lambda", {"functionName": "another"})
    assert not called(live, "GetFunction20150331v2", "lambda", name, readOnly=True)
    read = {"bucketName": BUCKET, "key": "digests/2026/11/20/01.json"}
    data = {"eventCategory": "Data", "readOnly": True}
    for _ in range(3):
        assert called(live, "GetObject", "s3", read, **data)
    issuer = {"sessionContext": {"sessionIssuer": {"arn": ARCHIVER}}}
    assert not called(live, "GetObject", "s3", read, **data, userIdentity=issuer)
    live.settle()
    records = live.control("GET", "audit")
    changes = {one["uses"]: one for one in records if one["kind"] == "cloudtrail"}
    assert set(changes) == {
        "UpdateFunctionConfiguration20150331v2",
        "UpdateEventSourceMapping20150331",
        "DisableRule",
        "DeleteSchedule",
        "PurgeQueue",
        "DeleteTable",
        "PutBucketPolicy",
    }
    assert {one["actor"] for one in changes.values()} == {ADA}
    assert changes["PurgeQueue"]["detail"] == f"PurgeQueue on {url}"
    reads = [one for one in records if one["kind"] == "read"]
    assert sum(one["count"] for one in reads) == 3
    assert {one["actor"] for one in reads} == {ADA}
