"""What intrusion prevention does against a CVE, in a few words."""

from __future__ import annotations

from collections.abc import Mapping

from hub_responder.workload_security.shields import Shield

_NAMED = 2
"""Rules that are named; of more, their number is said."""
_EN: Mapping[str, str] = {
    "shielded": "shielded by {rules} (prevent)",
    "detect_only": "detect only, {rules}",
    "shieldable": "shieldable: {rules}",
    "not_shieldable": "no IPS rule",
    "unknown": "IPS state not told",
}
_JA: Mapping[str, str] = {
    "shielded": "{rules}で防御中(防御モード)",
    "detect_only": "検出のみ({rules})",
    "shieldable": "適用可能なIPSルールあり({rules})",
    "not_shieldable": "IPSルールなし",
    "unknown": "IPSの状態は不明",
}


def said(shield: Shield, language: str) -> str:
    """``CVE-2026-1111: shielded by rule 1012345 (prevent)``, in one line."""
    japanese = language == "ja"
    words = (_JA if japanese else _EN)[shield.state]
    return f"{shield.cve}: {words.format(rules=_rules(shield.rules, japanese=japanese))}"


def _rules(rules: tuple[int, ...], *, japanese: bool) -> str:
    if len(rules) > _NAMED:
        return f"ルール{len(rules)}件" if japanese else f"{len(rules)} rules"
    named = ("、" if japanese else ", ").join(map(str, rules))
    if japanese:
        return f"ルール{named}"
    return f"rule{'' if len(rules) == 1 else 's'} {named}"
