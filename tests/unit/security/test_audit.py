"""What the audit of dependencies makes of pip-audit's answers."""

from __future__ import annotations

import json

import pytest

from security.audit import judge

CLEAN = {"name": "jinja2", "version": "3.1.6", "vulns": []}
KNOWN = {
    "name": "jinja2",
    "version": "3.1.2",
    "vulns": [{"id": "GHSA-0000-0000-0000", "fix_versions": ["3.1.6"], "aliases": []}],
}


def _answered(*dependencies: dict[str, object]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_packages_without_known_vulnerabilities_pass() -> None:
    assert judge(0, _answered(CLEAN), "") == (
        0,
        ["dependency audit: 1 packages, no known vulnerability"],
    )


def test_a_known_vulnerability_fails_and_says_what_fixes_it() -> None:
    status, lines = judge(1, _answered(CLEAN, KNOWN), "")
    assert status == 1
    assert "jinja2 3.1.2: GHSA-0000-0000-0000, fixed in 3.1.6" in lines


def test_a_package_that_was_not_audited_fails() -> None:
    status, lines = judge(0, _answered({"name": "jinja2", "skip_reason": "not found"}), "")
    assert status == 1
    assert "jinja2: not found" in lines


@pytest.mark.parametrize(
    "last",
    [
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.osv.dev')",
        "pip_audit._service.interface.ConnectionError: Could not connect to OSV",
        "requests.exceptions.ReadTimeout: timed out",
    ],
)
def test_without_network_it_says_so_and_passes(last: str) -> None:
    status, (line,) = judge(1, "", f"Traceback (most recent call last):\n{last}\n")
    assert status == 0
    assert "skipped: no network" in line


def test_any_other_failure_of_the_audit_fails() -> None:
    assert judge(1, "", "ERROR: requirements.lock: invalid hash")[0] == 1
    assert judge(0, "", "")[0] == 1
