"""The note on a finding: the answer first, the numbers, within 512 characters."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from factories import finding, incident, vulnerability
from hub_responder.finding import Note
from hub_responder.markdown.characters import width
from hub_responder.note import MAX_NOTE, answer_text, is_ours, note_text, quotation, run_id
from hub_responder.severity import Severity
from hub_responder.tally import tally

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=700)


def test_the_note_ends_with_numbers_ticket_and_run() -> None:
    mild = finding(id="2", severity=Severity("HIGH"), vulnerabilities=())
    of = incident(findings=(finding(), mild), count=400, refs={"j": {"ticket": "SEC-123"}})
    assert note_text("UNPROTECTED: no agent", of, "en") == (
        "UNPROTECTED: no agent | 2 of 400 open (1 CRITICAL, 1 exploitable) -> SEC-123"
        f" | run {run_id(of)}"
    )


@given(ANY_TEXT, ANY_TEXT, st.text(max_size=80), st.sampled_from(["en", "ja"]))
@settings(max_examples=150)
def test_a_note_keeps_its_limit_on_one_line(
    summary: str, earlier: str, author: str, language: str
) -> None:
    of = finding(note=Note(earlier, author))
    text = note_text(summary, incident(), language, quotation(of.note, language))
    for note in (text, answer_text(summary, quotation(of.note, language))):
        assert 0 < width(note) <= MAX_NOTE
        assert "\n" not in note
        note.encode()
    assert run_id(incident()) in text


def test_runs_are_told_apart() -> None:
    assert run_id(incident()) == run_id(incident())
    assert len({run_id(incident(round=number)) for number in range(1, 50)}) > 45


def test_whose_note_it_is() -> None:
    assert is_ours(None)
    assert is_ours(Note(" "))
    assert is_ours(Note("x", "hub-responder"))
    assert not is_ours(Note("x", "alice"))


def test_the_most_urgent_vulnerability_comes_first() -> None:
    def cve(number: int, **known: object) -> object:
        name = f"CVE-2026-{number}"
        quiet = {"exploit_available": None, "epss": None, "cvss": None}
        return vulnerability(id=name, cve_ids=(name,), **quiet | known)

    of = finding(
        vulnerabilities=(
            cve(1, cvss=9.9),
            cve(2, epss=0.5, cvss=5.0),
            cve(3, exploit_available=True),
            cve(1, cvss=10.0, fix_available=False),
        )
    )
    counted = tally(incident(findings=(of,)))
    assert [one.id for one in counted.cves] == ["CVE-2026-3", "CVE-2026-2", "CVE-2026-1"]
    assert counted.cves[2].cvss == 10.0
    assert (counted.critical, counted.exploitable, counted.fixable) == (1, 1, 1)
