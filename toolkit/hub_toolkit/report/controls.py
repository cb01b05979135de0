"""Which fields of the trail answer which control of a framework.

The controls' numbers and subjects are those of PCI DSS 4.0.1, NIST SP 800-61r3 (CSF 2.0), ISO/IEC
27001:2022 Annex A, the GDPR and the LGPD. A control is met by an organisation, not by a report:
here stands what the trail has to show for it, and nothing more.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Framework = Literal["pci", "iso27001", "nist", "gdpr", "lgpd"]
NAMES: dict[str, str] = {
    "pci": "PCI DSS 4.0.1",
    "iso27001": "ISO/IEC 27001:2022",
    "nist": "NIST SP 800-61r3",
    "gdpr": "GDPR",
    "lgpd": "LGPD",
}


class Control(msgspec.Struct, frozen=True):
    """A control: its number, its subject in English and Japanese, and the fields that answer it."""

    number: str
    subject: str
    subject_ja: str
    fields: tuple[str, ...]


_WHO = ("actor.app_name", "actor.app_uid", "actor.user")
_WHAT = ("activity_name", "unmapped.uses", "unmapped.step", "message")
_WHEN = ("time", "metadata.original_time")
_RESULT = ("status", "status_code")
_WHERE = ("cloud.account.uid", "cloud.region", "metadata.product.uid")
_TARGET = ("unmapped.resource", "unmapped.findings", "observables")
_CHAIN = ("attestation.fingerprint", "attestation.prev_event", "digests/")

CONTROLS: dict[str, tuple[Control, ...]] = {
    "pci": (
        Control(
            "10.2.1.3",
            "Access to audit logs",
            "監査ログへのアクセス",
            ("class_uid 6003", "api.operation", "actor.user"),
        ),
        Control(
            "10.2.2",
            "Details of each event: who, what, when, result, origin, target",
            "各イベントの詳細: 誰が、何を、いつ、結果、発生元、対象",
            (*_WHO, *_WHAT, *_WHEN, *_RESULT, *_WHERE, *_TARGET),
        ),
        Control(
            "10.3.1",
            "Read access to audit logs is limited",
            "監査ログの読み取りアクセスの制限",
            ("AuditorRole",),
        ),
        Control(
            "10.3.2",
            "Audit logs are protected from modification",
            "監査ログの改変からの保護",
            ("Object Lock", *_CHAIN),
        ),
        Control(
            "10.3.3",
            "Audit logs are promptly backed up where they are hard to alter",
            "改変困難な場所への速やかなバックアップ",
            ("Object Lock", "digests/ from, to, written_at"),
        ),
        Control(
            "10.3.4",
            "Change detection on audit logs",
            "監査ログの変更検知",
            ("audit verify", "kind tampered", *_CHAIN),
        ),
        Control(
            "10.4.1",
            "Audit logs are reviewed",
            "監査ログのレビュー",
            ("exceptions", "unanswered", "unresolved"),
        ),
        Control(
            "10.5.1",
            "Twelve months of audit logs are kept, three at hand",
            "12か月分の保持と3か月分の即時利用",
            ("ArchiveRetentionDays", "digests/ from, to"),
        ),
        Control(
            "10.6",
            "Time is synchronised",
            "時刻同期",
            ("time", "digests/ written_at", "verdict skewed"),
        ),
        Control(
            "10.7",
            "Failures of security controls are detected and answered",
            "セキュリティ制御の障害の検知と対応",
            ("exceptions", "unmapped.verdict", *_RESULT),
        ),
    ),
    "iso27001": (
        Control(
            "A.5.3",
            "Segregation of duties",
            "職務の分離",
            ("AuditorRole", "ArchiveRole", "actor.user"),
        ),
        Control(
            "A.5.28",
            "Collection of evidence",
            "証拠の収集",
            ("raw_data", "content/", *_CHAIN),
        ),
        Control(
            "A.8.15",
            "Logging",
            "ログ取得",
            (*_WHO, *_WHAT, *_WHEN, *_RESULT, *_TARGET),
        ),
        Control("A.8.17", "Clock synchronisation", "クロックの同期", ("time", "verdict skewed")),
        Control(
            "A.8.32",
            "Change management",
            "変更管理",
            ("unmapped.version", "kind config", "class_uid 6003"),
        ),
    ),
    "nist": (
        Control(
            "RS.AN-06",
            "Actions during an investigation are recorded, with integrity and provenance",
            "調査中の行動の記録と、その完全性および来歴の保持",
            (*_WHO, *_WHAT, *_WHEN, *_CHAIN),
        ),
        Control(
            "RS.AN-07",
            "Incident data are collected, with integrity and provenance",
            "インシデントデータの収集と、その完全性および来歴の保持",
            ("raw_data", "content/", "metadata.uid", *_CHAIN),
        ),
    ),
    "gdpr": (
        Control(
            "Art. 5(2)",
            "Accountability",
            "説明責任",
            (*_WHO, *_WHAT, *_WHEN, *_CHAIN),
        ),
        Control(
            "Art. 32(1)(d)",
            "Regular testing of the effectiveness of measures",
            "対策の有効性の定期的な検証",
            ("unmapped.verdict", "responses", "unanswered"),
        ),
        Control(
            "Art. 33(5)",
            "Documentation of breaches, their effects and the remedial action",
            "侵害、その影響および是正措置の文書化",
            ("class_uid 2005", "class_uid 7001", "content/"),
        ),
    ),
    "lgpd": (
        Control(
            "Art. 6 X",
            "Accountability",
            "説明責任",
            (*_WHO, *_WHAT, *_WHEN, *_CHAIN),
        ),
        Control(
            "Art. 46",
            "Security measures",
            "安全管理措置",
            ("unmapped.verdict", "responses"),
        ),
        Control(
            "Art. 48",
            "What is told of incidents: what happened and what was done",
            "インシデントの報告: 発生事象と実施した措置",
            ("class_uid 2005", "class_uid 7001", "content/"),
        ),
    ),
}
