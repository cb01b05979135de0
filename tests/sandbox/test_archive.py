"""The trail's archive in the sandbox: what was done an hour ago is sealed and signed."""

from __future__ import annotations

import json

from hub_responder import parquet
from hub_responder.archive.digest import open_envelope, sha256
from live import Live

BUCKET = "hub-responder-archivebucket"


def test_what_was_done_is_sealed_and_nobody_is_told(live: Live) -> None:
    finding = live.finding(live.instance())
    live.imported(finding)
    live.settle()
    live.clicked(finding)
    live.settle()
    written = live.control("GET", "audit")
    before = live.control("GET", "inbox")
    live.control("POST", "clock", {"advance_s": 4800})
    told = live.control("POST", "tick", {"function": "archive"})["result"]
    assert told["periods"] >= 1
    assert told["behind_s"] == 0
    assert live.control("GET", "inbox") == before
    s3 = live.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    bodies = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}
    digests = [open_envelope(bodies[key]).digest for key in keys if key.startswith("digests/")]
    assert [one.sequence for one in digests] == list(range(1, len(digests) + 1))
    assert all(not one.incomplete for one in digests)
    archived, kept = set(), {}
    for one in (each for digest in digests for each in digest.objects):
        assert sha256(bodies[one.key]) == one.sha256
        if one.class_uid:
            archived |= {row[0] for row in parquet.rows(bodies[one.key], "metadata.uid")}
        else:
            kept |= dict(parquet.rows(bodies[one.key], "digest, content"))
    assert {record["id"] for record in written} <= archived
    assert {sha256(text.encode()) for text in kept.values()} == set(kept)
    named = [record["contents"] for record in written if "contents" in record]
    digests_of = {digest for one in named for held in one.values() for digest in held.values()}
    assert digests_of == set(kept)
    taken = {
        one["finding"][finding["Id"]] for one in named if finding["Id"] in one.get("finding", ())
    }
    assert {json.loads(kept[one])["Id"] for one in taken} == {finding["Id"]}
