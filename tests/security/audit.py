"""Known vulnerabilities of the packages that the locks pin, as OSV's database tells them.

Run by `make check` with pip-audit's environment: ``python audit.py PIP-AUDIT LOCK...``. Where the
database cannot be reached it says so and passes: a build without network proves nothing here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

TIMEOUT_S = 240
_UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ServiceError")
"""What pip-audit's last line begins with, module aside, when its service does not answer."""


def command(pip_audit: str, locks: Sequence[str]) -> list[str]:
    """Asks OSV only: nothing is resolved, installed or looked up in a registry."""
    files = [word for lock in locks for word in ("--requirement", lock)]
    options = ["--disable-pip", "--no-deps", "--vulnerability-service", "osv", "--format", "json"]
    return [pip_audit, *options, "--progress-spinner", "off", *files]


def judge(status: int, out: str, errors: str) -> tuple[int, list[str]]:
    """The exit status and what to print about a run of pip-audit.

    Args:
        status: pip-audit's own. out, errors: what it wrote.
    """
    try:
        found = json.loads(out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = errors.strip().rpartition("\n")[2]
        if last.partition(":")[0].rpartition(".")[2] in _UNREACHABLE:
            return 0, ["dependency audit skipped: no network (OSV cannot be reached)"]
        return status or 1, ["the dependency audit failed:", errors.strip()]
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in found if "skip_reason" in one]
    known = [
        f"{one['name']} {one['version']}: {vulnerability['id']},"
        f" fixed in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for one in found
        for vulnerability in one.get("vulns", ())
    ]
    if known or skipped:
        return 1, ["known vulnerabilities, or packages that were not audited:", *known, *skipped]
    return 0, [f"dependency audit: {len(found)} packages, no known vulnerability"]


def main(pip_audit: str, *locks: str) -> int:
    """Audit the locks; the exit status."""
    try:
        done = subprocess.run(
            command(pip_audit, locks),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print("dependency audit skipped: OSV did not answer in time")
        return 0
    status, lines = judge(done.returncode, done.stdout, done.stderr)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
