"""The part of JQL that the simulator understands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_toolkit.sandbox.vendors.jira.jql import JqlError, Subject, matches, parse, terms

ISSUE = Subject("10000", "SEC-1", "SEC", frozenset({"hr-abc", "it's"}), "new")
BARE = Subject("10001", "SEC-2", "SEC", frozenset(), "done")


@pytest.mark.parametrize(
    ("text", "issue", "bare"),
    [
        ("project = SEC", True, True),
        ("PROJECT = 'sec'", True, True),
        ('project = "SEC" AND labels = "hr-abc"', True, False),
        ("project = SEC and labels = hr-abc", True, False),
        ("labels = 'it\\'s'", True, False),
        ("labels = HR-ABC", False, False),
        ("labels in (hr-x, hr-abc)", True, False),
        ("labels not in (hr-x)", True, False),
        ("labels != hr-abc", False, False),
        ("key = sec-1", True, False),
        ("issuekey in (SEC-1, SEC-2)", True, True),
        ("id = 10001", False, True),
        ("statusCategory = Done", False, True),
        ("statusCategory != Done AND project = SEC ORDER BY created DESC", True, False),
        ('statusCategory = "To Do"', True, False),
        ("project = SEC AND (key = SEC-2 OR labels = hr-abc)", True, True),
        ("key = SEC-2 OR project = SEC AND labels = hr-abc", True, True),
    ],
)
def test_a_query_chooses(text: str, *, issue: bool, bare: bool) -> None:
    where = parse(text).where
    assert where is not None
    assert matches(where, ISSUE) is issue
    assert matches(where, BARE) is bare


def test_order_by_is_kept_and_alone_is_unbounded() -> None:
    query = parse("ORDER BY created DESC, key")
    assert query.where is None
    assert query.order == (("created", True), ("key", False))
    assert parse("").where is None


@pytest.mark.parametrize(
    "text",
    [
        "project",
        "project =",
        "project = SEC AND",
        "project = SEC SEC",
        "(project = SEC",
        "project = SEC)",
        "project ~ SEC",
        "project is EMPTY",
        "project in SEC",
        "project in ()",
        "project = =",
        "text ~ x",
        "summary ~ 'x'",
        "assignee = currentUser()",
        "created > -1d",
        "statusCategory = Closed",
        "labels = 'open",
        "project = SEC ORDER created",
        "project = SEC ORDER BY",
        "project = SEC ORDER BY rank",
        "project = SEC; DROP",
        "(" * 300 + "project = SEC" + ")" * 300,
    ],
)
def test_what_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(JqlError):
        parse(text)


WORDS = st.sampled_from(
    [
        *["project", "labels", "key", "statusCategory", "=", "!=", "in", "not", "(", ")", ","],
        *["AND", "or", "order", "by", "desc", "SEC", "Done", "'x'", '"', "'", "\\", "日本", "\x00"],
    ]
)


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=80).map(" ".join)))
def test_any_text_is_a_query_or_an_error(text: str) -> None:
    try:
        query = parse(text)
    except JqlError:
        return
    if query.where is not None:
        assert list(terms(query.where))
        assert matches(query.where, ISSUE) in (True, False)
