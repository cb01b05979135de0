"""``hub-responder playbook check``, as people and CI call it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("playbooks", "events"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    return tmp_path


def _check(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["playbook", "check", *arguments])
    return result.exit_code, result.stdout, result.stderr


def _break(root: Path) -> Path:
    """Misspell a key of the first playbook."""
    first = min(root.glob("playbooks/*/playbook.yaml"))
    text = first.read_text(encoding="utf-8")
    first.write_text(text.replace("summary:", "sumary:", 1), encoding="utf-8")
    return first.parent


def test_the_shipped_playbooks_are_right_and_nothing_about_them_is_unwise() -> None:
    code, out, err = _check("--root", str(REPOSITORY))
    assert (code, err) == (0, "")
    assert out.endswith(": 0 errors, 0 warnings\n")
    assert out.count("\n") == 1


def test_what_is_wrong_is_exit_1_with_its_place(root: Path) -> None:
    name = _break(root).name
    code, out, _ = _check("--root", str(root))
    assert code == 1
    assert f"playbooks/{name}/playbook.yaml:" in out
    assert ": unknown key in playbook: `sumary`; did you mean `summary`?" in out
    assert ": 2 errors, 0 warnings\n" in out


def test_warnings_alone_are_exit_0(root: Path) -> None:
    for path in root.glob("playbooks/*/playbook.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("# yaml-language-server", "# yaml-language"), encoding="utf-8")
    code, out, _ = _check("--root", str(root))
    assert code == 0
    assert ":1:1: warning: begin the file with `# yaml-language-server: " in out


def test_programs_get_json(root: Path) -> None:
    name = _break(root).name
    code, out, _ = _check(name, "--json", "--root", str(root))
    found = json.loads(out)
    assert (code, found["playbooks"], found["errors"], found["warnings"]) == (1, 1, 2, 0)
    assert found["problems"][0] == {
        "file": f"playbooks/{name}/playbook.yaml",
        "line": found["problems"][0]["line"],
        "column": 1,
        "severity": "error",
        "text": "playbook lacks `summary`",
    }


@pytest.mark.parametrize(
    "arguments", [["no-such-playbook"], ["--stage", "../x"], ["--playbooks", "nowhere"], ["--what"]]
)
def test_bad_usage_is_exit_2(root: Path, arguments: list[str]) -> None:
    code, out, err = _check(*arguments, "--root", str(root))
    assert (code, out) == (2, "")
    assert err


def test_folders_are_laid_over_each_other_in_either_spelling(root: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    (ours / "mine").mkdir(parents=True)
    (ours / "mine" / "playbook.yaml").write_text("format: 1\nname: mine\n", encoding="utf-8")
    both = [str(root / "playbooks"), str(ours)]
    for spelled in ([":".join(both)], both):
        options = [word for one in spelled for word in ("--playbooks", one)]
        code, out, _ = _check(*options, "--root", str(root))
        assert code == 1
        assert f"{ours}/mine/playbook.yaml:1:1: playbook lacks `on`" in out
