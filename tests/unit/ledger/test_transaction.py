"""How parts share transactions, and what each kind of refusal means."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import factories
from hub_responder.archive.items import read
from hub_responder.audit import MAX_ITEM, Audit
from hub_responder.deadline import Deadline
from hub_responder.errors import PermanentError, TransientError
from hub_responder.ledger.transaction import MAX_ITEMS, Lost, Part, Transactions


class Cancelled(Exception):  # noqa: N818 - as AWS names it
    """As botocore's TransactionCanceledException."""

    def __init__(self, *codes: str, items: dict[int, Any] | None = None) -> None:
        reasons = [{"Code": code} for code in codes]
        for number, item in (items or {}).items():
            reasons[number]["Item"] = item
        self.response = {"CancellationReasons": reasons}


class Dynamo:
    """Answers with what it is given, in order; then takes everything."""

    class exceptions:  # noqa: N801 - as botocore's clients have it
        TransactionCanceledException = Cancelled

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.requests: list[list[dict[str, Any]]] = []
        self.paused: list[float] = []

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803
        self.requests.append(TransactItems)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    def submit(self, parts: Sequence[Part], left: float = 60.0) -> list[Lost | None]:
        audit = Audit("audit", factories.playbook(), "me")
        deadline = Deadline(lambda: left)
        return Transactions(self, audit, deadline, self.paused.append).submit(parts)


def part(number: int = 0, items: int = 1, size: int = 10, records: int = 1) -> Part:
    puts = [
        {"Put": {"TableName": "t", "Item": {"pk": {"S": f"{number}.{n}"}, "x": {"S": "x" * size}}}}
        for n in range(items)
    ]
    return Part(puts, [{"kind": "k", "part": number, "n": n} for n in range(records)])


def audited(request: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records in a request."""
    items = [item["Put"]["Item"] for item in request if item["Put"]["TableName"] == "audit"]
    return [json.loads(line) for item in items for line in item["records"]["S"].splitlines()]


def test_parts_share_a_transaction_with_one_audit_item() -> None:
    dynamo = Dynamo()
    assert dynamo.submit([part(n, items=2) for n in range(10)]) == [None] * 10
    (request,) = dynamo.requests
    assert len(request) == 21
    assert [record["part"] for record in audited(request)] == list(range(10))


@given(
    st.lists(
        st.tuples(st.integers(0, 97), st.sampled_from([10, 20_000, 130_000]), st.integers(0, 40)),
        min_size=1,
        max_size=12,
    )
)
def test_no_request_is_over_a_limit_and_nothing_is_left_out(
    shape: list[tuple[int, int, int]],
) -> None:
    shape = [(items, size if items * size < 1_000_000 else 10, r) for items, size, r in shape]
    parts = [part(n, *one) for n, one in enumerate(shape)]
    dynamo = Dynamo()
    assert dynamo.submit(parts) == [None] * len(parts)
    for request in dynamo.requests:
        assert len(request) <= MAX_ITEMS
        assert len(msgspec.json.encode(request)) < 4_000_000
    wanted = [record for one in parts for record in one.records]
    assert [record for request in dynamo.requests for record in audited(request)] == wanted
    items = [i for request in dynamo.requests for i in request if i["Put"]["TableName"] == "t"]
    assert items == [item for one in parts for item in one.items]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 97),  # items of a part
            st.lists(st.sampled_from([10, 2_000, 60_000, 390_000]), max_size=32),  # its texts
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_kept_beside_records_the_limits_hold_and_each_text_is_kept(
    shape: list[tuple[int, list[int]]],
) -> None:
    dynamo, noise = Dynamo(), random.Random(1)
    audit = Audit("audit", factories.playbook(), "me")
    audit.wait(audit.record("received", detail="x" * 200))
    parts = []
    for number, (items, sizes) in enumerate(shape):
        texts = {f"{n}": noise.randbytes(size // 2).hex() for n, size in enumerate(sizes)}
        record = audit.record("opened", findings=list(texts), texts={"finding": texts})
        parts.append(Part(part(number, items).items, [record], ("p", "q")))
    submit = Transactions(dynamo, audit, Deadline(lambda: 60.0), dynamo.paused.append).submit
    assert submit(parts) == [None] * len(parts)
    kept: dict[str, str] = {}
    for request in dynamo.requests:
        assert len(request) <= MAX_ITEMS
        written = [one["Put"]["Item"] for one in request if "Put" in one]
        own = [item for item in written if "records" in item]
        assert all(_bytes(item) < 400_000 for item in own)
        assert sum(map(_bytes, own)) < 4_000_000
        for item in own:
            kept |= read(item).contents
    named = [dict(record).get("contents", {}) for one in parts for record in one.records]
    assert {digest for one in named for digest in one.get("finding", {}).values()} == set(kept)
    left_out = sum(len(one.get("left_out", ())) for one in named)
    assert left_out + sum(len(one.get("finding", ())) for one in named) == sum(
        len(sizes) for _, sizes in shape
    )


def _bytes(item: dict[str, Any]) -> int:
    lines = len(item["records"]["S"].encode())
    return lines + len(item.get("contents", {}).get("B", b"")) + 300


def test_records_that_outgrow_one_item_are_in_several_of_the_same_transaction() -> None:
    records = [
        {"kind": "outcome", "findings": [f"{m}-{n:0200}" for n in range(400)]} for m in range(9)
    ]
    dynamo = Dynamo()
    dynamo.submit([Part(part().items, records)])
    (request,) = dynamo.requests
    sizes = [len(item["Put"]["Item"]["records"]["S"]) for item in request[1:]]
    assert len(sizes) > 1
    assert max(sizes) <= MAX_ITEM + 100
    assert audited(request) == records


def test_parts_with_many_records_share_a_transaction_and_not_one_item() -> None:
    many = [Part([], [{"kind": "k", "detail": "x" * 200_000}]) for _ in range(3)]
    dynamo = Dynamo()
    dynamo.submit(many)
    assert [len(request) for request in dynamo.requests] == [3]


def test_the_part_whose_condition_failed_is_lost_with_what_was_found() -> None:
    found = {"sk": {"S": "I"}, "round": {"N": "3"}}
    cancelled = Cancelled("None", "ConditionalCheckFailed", "None", "None", items={1: found})
    dynamo = Dynamo(cancelled)
    results = dynamo.submit([part(0), part(1), part(2)])
    assert results == [None, Lost({"I": found}), None]
    assert [record["part"] for record in audited(dynamo.requests[1])] == [0, 2]


def test_a_failed_condition_without_an_item_is_lost_with_nothing_found() -> None:
    assert Dynamo(Cancelled("ConditionalCheckFailed", "None")).submit([part()]) == [Lost({})]


@pytest.mark.parametrize(
    "code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_what_passes_is_tried_again(code: str) -> None:
    dynamo = Dynamo(Cancelled(code, "None", "None"), Cancelled("None", code, "None"))
    assert dynamo.submit([part(0), part(1)]) == [None, None]
    assert len(dynamo.requests) == 3
    assert len(dynamo.paused) == 2


def test_after_three_rounds_each_part_goes_alone() -> None:
    dynamo = Dynamo(*[Cancelled("TransactionConflict", "None", "None")] * 3)
    assert dynamo.submit([part(0), part(1)]) == [None, None]
    assert [len(request) for request in dynamo.requests] == [3, 3, 3, 2, 2]


def test_waiting_for_a_conflict_to_end_takes_two_seconds_at_most() -> None:
    dynamo = Dynamo(*[Cancelled("TransactionConflict", "None")] * 99)
    with pytest.raises(TransientError):
        dynamo.submit([part()])
    assert sum(dynamo.paused) <= 2.0


def test_no_time_left_ends_the_tries() -> None:
    dynamo = Dynamo(Cancelled("TransactionConflict", "None"))
    with pytest.raises(TransientError, match="no time left"):
        dynamo.submit([part()], left=1.0)
    assert len(dynamo.requests) == 1


def test_a_reason_that_does_not_pass_is_that_parts_own() -> None:
    bad = Cancelled("None", "ValidationError", "None", "None")
    dynamo = Dynamo(bad, None, Cancelled("ValidationError", "None"))
    with pytest.raises(PermanentError, match="ValidationError"):
        dynamo.submit([part(0), part(1), part(2)])
    assert [[record["part"] for record in audited(r)] for r in dynamo.requests] == [
        [0, 1, 2],
        [0],
        [1],
        [2],
    ]


def test_nothing_to_submit_asks_nobody() -> None:
    dynamo = Dynamo()
    assert dynamo.submit([]) == []
    assert dynamo.requests == []


def test_parts_that_are_over_four_megabytes_together_do_not_share_a_transaction() -> None:
    dynamo = Dynamo()
    parts = [part(n, items=3, size=300_000) for n in range(8)]
    assert dynamo.submit(parts) == [None] * 8
    sizes = [len(msgspec.json.encode(request)) for request in dynamo.requests]
    assert sum(sizes) > 4_000_000 > max(sizes)
