"""Real findings and events of other systems, where they are at hand, all decode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub_responder.errors import UnreadableEvent, UnreadableFinding
from hub_responder.events import decode, decode_finding
from hub_responder.finding import Finding

SAMPLES = sorted((Path(__file__).parents[3] / "shared" / "samples").glob("*.json"))
OWN_SHAPE = [path for path in SAMPLES if "inspector2-native" in path.name]
FINDINGS = [path for path in SAMPLES if path not in OWN_SHAPE]

pytestmark = pytest.mark.skipif(not SAMPLES, reason="the real samples are not here")


def check(finding: Finding) -> None:
    assert finding.title
    assert finding.updated > 0
    assert finding.resource.type
    if finding.resource.type == "AwsEc2Instance":
        assert finding.instance_ids
    if finding.product == "Inspector":
        assert finding.cves
        assert finding.max_cvss or "GHSA" in finding.title
    kept = Finding.from_compact(json.loads(json.dumps(finding.compact())))
    assert kept.fingerprint() == finding.fingerprint()


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.name[:32])
def test_every_real_finding_decodes(path: Path) -> None:
    text = path.read_text("utf-8")
    raw = json.loads(text)
    if "detail" not in raw:
        check(decode_finding(raw))
        return
    trigger = decode(text)
    assert trigger.unreadable == ()
    assert trigger.findings or (trigger.insight and trigger.insight.values)
    for finding in trigger.findings:
        check(finding)


@pytest.mark.parametrize("path", OWN_SHAPE, ids=lambda path: path.name[:32])
def test_inspectors_own_findings_are_refused_as_such(path: Path) -> None:
    with pytest.raises(UnreadableFinding, match="Amazon Inspector's own shape"):
        decode_finding(json.loads(path.read_text("utf-8")))
    with pytest.raises(UnreadableEvent, match="no event of Security Hub"):
        decode(path.read_text("utf-8"))
