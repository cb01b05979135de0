"""Audit records: what they hold, how they are packed, and that no limit loses one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from hub_responder import clock
from hub_responder.audit import MAX_DETAIL, MAX_ITEM, MAX_LINE, SHARDS, Audit, lines_of, packed


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
    assert set(record) - {"at", "kind", "playbook", "version"} == {"zero", "no"}


def test_a_long_detail_is_cut_and_says_so() -> None:
    detail = audit().record("x", detail="長" * 1000)["detail"]
    assert (len(detail), detail[-1]) == (MAX_DETAIL, "…")
    assert audit().record("x", detail="y" * MAX_DETAIL)["detail"] == "y" * MAX_DETAIL


def test_an_item_is_found_by_its_hour_and_written_once() -> None:
    one = audit("run-1")
    first, second = (one.put([b'{"a":1}', b'{"b":2}'])["Put"] for _ in range(2))
    hour, shard = first["Item"]["pk"]["S"].split("#")
    assert hour == "2026-11-22T00"
    assert 0 <= int(shard) < SHARDS
    assert first["Item"]["sk"]["S"] == f"{int(factories.NOW * 1000)}#run-1#0001"
    assert second["Item"]["sk"]["S"].endswith("#0002")
    assert first["Item"]["records"]["S"] == '{"a":1}\n{"b":2}'
    assert first["ConditionExpression"] == "attribute_not_exists(pk)"


def test_runs_are_spread_over_the_shards() -> None:
    shards = {audit(f"run-{n}").put([b"{}"])["Put"]["Item"]["pk"]["S"] for n in range(400)}
    assert len(shards) == SHARDS


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
