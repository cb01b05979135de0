"""One thing wrong at a time: what is said, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub_toolkit.playbooks.load import load_all
from hub_toolkit.playbooks.problems import PlaybookErrors

if TYPE_CHECKING:
    from pathlib import Path

FILE = "playbooks/tell-them/playbook.yaml"
CONNECTIONS = "playbooks/connections.yaml"
ALL_KEYS = (
    "always_if, format, give_up_after, group_by, name, on, only_if, owner, params, quiet, "
    "runbook, steps, summary, tests, wait, why"
)


def _errors(root: Path, stage: str = "prod") -> list[str]:
    with pytest.raises(PlaybookErrors) as caught:
        load_all(root, stage)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "params:",
            "quite: 4h\nparams:",
            f"4:1: unknown key in playbook: `quite`; did you mean `quiet`? There is: {ALL_KEYS}",
        ),
        (
            "params:",
            "only_if: [finding.severity >= 'HIGH', incident.count > 1]\nparams:",
            ("4:39: 'incident.count > 1' uses incident; there is "
            "finding, now, open, params, seen, table, tag, trigger"),
        ),
        (
            "params:",
            "always_if: true\nparams:",
            "4:12: `always_if` must be a list, not true or false",
        ),
        (
            "params:",
            "mode: observe\nparams:",
            f"4:1: unknown key in playbook: `mode`. There is: {ALL_KEYS}",
        ),
        (
            "  custom_action:",
            "  schedule: {cron: x}\n  custom_action:",
            "10:3: `schedule` is not supported yet",
        ),
        ("format: 1", "format: 2", "1:9: `format` is 2; this version reads 1"),
        ("name: tell-them", "name: tell-us", "2:7: `name` is tell-us but the folder is tell-them"),
        ("summary: Tells people about instances\n", "", "1:1: playbook lacks `summary`"),
        (
            "params:",
            "quiet: 4 hours\nparams:",
            "4:8: `quiet` is not a duration: write a duration as 15s, 2m, 24h or 7d",
        ),
        ("params:", "quiet: 31d\nparams:", "4:8: `quiet` is over 30d"),
        (
            "default: 36h",
            "default: long",
            "4:79: param age is no duration: write a duration as 15s, 2m, 24h or 7d",
        ),
        (
            "Severity: {Label",
            "Severty: {Label",
            "8:7: `Severty` is no field of an ASFF finding; did you mean `Severity`?",
        ),
        (
            "[CRITICAL]",
            "CRITICAL",
            "8:25: match.Severity.Label must be a list of values, as [CRITICAL]",
        ),
        (
            "[CRITICAL]",
            "[{prefx: C}]",
            (
                "8:27: match.Severity.Label: unknown operator `prefx`; did you mean "
                "`prefix`? There is: "
                "anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix, wildcard"
            ),
        ),
        (
            "[CRITICAL]",
            "[{numeric: ['>', '1']}]",
            (
                '8:36: match.Severity.Label: `numeric` takes a comparison as [">", 0] or '
                "a range as "
                '[">=", 0, "<", 10]'
            ),
        ),
        (
            "      Severity",
            "      RecordState: [ACTIVE]\n      Severity",
            (
                "8:7: `RecordState` cannot be matched: the rules do it (live findings act, others "
                "close)"
            ),
        ),
        (
            "id: TellThem",
            "id: Tell-Them",
            "10:23: `id` must be 1 to 20 letters and digits, not `Tell-Them`",
        ),
        (
            "name: Tell them",
            "name: Tell them all about it",
            "10:39: `name` has 22 characters; at most 20",
        ),
        (
            "uses: notify",
            "uses: notfy",
            (
                "16:11: unknown action `notfy`; did you mean `notify`? There is: "
                "finding.update, notify, "
                "ticket.open, vision_one.check_coverage"
            ),
        ),
        (
            "{to: chat, ",
            "{too: chat, ",
            "18:12: unknown key in notify: `too`; did you mean `to`? There is: template, to",
        ),
        (
            "{to: chat, ",
            "{to: chatt, ",
            (
                "18:16: unknown connection in `to`: `chatt`; did you mean `chat`? There is: chat, "
                "tickets"
            ),
        ),
        (
            "{to: chat, ",
            "{to: tickets, ",
            (
                "18:16: connection `tickets` is of type opscenter; `to` of notify takes slack, "
                "slack_webhook, sns"
            ),
        ),
        (
            "{to: chat, ",
            "{to: '{{ params.urgency }}', ",
            (
                "18:16: `to` names a connection or a route, never an expression: routes in "
                "connections.yaml choose by expression"
            ),
        ),
        (
            "chat, template: note.md.j2",
            "chat, template: notes.md.j2",
            (
                "18:32: there is no template `notes.md.j2` in "
                "playbooks/tell-them/templates; did you "
                "mean `note.md.j2`?"
            ),
        ),
        (
            "if: ticket.opened",
            "if: ticket.open",
            (
                "17:9: unknown result `ticket.open`; did you mean `ticket.opened`? There is: "
                "ticket.detail, ticket.id, ticket.opened, ticket.status, ticket.url"
            ),
        ),
        (
            "if: ticket.opened",
            "if: tell.sent",
            (
                "17:9: 'tell.sent' uses tell; there is finding, incident, now, open, "
                "params, playbook, seen, table, tag, "
                "ticket, trigger"
            ),
        ),
        (
            "if: ticket.opened",
            "if: '{{ ticket.opened }}'",
            "17:9: `if` is a bare expression: leave {{ }} away",
        ),
        (
            "if: ticket.opened",
            "on_error: stopp",
            (
                "17:15: unknown value of `on_error`: `stopp`; did you mean `stop`? There "
                "is: continue, "
                "retry, stop"
            ),
        ),
        ("id: tell\n", "id: ticket\n", "15:9: two steps are `ticket`: give one another `id`"),
        ("id: tell\n", "id: incident\n", "15:9: `incident` is a variable; name the step otherwise"),
        (
            "steps:",
            "group_by: [finding.account.id, incident.key]\nsteps:",
            ("11:32: 'incident.key' uses incident; there is finding, now, open, params, "
             "seen, table, tag, trigger"),
        ),
        (
            "uses: ticket.open\n    with: {in: tickets,",
            "uses: ticket.open\n    with: {in: tickets, labels: one,",
            "14:33: `labels`: expected `array`, got `str`",
        ),
        (
            "steps:",
            "runbook: http://wiki.example\nsteps:",
            "11:10: `runbook` must be an https:// address, not `http://wiki.example`",
        ),
    ],
)
def test_a_broken_playbook_is_refused_with_its_place_and_a_hint(
    project, old: str, new: str, message: str
) -> None:
    project.replace(old, new)
    assert f"{FILE}:{message}" in _errors(project.root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{type: sns}",
            "{type: snss}",
            ("2:16: unknown type of connection: `snss`; did you mean `sns`? There is: jira, "
            "opscenter, slack, slack_webhook, sns, vision_one"),
        ),
        (
            "{type: sns}",
            "{type: slack, chanel: C0123456789}",
            ("2:23: unknown key in connection chat (slack): `chanel`; did you mean "
             "`channel`? There "
            "is: base_url, channel"),
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
            ("5:13: 'params.x' uses params; there is finding, incident, now, open, "
             "playbook, seen, table, tag, trigger"),
        ),
    ],
)  # fmt: skip
def test_broken_connections_are_refused(project, old: str, new: str, message: str) -> None:
    project.replace(old, new, CONNECTIONS)
    assert f"{CONNECTIONS}:{message}" in _errors(project.root)


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
        ("playbooks/settings.yaml:3:11: `accounts` lists at least one account; leave it "
         "away for all"),
        "playbooks/settings.yaml:4:12: `home_only` must be true or false, not a number",
        ("playbooks/settings.yaml:5:14: `member_role` must be a role's name, without its "
         "path, not `a/b`"),
        ("playbooks/settings.yaml:6:13: unknown playbook `tell-then`; did you mean "
         "`tell-them`? There is: tell-them"),
        "playbooks/settings.yaml:6:31: unknown value of `mode`: `watch`. There is: live, observe",
        "playbooks/settings.yaml:7:29: `hours` must be hours as 09:00-18:00, in quotes, not `9-18`",
        ("playbooks/settings.yaml:7:53: unknown weekday `Tues`; did you mean `Tue`? There "
         "is: Fri, Mon, Sat, Sun, Thu, Tue, Wed"),
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
            "playbooks/tell-us/playbook.yaml: custom action TellThem is tell-them's "
            "already: choose "
            "another id"
        )
    ]


def test_a_long_folder_name_is_refused(project) -> None:
    name = "a-name-of-21-letters-x"
    text = (project.root / FILE).read_text(encoding="utf-8")
    project.write(f"playbooks/{name}/playbook.yaml", text.replace("tell-them", name))
    assert any(f"`{name}` is no name" in error for error in _errors(project.root))


def test_a_pattern_that_eventbridge_would_not_take_is_refused(project) -> None:
    project.replace("[CRITICAL]", str([f"LABEL-{n}" for n in range(200)]))
    (imported, lifecycle) = _errors(project.root)
    assert "6:3: the imported rule's pattern has" in imported
    assert "characters; at most 2048: match less" in lifecycle


def test_a_template_that_reads_what_no_step_gives_is_refused(project) -> None:
    project.write("playbooks/tell-them/templates/note.ja.md.j2", "# {{ coverage.verdict }}\n")
    assert any(
        error.startswith("playbooks/tell-them/templates/note.ja.md.j2: unknown name `coverage`")
        for error in _errors(project.root)
    )


def test_an_unknown_stage_name_and_no_playbook_are_said(project, tmp_path: Path) -> None:
    assert _errors(project.root, "../x") == ["--stage: `../x` is no stage's name"]
    (tmp_path / "empty" / "playbooks").mkdir(parents=True)
    assert _errors(tmp_path / "empty") == ["playbooks: holds no playbook: NAME/playbook.yaml"]
