"""What is wrong with what playbooks share, and with several of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub_toolkit.playbooks.connection_types import TYPES
from hub_toolkit.playbooks.load import load_all
from hub_toolkit.playbooks.problems import PlaybookErrors

if TYPE_CHECKING:
    from pathlib import Path

FILE = "playbooks/tell-them/playbook.yaml"
CONNECTIONS = "playbooks/connections.yaml"


def _errors(root: Path, stage: str = "prod") -> list[str]:
    with pytest.raises(PlaybookErrors) as caught:
        load_all(root, stage)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{type: sns}",
            "{type: snss}",
            ("2:16: unknown type of connection: `snss`; did you mean `sns`? There is: "
             f"{', '.join(sorted(TYPES))}"),
        ),
        (
            "{type: sns}",
            "{type: slack, chanel: C0123456789}",
            ("2:23: unknown key in connection chat (slack): `chanel`; did you mean "
             "`channel`? There "
            "is: allow, base_url, ca, channel, fallback, language, private"),
        ),
        ("  chat:", "  Chat_1:", ("2:3: `Chat_1` is no name: a to z, 0 to 9 and single hyphens, at "
         "most 20 characters")),
        (
            "  tickets: {type: opscenter}",
            ("  tickets: {type: opscenter}\nroutes:\n  any: {by: finding.region, to: {us-east-1: "
            "chatt}, default: chat}"),
            ("5:8: route any: unknown connection `chatt`; did you mean `chat`? There is: chat, "
            "tickets"),
        ),
        (
            "  tickets: {type: opscenter}",
            "  tickets: {type: opscenter}\nroutes:\n  any: {by: params.x, to: {}, default: chat}",
            ("5:13: unknown name `params`. There is: finding, incident, now, open, playbook, seen, "
             "table, tag, trigger"),
        ),
    ],
)  # fmt: skip
def test_broken_connections_are_refused(project, old: str, new: str, message: str) -> None:
    project.replace(old, new, CONNECTIONS)
    assert f"{CONNECTIONS}:{message}" in _errors(project.root)


@pytest.mark.parametrize(
    ("setting", "at", "message"),
    [
        (
            "priorities: {CRITCAL: High}",
            "CRITCAL",
            (
                "`priorities`: unknown value `CRITCAL`; did you mean `CRITICAL`? There is: "
                "CRITICAL, HIGH, INFORMATIONAL, LOW, MEDIUM"
            ),
        ),
        ("priorities: {HIGH: 2}", "2}", "`priorities.HIGH`: must be text, not a number"),
        ("due: {HIGH: 3 days}", "3 days", "`due.HIGH`: must be a number, not text"),
        ("reopen_within: soon", "soon", "`reopen_within`: must be a number, not text"),
        (
            "fields: {summary: X}",
            "summary",
            "`fields`: expected `str` matching regex '^(?!(project|issuetype|summary|",
        ),
        (
            'fields: {cf: "{{ finding.severty }}"}',
            "severty",
            "unknown attribute `finding.severty`; did you mean `finding.severity`?",
        ),
        ('fields: {cf: ["{{ 1 + }}"]}', "}}", "unexpected 'end of print statement'"),
        (
            'fields: {cf: "{{ finding }}"}',
            "finding }}",
            "this is a finding; the parameter takes text or a number or true or false",
        ),
        (
            "labels: ['{{ finding.id }}']",
            "'{{",
            "`labels` takes no template: only `project` and `fields` do",
        ),
    ],
)
def test_what_is_wrong_with_a_ticket_system_is_said_where_it_stands(
    project, setting: str, at: str, message: str
) -> None:
    jira = "{type: jira, url: 'https://example.atlassian.net', project: SEC, "
    project.replace("{type: opscenter}", f"{jira}{setting}}}", CONNECTIONS)
    column = f"  tickets: {jira}{setting}".index(at, len(jira)) + 1
    (found,) = [error for error in _errors(project.root) if error.startswith(CONNECTIONS)]
    assert found.startswith(f"{CONNECTIONS}:3:{column}: {message}")


def test_settings_are_checked(project) -> None:
    project.write(
        "playbooks/settings.yaml",
        "language: fr\ntimezone: Asia/Tokio\naccounts: []\n"
        "home_only: 1\nmember_role: a/b\nplaybooks: {tell-then: {mode: watch}}\n"
        "calendars: {office: {hours: '9-18', weekdays: [Mon, Tues], holidays: [2026-13-01]}}\n",
    )
    assert _errors(project.root) == [
        "playbooks/settings.yaml:1:11: unknown value of `language`: `fr`. There is: en, ja",
        "playbooks/settings.yaml:2:11: there is no time zone `Asia/Tokio`",
        (
            "playbooks/settings.yaml:3:11: `accounts` lists at least one account; leave it "
            "away for all"
        ),
        "playbooks/settings.yaml:4:12: `home_only` must be true or false, not a number",
        (
            "playbooks/settings.yaml:5:14: `member_role` must be a role's name, without its "
            "path, not `a/b`"
        ),
        (
            "playbooks/settings.yaml:6:13: unknown playbook `tell-then`; did you mean "
            "`tell-them`? There is: tell-them"
        ),
        "playbooks/settings.yaml:6:31: unknown value of `mode`: `watch`. There is: live, observe",
        "playbooks/settings.yaml:7:29: `hours` must be hours as 09:00-18:00, in quotes, not `9-18`",
        (
            "playbooks/settings.yaml:7:53: unknown weekday `Tues`; did you mean `Tue`? There "
            "is: Fri, Mon, Sat, Sun, Thu, Tue, Wed"
        ),
        "playbooks/settings.yaml:7:71: `holidays` lists days: write 2026-12-31",
    ]


def test_all_problems_of_all_files_are_said_at_once(project) -> None:
    project.replace("format: 1", "format: 2")
    project.replace("uses: notify", "uses: notfy")
    project.replace("{type: sns}", "{type: snss}", CONNECTIONS)
    project.write("playbooks/settings.yaml", "a: [")
    files = [error.split(":")[0] for error in _errors(project.root)]
    assert set(files) == {FILE, CONNECTIONS, "playbooks/settings.yaml"}
    assert files.count(FILE) == 2


def test_two_playbooks_cannot_share_a_custom_action(project) -> None:
    text = (project.root / FILE).read_text(encoding="utf-8")
    project.write("playbooks/tell-us/playbook.yaml", text.replace("tell-them", "tell-us"))
    project.write("playbooks/tell-us/templates/note.md.j2", "# x\n")
    assert _errors(project.root) == [
        (
            "playbooks/tell-us/playbook.yaml:10:23: custom action TellThem is tell-them's "
            "already: choose "
            "another id"
        )
    ]


def test_a_long_folder_name_is_refused(project) -> None:
    name = "a-name-of-21-letters-x"
    text = (project.root / FILE).read_text(encoding="utf-8")
    project.write(f"playbooks/{name}/playbook.yaml", text.replace("tell-them", name))
    assert any(f"`{name}` is no name" in error for error in _errors(project.root))


@pytest.mark.parametrize("name", ["sync", "pause", "history"])
def test_a_name_of_our_own_is_refused(project, name: str) -> None:
    text = (project.root / FILE).read_text(encoding="utf-8")
    project.write(f"playbooks/{name}/playbook.yaml", text.replace("tell-them", name))
    said = f"`{name}` is the name of a part of hub-responder: take another"
    assert any(said in error for error in _errors(project.root))


def test_a_pattern_that_eventbridge_would_not_take_is_refused(project) -> None:
    project.replace("Severity: {Label: [CRITICAL]}", f"Id: {[f'finding-{n}' for n in range(200)]}")
    (imported, lifecycle) = _errors(project.root)
    assert "6:3: the imported rule's pattern has" in imported
    assert "characters; at most 2048: match less" in lifecycle


def test_a_template_that_reads_what_no_step_gives_is_refused(project) -> None:
    project.write("playbooks/tell-them/templates/note.ja.md.j2", "# {{ coverage.verdict }}\n")
    assert any(
        error.startswith("playbooks/tell-them/templates/note.ja.md.j2:1:6: unknown name `coverage`")
        for error in _errors(project.root)
    )


def test_an_unknown_stage_name_and_no_playbook_are_said(project, tmp_path: Path) -> None:
    assert _errors(project.root, "../x") == ["--stage: `../x` is no stage's name"]
    (tmp_path / "empty" / "playbooks").mkdir(parents=True)
    assert _errors(tmp_path / "empty") == ["playbooks: holds no playbook: NAME/playbook.yaml"]
