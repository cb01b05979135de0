"""What a Lambda gets of a playbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_responder import playbook as compiled
from hub_responder.playbook import Playbook
from hub_toolkit.playbooks.compile import compile_playbook, write
from hub_toolkit.playbooks.load import load_project

if TYPE_CHECKING:
    from pathlib import Path

ROUTES = """\
connections:
  chat: {type: sns}
  unused: {type: slack_webhook}
  tickets: {type: opscenter}
routes:
  people: {by: finding.account.id, to: {"111122223333": unused}, default: chat}
"""


def _compiled(root: Path, stage: str = "prod", **rest: Any) -> Playbook:
    loaded = load_project(root, stage)
    (source,) = loaded.sources
    return compile_playbook(source, loaded, "abc", **rest)


def test_durations_become_seconds_and_needs_come_from_expressions_and_templates(project) -> None:
    project.replace("steps:", "wait: {first: 30s, then: 1m}\nquiet: 2d\nsteps:")
    project.replace("    if: ticket.opened\n", "")
    assert _compiled(project.root).steps[1].needs == ()
    project.write("playbooks/tell-them/templates/note.ja.md.j2", "# {{ incident.key }}\n")
    project.write("playbooks/tell-them/templates/tell.md.j2", "# {{ ticket.url }}\n")
    project.replace("{to: chat, template: note.md.j2}", "{to: chat, template: tell.md.j2}")
    made = _compiled(project.root)
    assert made.params == {"urgency": "high", "age": 129600.0}
    assert (made.wait.first, made.wait.then, made.quiet) == (30.0, 60.0, 172800.0)
    assert [step.needs for step in made.steps] == [(), ("ticket",)]
    assert made.resource_types == ("AwsEc2Instance",)
    assert (made.owner, made.commit) == ("us", "abc")


def test_only_the_connections_that_steps_reach_go_along(project) -> None:
    project.write("playbooks/connections.yaml", ROUTES)
    project.replace("to: chat", "to: people")
    made = _compiled(project.root)
    assert sorted(made.connections) == ["chat", "tickets", "unused"]
    assert made.routes["people"].to == {"111122223333": "unused"}
    project.replace("to: people", "to: chat")
    made = _compiled(project.root)
    assert sorted(made.connections) == ["chat", "tickets"]
    assert made.routes == {}


CHOSEN = """\
connections:
  chat:
    type: slack
    channel: "{{ table.owners[tag('Owner')] }}"
    allow: [C0123456789]
    fallback: second
  second: {type: slack, channel: "{{ 'C0123456789' if open('day') else '' }}", allow: [C0123456789]}
  tickets: {type: opscenter}
"""


def test_what_a_connections_template_reads_goes_along(project) -> None:
    project.write("playbooks/settings.yaml", "calendars: {day: {hours: '09:00-18:00'}}\n")
    project.write("playbooks/tables/owners.yaml", "pay: C0123456789\n")
    assert _compiled(project.root).functions == ()
    project.write("playbooks/connections.yaml", CHOSEN)
    made = _compiled(project.root)
    assert made.functions == ("open", "tag")
    assert made.tables == {"owners": {"pay": "C0123456789"}}
    assert list(made.calendars) == ["day"]
    assert made.connections["chat"]["allow"] == ["C0123456789"]


LINKED = """\
connections:
  chat: {type: sns}
  tickets: {type: opscenter}
  vision-one: {type: vision_one, workload_security: workload}
  workload: {type: workload_security, region: jp-1}
  other: {type: workload_security}
"""


def test_the_connection_that_one_is_linked_to_goes_along(project) -> None:
    project.write("playbooks/connections.yaml", LINKED)
    project.replace("steps:", "steps:\n  - {id: coverage, uses: vision_one.check_coverage}")
    connections = _compiled(project.root).connections
    assert sorted(connections) == ["chat", "tickets", "vision-one", "workload"]
    assert connections["workload"] == {"type": "workload_security", "region": "jp-1"}


def test_a_stage_lays_its_connections_and_settings_over_by_name(project) -> None:
    project.write(
        "playbooks/connections.test.yaml",
        "connections:\n  hook: {type: slack_webhook}\n"
        "routes:\n  chat: {by: finding.region, to: {}, default: hook}\n",
    )
    project.write("playbooks/settings.test.yaml", "language: ja\ntimezone: Asia/Tokyo\n")
    made = _compiled(project.root, "test")
    assert made.connections == {"hook": {"type": "slack_webhook"}, "tickets": {"type": "opscenter"}}
    assert list(made.routes) == ["chat"]
    assert (made.language, made.timezone, made.owner) == ("ja", "Asia/Tokyo", "us")
    assert _compiled(project.root, "prod").connections["chat"] == {"type": "sns"}


def test_the_version_changes_with_content_and_nothing_else(project) -> None:
    first = _compiled(project.root)
    assert len(first.version) == 12
    assert _compiled(project.root) == first
    moved = _compiled(project.root, rewrite=lambda name, values: {**values, "at": name})
    assert moved.version == first.version
    assert moved.connections["chat"] == {"type": "sns", "at": "chat"}
    versions = {first.version}
    project.replace("#", "##", "playbooks/tell-them/templates/note.md.j2")
    versions.add(_compiled(project.root).version)
    project.replace("high", "low")
    versions.add(_compiled(project.root).version)
    project.replace("{type: sns}", "{type: slack_webhook}", "playbooks/connections.yaml")
    versions.add(_compiled(project.root).version)
    assert len(versions) == 4


def test_what_is_written_is_what_lambda_loads_and_is_the_same_every_time(
    project, tmp_path: Path
) -> None:
    loaded = load_project(project.root, "prod")
    (source,) = loaded.sources
    made = compile_playbook(source, loaded, "abc")
    target = tmp_path / "layer"
    (target / "templates").mkdir(parents=True)
    (target / "templates" / "old.md.j2").write_text("old")
    write(made, source, target)
    first = (target / "playbook.json").read_bytes()
    assert compiled.load(target) == made
    assert [path.name for path in (target / "templates").iterdir()] == ["note.md.j2"]
    write(made, source, target)
    assert (target / "playbook.json").read_bytes() == first


def test_a_template_of_each_language_goes_along(project, tmp_path: Path) -> None:
    project.write("playbooks/tell-them/templates/note.ja.md.j2", "# 日本語\n")
    project.write("playbooks/tell-them/templates/other.md.j2", "# not used\n")
    (source,) = load_project(project.root, "prod").sources
    assert sorted(source.templates) == ["note.ja.md.j2", "note.md.j2"]


def test_a_step_without_id_is_called_after_its_action(project) -> None:
    project.replace("  - id: tell\n    uses: notify\n    if: ticket.opened", "  - uses: notify")
    assert [step.id for step in _compiled(project.root).steps] == ["ticket", "notify"]


def test_without_imports_the_resources_that_the_steps_are_about_count(project) -> None:
    match = """  imported:
    match:
      Severity: {Label: [CRITICAL]}
      Resources: {Type: [AwsEc2Instance]}
"""
    project.replace(match, "")
    assert _compiled(project.root).resource_types == ()
    project.replace("  - id: ticket\n", "  - {id: ec2, uses: enrich.ec2}\n  - id: ticket\n")
    assert _compiled(project.root).resource_types == ("AwsEc2Instance",)
    anything = "on:\n  imported: {match: {Severity: {Label: [CRITICAL]}}}\n"
    project.replace("on:\n", anything)
    assert _compiled(project.root).resource_types == ()
