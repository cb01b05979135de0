"""A verdict in one sentence, in the playbook's language: the beginning of the finding's note."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub_responder.finding import Resource
from hub_responder.vision_one.coverage import Coverage

MAX_CHARACTERS = 300
_EN: Mapping[str, str] = {
    "PROTECTED": "protected by Vision One",
    "no_endpoint": "no Vision One agent",
    "no_agent": "known to Vision One, but without an agent",
    "sensor_only": "endpoint sensor only, no protection agent",
    "offline": "agent offline since {last}",
    "never_connected": "agent has never connected",
    "stale": "agent not seen since {last}",
    "module_off": "{module} off",
    "module_unknown": "state of {module} not told",
    "components_outdated": "components outdated",
    "policy_missing": "no policy assigned",
    "isolated": "isolated from the network",
    "agent_status_unknown": "agent status not told",
    "not_an_instance": "not an EC2 instance ({module})",
    "secret_missing": "Vision One's secret is missing or unreadable",
    "denied_401": "Vision One refuses the token (401)",
    "denied_403": "the token lacks a permission (403)",
    "rate_limited": "Vision One's rate limit is reached (429)",
    "vision_one_unreachable": "Vision One cannot be reached",
    "vision_one_refused": "Vision One refuses the request",
    "account_mismatch": "an endpoint has this instance id in account {other}",
    "incomplete": "Vision One's inventory could not be read completely",
    "internal": "an internal error",
}
_JA: Mapping[str, str] = {
    "PROTECTED": "Vision Oneが保護しています",
    "no_endpoint": "Vision Oneエージェントなし",
    "no_agent": "Vision Oneに登録はあるがエージェントなし",
    "sensor_only": "センサーのみ(保護エージェントなし)",
    "offline": "エージェントが{last}からオフライン",
    "never_connected": "エージェントは一度も接続していません",
    "stale": "エージェントの最終接続は{last}",
    "module_off": "{module}が無効",
    "module_unknown": "{module}の状態が不明",
    "components_outdated": "コンポーネントが古い",
    "policy_missing": "ポリシー未割り当て",
    "isolated": "ネットワークから隔離中",
    "agent_status_unknown": "エージェントの状態が不明",
    "not_an_instance": "EC2インスタンスではありません({module})",
    "secret_missing": "Vision Oneのシークレットがないか読めません",
    "denied_401": "Vision Oneがトークンを拒否(401)",
    "denied_403": "トークンの権限不足(403)",
    "rate_limited": "Vision Oneのレート制限(429)",
    "vision_one_unreachable": "Vision Oneに接続できません",
    "vision_one_refused": "Vision Oneが要求を拒否",
    "account_mismatch": "このインスタンスIDはアカウント{other}のエンドポイントのもの",
    "incomplete": "Vision Oneのインベントリを最後まで読めませんでした",
    "internal": "内部エラー",
}
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
    "firewall": "ファイアウォール",
    "web_reputation": "Webレピュテーション",
    "integrity_monitoring": "変更監視",
    "log_inspection": "セキュリティログ監視",
    "application_control": "アプリケーションコントロール",
}


def summary(coverage: Coverage, resource: Resource, *, language: str, timezone: str) -> str:
    """``UNPROTECTED: no Vision One agent on web-01 (i-0abc), 09:03:12 JST, matched by ...``."""
    zone = _zone(timezone)
    japanese = language == "ja"
    words = _JA if japanese else _EN
    codes = coverage.reasons or [coverage.verdict]
    said = [_said(code, words, coverage, zone, japanese=japanese) for code in codes[:4]]
    subject = resource.instance_id or resource.id
    if resource.name:
        subject = f"{resource.name}({subject})" if japanese else f"{resource.name} ({subject})"
    at = datetime.fromtimestamp(coverage.checked_at, zone).strftime("%H:%M:%S %Z")
    again = coverage.retry_after
    if japanese:
        verdict = _JA_VERDICTS.get(coverage.verdict, coverage.verdict)
        more = f"、{int(again)}秒後に再確認" if again else ""
        text = f"【{verdict}】{subject}{'、'.join(said)}({at}{_matched(coverage, japanese)}){more}"
    else:
        more = f", looked at again in {int(again)} s" if again else ""
        joined = ", ".join(said)
        text = (
            f"{coverage.verdict}: {joined} on {subject}, {at}{_matched(coverage, japanese)}{more}"
        )
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def _said(
    code: str, words: Mapping[str, str], coverage: Coverage, zone: tzinfo, *, japanese: bool
) -> str:
    reason, _, module = code.partition(":")
    named = _JA_MODULES.get(module, module) if japanese else module.replace("_", " ")
    last = str(coverage.evidence.get("last_connected", ""))
    if last:
        seen = datetime.fromisoformat(last).astimezone(zone)
        last = seen.strftime("%m-%d %H:%M")
    other = str(coverage.evidence.get("other_account", ""))
    return words.get(reason, reason).format(module=named, last=last or "?", other=other)


def _matched(coverage: Coverage, japanese: bool) -> str:
    if "matched_by" not in coverage.evidence or coverage.verdict == "UNKNOWN":
        return ""
    return "、インスタンスIDで照合" if japanese else ", matched by instance id"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
