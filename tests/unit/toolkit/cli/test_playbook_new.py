"""``hub-responder playbook new``, with options, with questions, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import plain_project
from hub_toolkit.cli import application


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return plain_project.make(tmp_path)


def _new(root: Path, *arguments: str, answers: str = "") -> tuple[int, str]:
    command = ["playbook", "new", *arguments, "--root", str(root)]
    result = CliRunner().invoke(application(), command, input=answers)
    return result.exit_code, result.output


def test_yes_asks_nothing_and_says_what_comes_next(root: Path) -> None:
    code, said = _new(root, "mine", "--yes")
    assert code == 0
    assert "written: playbooks/mine/playbook.yaml" in said
    assert "written: playbooks/mine/README.md" in said
    assert "hub-responder playbook test mine" in said
    assert "hub-responder run playbooks/mine/tests/inspector-finding.json" in said
    assert "[" not in said


def test_options_are_taken_with_commas_or_repeated_and_nothing_is_asked(root: Path) -> None:
    options = ["--trigger", "imported,click", "--product", "GuardDuty", "--product", "Macie"]
    options += ["--severity", "medium", "--steps", "notify", "--to", "soc-chat"]
    code, _ = _new(root, "mine", *options, "--button", "Tell us", "--summary", "So, it is")
    assert code == 0
    text = (root / "playbooks/mine/playbook.yaml").read_text(encoding="utf-8")
    assert "aws/securityhub/ProductName: [GuardDuty, Macie]" in text
    assert "Label: [CRITICAL, HIGH, MEDIUM]" in text
    assert "name: Tell us\n" in text
    assert "summary: So, it is\n" in text


def test_questions_take_what_is_in_brackets_and_are_asked_again(root: Path) -> None:
    answers = ["clik", "click", "notify, update", "Tell", "", "What is it?"]
    code, said = _new(root, "mine", answers="\n".join(answers) + "\n")
    assert code == 0
    assert "unknown answer `clik`; did you mean `click`?" in said
    text = (root / "playbooks/mine/playbook.yaml").read_text(encoding="utf-8")
    assert "name: Tell\n" in text
    assert "summary: What is it?\n" in text
    assert "uses: vision_one.check_coverage" not in text
    assert "owner:" not in text


def test_a_connection_is_asked_for_where_there_are_several(root: Path) -> None:
    connections = root / "playbooks/connections.yaml"
    text = connections.read_text(encoding="utf-8")
    connections.write_text(text + "  another: {type: sns}\n", encoding="utf-8")
    assert _new(root, "first", "--yes", "--to", "soc-chat")[0] == 0
    answers = ["click", "notify", "anoter", "another", "", "", ""]
    code, said = _new(root, "mine", answers="\n".join(answers) + "\n")
    assert code == 0
    # What other playbooks use comes first.
    assert "Connection for notify (soc-chat, another) [soc-chat]" in said
    assert "unknown answer `anoter`; did you mean `another`?" in said
    assert "to: another" in (root / "playbooks/mine/playbook.yaml").read_text(encoding="utf-8")


def test_questions_of_a_schedule(root: Path) -> None:
    answers = ["schedule", "0 6 1 * ? *", "", "", "ops", ""]
    code, _ = _new(root, "mine", answers="\n".join(answers) + "\n")
    assert code == 0
    text = (root / "playbooks/mine/playbook.yaml").read_text(encoding="utf-8")
    assert 'cron: "0 6 1 * ? *"' in text
    assert "findings:" not in text
    assert "owner: ops\n" in text


def test_no_answers_write_nothing(root: Path) -> None:
    code, _ = _new(root, "mine", answers="imported\n")
    assert code == 1
    assert not (root / "playbooks/mine").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Mine"], "`Mine` is no name"),
        (["../mine"], "`../mine` is no name"),
        (["m" * 21], "at most 20 characters"),
        (["mine", "--steps", "notfy"], "unknown step `notfy`; did you mean `notify`?"),
        (["mine", "--to", "nobody"], "unknown connection for notify"),
        (["mine", "--trigger", ""], "a playbook needs a trigger"),
    ],
)
def test_what_cannot_be_is_exit_2_and_writes_nothing(
    root: Path, arguments: list[str], said: str
) -> None:
    before = sorted(root.rglob("*"))
    code, output = _new(root, *arguments)
    assert code == 2
    assert said in output
    assert sorted(root.rglob("*")) == before


def test_a_folder_that_is_there_is_exit_2(root: Path) -> None:
    assert _new(root, "mine", "--yes")[0] == 0
    code, said = _new(root, "mine", "--yes")
    assert code == 2
    assert "playbooks/mine is there already: nothing was written over it" in said


def test_another_place_than_a_project_is_exit_2(tmp_path: Path) -> None:
    code, said = _new(tmp_path, "mine", "--yes")
    assert code == 2
    assert "give --root, the project" in said
