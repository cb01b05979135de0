"""The verdict in a sentence: English and Japanese, short, and of one line whatever the names."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import INSTANCE, NOW, incident, resource
from hub_responder import clock
from hub_responder.markdown.characters import width
from hub_responder.note import MAX_NOTE, note_text
from hub_responder.vision_one import wording
from hub_responder.vision_one.coverage import Coverage
from hub_responder.vision_one.matching import Tier
from hub_responder.vision_one.modules import MODULES
from hub_responder.vision_one.wording import MAX_CHARACTERS, REASONS, summary
from hub_responder.workload_security.shields import Shield

TOKYO = "Asia/Tokyo"
LAST = clock.iso(NOW - 300)
MATCHED = {"matched_by": "cloud instance id and account"}
LANGUAGES = ("en", "ja")
VERDICTS = {
    "PROTECTED": "保護済み",
    "DEGRADED": "保護低下",
    "UNPROTECTED": "未保護",
    "UNKNOWN": "不明",
    "NOT_APPLICABLE": "対象外",
}


def coverage(verdict: Any, *reasons: str, again: float | None = None, **evidence: Any) -> Coverage:
    return Coverage(
        verdict=verdict,
        reasons=[*reasons],
        evidence=evidence,
        checked_at=NOW + 3,
        retry_after=again,
    )


@pytest.mark.parametrize(
    ("found", "english", "japanese"),
    [
        (
            coverage("UNPROTECTED", "no_endpoint", **MATCHED),
            (
                f"UNPROTECTED: no Vision One agent on web-01 ({INSTANCE}), 09:00:03 JST,"
                " matched by instance id"
            ),
            (
                f"【未保護】web-01({INSTANCE})Vision Oneエージェントなし"
                "(09:00:03 JST、インスタンスIDで照合)"
            ),
        ),
        (
            coverage("PROTECTED", **MATCHED, last_connected=LAST),
            (
                "PROTECTED: Vision One agent running, last contact 11-22 08:55 on web-01"
                f" ({INSTANCE}), 09:00:03 JST, matched by instance id"
            ),
            (
                f"【保護済み】web-01({INSTANCE})Vision Oneエージェント稼働中、最終接続11-22 08:55"
                "(09:00:03 JST、インスタンスIDで照合)"
            ),
        ),
        (
            coverage(
                "DEGRADED",
                "offline",
                "stale",
                "module_off:intrusion_prevention",
                **MATCHED,
                last_connected=LAST,
            ),
            (
                "DEGRADED: agent offline, agent not seen since 11-22 08:55, intrusion prevention"
                f" off on web-01 ({INSTANCE}), 09:00:03 JST, matched by instance id"
            ),
            (
                f"【保護低下】web-01({INSTANCE})エージェントはオフライン、エージェントの最終接続は"
                "11-22 08:55、侵入防御が無効(09:00:03 JST、インスタンスIDで照合)"
            ),
        ),
        (
            coverage("UNKNOWN", "rate_limited", again=60.0),
            (
                f"UNKNOWN: Vision One's rate limit is reached (429) for web-01 ({INSTANCE}),"
                " 09:00:03 JST, looked at again in 60 s"
            ),
            f"【不明】web-01({INSTANCE})Vision Oneのレート制限(429)(09:00:03 JST)、60秒後に再確認",
        ),
        (
            coverage("UNKNOWN", "ambiguous", **MATCHED, endpoint="WEB-01", candidates=3),
            (
                "UNKNOWN: same name or address as 3 endpoints of Vision One, as WEB-01 for web-01"
                f" ({INSTANCE}), 09:00:03 JST"
            ),
            (
                f"【不明】web-01({INSTANCE})WEB-01などVision Oneの3件と名前かアドレスが同じ"
                "(09:00:03 JST)"
            ),
        ),
        (
            coverage("UNKNOWN", "lookalike", **MATCHED, endpoint="WEB-01.corp.example"),
            (
                "UNKNOWN: same name or address as WEB-01.corp.example, which Vision One has without"
                f" instance id for web-01 ({INSTANCE}), 09:00:03 JST"
            ),
            (
                f"【不明】web-01({INSTANCE})Vision OneにインスタンスIDのないWEB-01.corp.exampleと"
                "名前かアドレスが同じ(09:00:03 JST)"
            ),
        ),
        (
            coverage("UNKNOWN", "account_mismatch", **MATCHED, other_account="444455556666"),
            (
                "UNKNOWN: Vision One has this instance id in another account (444455556666) for"
                f" web-01 ({INSTANCE}), 09:00:03 JST"
            ),
            (
                f"【不明】web-01({INSTANCE})このインスタンスIDはVision Oneでは別のアカウント"
                "(444455556666)のもの(09:00:03 JST)"
            ),
        ),
    ],
)
def test_the_sentence(found: Coverage, english: str, japanese: str) -> None:
    assert summary(found, resource(), language="en", timezone=TOKYO) == english
    assert summary(found, resource(), language="ja", timezone=TOKYO) == japanese


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict_comes_first(verdict: str, language: str) -> None:
    said = summary(coverage(verdict, "offline"), resource(), language=language, timezone="UTC")
    assert said.startswith(f"{verdict}: " if language == "en" else f"【{VERDICTS[verdict]}】")


def test_every_reason_has_words_of_its_own_in_both_languages() -> None:
    for language in LANGUAGES:
        said = {
            summary(
                coverage("UNKNOWN", f"{reason}:firewall"),
                resource(),
                language=language,
                timezone="UTC",
            )
            for reason in REASONS
        }
        assert len(said) == len(REASONS)
        assert not any(re.search(r"[a-z]+_[a-z]+|[{}]", one) for one in said)


def test_every_module_has_a_japanese_name() -> None:
    for module in MODULES:
        found = coverage("DEGRADED", f"module_off:{module}")
        said = summary(found, resource(), language="ja", timezone="UTC")
        assert not re.search(r"[a-z]+_[a-z]|[a-z]+が無効", said)


@pytest.mark.parametrize("number", [4, 5, 6])
def test_reasons_that_are_not_said_are_counted(number: int) -> None:
    found = coverage("DEGRADED", *(f"module_off:{module}" for module in list(MODULES)[:number]))
    english = summary(found, resource(), language="en", timezone="UTC")
    japanese = summary(found, resource(), language="ja", timezone="UTC")
    left = number - 4
    assert (f", {left} more on web-01" in english) is (f"、ほか{left}件(" in japanese) is (left > 0)
    assert ("more" in english) is (left > 0)


def test_the_last_contact_is_said_once() -> None:
    for reasons in ((), ("offline",), ("stale",), ("offline", "stale")):
        found = coverage("DEGRADED" if reasons else "PROTECTED", *reasons, last_connected=LAST)
        assert summary(found, resource(), language="en", timezone=TOKYO).count("11-22 08:55") == 1


@pytest.mark.parametrize("last", ["", "9999-12-31T23:59:59.000Z", "1970-01-01T00:00:00.000Z", "x"])
@pytest.mark.parametrize("zone", [TOKYO, "America/Lima", "../etc/passwd", "", "No/Where"])
def test_no_time_and_no_zone_costs_the_verdict(last: str, zone: str) -> None:
    found = coverage("DEGRADED", "stale", last_connected=last)
    said = summary(found, resource(), language="en", timezone=zone)
    assert said.startswith("DEGRADED: agent not seen since ")


def test_an_unknown_zone_is_utc() -> None:
    found = coverage("UNKNOWN", "incomplete")
    assert "00:00:03 UTC" in summary(found, resource(), language="en", timezone="No/Where")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "reasons",
    [
        ["offline", "never_connected", *(f"module_off:{module}" for module in MODULES)],
        [f"module_unknown:{module}" for module in sorted(MODULES, key=len)[-6:]],
        ["lookalike"],
        ["account_mismatch"],
        ["not_an_instance:" + "Aws" * 100],
    ],
)
@pytest.mark.parametrize("name", ["n" * 900, "😀" * 900, "保" * 900, "e" + "\u0301" * 900])
def test_a_long_name_is_cut_and_no_fact(language: str, reasons: list[str], name: str) -> None:
    evidence = {"endpoint": name, "other_account": "4" * 900, "last_connected": LAST}
    again = coverage("UNKNOWN", *reasons, again=900.0, **evidence)
    matched = coverage("DEGRADED", *reasons, **evidence, **MATCHED)
    for found, english, japanese in (
        (again, "looked at again in 900 s", "900秒後に再確認"),
        (matched, "matched by instance id", "インスタンスIDで照合)"),
    ):
        said = summary(found, resource(tags={"Name": name}), language=language, timezone=TOKYO)
        assert width(said) <= MAX_CHARACTERS
        assert INSTANCE in said
        assert "09:00:03 JST" in said
        assert said.endswith(english if language == "en" else japanese)


def test_a_name_is_cut_no_more_than_needed() -> None:
    found = coverage("UNKNOWN", *(f"module_unknown:{m}" for m in MODULES), again=900.0)
    named = resource(tags={"Name": "n" * 900})
    assert width(summary(found, named, language="en", timezone=TOKYO)) == MAX_CHARACTERS


def test_of_a_long_id_the_end_is_kept_which_tells_it_apart() -> None:
    bucket = resource(type="AwsS3Bucket", instance_id="", id="arn:aws:s3:::" + "x" * 900 + "-7")
    said = summary(coverage("NOT_APPLICABLE", "no_endpoint"), bucket, language="en", timezone="UTC")
    assert re.search(r"\(…x{77}-7\)", said)


def test_without_a_name_the_id_stands_alone() -> None:
    found, nameless = coverage("UNPROTECTED", "no_endpoint"), resource(tags={})
    assert f"agent on {INSTANCE}, " in summary(found, nameless, language="en", timezone="UTC")
    assert f"【未保護】{INSTANCE} Vision" in summary(found, nameless, language="ja", timezone="UTC")


def matched_by(tier: str, by: str, language: str) -> str:
    found = coverage("PROTECTED", matched_by=by)
    found = msgspec.structs.replace(found, tier=tier)
    return summary(found, resource(), language=language, timezone="UTC")


@pytest.mark.parametrize(
    ("tier", "by", "english", "japanese"),
    [
        ("instance_id", "cloud instance id and account", "instance id", "インスタンスID"),
        ("workload_agent_guid", "x", "agent id", "エージェントID"),
        (
            "workload_instance_id",
            "x",
            "instance id in Server & Workload Protection",
            "Server & Workload ProtectionのインスタンスID",
        ),
        ("host_name", "host name and address", "host name and address", "ホスト名とアドレス"),
        (
            "host_name",
            "instance id in its name",
            "instance id in its name",
            "名前の中のインスタンスID",
        ),
        (
            "private_ip",
            "MAC address, host name and address",
            "MAC address, host name and address",
            "MACアドレスとホスト名とアドレス",
        ),
    ],
)
def test_how_it_was_matched_is_said(tier: str, by: str, english: str, japanese: str) -> None:
    assert matched_by(tier, by, "en").endswith(f", 00:00:03 UTC, matched by {english}")
    assert matched_by(tier, by, "ja").endswith(f"(00:00:03 UTC、{japanese}で照合)")


def shielded(
    *shields: Shield, language: str = "en", name: str = "web-01", left_out: int = 0
) -> str:
    found = coverage("UNPROTECTED", "no_endpoint", cves_left_out=left_out, **MATCHED)
    found = msgspec.structs.replace(found, cves=list(shields))
    return summary(found, resource(tags={"Name": name}), language=language, timezone=TOKYO)


ONE, TWO = (
    Shield("CVE-2026-1111", "not_shieldable"),
    Shield("CVE-2026-2222", "shielded", (1012345,)),
)


def test_the_most_urgent_cves_are_said_with_their_shields() -> None:
    assert shielded(ONE).endswith(", matched by instance id | CVE-2026-1111: no IPS rule")
    assert shielded(TWO).endswith(" | CVE-2026-2222: shielded by rule 1012345 (prevent)")
    assert shielded(ONE, TWO, ONE, left_out=4).endswith(
        " | CVE-2026-1111: no IPS rule, CVE-2026-2222: shielded by rule 1012345 (prevent), 5 more"
    )
    assert shielded(ONE, TWO, TWO, language="ja").endswith(
        "、インスタンスIDで照合)|CVE-2026-1111: IPSルールなし、"
        "CVE-2026-2222: ルール1012345で防御中(防御モード)、ほか1件"
    )


@pytest.mark.parametrize("reasons", [[], [f"module_unknown:{m}" for m in MODULES]])
@pytest.mark.parametrize("language", LANGUAGES)
def test_shields_are_said_as_far_as_there_is_room(reasons: list[str], language: str) -> None:
    for length in range(0, 70, 3):
        found = coverage("UNKNOWN", *reasons, again=900.0)
        found = msgspec.structs.replace(found, cves=[ONE, TWO, TWO])
        named = resource(tags={"Name": "n" * length})
        said = summary(found, named, language=language, timezone=TOKYO)
        assert width(said) <= MAX_CHARACTERS
        assert not said.endswith(("|", ",", "、", " "))
        assert ("CVE-2026-2222" in said) <= ("CVE-2026-1111" in said)
        assert said.startswith(
            summary(coverage("UNKNOWN", *reasons, again=900.0), named, language=language,
                    timezone=TOKYO)
        )  # fmt: skip


BROKEN = "[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ud800-\udfff|]"
HOSTILE = st.text(max_size=60) | st.sampled_from(
    ["a\nPROTECTED: b", "x | run 0000", "\u202eevil", "{last}{0.__class__}", "\x1b[31m", "\u200b"]
)


@given(
    HOSTILE,
    HOSTILE,
    st.sampled_from(sorted(REASONS)),
    st.sampled_from(LANGUAGES),
    st.sampled_from(sorted(VERDICTS)),
)
@settings(max_examples=300, deadline=None)
def test_names_stay_data(name: str, other: str, reason: str, language: str, verdict: str) -> None:
    found = coverage(
        verdict, f"{reason}:{other}", endpoint=other, other_account=other, last_connected=LAST
    )
    instance = resource(tags={"Name": name}, instance_id="", id=other)
    said = summary(found, instance, language=language, timezone=TOKYO)
    assert width(said) <= MAX_CHARACTERS
    assert not re.search(BROKEN, said)
    assert said.startswith(f"{verdict}: " if language == "en" else f"【{VERDICTS[verdict]}】")
    note = note_text(said, incident(), language)
    assert width(note) <= MAX_NOTE
    assert note.startswith(said)


def test_the_words_of_both_languages_are_the_same_set() -> None:
    assert set(wording._EN) == set(wording._JA)


@pytest.mark.parametrize("language", LANGUAGES)
@given(about=HOSTILE)
def test_reasons_can_be_said_without_an_instance(language: str, about: str) -> None:
    for code in sorted(REASONS):
        said = wording.reason(f"{code}:{about}", language)
        assert said
        assert not re.search("[{}]", wording.reason(f"{code}:firewall", language))
        assert not re.search(BROKEN, said)
    assert wording.reason("module_off:intrusion_prevention", "ja") == "侵入防御が無効"
    assert wording.reason("stale", "en") == "agent not in contact for too long"
    assert wording.reason("of_another_version", language) == "of_another_version"


def test_every_way_of_matching_has_words() -> None:
    ways = [name for name in get_args(Tier) if name]
    for language in LANGUAGES:
        assert not [name for name in ways if wording.tier(name, language) == name]
    assert wording.tier("of_another_version", "en") == "of_another_version"
