"""Audit records: what they hold, how they are packed, and that no limit loses one."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from hub_responder import clock
from hub_responder.archive.items import read
from hub_responder.audit import (
    KEEP_S,
    MAX_DETAIL,
    MAX_ITEM,
    MAX_LINE,
    MAX_TEXT,
    SHARDS,
    Appended,
    Audit,
    lines_of,
    packed,
)


@pytest.fixture(autouse=True)
def noon() -> Any:
    """A time that stands still."""
    clock.follow(lambda: factories.NOW)
    yield
    clock.follow(None)


def audit(request: str = "run-1", **playbook: Any) -> Audit:
    return Audit("audit", factories.playbook(**playbook), request)


def test_a_record_says_when_what_and_which_version() -> None:
    record = audit(commit="abc1234").record("opened", incident="p#1", round=0, findings=["f"])
    assert record == {
        "id": "run-1.1",
        "at": "2026-11-22T00:00:00.000Z",
        "kind": "opened",
        "playbook": "inspector-coverage",
        "version": "0123456789ab",
        "commit": "abc1234",
        "incident": "p#1",
        "round": 0,
        "findings": ["f"],
    }


def test_what_is_empty_is_left_out_and_zero_is_not() -> None:
    record = audit().record("x", none=None, text="", empty={}, zero=0, no=False)
    assert set(record) - {"id", "at", "kind", "playbook", "version"} == {"zero", "no"}


def test_a_long_detail_is_cut_and_says_so() -> None:
    detail = audit().record("x", detail="長" * 1000)["detail"]
    assert (len(detail), detail[-1]) == (MAX_DETAIL, "…")
    assert audit().record("x", detail="y" * MAX_DETAIL)["detail"] == "y" * MAX_DETAIL


def item_of(appended: Appended) -> Any:
    (item,) = appended.items
    assert item["Put"]["ConditionExpression"] == "attribute_not_exists(pk)"
    return item["Put"]["Item"]


def test_an_item_is_found_by_its_hour_and_names_the_one_before_it() -> None:
    one = audit("run-1")
    written = one.append([b'{"a":1}', b'{"b":2}'])
    first = item_of(written)
    hour, shard = first["pk"]["S"].split("#")
    assert hour == "2026-11-22T00"
    assert 0 <= int(shard) < SHARDS
    assert first["sk"]["S"] == f"{int(factories.NOW * 1000)}#run-1#0001"
    assert first["records"]["S"] == '{"a":1}\n{"b":2}'
    assert "prev" not in first
    assert float(first["expires"]["N"]) == factories.NOW + KEEP_S
    one.keep(written)
    second = item_of(one.append([b"{}"]))
    assert second["sk"]["S"].endswith("#0002")
    assert second["prev"]["S"] == sha256(b'{"a":1}\n{"b":2}').hexdigest()


def test_what_was_not_written_leaves_no_hole() -> None:
    one = audit()
    one.append([b"{}"])
    assert item_of(one.append([b"{}"]))["sk"]["S"].endswith("#0001")


def test_more_than_one_item_holds_is_chained_within_its_transaction() -> None:
    one = audit()
    lines = [b'"%d"' % n * 30_000 for n in range(4)]
    written = one.append(lines)
    first, second = (item["Put"]["Item"] for item in written.items)
    assert second["prev"]["S"] == sha256(first["records"]["S"].encode()).hexdigest()
    assert [item["sk"]["S"][-4:] for item in (first, second)] == ["0001", "0002"]
    one.keep(written)
    third = item_of(one.append([b"{}"]))
    assert third["prev"]["S"] == sha256(second["records"]["S"].encode()).hexdigest()


def test_runs_are_spread_over_the_shards() -> None:
    shards = {item_of(audit(f"run-{n}").append([b"{}"]))["pk"]["S"] for n in range(400)}
    assert len(shards) == SHARDS


def test_each_record_of_a_run_has_a_name_of_its_own() -> None:
    one = audit("run-9")
    split = [json.loads(line) for line in lines_of(one.record("x", findings=["f" * 60_000] * 2))]
    names = [*(each["id"] for each in split), one.record("x")["id"]]
    assert names == ["run-9.1.1", "run-9.1.2", "run-9.2"]


@given(
    st.lists(st.text(max_size=512), max_size=60),
    st.integers(1, 60),
    st.dictionaries(st.text(max_size=9), st.text(max_size=99), max_size=3),
)
def test_every_finding_of_a_record_is_in_its_lines(
    names: list[str], times: int, result: dict[str, str]
) -> None:
    findings = [f"{n}{name}" for n in range(times) for name in names]
    record = audit().record("outcome", findings=findings, result=result, step="s")
    lines = lines_of(record)
    read = [json.loads(line) for line in lines]
    assert [name for one in read for name in one.get("findings", ())] == findings
    assert {one["step"] for one in read} == {"s"}
    assert all(one.get("result", {}) == result for one in read)
    assert all(len(line) <= MAX_LINE for line in lines)
    items = list(packed(lines))
    assert [line for item in items for line in item] == lines
    assert all(sum(map(len, item)) <= MAX_ITEM for item in items)


def test_a_result_that_is_too_large_is_left_out_and_said() -> None:
    record = audit().record("outcome", findings=["a", "b"], result={"x": "y" * 500_000})
    (line,) = lines_of(record)
    assert json.loads(line)["result"] == {"left_out": "too large to keep"}
    assert json.loads(line)["findings"] == ["a", "b"]


def noise(size: int, seed: int = 0) -> str:
    """Text that no compression makes small."""
    return random.Random(seed).randbytes(size // 2).hex()


def kept_by(appended: Appended) -> dict[str, str]:
    """What the items of a transaction keep, as the archive reads them."""
    items = [read(put["Put"]["Item"]) for put in appended.items]
    return {digest: text for item in items for digest, text in item.contents.items()}


def written(one: Audit, record: Any) -> Appended:
    appended = one.append(lines_of(record), [digest for digest, _ in one.unkept(record)])
    one.keep(appended)
    return appended


def test_what_is_kept_is_found_by_its_digest_and_kept_once_in_a_run() -> None:
    one, text = audit(), '{"Id":"日本"}\n'
    record = one.record("opened", texts={"finding": {"f": text}})
    digest = sha256(text.encode()).hexdigest()
    assert record["contents"] == {"finding": {"f": digest}}
    assert kept_by(written(one, record)) == {digest: text}
    again = one.record("joined", texts={"finding": {"g": text}, "sent": {"chat": "hello"}})
    assert again["contents"]["finding"] == {"g": digest}
    assert list(kept_by(written(one, again)).values()) == ["hello"]


def test_what_was_not_written_is_kept_with_the_next_try() -> None:
    one = audit()
    record = one.record("opened", texts={"sent": {"chat": "hello"}})
    one.append(lines_of(record), [digest for digest, _ in one.unkept(record)])
    assert list(kept_by(written(one, record)).values()) == ["hello"]


def test_what_is_too_large_to_keep_is_left_out_and_named() -> None:
    texts = {"f-1": "x" * (MAX_TEXT + 1), "f-2": noise(500_000), "f-3": "{}"}
    record = audit().record("opened", findings=list(texts), texts={"finding": texts})
    assert list(record["contents"]["finding"]) == ["f-3"]
    assert record["contents"]["left_out"] == ["f-1", "f-2"]


def test_what_does_not_fit_the_item_is_in_further_items_and_each_fits() -> None:
    one = audit()
    records = [
        one.record("outcome", step=f"s{n}", texts={"sent": {"chat": noise(150_000, n)}})
        for n in range(12)
    ]
    lines = [line for record in records for line in lines_of(record)]
    appended = one.append(lines, [name for record in records for name, _ in one.unkept(record)])
    assert len(appended.items) > 1
    assert len(kept_by(appended)) == 12
    for put in appended.items:
        item = put["Put"]["Item"]
        assert len(item["records"]["S"].encode()) + len(item["contents"]["B"]) < 399_000
    prevs = [put["Put"]["Item"].get("prev", {}).get("S") for put in appended.items]
    texts = [put["Put"]["Item"]["records"]["S"] for put in appended.items]
    assert prevs == [None, *(sha256(text.encode()).hexdigest() for text in texts[:-1])]


def test_a_record_that_is_split_names_what_is_kept_of_its_own_findings() -> None:
    findings = {name * 1_500: "{}" + name for name in "abcdefghijklmnopqrstuvwxyzABCDEF0123456789"}
    record = audit().record("opened", findings=list(findings), texts={"finding": findings})
    read_ = [json.loads(line) for line in lines_of(record)]
    assert len(read_) > 1
    for one in read_:
        assert sorted(one["contents"]["finding"]) == sorted(one["findings"])


def test_a_record_that_waits_goes_with_the_next_transaction_and_once() -> None:
    one = audit()
    one.wait(one.record("received"))
    assert one.waits
    lost = one.append([b"{}"])
    appended = one.append([b"{}"])
    assert "received" in appended.items[0]["Put"]["Item"]["records"]["S"]
    assert lost.items == appended.items
    one.keep(appended)
    assert not one.waits
    assert "received" not in one.append([b"{}"]).items[0]["Put"]["Item"]["records"]["S"]
