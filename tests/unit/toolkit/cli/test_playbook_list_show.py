"""``hub-responder playbook list`` and ``show``, as people and programs call them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import plain_project
from hub_toolkit.cli import application

PROJECT = Path(__file__).parents[4]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two playbooks."""
    root = plain_project.make(tmp_path / "project")
    for name, trigger in (("tell-them", "imported,click"), ("wake-them", "schedule")):
        arguments = ["playbook", "new", name, "--trigger", trigger, "--root", str(root)]
        assert CliRunner().invoke(application(), arguments).exit_code == 0
    return root


def _run(root: Path, *arguments: str, columns: int = 200) -> tuple[int, str, str]:
    environment = {"COLUMNS": str(columns)}
    command = ["playbook", *arguments, "--root", str(root)]
    result = CliRunner().invoke(application(), command, env=environment)
    return result.exit_code, result.stdout, result.stderr


def _listed(root: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    code, said, _ = _run(root, "list", "--json", *arguments)
    assert code == 0
    return {one["name"]: one for one in json.loads(said)}


@pytest.mark.parametrize("columns", [60, 200])
def test_the_list_names_every_playbook_and_its_version(root: Path, columns: int) -> None:
    code, said, _ = _run(root, "list", columns=columns)
    assert code == 0
    found = _listed(root)
    assert list(found) == ["tell-them", "wake-them"]
    for name, facts in found.items():
        assert name in said
        assert facts["version"] in said


def test_the_list_says_what_a_stage_disables_or_observes(root: Path) -> None:
    settings = "playbooks: {tell-them: {enabled: false}, wake-them: {mode: observe}}\n"
    (root / "playbooks/settings.dev.yaml").write_text(settings, encoding="utf-8")
    lines = _run(root, "list", "--stage", "dev", columns=60)[1].splitlines()
    assert [line.strip() for line in lines if "mode:" in line] == [
        "mode: disabled",
        "mode: observe",
    ]


@pytest.mark.parametrize("name", ["tell-them", "wake-them"])
def test_show_tells_a_playbook_from_trigger_to_resources(root: Path, name: str) -> None:
    code, said, _ = _run(root, "show", name, "--stage", "sandbox")
    assert code == 0
    facts = _listed(root, "--stage", "sandbox")[name]
    assert json.loads(_run(root, "show", name, "--stage", "sandbox", "--json")[1]) == facts
    for trigger in facts["triggers"]:
        assert trigger["title"] in said
    for number, step in enumerate(facts["steps"], 1):
        assert f"{number}. {step['id']}: {step['uses']}" in said
    for rule in facts["rules"]:
        assert f"{rule['name']}: {rule['size']:,} of 2,048 characters" in said
    for connection in facts["connections"]:
        assert connection["secret"] in said
    for case in facts["cases"]:
        assert f"\n  {case}\n" in said
    for logical, kind in facts["resources"].items():
        assert f"{logical} ({kind})" in said


def test_every_shipped_playbook_can_be_shown() -> None:
    for name, facts in _listed(PROJECT).items():
        code, said, _ = _run(PROJECT, "show", name)
        assert code == 0
        assert said.startswith(f"{name}: {facts['summary']}\n")


def test_an_unknown_playbook_is_exit_2_with_the_nearest_name(root: Path) -> None:
    code, said, error = _run(root, "show", "tel-them")
    assert (code, said) == (2, "")
    assert "unknown playbook `tel-them`; did you mean `tell-them`?" in error


@pytest.mark.parametrize("command", [["list"], ["show", "any"]])
def test_a_wrong_project_is_exit_2(command: list[str], tmp_path: Path) -> None:
    code, said, error = _run(tmp_path, *command)
    assert (code, said) == (2, "")
    assert "holds no playbook" in error


def test_a_team_s_own_folder_is_laid_over_ours(root: Path, tmp_path: Path) -> None:
    ours, own = root / "playbooks", tmp_path / "own"
    (own / "tell-them").mkdir(parents=True)
    shutil.copyfile(ours / "tell-them/playbook.yaml", own / "tell-them/playbook.yaml")
    text = (own / "tell-them/playbook.yaml").read_text(encoding="utf-8")
    changed = text.replace("summary: ", "summary: Ours, ")
    (own / "tell-them/playbook.yaml").write_text(changed, encoding="utf-8")
    code, said, _ = _run(root, "show", "tell-them", "--playbooks", f"{ours}:{own}")
    assert code == 0
    assert said.startswith("tell-them: Ours, ")
    code, said, error = _run(root, "list", "--playbooks", str(tmp_path / "nowhere"))
    assert (code, said) == (2, "")
    assert error == f"there is no folder {tmp_path / 'nowhere'}\n"


def test_what_is_wrong_in_a_team_s_own_folder_is_told_at_its_file(
    root: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "tell-them"
    own.mkdir(parents=True)
    (own / "playbook.yaml").write_text("format: 1\n", encoding="utf-8")
    code, _, error = _run(root, "list", "--playbooks", f"{root / 'playbooks'}:{tmp_path / 'own'}")
    assert code == 2
    assert f"{own / 'playbook.yaml'}:1:1: playbook lacks `summary`" in error
