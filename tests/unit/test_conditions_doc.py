"""``docs/conditions.md``: every rule there passes the check, and its cases pass."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "conditions.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"(?:^`([\w./-]+)`:\n\n)?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"^(\w+):", re.MULTILINE)
BASE = next(body for _, body in _FENCE.findall(TEXT))
RULES = {title: _FENCE.findall(body) for title, body in _SECTION.findall(TEXT)}
RULES = {title: found for title, found in RULES.items() if found}
HEADER = BASE.splitlines(keepends=True)[0]
CONNECTIONS = "connections:\n  soc-chat: {type: sns}\n"
MESSAGE = "# {{ incident.severity }}: {{ finding.title }}\n"


def _by_key(text: str) -> dict[str, str]:
    """The top-level keys of a YAML mapping, each with its text."""
    starts = [found.start() for found in _KEY.finditer(text)]
    parts = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    return {part.partition(":")[0]: part for part in parts}


def project(root: Path, title: str) -> None:
    """The project of one rule."""
    files = {"playbooks/connections.yaml": CONNECTIONS, "playbooks/settings.yaml": "owner: us\n"}
    keys = _by_key(BASE)
    for path, body in RULES[title]:
        if path and "rules" not in path:
            files[path] = body
        else:
            keys |= _by_key(body)
    files["playbooks/rules/playbook.yaml"] = HEADER + "".join(keys.values())
    files["playbooks/rules/templates/message.md.j2"] = MESSAGE
    for path, body in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(body, encoding="utf-8")
    shutil.copytree(ROOT / "events", root / "events")


def test_the_rules_of_the_field_are_all_there() -> None:
    assert len(RULES) == 12
    assert all(any("tests:" in body for _, body in found) for found in RULES.values())


@pytest.mark.parametrize("title", RULES)
def test_a_rule_passes_the_check_and_its_cases(tmp_path: Path, title: str) -> None:
    project(tmp_path, title)
    where = ["--root", str(tmp_path)]
    checked = CliRunner().invoke(application(), ["playbook", "check", *where])
    assert checked.exit_code == 0, checked.output
    assert "0 errors, 0 warnings" in checked.output
    tried = CliRunner().invoke(application(), ["playbook", "test", "-v", *where])
    assert tried.exit_code == 0, tried.output


def test_a_rule_that_is_turned_round_is_seen(tmp_path: Path) -> None:
    """The cases hold the rule and not only the playbook around it."""
    project(tmp_path, "Only MEDIUM and above")
    path = tmp_path / "playbooks/rules/playbook.yaml"
    turned = path.read_text(encoding="utf-8").replace(
        "severity >= 'MEDIUM'\"]", "severity >= 'LOW'\"]"
    )
    path.write_text(turned, encoding="utf-8")
    tried = CliRunner().invoke(application(), ["playbook", "test", "--root", str(tmp_path)])
    assert tried.exit_code == 1
    assert "1 failed" in tried.output
