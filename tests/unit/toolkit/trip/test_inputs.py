from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub_toolkit.trip.inputs import MAX_BYTES, EventFile, Rejected, read, read_all


def event(**fields: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "e-1",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": "111122223333",
        "time": "2026-11-22T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"findings": [{"Id": "f-1"}]},
        **fields,
    }


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_an_event_is_read_with_its_trigger(tmp_path: Path) -> None:
    found = read(write(tmp_path / "one.json", event()))
    assert isinstance(found, EventFile)
    assert (found.name, found.event, found.trigger.event_id) == ("one.json", event(), "e-1")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ("{}", "no event of Security Hub"),
        (json.dumps(event(source="aws.ec2")), "no event of Security Hub"),
        ('{"a": NaN}', "not JSON"),
        ("[" * 100_000, "deep"),
        (" " * (MAX_BYTES + 1), "1,048,577 bytes"),
    ],
)
def test_a_file_that_is_no_event_is_rejected_with_the_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = write(tmp_path / "bad.json", content)
    found = read(path)
    assert isinstance(found, Rejected)
    assert found.path == path
    assert reason in found.reason


def test_bytes_that_are_no_text_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert isinstance(read(path), Rejected)


def test_a_file_that_is_not_there_is_rejected(tmp_path: Path) -> None:
    found = read(tmp_path / "gone.json")
    assert isinstance(found, Rejected)
    assert "No such file" in found.reason


def test_a_folder_gives_its_json_files_in_the_order_of_their_events(tmp_path: Path) -> None:
    write(tmp_path / "a.json", event(time="2026-11-22T02:00:00Z"))
    write(tmp_path / "b.json", event(time="2026-11-22T01:00:00Z"))
    write(tmp_path / "c.txt", "not looked at")
    (tmp_path / "below").mkdir()
    write(tmp_path / "below" / "d.json", event())
    accepted, rejected = read_all([tmp_path])
    assert [file.name for file in accepted] == ["b.json", "a.json"]
    assert rejected == []


def test_what_is_named_keeps_its_order_and_the_bad_stops_nobody(tmp_path: Path) -> None:
    late = write(tmp_path / "late.json", event(time="2026-11-22T02:00:00Z"))
    bad = write(tmp_path / "bad.json", "{")
    early = write(tmp_path / "early.json", event(time="2026-11-22T01:00:00Z"))
    accepted, rejected = read_all([late, bad, early])
    assert [file.path for file in accepted] == [late, early]
    assert [one.path for one in rejected] == [bad]


def test_a_folder_without_events_is_rejected(tmp_path: Path) -> None:
    accepted, (rejected,) = read_all([tmp_path])
    assert list(accepted) == []
    assert "no *.json" in rejected.reason
