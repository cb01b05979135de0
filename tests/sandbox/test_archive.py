"""The trail's archive in the sandbox: what was done an hour ago is sealed and signed."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_responder import clock, parquet
from hub_responder.archive.digest import open_envelope, sha256
from hub_responder.archive.layout import period_of
from hub_toolkit.cli import application
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


def test_a_legal_hold_is_on_all_of_some_hours_until_it_is_released(live: Live) -> None:
    live.imported(live.finding(live.instance()))
    live.settle()
    live.control("POST", "clock", {"advance_s": 4800})
    live.control("POST", "tick", {"function": "archive"})
    s3 = live.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [one["Key"] for page in pages for one in page["Contents"]]
    last = max(key for key in keys if key.startswith("digests/"))
    period = period_of(last)
    assert period is not None
    span = ["--from", clock.iso(period.start), "--to", clock.iso(period.end)]
    body = s3.get_object(Bucket=BUCKET, Key=last)["Body"].read()
    meant = {last, *(one.key for one in open_envelope(body).digest.objects)}

    def command(*words: str) -> tuple[int, str]:
        args = ["audit", "hold", *span, "--endpoint", live.endpoint]
        result = CliRunner().invoke(application(), [*args, "--stack", "hub-responder", *words])
        return result.exit_code, result.output

    def held() -> set[str]:
        return {
            key
            for key in keys
            if s3.get_object(Bucket=BUCKET, Key=key).get("ObjectLockLegalHoldStatus") == "ON"
        }

    assert command("--why", " ")[0] == 2
    assert held() == set()
    for _ in range(2):  # a command that died is given again
        code, told = command("--why", "case 4711")
        assert (code, told.split(" objects")[0]) == (0, str(len(meant)))
    assert held() == meant
    assert command("--why", "case 4711 is over", "--release")[0] == 0
    assert held() == set()
    kinds = [one for one in live.control("GET", "audit") if one["kind"] in ("held", "released")]
    assert [(one["kind"], one["why"]) for one in kinds] == [
        *[("held", "case 4711")] * 2,
        ("released", "case 4711 is over"),
    ]
    assert all(one["actor"].startswith("arn:") for one in kinds)
    nothing = ["--from", "2020-01-01", "--to", "2020-01-02", "--why", "x"]
    args = ["audit", "hold", *nothing, "--endpoint", live.endpoint, "--stack", "hub-responder"]
    refused = CliRunner().invoke(application(), args)
    assert (refused.exit_code, "nothing is sealed" in refused.output) == (2, True)


@pytest.mark.parametrize("target", ["kms", "s3", "dynamodb"])
@pytest.mark.parametrize("trouble", [{"status": 500}, {"reset": "after"}])
def test_what_cannot_be_sealed_now_is_sealed_in_the_next_run_and_verifies(
    live: Live, target: str, trouble: dict[str, Any]
) -> None:
    finding = live.finding(live.instance())
    live.imported(finding)
    live.control("POST", "clock", {"advance_s": 4800})
    live.settle()
    live.fault(target=target, times=10, **trouble)
    with contextlib.suppress(AssertionError):  # it may have got by with what it tries again itself
        live.control("POST", "tick", {"function": "archive"})
    live.control("DELETE", "faults", [])
    told = live.control("POST", "tick", {"function": "archive"})["result"]
    assert told["behind_s"] == 0
    where = ["--endpoint", live.endpoint, "--stack", "hub-responder", "--json"]
    verified = CliRunner().invoke(application(), ["audit", "verify", *where])
    assert verified.exit_code == 0, verified.output
    shown = CliRunner().invoke(application(), ["audit", "show", finding["Id"], *where])
    assert '"opened"' in shown.output or '"joined"' in shown.output
