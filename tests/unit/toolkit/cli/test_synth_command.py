"""``hub-responder synth``, as people and CI call it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hub_toolkit.cli import build, synth

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "playbooks", tmp_path / "playbooks")
    (tmp_path / "functions").mkdir()
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copyfile(REPOSITORY / name, tmp_path / name)
    return tmp_path


def _run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    synth.register(app)
    build.register(app)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_check_fails_until_synth_has_written_the_files(root: Path) -> None:
    code, output = _run("synth", "--check", "--root", str(root))
    assert code == 1
    assert "+++ template.yaml (as it must be)" in output
    assert "run `hub-responder synth`" in output
    assert not (root / "template.yaml").exists()
    code, output = _run("synth", "--root", str(root))
    assert code == 0
    requirements = "functions/requirements.txt, functions/requirements-parquet.txt"
    written = f"template.yaml, {requirements}, docs/actions.md, docs/playbooks.md"
    assert output.startswith(f"written: {written}")
    assert _run("synth", "--check", "--root", str(root)) == (0, "up to date\n")


def test_a_wrong_playbook_is_said_with_its_place(root: Path) -> None:
    (root / "playbooks" / "settings.yaml").write_text("langage: ja\n", encoding="utf-8")
    said = (
        "playbooks/settings.yaml:1:1: unknown key in settings: `langage`; did you mean `language`?"
    )
    for command in (["synth"], ["synth", "--check"], ["build"]):
        code, output = _run(*command, "--root", str(root))
        assert code == 2
        assert said in output


def test_build_without_requirements_says_what_to_do(root: Path) -> None:
    code, output = _run("build", "--root", str(root))
    assert code == 1
    assert "run `hub-responder synth`" in output


def test_folders_laid_over_each_other_make_the_template_and_nothing_about_ours(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ours = tmp_path_factory.mktemp("ours")
    shutil.copytree(root / "playbooks" / "notify-team", ours / "of-ours")
    source = (ours / "of-ours" / "playbook.yaml").read_text(encoding="utf-8")
    renamed = source.replace("name: notify-team", "name: of-ours").replace("NotifyTeam", "OfOurs")
    (ours / "of-ours" / "playbook.yaml").write_text(renamed, encoding="utf-8")
    laid = ["--playbooks", f"{root / 'playbooks'}:{ours}", "--root", str(root)]
    code, output = _run("synth", *laid)
    assert code == 0
    requirements = "functions/requirements.txt, functions/requirements-parquet.txt"
    assert output == f"written: template.yaml, {requirements}\n"
    template = (root / "template.yaml").read_text(encoding="utf-8")
    assert "OfOursFunction" in template
    assert "NotifyTeamFunction" in template
    assert _run("synth", "--check", *laid) == (0, "up to date\n")
    assert "OfOursFunction" in _run("synth", "--check", "--root", str(root))[1]


def test_what_is_wrong_in_a_folder_of_ours_is_said_where_it_is(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ours = tmp_path_factory.mktemp("ours")
    (ours / "settings.yaml").write_text("langage: ja\n", encoding="utf-8")
    laid = ["--playbooks", f"{root / 'playbooks'}:{ours}", "--root", str(root)]
    for command in ("synth", "build"):
        code, output = _run(command, *laid)
        assert code == 2
        assert f"{ours / 'settings.yaml'}:1:1: unknown key" in output
