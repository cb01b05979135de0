"""``hub-responder playbook list`` and ``show``, as people and programs call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from hub_toolkit.playbooks.load import load_all

PROJECT = Path(__file__).parents[4]
NAMES = [source.name for source in load_all(PROJECT, "prod")]


def _run(*arguments: str, columns: int = 200) -> tuple[int, str, str]:
    environment = {"COLUMNS": str(columns)}
    command = ["playbook", *arguments, "--root", str(PROJECT)]
    result = CliRunner().invoke(application(), command, env=environment)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("columns", [60, 200])
def test_the_list_names_every_playbook_and_its_version(columns: int) -> None:
    code, said, _ = _run("list", columns=columns)
    assert code == 0
    versions = {one["name"]: one["version"] for one in json.loads(_run("list", "--json")[1])}
    assert list(versions) == NAMES
    for name, version in versions.items():
        assert name in said
        assert version in said


@pytest.mark.parametrize("name", NAMES)
def test_show_tells_a_playbook_from_trigger_to_resources(name: str) -> None:
    code, said, _ = _run("show", name, "--stage", "sandbox")
    assert code == 0
    (facts,) = (one for one in json.loads(_run("list", "--json", "--stage", "sandbox")[1])
                if one["name"] == name)  # fmt: skip
    assert json.loads(_run("show", name, "--stage", "sandbox", "--json")[1]) == facts
    for trigger in facts["triggers"]:
        assert trigger["title"] in said
    for number, step in enumerate(facts["steps"], 1):
        assert f"{number}. {step['id']}: {step['uses']}" in said
    for rule in facts["rules"]:
        assert f"{rule['name']}: {rule['size']:,} of 2,048 characters" in said
    for connection in facts["connections"]:
        assert connection["secret"] in said
    for logical, kind in facts["resources"].items():
        assert f"{logical} ({kind})" in said


def test_an_unknown_playbook_is_exit_2_with_the_nearest_name() -> None:
    wrong = NAMES[0][:-1]
    code, said, error = _run("show", wrong)
    assert (code, said) == (2, "")
    assert f"unknown playbook `{wrong}`; did you mean `{NAMES[0]}`?" in error


@pytest.mark.parametrize("command", [["list"], ["show", "any"]])
def test_a_wrong_project_is_exit_2(command: list[str], tmp_path: Path) -> None:
    arguments = ["playbook", *command, "--root", str(tmp_path)]
    result = CliRunner().invoke(application(), arguments)
    assert result.exit_code == 2
    assert "holds no playbook" in result.stderr


def test_a_team_s_own_folder_is_laid_over_ours(tmp_path: Path) -> None:
    own = tmp_path / NAMES[0]
    own.mkdir()
    text = (PROJECT / "playbooks" / NAMES[0] / "playbook.yaml").read_text(encoding="utf-8")
    summary = next(line for line in text.splitlines() if line.startswith("summary:"))
    text = text.replace(summary, "summary: Ours is another")
    (own / "playbook.yaml").write_text(text, encoding="utf-8")
    folders = f"{PROJECT / 'playbooks'}:{tmp_path}"
    code, said, _ = _run("show", NAMES[0], "--playbooks", folders)
    assert code == 0
    assert said.startswith(f"{NAMES[0]}: Ours is another")
    code, said, error = _run("list", "--playbooks", str(tmp_path / "nowhere"))
    assert (code, said) == (2, "")
    assert error == f"there is no folder {tmp_path / 'nowhere'}\n"
