"""What assigned rules do for a computer, in one line in the playbook's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hub_responder.markdown.characters import clean, one_line, shorten, width
from hub_responder.workload_security.applying import Applied

MAX_CHARACTERS = 300
_MAX_NAME = 32
_LISTED = (3, 2, 1, 0)
"""How many of each list are named: as many as have room."""
_LISTS = ("not_enforced", "sent", "shielded", "untold", "waiting", "to_patch")
_EN: Mapping[str, str] = {
    "assigned": "IPS rules {listed} assigned to {name}, sent to the agent",
    "there": "all IPS rules were assigned to {name} before",
    "nothing": "no IPS rule for {name}",
    "not_enforced": "NOT blocked though assigned ({why}): {listed}",
    "sent": "blocked once the agent has them: {listed}",
    "shielded": "blocked: {listed}",
    "untold": "assigned, not told whether blocked: {listed}",
    "waiting": "some rules left, over the limit: {listed}",
    "to_patch": "no IPS rule: {listed}",
    "left_out": "{count} more CVEs not looked at",
    "plan": "still to plan: the patch",
    "off": "IPS does not run",
    "detect": "IPS only detects",
    "rule": "rule only detects, or agent too old",
    "more": "{listed} and {count} more",
    "count": "{count}",
    ",": ", ",
    ";": "; ",
}
_JA: Mapping[str, str] = {
    "assigned": "{name}にIPSルール{listed}を割り当て、エージェントへ送信",
    "there": "{name}のIPSルールは割り当て済み",
    "nothing": "{name}に使えるIPSルールなし",
    "not_enforced": "割り当て済みだが遮断されない({why}):{listed}",
    "sent": "エージェントへの反映後に遮断:{listed}",
    "shielded": "遮断中:{listed}",
    "untold": "割り当て済み、遮断されるか不明:{listed}",
    "waiting": "上限を超え一部のルールは未割り当て:{listed}",
    "to_patch": "IPSルールなし:{listed}",
    "left_out": "未確認のCVE:ほか{count}件",
    "plan": "残る対応:パッチ適用の計画",
    "off": "侵入防御が動作していません",
    "detect": "侵入防御は検出のみ",
    "rule": "ルールが検出のみ、またはエージェントが古い",
    "more": "{listed}ほか{count}件",
    "count": "{count}件",
    ",": "、",
    ";": "。",
}


def applied(done: Applied, *, language: str) -> str:
    """``IPS rules 11, 12 assigned to web-01, sent to the agent; blocked ...: CVE-2026-1111; ...``.

    Plain text of one line, at most 300 characters: lists are cut, not facts.
    """
    words = _JA if language == "ja" else _EN
    said = ""
    for most in _LISTED:
        said = words[";"].join(_parts(done, words, most))
        if width(said) <= MAX_CHARACTERS:
            break
    return shorten(said, MAX_CHARACTERS)


def _parts(done: Applied, words: Mapping[str, str], most: int) -> Iterator[str]:
    name = shorten(one_line(clean(done.name)).replace("|", "/").strip(), _MAX_NAME)
    first = "assigned" if done.assigned else "there" if done.there else "nothing"
    yield words[first].format(listed=_listed(done.assigned, words, most), name=name)
    for field in _LISTS:
        held: Sequence[str] = getattr(done, field)
        if held:
            why = words.get(done.why, "")
            yield words[field].format(listed=_listed(held, words, most), why=why)
    if done.left_out:
        yield words["left_out"].format(count=done.left_out)
    yield words["plan"]


def _listed(held: Sequence[object], words: Mapping[str, str], most: int) -> str:
    """The first ``most``, and how many more; only how many where none has room."""
    if not most:
        return words["count"].format(count=len(held))
    listed = words[","].join(str(one) for one in held[:most])
    more = len(held) - most
    return words["more"].format(listed=listed, count=more) if more > 0 else listed
