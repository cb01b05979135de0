"""What is allowed but unwise."""

from __future__ import annotations

import re

import pytest

from hub_toolkit.playbooks.advice import SCHEMA_LINE
from hub_toolkit.playbooks.examine import Unusable, examine

FILE = "playbooks/tell-them/playbook.yaml"
CASES = """\
tests:
  - {name: acts, finding: {}, event: e.json, expect: {tell: done}}
  - {name: does not, event: e.json, expect: {matched: false}}
"""


@pytest.fixture
def wise(project):
    """A project about which there is nothing to say."""
    project.write("events/e.json", "{}")
    project.replace("format: 1\n", f"{SCHEMA_LINE}\nformat: 1\n")
    project.replace("params: {urgency: {type: text, default: high}, age: {type: duration, "
                    "default: 36h}}\n", "")  # fmt: skip
    text = (project.root / FILE).read_text(encoding="utf-8")
    project.write(FILE, text + CASES)
    assert _said(project) == []
    return project


def _said(project, *names: str, stage: str | None = None) -> list[str]:
    return [str(problem) for problem in examine(project.root, [], names, stage).problems]


def test_a_playbook_needs_a_case_that_acts_and_one_that_does_not(wise) -> None:
    wise.replace("tell: done", "tell: skipped")
    assert _said(wise) == [f"{FILE}: warning: no case shows that it acts: add one to `tests`"]
    wise.replace("{tell: skipped}", "{tell: done}")
    wise.replace("{matched: false}", "{ticket: {summary: x}}")
    assert _said(wise) == [
        f"{FILE}: warning: no case shows that it does not act: add one to `tests`"
    ]


def test_a_case_that_cannot_be_read_is_wrong_at_its_place(wise) -> None:
    wise.replace("event: e.json, expect: {matched", "event: f.json, expect: {matched")
    (said,) = _said(wise)
    assert said.startswith(f"{FILE}:21:29: there is no event file `f.json`")


def test_the_schema_line_is_asked_for(wise) -> None:
    wise.replace(f"{SCHEMA_LINE}\n", "")
    assert _said(wise) == [f"{FILE}:1:1: warning: begin the file with `{SCHEMA_LINE}`"]


def test_a_message_in_one_language_lacks_its_twin(wise) -> None:
    folder = "playbooks/tell-them/templates"
    wise.write(f"{folder}/note.en.md.j2", "# x\n")
    wise.write(f"{folder}/other.md.j2", "# x\n")
    (wise.root / f"{folder}/note.md.j2").unlink()
    assert _said(wise) == [
        f"{folder}/note.en.md.j2: warning: has no twin note.ja.md.j2",
        f"{folder}/other.md.j2: warning: no step uses this template",
    ]


def test_what_nothing_uses_is_told(wise) -> None:
    wise.replace("\non:\n", "\nparams: {age: {type: text, default: x}}\non:\n")
    connections = (wise.root / "playbooks/connections.yaml").read_text(encoding="utf-8")
    route = "routes:\n  people: {by: finding.region, to: {}, default: chat}\n"
    wise.write("playbooks/connections.yaml", connections + route)
    assert _said(wise) == [
        "playbooks/connections.yaml:5:11: warning: no playbook uses route `people`",
        f"{FILE}:5:1: warning: nothing reads param `age`",
    ]
    wise.replace("# {{", "{{ params.age }} {{", "playbooks/tell-them/templates/note.md.j2")
    wise.replace("{to: chat", "{to: people")
    assert _said(wise) == []


def test_all_stages_are_examined_and_what_is_wrong_in_several_is_said_once(wise) -> None:
    wise.write("playbooks/connections.test.yaml", "connections:\n  chat: {type: jira}\n")
    wise.replace("ticket.opened", "ticket.open")
    said = _said(wise)
    assert len(said) == len(set(said))
    assert any(one.startswith("playbooks/connections.test.yaml:2:9: ") for one in said)
    assert any("unknown result `ticket.open`" in one for one in said)
    assert not any("connections.test" in one for one in _said(wise, stage="prod"))


def test_named_playbooks_are_told_with_what_they_share(wise) -> None:
    text = (wise.root / FILE).read_text(encoding="utf-8")
    other = text.replace("tell-them", "tell-us").replace("id: TellThem", "id: TellUs")
    wise.write("playbooks/tell-us/playbook.yaml", other.replace("summary", "sumary"))
    wise.write("playbooks/tell-us/templates/note.md.j2", "# x\n")
    wise.write("playbooks/settings.yaml", "langage: ja\n")
    assert [one.split(":")[0] for one in _said(wise, "tell-them")] == ["playbooks/settings.yaml"]
    assert len(_said(wise, "tell-us")) == 3


@pytest.mark.parametrize(
    ("names", "stage", "why"),
    [
        (["tell-then"], None, "unknown playbook `tell-then`; did you mean `tell-them`?"),
        ([], "../x", "--stage: `../x` is no stage's name"),
    ],
)
def test_what_cannot_be_examined_is_said(project, names, stage, why: str) -> None:
    with pytest.raises(Unusable, match=re.escape(why)):
        examine(project.root, [], names, stage)
    with pytest.raises(Unusable, match="there is no folder"):
        examine(project.root, [project.root / "nowhere"], [], None)
