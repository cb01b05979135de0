"""The report of the trail: what it counts, what it lists, and what it says of the trail itself."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from factories import ACCOUNT, REGION
from hub_responder import clock
from hub_toolkit.cli import application
from hub_toolkit.report import words
from hub_toolkit.report.controls import CONTROLS, NAMES
from hub_toolkit.sandbox.moto_store import MotoStore
from member_cloud import MemberCloud
from trails import HOUR, Trail

BEGUN = 1_800_003_600.0
"""2027-01-15T09:00Z."""
OTHER = "444455556666"


def step(finding: str, uses: str, kind: str = "outcome", **fields: Any) -> dict[str, Any]:
    found = {"kind": kind, "step": uses.partition(".")[0], "uses": uses, "key": "k"}
    about = {"incident": f"p#{finding}", "gen": 1, "round": 1, "findings": [finding]}
    return {**found, **about, **fields}


def taken(finding: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "opened", "incident": f"p#{finding}", "findings": [finding], **fields}


def written(trail: Trail) -> None:
    """Five findings: one answered at once, one late, one not at all, one skipped, one elsewhere."""
    target = {"account": OTHER, "region": REGION}
    trail.write(
        "run-0",
        [
            taken("f-1"),
            taken("f-2"),
            taken("f-3"),
            taken("f-5", target=target, trigger={"kind": "custom_action"}),
            {"kind": "skipped", "findings": ["f-4"], "detail": "not so: x"},
            {"kind": "repeat", "findings": ["f-1"]},
        ],
    )
    trail.now += 30
    answers = [
        step("f-1", "vision_one.check_coverage", status="done", result={"verdict": "UNPROTECTED"}),
        step("f-1", "notify", "attempt"),
        step("f-1", "notify", status="done"),
        step("f-1", "ticket.open", "attempt"),
        step("f-1", "ticket.open", status="failed", detail="=cmd|<b>日本語</b>"),
        step("f-5", "notify", "attempt", target=target),
        step("f-5", "notify", status="done", target=target),
        step("f-2", "finding.suppress", status="done", detail="1 suppressed until 2027-02-24"),
    ]
    trail.write("run-1", answers)
    trail.now += 1800
    trail.write("run-2", [step("f-2", "notify", status="done"), {"kind": "finished"}])
    trail.write("run-3", [step("f-3", "call", "attempt")])
    trail.write(
        "run-4", [{"kind": "redriven", "actor": "arn:aws:iam::1:user/ann", "detail": "again"}]
    )
    missed = {"kind": "unseen", "findings": ["f-lost"], "detail": "lost"}
    trail.write("run-lost", [missed, {"kind": "reconciled"}])
    for who, count in (("ann", 3), ("eve", 40), ("ann", 5)):
        read = {"kind": "read", "actor": f"arn:aws:iam::1:user/{who}", "count": count}
        trail.write(f"run-5-{who}-{count}", [read])
        trail.now += 1000  # not all within a quarter of an hour
    called = {"uses": "DisableRule", "detail": "DisableRule on hub-responder-prod-x"}
    trail.write("run-6", [{"kind": "cloudtrail", "actor": "arn:aws:iam::1:user/eve", **called}])
    trail.now = BEGUN + 2.5 * HOUR
    late = {"kind": "read", "actor": "arn:aws:iam::1:user/ann", "count": 2}
    trail.write("run-7", [late])
    trail.now = BEGUN + 3.4 * HOUR
    trail.archive()


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the archive, and the public key beside it."""
    folder = tmp_path_factory.mktemp("archive")
    with pytest.MonkeyPatch.context() as patch:
        from hub_responder import aws

        cloud = MemberCloud()
        moto = MotoStore(ACCOUNT, REGION)
        moto.load()
        cloud.other = moto.app
        for name, value in {
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            patch.setenv(name, value)
        aws.forget_clients()
        trail = Trail(BEGUN, cloud)
        patch.setattr(clock, "time", SimpleNamespace(time=lambda: trail.now))
        written(trail)
        for key in trail.keys(""):
            path = folder / "copy" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(trail.body(key))
        (folder / "trail.der").write_bytes(trail.public)
        aws.forget_clients()
        moto.reset()
        cloud.close()
    return folder


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: BEGUN + 4 * HOUR))


def made(copied: Path, out: Path, *words_: str) -> Any:
    options = ["--offline", str(copied / "copy"), "--public-key", str(copied / "trail.der")]
    command = ["audit", "report", "--from", "2027-01-15T09:00Z", "--out", str(out), *options]
    return CliRunner().invoke(application(), [*command, *words_])


def figures(copied: Path, out: Path, *words_: str) -> dict[str, Any]:
    done = made(copied, out, *words_)
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads((out / "audit-report.json").read_bytes())["figures"]
    return found


def test_what_was_done_is_counted(copied: Path, tmp_path: Path, noon: None) -> None:
    found = figures(copied, tmp_path)
    told = found["summary"]
    assert {name: told[name] for name in ("findings", "answered", "incidents", "clicks")} == {
        "findings": 4,
        "answered": 3,
        "incidents": 4,
        "clicks": 1,
    }
    assert (told["effects"], told["failed"], told["repeats"], told["skipped"]) == (4, 1, 1, 1)
    (played,) = found["playbooks"]
    assert (played["findings"], played["done"], played["failed"]) == (4, 5, 1)


def test_the_time_to_answer_is_held_against_the_baseline(
    copied: Path, tmp_path: Path, noon: None
) -> None:
    (one,) = figures(copied, tmp_path, "--baseline", "1m")["responses"]
    assert (one["uses"], one["count"], one["within"]) == ("notify", 3, 2)
    assert (one["median"], one["longest"]) == (30.0, 1830.0)
    (one,) = figures(copied, tmp_path, "--baseline", "1h")["responses"]
    assert one["within"] == 3


def test_what_nobody_answered_and_what_has_no_outcome_is_listed(
    copied: Path, tmp_path: Path, noon: None
) -> None:
    found = figures(copied, tmp_path)
    assert [one["findings"] for one in found["unanswered"]["rows"]] == [["f-3"]]
    assert [one["uses"] for one in found["unresolved"]["rows"]] == ["call"]
    (failed,) = found["exceptions"]["rows"]
    assert failed["detail"] == "=cmd|<b>日本語</b>"
    (suppressed,) = found["suppressed"]["rows"]
    assert suppressed["detail"] == "1 suppressed until 2027-02-24"
    by_hand = [(one["who"], one["uses"]) for one in found["operators"]["rows"]]
    assert sorted(by_hand) == [
        ("arn:aws:iam::1:user/ann", ""),
        ("arn:aws:iam::1:user/eve", "DisableRule"),
    ]


def test_who_read_the_archive_is_told_apart_from_who_did_something(
    copied: Path, tmp_path: Path, noon: None
) -> None:
    found = figures(copied, tmp_path, "--timezone", "Pacific/Auckland")  # a day begins at 11:00Z
    told = [
        (one["day"], one["who"].rpartition("/")[2], one["reads"])
        for one in found["readers"]["rows"]
    ]
    assert told == [("2027-01-16", "ann", 2), ("2027-01-15", "eve", 40), ("2027-01-15", "ann", 8)]
    assert {one["kind"] for one in found["operators"]["rows"]} == {"redriven", "cloudtrail"}
    page = (tmp_path / "audit-report.html").read_text("utf-8")
    assert "arn:aws:iam::1:user/eve" in page
    assert words.EN["no_readers"] not in page


def test_where_no_read_is_recorded_the_page_says_what_that_is_worth(
    copied: Path, tmp_path: Path, noon: None
) -> None:
    for language, known in (("en", words.EN), ("ja", words.JA)):
        found = figures(copied, tmp_path, "--account", OTHER, "--language", language)
        assert found["readers"]["rows"] == []
        assert known["no_readers"] in (tmp_path / "audit-report.html").read_text("utf-8")


def test_what_no_rule_saw_is_listed_with_how_much_was_looked_at(
    copied: Path, tmp_path: Path, noon: None
) -> None:
    found = figures(copied, tmp_path)
    assert [one["findings"] for one in found["unseen"]["rows"]] == [["f-lost"]]
    assert found["reconciled"] == 1
    page = (tmp_path / "audit-report.html").read_text("utf-8")
    assert words.EN["unseen"] in page
    assert words.EN["reconciled"].format(count="1") in page


def test_only_one_accounts_findings(copied: Path, tmp_path: Path, noon: None) -> None:
    told = figures(copied, tmp_path, "--account", OTHER)["summary"]
    assert (told["findings"], told["answered"], told["failed"]) == (1, 1, 0)


def test_days_are_those_of_the_time_zone(copied: Path, tmp_path: Path, noon: None) -> None:
    (day,) = figures(copied, tmp_path, "--timezone", "Pacific/Kiritimati")["days"]
    assert (day["day"], day["findings"], day["verdicts"]) == ("2027-01-15", 4, {"UNPROTECTED": 1})
    (day,) = figures(copied, tmp_path, "--timezone", "Pacific/Pago_Pago")["days"]
    assert day["day"] == "2027-01-14"


def test_the_page_is_whole_and_harmless(copied: Path, tmp_path: Path, noon: None) -> None:
    made(copied, tmp_path, "--framework", "pci", "--timezone", "Asia/Tokyo")
    page = (tmp_path / "audit-report.html").read_text("utf-8")
    assert "default-src &#39;none&#39;" in page
    assert "&lt;b&gt;日本語&lt;/b&gt;" in page
    assert "<script" not in page
    assert "Every record of this time is there, as it was sealed." in page
    assert "2027-01-15 18:00 JST" in page
    for control in CONTROLS["pci"]:
        assert control.number in page


def test_the_page_speaks_japanese(copied: Path, tmp_path: Path, noon: None) -> None:
    made(copied, tmp_path, "--language", "ja", "--framework", "iso27001")
    page = (tmp_path / "audit-report.html").read_text("utf-8")
    assert '<html lang="ja">' in page
    assert "この期間の記録はすべて、封印時のまま存在します。" in page
    assert "証拠の収集" in page


def test_the_sheet_is_no_formula(copied: Path, tmp_path: Path, noon: None) -> None:
    made(copied, tmp_path)
    sheet = (tmp_path / "audit-report.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert {row["list"] for row in rows} == {
        *("unanswered", "exceptions", "unresolved", "unseen", "suppressed", "operators")
    }
    (failed,) = [row for row in rows if row["list"] == "exceptions"]
    assert failed["detail"] == "'=cmd|<b>日本語</b>"


def test_a_trail_that_was_changed_is_told_on_the_page(
    copied: Path, tmp_path: Path, noon: None
) -> None:
    import shutil

    changed = tmp_path / "changed"
    shutil.copytree(copied, changed)
    data = next((changed / "copy").rglob("eventDay=20270115/09.parquet"))
    body = data.read_bytes()
    data.write_bytes(body[:-8] + body[-8:].replace(b"PAR1", b"PAR1"))
    digest = next((changed / "copy").rglob("digests/2027/01/15/10.json"))
    digest.unlink()
    done = made(changed, tmp_path / "out")
    assert done.exit_code == 1
    assert "are not as they were sealed" in done.stderr
    page = (tmp_path / "out" / "audit-report.html").read_text("utf-8")
    assert "missing" in page
    assert "Every record of this time is there" not in page


@pytest.mark.parametrize(
    ("words_", "told"),
    [
        (["--account", "12"], "is no account"),
        (["--baseline", "soon"], "is no length of time"),
        (["--timezone", "Mars/Base"], "is no time zone"),
        (["--to", "2027-01-15T08:00Z"], "before --from"),
        (["--from", "yesterday"], "is no time"),
    ],
)
def test_bad_usage_is_exit_2_and_says_why(
    copied: Path, tmp_path: Path, noon: None, words_: list[str], told: str
) -> None:
    done = made(copied, tmp_path, *words_)
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_time_of_which_nothing_is_known_is_exit_1(
    copied: Path, tmp_path: Path, noon: None
) -> None:
    done = made(copied, tmp_path, "--from", "2026-12-01", "--to", "2026-12-02")
    assert done.exit_code == 1, done.stderr
    assert "holds nothing" in done.stderr


def test_both_languages_say_the_same_and_every_word_is_used() -> None:
    assert words.EN.keys() == words.JA.keys()
    facts = re.compile(r"\{(\w+)\}")
    for key, text in words.EN.items():
        assert sorted(facts.findall(text)) == sorted(facts.findall(words.JA[key])), key
    folder = Path(words.__file__).parent
    files = [*folder.glob("*.py"), *folder.glob("templates/*")]
    source = "".join(one.read_text("utf-8") for one in files if one.name != "words.py")
    unused = [key for key in words.EN if not re.search(f"[\"']{re.escape(key)}[\"']", source)]
    assert unused == []


def test_every_framework_has_a_name_and_controls_in_both_languages() -> None:
    assert NAMES.keys() == CONTROLS.keys()
    for controls in CONTROLS.values():
        assert all(one.number and one.subject and one.subject_ja and one.fields for one in controls)
