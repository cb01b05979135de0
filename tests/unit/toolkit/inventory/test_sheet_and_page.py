from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estate_history import moment, row
from history_bucket import NOON, Deployed
from hub_toolkit import charts
from hub_toolkit.inventory import words
from hub_toolkit.inventory.page import render as page_of
from hub_toolkit.inventory.periods import Period
from hub_toolkit.inventory.said import Said
from hub_toolkit.inventory.trend import Bucket, Counts, Group, Lost, Trend

WEB, APP = "i-0aaaaaaaaaaaaaaa1", "i-0bbbbbbbbbbbbbbb2"
HOSTILE = "\"><script>alert(1)</script><img src=//example.com/x onerror=y>'&amp;\u202e"
RANGE = ("--from", "2026-11-18", "--to", "2026-11-20")
_VOID = {"meta", "br", "line", "rect"}


class Outline(HTMLParser):
    """What a page is made of; an end without its beginning fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, tag: str, name: str) -> list[str]:
        return [value for of, called, value in self.attributes if (of, called) == (tag, name)]


@pytest.fixture
def lost(deployed: Deployed) -> Deployed:
    """One of two instances loses its agent; the day between has no snapshot."""
    names = {"name": HOSTILE, "policy": HOSTILE}
    deployed.walked(moment("2026-11-18T10:00"), row(WEB, **names), row(APP, name="決済-1"))
    deployed.walked(
        moment("2026-11-20T10:00"),
        row(WEB, **names, verdict="UNPROTECTED", reasons=["no_endpoint"]),
        row(APP, name="決済-1"),
    )
    return deployed


def page(deployed: Deployed, tmp_path: Path, *more: str) -> str:
    target = tmp_path / "report.html"
    done = deployed.run("inventory", "report", *RANGE, *more, "--html", str(target))
    assert done.exit_code == 0, done.stderr
    return target.read_text(encoding="utf-8")


def table(deployed: Deployed, tmp_path: Path, *more: str) -> list[list[str]]:
    target = tmp_path / "report.csv"
    done = deployed.run("inventory", "report", *RANGE, *more, "--csv", str(target))
    assert done.exit_code == 0, done.stderr
    body = target.read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")  # by which Excel knows UTF-8
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


# CSV


def test_the_sheet_has_a_line_for_each_day_and_account(lost: Deployed, tmp_path: Path) -> None:
    assert table(lost, tmp_path) == [
        ["day", "taken_at", "account", "protected", "degraded", "unprotected", "unknown", "total",
         "percent"],
        ["2026-11-18", "2026-11-18T10:00:00Z", "*", "2", "0", "0", "0", "2", "100.0"],
        ["2026-11-18", "2026-11-18T10:00:00Z", "111122223333", "2", "0", "0", "0", "2", "100.0"],
        ["2026-11-19", "", "*", "", "", "", "", "", ""],
        ["2026-11-20", "2026-11-20T10:00:00Z", "*", "1", "0", "1", "0", "2", "50.0"],
        ["2026-11-20", "2026-11-20T10:00:00Z", "111122223333", "1", "0", "1", "0", "2", "50.0"],
    ]  # fmt: skip


@pytest.mark.parametrize("policy", ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", "本番"])
def test_no_cell_is_a_formula_and_japanese_stays_readable(
    deployed: Deployed, tmp_path: Path, policy: str
) -> None:
    deployed.walked(moment("2026-11-20T10:00"), row(WEB, policy=policy))
    cells = table(deployed, tmp_path, "--by", "policy")[-1]
    assert cells[2] == (policy if policy == "本番" else f"'{policy}")


# The page


def test_the_page_fetches_and_runs_nothing(lost: Deployed, tmp_path: Path) -> None:
    written = page(lost, tmp_path, "--by", "policy")
    found = Outline(written)
    assert not {"script", "img", "iframe", "link", "object", "form", "a"} & set(found.tags)
    names = {name for _, name, _ in found.attributes}
    assert not {name for name in names if name.startswith("on")} | (
        names & {"src", "href", "style"}
    )
    assert "url(" not in written
    assert "@import" not in written


def test_the_pages_policy_allows_its_own_style_and_nothing_else(
    lost: Deployed, tmp_path: Path
) -> None:
    written = page(lost, tmp_path)
    (style,) = re.findall(r"<style>(.*?)</style>", written, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [one for one in Outline(written).values("meta", "content") if "default-src" in one]
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]


def test_hostile_names_are_text(lost: Deployed, tmp_path: Path) -> None:
    found = Outline(page(lost, tmp_path, "--by", "policy"))
    assert not found.open
    told = [text for text in found.text if "alert(1)" in text]
    assert len(told) == 2  # the policy, and the instance that lost its protection
    assert not any("\u202e" in text for text in told)


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_things_are_called_the_page_keeps_its_shape(name: str) -> None:
    expected, found = Outline(_drawn("plain")), Outline(_drawn(f"{name}<b>"))
    assert found.tags == expected.tags
    assert not found.open


def _drawn(name: str) -> str:
    counts = Counts.of({"PROTECTED": 1, "UNPROTECTED": 1})
    bucket = Bucket(start=NOON, taken_at=NOON, all=counts, groups={name: counts})
    gone = Lost(instance=name, account=name, region=name, name=name, verdict=name, reasons=[name],
                last_protected=NOON, since=NOON)  # fmt: skip
    found = Trend(by="policy", buckets=[bucket], groups=[Group(group=name, now=counts)],
                  reasons={name: 1}, lost=[gone], more_lost=0, untold=0, read=1, available=1,
                  damaged=[])  # fmt: skip
    zone = ZoneInfo("UTC")
    return page_of(found, Period(NOON - 86_400, NOON, zone), Said("en", zone), "source")


def test_charts_have_text_alternatives_and_figures_a_table(lost: Deployed, tmp_path: Path) -> None:
    written = page(lost, tmp_path)
    found = Outline(written)
    assert found.values("html", "lang") == ["en"]
    named = found.values("svg", "aria-labelledby")
    assert len(named) == 2
    assert set(named) <= set(found.values("title", "id"))
    assert "2026-11-18: 2 protected, 0 degraded, 0 unprotected, 0 unknown" in found.text
    assert "2026-11-19: no snapshot" in found.text
    assert {"col", "row"} == {value for tag, name, value in found.attributes
                              if tag == "th" and name == "scope"}  # fmt: skip
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        assert f'<th scope="row" class="keep">{day}</th>' in written


def test_the_first_thing_said_is_how_many_are_protected(lost: Deployed, tmp_path: Path) -> None:
    text = " ".join(" ".join(Outline(page(lost, tmp_path)).text).split())
    assert text.index("50.0 % protected") < text.index("Over time")
    assert "50.0 points worse than on 2026-11-18 10:00" in text
    assert "Last seen protected" in text
    assert "Stack hub-responder-prod, connection vision-one" in text


def test_equal_figures_give_an_equal_page(lost: Deployed, tmp_path: Path) -> None:
    assert page(lost, tmp_path) == page(lost, tmp_path)


def test_the_page_speaks_the_settings_language(
    lost: Deployed, in_tokyo: Deployed, tmp_path: Path
) -> None:
    found = Outline(page(in_tokyo, tmp_path))
    text = " ".join(" ".join(found.text).split())
    assert found.values("html", "lang") == ["ja"]
    assert "保護率 50.0 %" in text
    assert "2026-11-20 19:00 JST" in text
    english = [word for word in words.EN.values() if len(word) > 12 and "{" not in word]
    assert not [word for word in english if word in text]


def test_where_it_cannot_be_written_is_said(lost: Deployed, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "report.html"
    done = lost.run("inventory", "report", *RANGE, "--html", str(target))
    assert done.exit_code == 2
    assert str(target) in done.stderr


# Words


def test_both_languages_say_the_same_things_with_the_same_facts() -> None:
    def facts(text: str) -> set[str]:
        return set(re.findall(r"{(\w+)}", text))

    assert set(words.EN) == set(words.JA)
    assert {key: facts(text) for key, text in words.EN.items()} == {
        key: facts(text) for key, text in words.JA.items()
    }


def test_every_word_is_used() -> None:
    folder = Path(words.__file__).parent
    command = folder.parent / "cli" / "inventory.py"
    files = [command, *folder.glob("*.py"), *folder.glob("templates/*")]
    source = "".join(one.read_text("utf-8") for one in files if one.name != "words.py")
    unused = [key for key in words.EN if not re.search(f"[\"']{key}[\"']", source)]
    assert unused == ["unit_day", "unit_hour"]  # made of the unit's name


def test_chart_scales_are_round_and_hold_the_highest() -> None:
    def drawn(count: int) -> Any:
        bucket = Bucket(start=0.0, taken_at=1.0, all=Counts.of({"PROTECTED": count}))
        counts = {"protected": bucket.all.protected}
        return charts.stacked(charts.Counts([bucket], ("protected",), lambda _: counts, str, str))

    for count, labels in ((0, ["0", "1"]), (1, ["0", "1"]), (7, ["0", "2", "4", "6", "8"]),
                          (9807, ["0", "5,000", "10,000"])):  # fmt: skip
        chart = drawn(count)
        assert [mark.text for mark in chart.scale] == labels
        for part in chart.columns[0].parts:
            assert part.y >= chart.top
