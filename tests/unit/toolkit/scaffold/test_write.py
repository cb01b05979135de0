"""What is written works: it is checked, its cases pass in both languages, and it is small."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_toolkit.playbooks.document import plain, read
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.scaffold import choices, surroundings, write
from hub_toolkit.scaffold.choices import Choices

INSIGHT = "arn:aws:securityhub:us-east-1:111122223333:insight/111122223333/custom/mine"
MANY: dict[str, dict[str, Any]] = {
    "usual": {},
    "clicked": {"triggers": ("click",)},
    "clicked-told": {"triggers": ("click",), "steps": ("notify",)},
    "both-ways": {"triggers": ("imported", "click"), "products": ("GuardDuty",)},
    "buckets": {"products": ("Security Hub",), "resource_types": ("AwsS3Bucket",)},
    "any-severity": {"products": ("Macie",), "severity": "INFORMATIONAL", "steps": ("update",)},
    "anothers": {"products": ('Example "1", Inc: on',), "steps": ("ticket",)},
    "two-types": {"resource_types": ("AwsS3Bucket", "AwsEc2Instance"), "steps": ("coverage",)},
    "only-type": {
        "resource_types": ("AwsIamRole", "AwsEc2Instance"),
        "severity": "INFORMATIONAL",
        "steps": ("notify", "update"),
    },
    "new-hub": {"triggers": ("imported_v2",)},
    "both-hubs": {"triggers": ("imported", "imported_v2", "click"), "products": ("GuardDuty",)},
    "new-hub-buckets": {
        "triggers": ("imported", "imported_v2"),
        "resource_types": ("AWS::S3::Bucket", "AWS::EC2::Instance"),
        "severity": "INFORMATIONAL",
        "steps": ("notify", "update"),
    },
    "new-hub-any": {
        "triggers": ("imported_v2", "schedule"),
        "products": ("Macie",),
        "severity": "INFORMATIONAL",
        "steps": ("ticket", "notify"),
    },
    "insight": {"triggers": ("schedule",), "insight": INSIGHT},
    "insight-and-click": {"triggers": ("schedule", "click"), "insight": INSIGHT},
    "by-the-clock": {"triggers": ("schedule",)},
    "clock-and-click": {"triggers": ("schedule", "click"), "steps": ("notify",)},
    "odd-texts": {"summary": 'Is it "so", or: #1 {{ x }} 重要?', "owner": "yes", "button": "No"},
}


def _write(root: Path, name: str, said: dict[str, Any]) -> Choices:
    around = surroundings.look(root)
    chosen = surroundings.completed(choices.filled(name, said), around)
    assert [*choices.problems(chosen), *surroundings.problems(chosen, around)] == []
    write.write(chosen, root)
    return chosen


def _run(root: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", "from hub_toolkit.cli import main; main()", "playbook"]
    command += [*arguments, "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_kind_of_playbook_passes_its_check_and_its_cases(root: Path, language: str) -> None:
    for name, said in MANY.items():
        _write(root, name, said)
    settings = root / "playbooks" / "settings.yaml"
    text = settings.read_text(encoding="utf-8")
    assert "language: en" in text
    settings.write_text(text.replace("language: en", f"language: {language}"), encoding="utf-8")
    assert f"{len(MANY)} playbooks: 0 errors, 0 warnings" in _run(root, "check", *MANY)
    assert f"of {len(MANY)} playbooks" in _run(root, "test", *MANY)


def test_what_was_chosen_is_what_the_project_reads(root: Path) -> None:
    for name, said in MANY.items():
        _write(root, name, said)
    sources = {source.name: source for source in load_project(root, "").sources}
    odd = sources["odd-texts"]
    assert (odd.summary, odd.owner) == (MANY["odd-texts"]["summary"], "yes")
    other = sources["anothers"].on.imported
    assert other is not None
    assert other["ProductFields"] == {"aws/securityhub/ProductName": ['Example "1", Inc: on']}
    assert [step.id for step in sources["usual"].steps] == ["coverage", "ticket", "tell", "answer"]
    ids = [source.on.custom_action.id for source in sources.values() if source.on.custom_action]
    assert len(ids) == len(set(ids))


def test_a_simple_playbook_is_under_25_lines_besides_its_cases(root: Path) -> None:
    _write(root, "usual", {"triggers": ("imported",), "owner": "us"})
    text = (root / "playbooks/usual/playbook.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../playbook.schema.json\n")
    assert len(text.split("\ntests:\n")[0].splitlines()) < 25


def test_messages_and_tickets_come_in_both_languages_with_a_readme_and_an_event(root: Path) -> None:
    _write(root, "usual", {})
    folder = root / "playbooks" / "usual"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "README.md",
        "playbook.yaml",
        "templates/message.en.md.j2",
        "templates/message.ja.md.j2",
        "templates/ticket.en.md.j2",
        "templates/ticket.ja.md.j2",
        "tests/inspector-finding.json",
    }
    event = json.loads((folder / "tests/inspector-finding.json").read_text(encoding="utf-8"))
    assert event["detail"]["findings"][0]["Severity"] == {"Label": "HIGH"}
    assert "- a MEDIUM finding is left alone" in (folder / "README.md").read_text(encoding="utf-8")


def test_templates_hold_nothing_of_what_was_not_chosen(root: Path) -> None:
    _write(root, "plain", {"steps": ("notify",)})
    for path in (root / "playbooks/plain/templates").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "coverage" not in text
        assert "ticket" not in text
        assert "<%" not in text
        assert "<<" not in text


def test_a_folder_that_is_there_is_never_written_over(root: Path) -> None:
    chosen = _write(root, "usual", {})
    kept = root / "playbooks/usual/playbook.yaml"
    kept.write_text("mine", encoding="utf-8")
    (problem,) = surroundings.problems(chosen, surroundings.look(root))
    assert problem == "playbooks/usual is there already: nothing was written over it"
    with pytest.raises(FileExistsError):
        write.write(chosen, root)
    assert kept.read_text(encoding="utf-8") == "mine"


def test_connections_must_suit_the_step_in_every_stage(root: Path) -> None:
    around = surroundings.look(root)
    chosen = choices.filled("usual", {"to": "soc-tickets", "in_": "soc-tikets"})
    found = list(surroundings.problems(surroundings.completed(chosen, around), around))
    assert len(found) == 2
    assert found[0].startswith("unknown connection for notify (")
    assert found[1].startswith("unknown connection for ticket (")
    assert "did you mean `soc-tickets`?" in found[1]
    # A connection that only the sandbox has is none.
    assert "slack-bot" not in around.connections["notify"]


def test_without_a_connection_it_is_said_where_one_goes(root: Path) -> None:
    (root / "playbooks/connections.sandbox.yaml").unlink()
    (root / "playbooks/connections.yaml").write_text(
        "connections: {chat: {type: sns}, v1: {type: vision_one}}\n", encoding="utf-8"
    )
    around = surroundings.look(root)
    chosen = surroundings.completed(choices.filled("usual", {}), around)
    assert (chosen.to, chosen.vision_one) == ("chat", "v1")
    (problem,) = surroundings.problems(chosen, around)
    assert problem.startswith("there is no connection for ticket (")
    assert problem.endswith("add one to playbooks/connections.yaml")
    assert "with: {connection: v1, " in write.texts(chosen)["playbook.yaml"]


def test_names_that_would_share_resources_are_refused(root: Path) -> None:
    _write(root, "a-1b", {})
    (problem,) = surroundings.name_problems("a1b", surroundings.look(root))
    assert problem.startswith("`a1b` and playbook a-1b would have resources of the same names")


def test_a_wrong_playbook_beside_it_hinders_nothing_but_the_readme(root: Path) -> None:
    other = root / "playbooks" / "wrong" / "playbook.yaml"
    other.parent.mkdir()
    other.write_text("on: {custom_action: {id: Usual}}\n", encoding="utf-8")
    chosen = _write(root, "usual", {"triggers": ("click",)})
    assert chosen.action_id == "Usual2"
    assert not (root / "playbooks/usual/README.md").exists()


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1))
def test_any_text_comes_back_from_yaml_as_it_was(text: str) -> None:
    line = f"a: {write.text(text)}\nb: {write.yaml({text: [text, {'x': text}]})}\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        path.write_text(line, encoding="utf-8")
        found = plain(read(path, "a.yaml"))
    assert found == {"a": text, "b": {text: [text, {"x": text}]}}
