"""The Finding itself: what it derives, its fingerprint, and its small form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub_responder.behind.clues import clues
from hub_responder.errors import UnreadableFinding
from hub_responder.events import decode
from hub_responder.finding import Finding, Malware, Note, Package, Resource, Vulnerability
from hub_responder.severity import Severity

EVENTS = Path(__file__).parents[2] / "events"
SMALL = 2048


def finding(**changes: Any) -> Finding:
    """The finding with Japanese text, changed."""
    found = decode((EVENTS / "inspector-japanese.json").read_text("utf-8")).findings[0]
    return replace(found, **changes)


def size(kept: dict[str, Any]) -> int:
    return len(json.dumps(kept, ensure_ascii=False).encode())


def vulnerabilities(*pairs: tuple[bool | None, bool | None]) -> tuple[Vulnerability, ...]:
    return tuple(Vulnerability(exploit_available=e, fix_available=f) for e, f in pairs)


@pytest.mark.parametrize(
    ("pairs", "exploit", "fix"),
    [
        ([], None, None),
        ([(None, None)], None, None),
        ([(None, False), (False, None)], False, False),
        ([(False, True), (True, False)], True, True),
    ],
)
def test_one_yes_is_enough_and_silence_is_not_no(
    pairs: list[tuple[bool | None, bool | None]], exploit: bool | None, fix: bool | None
) -> None:
    found = finding(vulnerabilities=vulnerabilities(*pairs))
    assert (found.exploit_available, found.fix_available) == (exploit, fix)


def test_scores_and_cves_are_over_all_vulnerabilities() -> None:
    found = finding(
        vulnerabilities=(
            Vulnerability(cve_ids=("CVE-2026-0001", "CVE-2026-0002"), cvss=5.0),
            Vulnerability(cve_ids=("CVE-2026-0001",), cvss=9.0, epss=0.2),
        )
    )
    assert found.cves == ("CVE-2026-0001", "CVE-2026-0002")
    assert (found.max_cvss, found.max_epss) == (9.0, 0.2)
    assert finding(vulnerabilities=()).max_cvss is None


def test_with_resource_chooses_what_matched() -> None:
    other = Resource(type="AwsEc2Instance", id="arn:2", instance_id="i-2")
    found = finding(resources=(*finding().resources, other))
    assert found.resource.instance_id == "i-05b5c6d7e8f901234"
    assert found.with_resource(other).resource is other
    assert found.instance_ids == ("i-05b5c6d7e8f901234", "i-2")
    with pytest.raises(ValueError, match="not in tuple"):
        found.with_resource(Resource(type="AwsS3Bucket", id="arn:3"))


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": Severity.LOW},
        {"record_state": "ARCHIVED"},
        {"compliance": "FAILED"},
        {"vulnerabilities": vulnerabilities((False, True))},
        {"vulnerabilities": vulnerabilities((None, True))},
        {"vulnerabilities": vulnerabilities((True, None))},
    ],
)
def test_fingerprint_changes_with_what_is_worth_acting_on(changes: dict[str, Any]) -> None:
    assert finding(**changes).fingerprint() != finding().fingerprint()


def test_fingerprint_is_blind_to_what_we_write_ourselves() -> None:
    written = finding(
        workflow="NOTIFIED",
        note=Note("UNPROTECTED: ...", "hub-responder", 1.0),
        updated=2.0,
        user_fields={"verdict": "UNPROTECTED"},
    )
    assert written.fingerprint() == finding().fingerprint()


def test_fingerprint_is_the_same_in_every_process() -> None:
    assert finding().fingerprint() == "0c69bca4a3bc649e"


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_small_form_is_small_and_comes_back(path: Path) -> None:
    for found in decode(path.read_text("utf-8")).findings:
        kept = found.compact()
        assert size(kept) <= SMALL
        back = Finding.from_compact(json.loads(json.dumps(kept)))
        assert back == replace(
            found,
            resources=(
                replace(found.resource, details=back.resource.details),
                *(replace(one, tags={}, details={}) for one in found.resources[1:]),
            ),
            clues=clues(found),
            description=back.description,
            remediation_text=back.remediation_text,
            vulnerabilities=back.vulnerabilities,
        )
        assert (back.raw, back.cves) == ({}, found.cves)
        assert (back.max_cvss, back.max_epss) == (found.max_cvss, found.max_epss)


def test_small_form_keeps_what_an_instance_is_recognized_by_and_no_other_details() -> None:
    details = {
        "IpV4Addresses": ["10.33.1.16", 7, "x" * 46, "\ud800", *(f"10.0.0.{n}" for n in range(20))],
        "hostname": "web-01.example.com",
        "ip": ["no text"],
        "UserData": "secret",
    }
    whole = finding()
    back = Finding.from_compact(
        replace(whole, resources=(replace(whole.resource, details=details),), matched=0).compact()
    )
    assert back.resource.details == {
        "hostname": "web-01.example.com",
        "IpV4Addresses": ["10.33.1.16", "\ufffd", *(f"10.0.0.{n}" for n in range(6))],
    }


def test_small_form_keeps_japanese_as_it_is() -> None:
    back = Finding.from_compact(finding().compact())
    assert back.title == "CVE-2026-1120 - httpd(受付システム)"
    assert back.resource.tags["優先度"] == "緊急"


def test_small_form_of_the_largest_finding_is_bounded_and_says_what_it_lost() -> None:
    text = "漢" * 1024
    many = {f"{n}{'漢' * 200}": text for n in range(50)}
    resource = Resource("AwsEc2Instance", "x" * 1024, tags={**many, "Name": "web"})
    most = Vulnerability(
        text[:256],
        ("CVE-2026-0001",) * 50,
        1.0,
        packages=(Package(*(text[:256],) * 3),) * 50,
        url="https://" + text,
    )
    found = finding(
        title=text,
        description=text * 4,
        resources=(resource,) * 32,
        vulnerabilities=tuple(replace(most, cvss=n / 10) for n in range(100)),
        user_fields=many,
        note=Note(text, text[:512]),
        types=(text[:256],) * 50,
        malware=(Malware(text[:64], text[:512], text[:64], "OBSERVED"),) * 5,
        remediation_text=text,
    )
    kept = found.compact()
    assert size(kept) < 12 * SMALL
    back = Finding.from_compact(kept)
    assert back.resource.name == "web"
    assert not back.user_fields_whole


def test_small_form_keeps_malware_and_cuts_only_its_path() -> None:
    found = Malware("TROJ_EXAMPLE.A", "/srv/" + "x" * 500, "TROJAN", "REMOVAL_FAILED")
    back = Finding.from_compact(finding(malware=(found, Malware())).compact())
    assert back.malware == (replace(found, path=back.malware[0].path), Malware())
    assert back.malware[0].path.startswith("/srv/xxxx")
    assert len(back.malware[0].path) < 100


def test_small_form_keeps_the_worst_of_many_vulnerabilities() -> None:
    dull = Vulnerability(id="dull", cvss=1.0, epss=0.1, exploit_available=False)
    worst = (
        Vulnerability(id="score", cvss=9.9),
        Vulnerability(id="likely", epss=0.9),
        Vulnerability(id="exploited", exploit_available=True),
        Vulnerability(id="fixed", fix_available=True),
    )
    found = finding(vulnerabilities=(*(replace(dull, id=f"d{n}") for n in range(60)), *worst))
    back = Finding.from_compact(found.compact())
    assert len(back.vulnerabilities) < 10
    assert (back.max_cvss, back.max_epss) == (9.9, 0.9)
    assert back.fingerprint() == found.fingerprint()


def test_small_form_keeps_the_resource_that_matched() -> None:
    other = Resource(type="AwsEc2Instance", id="arn:2", instance_id="i-2", tags={"Name": "two"})
    found = finding(resources=(*finding().resources, other)).with_resource(other)
    back = Finding.from_compact(found.compact())
    assert (back.resource.instance_id, back.resource.name) == ("i-2", "two")
    assert back.instance_ids == ("i-2", "i-05b5c6d7e8f901234")


@pytest.mark.parametrize("kept", [{}, {"id": 5}, {**finding().compact(), "resources": []}])
def test_what_is_no_small_form_is_refused(kept: dict[str, Any]) -> None:
    with pytest.raises(UnreadableFinding, match="a kept finding"):
        Finding.from_compact(kept)
