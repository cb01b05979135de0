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
