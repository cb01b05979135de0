"""What intrusion prevention does against a CVE, in words."""

from __future__ import annotations

from typing import get_args

import pytest

from hub_responder.workload_security.shield_wording import said
from hub_responder.workload_security.shields import Shield, State

CVE = "CVE-2026-1111"


@pytest.mark.parametrize(
    ("shield", "english", "japanese"),
    [
        (
            Shield(CVE, "shielded", (11,)),
            "shielded by rule 11 (prevent)",
            "ルール11で防御中(防御モード)",
        ),
        (
            Shield(CVE, "detect_only", (11, 12)),
            "detect only, rules 11, 12",
            "検出のみ(ルール11、12)",
        ),
        (
            Shield(CVE, "shieldable", (11, 12, 13)),
            "shieldable: 3 rules",
            "適用可能なIPSルールあり(ルール3件)",
        ),
        (Shield(CVE, "not_shieldable"), "no IPS rule", "IPSルールなし"),
        (Shield(CVE, "unknown"), "IPS state not told", "IPSの状態は不明"),
    ],
)
def test_every_state_has_its_words(shield: Shield, english: str, japanese: str) -> None:
    assert said(shield, "en") == f"{CVE}: {english}"
    assert said(shield, "ja") == f"{CVE}: {japanese}"


def test_no_state_is_without_words() -> None:
    for state in get_args(State):
        assert said(Shield(CVE, state), "en") != said(Shield(CVE, state), "ja")
