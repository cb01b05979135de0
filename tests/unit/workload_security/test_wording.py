"""What came of assigned rules, in a line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_responder.markdown.characters import width
from hub_responder.workload_security.applying import Applied
from hub_responder.workload_security.wording import applied

FIELDS = ("shielded", "sent", "not_enforced", "untold", "to_patch", "waiting")


def done(**fields: Any) -> Applied:
    return Applied(**{"computer": 34, "name": "web-01", **fields})


@pytest.mark.parametrize(
    ("fields", "english", "japanese"),
    [
        (
            {"assigned": (11, 12), "sent": ("CVE-2026-1111",), "to_patch": ("CVE-2026-3333",)},
            (
                "IPS rules 11, 12 assigned to web-01, sent to the agent; blocked once the "
                "agent has them: CVE-2026-1111; no IPS rule: CVE-2026-3333; "
                "still to plan: the patch"
            ),
            (
                "web-01にIPSルール11、12を割り当て、エージェントへ送信。"
                "エージェントへの反映後に遮断:CVE-2026-1111。"
                "IPSルールなし:CVE-2026-3333。残る対応:パッチ適用の計画"
            ),
        ),
        (
            {"there": (11,), "shielded": ("CVE-2026-1111",)},
            (
                "all IPS rules were assigned to web-01 before; blocked: CVE-2026-1111; "
                "still to plan: the patch"
            ),
            "web-01のIPSルールは割り当て済み。遮断中:CVE-2026-1111。残る対応:パッチ適用の計画",
        ),
        (
            {"assigned": (11,), "not_enforced": ("CVE-2026-1111",), "why": "detect"},
            (
                "IPS rules 11 assigned to web-01, sent to the agent; NOT blocked though assigned "
                "(IPS only detects): CVE-2026-1111; still to plan: the patch"
            ),
            (
                "web-01にIPSルール11を割り当て、エージェントへ送信。"
                "割り当て済みだが遮断されない(侵入防御は検出のみ):CVE-2026-1111。"
                "残る対応:パッチ適用の計画"
            ),
        ),
        (
            {"to_patch": ("CVE-2026-3333",), "left_out": 4},
            (
                "no IPS rule for web-01; no IPS rule: CVE-2026-3333; "
                "4 more CVEs not looked at; still to plan: the patch"
            ),
            (
                "web-01に使えるIPSルールなし。IPSルールなし:CVE-2026-3333。"
                "未確認のCVE:ほか4件。残る対応:パッチ適用の計画"
            ),
        ),
    ],
)
def test_it_is_said_in_both_languages(fields: dict[str, Any], english: str, japanese: str) -> None:
    assert applied(done(**fields), language="en") == english
    assert applied(done(**fields), language="ja") == japanese


cves = st.lists(st.integers(1000, 10**19 - 1).map("CVE-2026-{}".format), max_size=20).map(tuple)


@given(
    st.fixed_dictionaries(
        {
            "name": st.text(max_size=300),
            "assigned": st.lists(st.integers(1, 2**31 - 1), max_size=100).map(tuple),
            "why": st.sampled_from(["off", "detect", "rule", ""]),
            **dict.fromkeys(FIELDS, cves),
        }
    ),
    st.sampled_from(["en", "ja"]),
)
def test_it_is_one_bounded_line_that_ends_with_the_patch(
    fields: dict[str, Any], language: str
) -> None:
    said = applied(done(**fields), language=language)
    assert width(said) <= 300
    assert not set(said) & set("\n\r\t\u202e|")
    assert said.endswith("the patch" if language == "en" else "計画")
