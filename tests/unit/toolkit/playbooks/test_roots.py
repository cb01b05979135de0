"""Folders of playbooks laid over each other."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hub_toolkit.playbooks.examine import examine
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.roots import laid

MESSAGE = "playbooks/tell-them/templates/note.md.j2"


def _ours(project, text: str) -> Path:
    """A folder of our own that replaces one message."""
    project.write("ours/tell-them/templates/note.md.j2", text)
    return project.root / "ours"


def _stale(project, ours: Path) -> list[str]:
    with laid(project.root, [project.root / "playbooks", ours]) as found:
        return [str(problem) for problem in found.stale]


def test_the_later_folder_wins_file_by_file(project) -> None:
    ours = _ours(project, "# ours: {{ incident.key }}\n")
    project.write("ours/mine/playbook.yaml", "format: 1\n")
    with laid(project.root, [project.root / "playbooks", ours]) as found:
        (found.root / "playbooks/mine/playbook.yaml").unlink()
        (source,) = load_project(found.root, "prod").sources
        assert source.templates == {"note.md.j2": "# ours: {{ incident.key }}\n"}
        assert source.name == "tell-them"
        made = found.root
    assert not made.exists()


def test_without_folders_it_is_the_project_itself(project) -> None:
    for folders in ([], [project.root / "playbooks"]):
        with laid(project.root, folders) as found:
            assert found.root == project.root


def test_what_is_wrong_is_told_at_the_file_that_people_know(project) -> None:
    ours = _ours(project, "# {{ incident.keyy }}\n")
    said = [str(one) for one in examine(project.root, [project.root / "playbooks", ours], [], "")
            .problems if not one.warning]  # fmt: skip
    assert len(said) == 1
    assert said[0].startswith(f"{ours}/tell-them/templates/note.md.j2:1:15: unknown attribute")


def test_a_replaced_file_is_told_until_it_says_which_version_it_replaces(project) -> None:
    theirs = (project.root / MESSAGE).read_bytes()
    now = hashlib.sha256(theirs).hexdigest()[:12]
    ours = _ours(project, "# ours\n")
    place = f"{ours}/tell-them/templates/note.md.j2:1:1: warning"
    replaced = f"replaces {project.root}/{MESSAGE}"
    note = f"note `{{# overrides: {now} #}}` in its first lines"
    assert _stale(project, ours) == [
        f"{place}: {replaced} and does not say which version of it; {note}"
    ]
    _ours(project, f"{{# overrides: {now} #}}\n# ours\n")
    assert _stale(project, ours) == []
    project.write(MESSAGE, "# changed\n")
    (said,) = _stale(project, ours)
    assert f"{replaced}, which has changed since {now}: compare them" in said


def test_settings_and_connections_are_replaced_without_a_word(project) -> None:
    project.write("ours/settings.yaml", "owner: them\n")
    with laid(project.root, [project.root / "playbooks", project.root / "ours"]) as found:
        assert found.stale == ()
        assert load_project(found.root, "prod").settings.owner == "them"
