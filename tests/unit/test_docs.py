"""The documents say what is there: links, commands, routes, keys and examples."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from documents import files
from hub_responder import actions
from hub_responder.connections.settings import Channel, HttpChannel, Tracker
from hub_responder.workload_security.shields import State
from hub_toolkit.cli import application
from hub_toolkit.playbooks import format as playbook_format
from hub_toolkit.playbooks import settings
from hub_toolkit.playbooks.connection_types import TYPES
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.problems import PlaybookErrors
from hub_toolkit.sandbox import routes

ROOT = Path(__file__).parents[2]
DOCS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
GUIDE = ROOT / "docs" / "writing-playbooks.md"
SHIELDING = ROOT / "docs" / "shielding.md"

_FENCE = re.compile(r"^( *)```([a-z0-9]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def every_doc() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.relative_to(ROOT).as_posix())


def fences(text: str, *languages: str) -> Iterator[str]:
    for indent, language, body in _FENCE.findall(text):
        if language in languages:
            yield re.sub(f"^{indent}", "", body, flags=re.MULTILINE)


def prose(text: str) -> str:
    return _FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """What a heading can be linked by, as GitHub makes it."""
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(text)))
    return {title.strip().replace(" ", "-") for title in plain}


def code_lines(text: str) -> Iterator[str]:
    """Commands: the lines of shell fences, and code within a line."""
    for body in fences(text, "sh", "bash", "console", ""):
        yield from body.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", prose(text))


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of the first table's body."""
    found = re.search(r"^\|[-:| ]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, "no table"
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in found[1].splitlines()
    ]


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@every_doc()
def test_every_relative_link_leads_to_a_file_and_a_heading(doc: Path) -> None:
    for target in _LINK.findall(prose(doc.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (doc.parent / name).resolve() if name else doc
        assert path.exists(), f"{target}: there is no such file"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{target}: no such heading"


@every_doc()
def test_every_make_target_exists(doc: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for line in code_lines(doc.read_text(encoding="utf-8")):
        for asked in re.findall(r"(?:^|&& |; )make ([^;&#`|]+)", line):
            named = {word for word in asked.split() if re.fullmatch(r"[a-z][a-z-]*", word)}
            assert named <= targets, f"make {asked}"


@every_doc()
def test_every_command_and_option_of_ours_exists(doc: Path) -> None:
    for line in code_lines(doc.read_text(encoding="utf-8")):
        for asked in re.findall(r"(?:^|[\s/])hub-responder ([^;&#|`)]+)", line):
            _assert_command(asked)


def _assert_command(asked: str) -> None:
    command: Any = typer.main.get_command(application())
    words = [word.strip("[],.") for word in shlex.split(asked)]
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"hub-responder {asked}: no command {name}"
        command = command.commands[name]
    options = {option for one in command.params for option in one.opts} | {"--help"}
    wanted = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert wanted <= options, f"hub-responder {asked}: no {wanted - options}"


@every_doc()
def test_every_control_route_exists(doc: Path) -> None:
    nothing: Any = SimpleNamespace(vision_ones=[], workload_securities=[], faults=None)
    served = {path for _, path in routes.table(nothing)}
    for route in re.findall(r"/_sandbox(/[a-z0-9_]+(?:/[a-z0-9_]+)?)", doc.read_text("utf-8")):
        assert route in served, f"/_sandbox{route}"


@every_doc()
def test_every_file_of_the_project_that_is_named_exists(doc: Path) -> None:
    named = re.compile(r"(?:functions|toolkit|tests|playbooks|events|docs)/[\w./-]*\w")
    text = doc.read_text(encoding="utf-8")
    own = files(GUIDE.read_text(encoding="utf-8") + text)
    for code in codes(prose(text)):
        if named.fullmatch(code) and not re.search(r"[A-Z]{3}", code) and code not in own:
            assert (ROOT / code).exists(), code


@every_doc()
def test_every_json_and_yaml_example_parses(doc: Path) -> None:
    text = doc.read_text(encoding="utf-8")
    for example in fences(text, "json"):
        json.loads(example)
    for example in fences(text, "yaml"):
        YAML(typ="safe", pure=True).load(example)


# shielding.md


def test_the_playbooks_that_shield_and_isolate_are_right_and_pass_their_cases(
    tmp_path: Path,
) -> None:
    text = SHIELDING.read_text(encoding="utf-8")
    for folder in ("playbooks", "events"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    yaml = YAML(typ="safe", pure=True)
    file = tmp_path / "playbooks" / "connections.yaml"
    connections = yaml.load(file.read_text(encoding="utf-8"))
    connections["connections"] |= yaml.load(next(fences(text, "yaml")))["connections"]
    file.write_text(json.dumps(connections), encoding="utf-8")  # JSON is YAML
    held = files(text)
    for path, content in held.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    names = [Path(path).parent.name for path in held if path.endswith("/playbook.yaml")]
    assert names == ["shield-instance", "isolate-instance"]
    for asked in (["check", "--stage", ""], ["check", "--stage", "sandbox"], ["test"]):
        words = ["playbook", asked[0], *names, *asked[1:], "--root", str(tmp_path)]
        result = CliRunner().invoke(application(), words)
        assert result.exit_code == 0, result.output
        assert asked[0] != "check" or "0 errors, 0 warnings" in result.output, result.output


def test_every_state_of_a_shield_is_told() -> None:
    text = SHIELDING.read_text(encoding="utf-8")
    told = [codes(row[0])[0] for row in rows(section(text, "Is a CVE shielded?"))]
    assert told == list(get_args(State))


# writing-playbooks.md


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Our playbooks with the guide's beside them."""
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    held = files(GUIDE.read_text(encoding="utf-8"))
    assert any(path.endswith("/playbook.yaml") for path in held)
    for path, text in held.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def _guide_playbook(project: Path) -> Path:
    ours = {path.parent.name for path in (ROOT / "playbooks").glob("*/playbook.yaml")}
    (added,) = (
        path for path in project.glob("playbooks/*/playbook.yaml") if path.parent.name not in ours
    )
    return added


def test_the_guides_playbook_compiles_in_every_stage(project: Path) -> None:
    name = _guide_playbook(project).parent.name
    for stage in ("", "prod", "sandbox"):
        assert name in {source.name for source in load_project(project, stage).sources}


def test_the_guides_mistakes_are_told_as_it_says(project: Path) -> None:
    path = _guide_playbook(project)
    right = path.read_text(encoding="utf-8")
    table = rows(section(GUIDE.read_text(encoding="utf-8"), "When something is wrong"))
    for good, bad, message in ([codes(cell)[0] for cell in row] for row in table):
        assert good in right, good
        path.write_text(right.replace(good, bad, 1), encoding="utf-8")
        with pytest.raises(PlaybookErrors) as caught:
            load_project(project, "")
        assert message.replace("~", "`") in str(caught.value), f"{bad}: {caught.value}"


def test_the_guide_names_every_key_and_no_other() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for title, keys in (("Keys", playbook_format.KEYS), ("Settings", settings.KEYS)):
        told = [code for row in rows(section(text, title)) for code in codes(row[0])]
        assert sorted(told) == sorted(keys), f"the table of {title} in docs/writing-playbooks.md"


def test_the_guide_names_every_type_of_connection_and_action() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    kinds = {code for row in rows(section(text, "Connections")) for code in codes(row[0])}
    assert kinds == set(TYPES), "the table of Connections in docs/writing-playbooks.md"
    steps = section(text, "Steps")
    untold = {name for name in actions.names() if f"`{name}`" not in steps}
    assert not untold, "the table of Steps in docs/writing-playbooks.md"


def test_the_guide_names_every_setting_of_a_connection() -> None:
    table = {
        codes(row[0])[0]: row for row in rows(section(GUIDE.read_text("utf-8"), "Connections"))
    }
    shared: dict[type[msgspec.Struct], set[str]] = {
        Channel: _names(HttpChannel),
        Tracker: _names(Tracker),
    }
    for kind, struct in TYPES.items():
        rest = _names(struct)
        for of, names in shared.items():
            rest -= names if issubclass(struct, of) else set()
        assert set(codes(table[kind][1])) >= rest, kind
    said = section(GUIDE.read_text("utf-8"), "Connections")
    messages, _, tickets = said.partition("All that take messages")[2].partition(
        "All that take tickets"
    )
    for told, names in ((messages, shared[Channel]), (tickets, shared[Tracker])):
        assert {codes(row[0])[0] for row in rows(told)} == names


def _names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}
