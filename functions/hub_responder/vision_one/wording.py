"""A verdict in one sentence, in the playbook's language: the beginning of the finding's note."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from hub_responder.behind import words as of_behind
from hub_responder.finding import Resource
from hub_responder.markdown.characters import clean, one_line, shorten, width
from hub_responder.vision_one.coverage import Coverage
from hub_responder.workload_security import shield_wording as shields

MAX_CHARACTERS = 300
_MAX_NAME = 64
_MAX_SUBJECT = 80
_MAX_SAID = 4
_MAX_CVES = 2
_EN: Mapping[str, str] = {
    "PROTECTED": "Vision One agent running",
    "no_endpoint": "no Vision One agent",
    "no_agent": "known to Vision One, but no agent",
    "sensor_only": "endpoint sensor only, no protection agent",
    "offline": "agent offline",
    "never_connected": "agent never connected",
    "stale": "agent not seen since {last}",
    "module_off": "{about} off",
    "components_outdated": "components outdated",
    "policy_missing": "no policy assigned",
    "isolated": "isolated from the network",
    "module_unknown": "state of {about} not told",
    "agent_status_unknown": "agent status not told",
    "contact_unknown": "time of the agent's last contact not told",
    "not_an_instance": "not an EC2 instance ({about})",
    "no_instance_id": "the finding does not tell the instance id",
    "configuration": "the configuration is wrong",
    "secret_missing": "Vision One's secret is missing or wrong",
    "secret_unreachable": "Vision One's secret cannot be read now",
    "denied_401": "Vision One refuses the token (401)",
    "denied_403": "the token lacks a permission (403)",
    "rate_limited": "Vision One's rate limit is reached (429)",
    "vision_one_unreachable": "Vision One does not answer",
    "vision_one_refused": "Vision One refuses the request",
    "endpoint_gone": "the endpoint has just been removed",
    "account_mismatch": "Vision One has this instance id in another account ({other})",
    "lookalike": "same name or address as {endpoint}, which Vision One has without instance id",
    "ambiguous": "same name or address as {count} endpoints of Vision One, as {endpoint}",
    "incomplete": "Vision One's inventory could not be read completely",
    "workload_security": "Server & Workload Protection could not be asked",
    "reboot_required": "reboot required",
    "upgrade_required": "agent upgrade required",
    "activation_required": "agent activation required",
    "action_required": "Vision One asks for action",
    "agent_error": "agent reports errors",
    "unmanaged": "agent not managed by Server & Workload Protection",
    "not_in_vision_one": "agent known to Server & Workload Protection only",
    "last_contact": "last contact {last}",
    "more": "{} more",
    **of_behind.EN,
}
_JA: Mapping[str, str] = {
    "PROTECTED": "Vision Oneエージェント稼働中",
    "no_endpoint": "Vision Oneエージェントなし",
    "no_agent": "Vision Oneに登録はあるがエージェントなし",
    "sensor_only": "センサーのみ(保護エージェントなし)",
    "offline": "エージェントはオフライン",
    "never_connected": "エージェントは一度も接続していません",
    "stale": "エージェントの最終接続は{last}",
    "module_off": "{about}が無効",
    "components_outdated": "コンポーネントが古い",
    "policy_missing": "ポリシー未割り当て",
    "isolated": "ネットワークから隔離中",
    "module_unknown": "{about}の状態が不明",
    "agent_status_unknown": "エージェントの状態が不明",
    "contact_unknown": "エージェントの最終接続時刻が不明",
    "not_an_instance": "EC2インスタンスではありません({about})",
    "no_instance_id": "検出結果にインスタンスIDがありません",
    "configuration": "設定に誤りがあります",
    "secret_missing": "Vision Oneのシークレットがないか正しくありません",
    "secret_unreachable": "Vision Oneのシークレットを今は読めません",
    "denied_401": "Vision Oneがトークンを拒否(401)",
    "denied_403": "トークンの権限不足(403)",
    "rate_limited": "Vision Oneのレート制限(429)",
    "vision_one_unreachable": "Vision Oneが応答しません",
    "vision_one_refused": "Vision Oneが要求を拒否",
    "endpoint_gone": "エンドポイントは削除されたばかりです",
    "account_mismatch": "このインスタンスIDはVision Oneでは別のアカウント({other})のもの",
    "lookalike": "Vision OneにインスタンスIDのない{endpoint}と名前かアドレスが同じ",
    "ambiguous": "{endpoint}などVision Oneの{count}件と名前かアドレスが同じ",
    "incomplete": "Vision Oneのインベントリを最後まで読めませんでした",
    "workload_security": "Server & Workload Protectionに照会できません",
    "reboot_required": "再起動が必要",
    "upgrade_required": "エージェントのアップグレードが必要",
    "activation_required": "エージェントの有効化が必要",
    "action_required": "Vision Oneが対応を要求",
    "agent_error": "エージェントでエラー発生",
    "unmanaged": "エージェントはServer & Workload Protectionの管理対象外",
    "not_in_vision_one": "エージェントはServer & Workload Protectionにのみ登録",
    "last_contact": "最終接続{last}",
    "more": "ほか{}件",
    **of_behind.JA,
}
REASONS = frozenset(_EN) - {"PROTECTED", "last_contact", "more"}
"""Every reason's code; those of modules and resource types are followed by ``:NAME``."""
_JA_VERDICTS: Mapping[str, str] = {
    "PROTECTED": "保護済み",
    "DEGRADED": "保護低下",
    "UNPROTECTED": "未保護",
    "UNKNOWN": "不明",
    "NOT_APPLICABLE": "対象外",
}
_JA_MODULES: Mapping[str, str] = {
    "anti_malware": "不正プログラム対策",
    "intrusion_prevention": "侵入防御",
    "behavior_monitoring": "挙動監視",
    "predictive_machine_learning": "機械学習型検索",
    "web_reputation": "Webレピュテーション",
    "firewall": "ファイアウォール",
    "integrity_monitoring": "変更監視",
    "log_inspection": "セキュリティログ監視",
    "application_control": "アプリケーションコントロール",
    "device_control": "デバイスコントロール",
    "activity_monitoring": "アクティビティ監視",
}
_EN_ALONE: Mapping[str, str] = {
    "stale": "agent not in contact for too long",
    "account_mismatch": "Vision One has the instance id in another account",
    "lookalike": "same name or address as an endpoint without instance id",
    "ambiguous": "same name or address as several endpoints",
}
_JA_ALONE: Mapping[str, str] = {
    "stale": "エージェントが長時間接続していません",
    "account_mismatch": "インスタンスIDはVision Oneでは別のアカウントのもの",
    "lookalike": "インスタンスIDのないエンドポイントと名前かアドレスが同じ",
    "ambiguous": "複数のエンドポイントと名前かアドレスが同じ",
}
"""Reasons whose words hold a fact of the instance, where they stand for many instances."""
_STATED = ("PROTECTED", "DEGRADED", "UNPROTECTED")
_BY_EN: Mapping[str, str] = {
    "workload_agent_guid": "agent id",
    "workload_instance_id": "instance id in Server & Workload Protection",
}
_BY_JA: Mapping[str, str] = {
    "workload_agent_guid": "エージェントID",
    "workload_instance_id": "Server & Workload ProtectionのインスタンスID",
    "instance id in its name": "名前の中のインスタンスID",
    "MAC address": "MACアドレス",
    "host name": "ホスト名",
    "address": "アドレス",
}
_LIKE = ("host_name", "private_ip")
_TIERS: Mapping[str, tuple[str, str]] = {
    "instance_id": ("instance id", "インスタンスID"),
    **{name: (_BY_EN[name], _BY_JA[name]) for name in _BY_EN},
    "host_name": ("host name", "ホスト名"),
    "private_ip": ("address", "アドレス"),
}
"""In English and Japanese."""


def summary(coverage: Coverage, resource: Resource, *, language: str, timezone: str) -> str:
    """``UNPROTECTED: no Vision One agent on web-01 (i-0abc), 09:03:12 JST, matched by ...``.

    Plain text of one line, at most 300 characters; names from the finding are cut, not the facts.
    """
    zone = _zone(timezone)
    at = datetime.fromtimestamp(coverage.checked_at, zone).strftime("%H:%M:%S %Z")
    said_in = _japanese if language == "ja" else _english
    name, subject = _subject(coverage, resource, language)
    text = said_in(coverage, name, subject, at, zone)
    over = width(text) - MAX_CHARACTERS
    if over > 0:
        text = said_in(coverage, shorten(name, max(0, width(name) - over)), subject, at, zone)
    return _with_shields(shorten(text, MAX_CHARACTERS), coverage, language)


def _with_shields(text: str, coverage: Coverage, language: str) -> str:
    """The sentence with what is said of the most urgent CVEs, as far as there is room."""
    bar, comma = ("|", "、") if language == "ja" else (" | ", ", ")
    shown = 0
    for shield in coverage.cves[:_MAX_CVES]:
        longer = text + (comma if shown else bar) + shields.said(shield, language)
        if width(longer) > MAX_CHARACTERS:
            break
        text, shown = longer, shown + 1
    left = len(coverage.cves) - shown + int(coverage.evidence.get("cves_left_out", 0))
    words = (_JA if language == "ja" else _EN)["more"].format(left)
    longer = f"{text}{comma}{words}"
    return longer if shown and left and width(longer) <= MAX_CHARACTERS else text


def reason(code: str, language: str) -> str:
    """A reason's code in words, for a list of reasons: without the facts of one instance."""
    known, alone = (_JA, _JA_ALONE) if language == "ja" else (_EN, _EN_ALONE)
    name, _, about = code.partition(":")
    if name not in REASONS:
        return _plain(code, _MAX_NAME)
    about = _JA_MODULES.get(about, about) if language == "ja" else about.replace("_", " ")
    return alone.get(name, known[name]).format(about=_plain(about, _MAX_NAME))


def tier(name: str, language: str) -> str:
    """How an instance was matched to its agent, in words."""
    ways = _TIERS.get(name)
    return ways[language == "ja"] if ways else _plain(name, _MAX_NAME)


def verdict(name: str, language: str) -> str:
    """A verdict as people read it: ``PROTECTED``, ``保護済み``."""
    return _JA_VERDICTS.get(name, name) if language == "ja" else name


def _english(coverage: Coverage, name: str, subject: str, at: str, zone: tzinfo) -> str:
    said = ", ".join(_said(coverage, _EN, zone, lambda name: name.replace("_", " ")))
    subject = f"{name} ({subject})" if name else subject
    matched = f", matched by {_matched_by(coverage)}" if _matched(coverage) else ""
    again = f", looked at again in {coverage.retry_after:.0f} s" if coverage.retry_after else ""
    about = "on" if coverage.verdict in _STATED else "for"
    return f"{coverage.verdict}: {said} {about} {subject}, {at}{matched}{again}"


def _japanese(coverage: Coverage, name: str, subject: str, at: str, zone: tzinfo) -> str:
    said = "、".join(_said(coverage, _JA, zone, lambda name: _JA_MODULES.get(name, name)))
    subject = f"{name}({subject})" if name else f"{subject} "
    matched = f"、{_matched_by_ja(coverage)}で照合" if _matched(coverage) else ""
    again = f"、{coverage.retry_after:.0f}秒後に再確認" if coverage.retry_after else ""
    return f"【{_JA_VERDICTS[coverage.verdict]}】{subject}{said}({at}{matched}){again}"


def _said(
    coverage: Coverage, words: Mapping[str, str], zone: tzinfo, named: Callable[[str], str]
) -> list[str]:
    """The first reasons in words, and how many more there are."""
    codes = (coverage.reasons or [coverage.verdict])[:_MAX_SAID]
    more = len(coverage.reasons) - len(codes)
    last = str(coverage.evidence.get("last_connected", ""))
    facts = {
        "last": _time(last, zone),
        "other": _plain(str(coverage.evidence.get("other_account", "")), 12),
        "endpoint": _plain(str(coverage.evidence.get("endpoint", "")), _MAX_NAME),
        "count": coverage.evidence.get("candidates", "?"),
    }
    if last and codes[0] in ("PROTECTED", "offline") and "stale" not in codes:
        codes.insert(1, "last_contact")
    parts = [code.partition(":") for code in codes]
    said = [
        words.get(reason, reason).format(about=_plain(named(about), _MAX_NAME), **facts)
        for reason, _, about in parts
    ]
    return [*said, words["more"].format(more)] if more > 0 else said


def _time(text: str, zone: tzinfo) -> str:
    try:
        return f"{datetime.fromisoformat(text).astimezone(zone):%m-%d %H:%M}"
    except (ValueError, OverflowError):  # none, or in the year 9999
        return "?"


def _subject(coverage: Coverage, resource: Resource, language: str) -> tuple[str, str]:
    """Name, and instance id or the end of the resource's id (the part that tells it apart).

    Of what stands for one instance that instance, and behind what it is; of what stands for several
    the resource, and how many there are.
    """
    behind = coverage.evidence.get("behind")
    if behind is None:
        subject = _end(resource.instance_id or resource.id, _MAX_SUBJECT)
        return _plain(resource.name, _MAX_NAME), subject
    japanese = language == "ja"
    of = _end(resource.id.rpartition(":")[2], _MAX_NAME)
    instance = str(behind.get("instance", ""))
    if behind["instances"] == 1:
        subject = f"{of}の背後の{instance}" if japanese else f"{instance} behind {of}"
        return _plain(str(behind["name"]), _MAX_NAME), subject
    words = _JA_VERDICTS if japanese else {}
    counts = behind["verdicts"].items()
    said = [
        f"{words.get(verdict, verdict)}{number}" if japanese else f"{number} {verdict}"
        for verdict, number in counts
    ]
    number = behind["instances"]
    if japanese:
        return of, f"{number}台: {'、'.join(said)}" + (f"、最悪は{instance}" if instance else "")
    return of, f"{number} instances: {', '.join(said)}" + (
        f", the worst {instance}" if instance else ""
    )


def _end(text: str, limit: int) -> str:
    return _plain(text if len(text) <= limit else "…" + text[1 - limit :], limit)


def _plain(text: str, limit: int) -> str:
    """One line; without the `` | `` that parts the note's own fields."""
    return shorten(one_line(clean(text)).replace("|", "/").strip(), limit)


def _matched(coverage: Coverage) -> bool:
    return "matched_by" in coverage.evidence and coverage.verdict != "UNKNOWN"


def _matched_by(coverage: Coverage) -> str:
    if coverage.tier in _LIKE:
        return str(coverage.evidence["matched_by"])
    return _BY_EN.get(coverage.tier, "instance id")


def _matched_by_ja(coverage: Coverage) -> str:
    if coverage.tier in _LIKE:
        facts = str(coverage.evidence["matched_by"]).replace(" and ", ", ").split(", ")
        return "と".join(_BY_JA.get(fact, fact) for fact in facts)
    return _BY_JA.get(coverage.tier, "インスタンスID")


@lru_cache(maxsize=16)
def _zone(name: str) -> tzinfo:
    """The zone, or UTC where the machine lacks it: no verdict is lost over a clock's zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
