"""``actions.py`` as it is checked, compiled and granted; and what steps say of parameters."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from hub_responder.actions import own
from hub_toolkit.playbooks.compile import compile_playbook, write
from hub_toolkit.playbooks.load import load_project
from hub_toolkit.playbooks.own import SHIPPED
from hub_toolkit.playbooks.problems import PlaybookErrors
from hub_toolkit.synth import roles

REPOSITORY = Path(__file__).parents[4]
FILE = "playbooks/tell-them/actions.py"
CODE = """\
import msgspec

from hub_responder.actions.own import action


class Params(msgspec.Struct, forbid_unknown_fields=True):
    arn: str
    note: str = ""


class Desk(msgspec.Struct):
    floor: str


@action(
    "Finds the floor.",
    params=Params,
    result=Desk,
    constants=("arn",),
    permissions=lambda with_, _: [
        {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": [with_["arn"]]}
    ],
    in_members=True,
)
def desk(work, runtime):
    return Desk("3rd")
"""
STEPS = """\
steps:
  - {id: where, uses: own.desk, with: {arn: "arn:aws:dynamodb:x:1:table/desks"}}
"""


def errors(root: Path) -> list[str]:
    with pytest.raises(PlaybookErrors) as caught:
        load_project(root, "prod")
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def with_own(project):
    project.write(FILE, CODE)
    project.replace("steps:\n", STEPS)
    project.replace("if: ticket.opened", "if: where.floor == '3rd'")
    return project


def test_an_own_action_is_compiled_into_the_playbooks_folder(with_own, tmp_path: Path) -> None:
    project = load_project(with_own.root, "prod")
    (source,) = project.sources
    compiled = compile_playbook(source, project, "")
    write(compiled, source, tmp_path / "built")
    assert (tmp_path / "built" / "actions.py").read_text("utf-8") == CODE
    assert set(own.load(tmp_path / "built")) == {"own.desk"}
    with_own.write(FILE, CODE.replace("3rd", "4th"))
    changed = load_project(with_own.root, "prod")
    assert compile_playbook(changed.sources[0], changed, "").version != compiled.version


def test_a_file_that_no_step_uses_does_not_ship(project, tmp_path: Path) -> None:
    before = load_project(project.root, "prod")
    version = compile_playbook(before.sources[0], before, "").version
    project.write(FILE, CODE)
    after = load_project(project.root, "prod")
    compiled = compile_playbook(after.sources[0], after, "")
    write(compiled, after.sources[0], tmp_path / "built")
    assert not (tmp_path / "built" / "actions.py").exists()
    assert compiled.version == version


def test_the_role_gets_what_the_action_declares(with_own) -> None:
    with_own.write("playbooks/settings.yaml", "owner: us\nmember_role: look-up\n")
    project = load_project(with_own.root, "prod")
    (source,) = project.sources
    granted = roles.for_steps(source, project.connections)
    assert granted[0]["Resource"] == ["arn:aws:dynamodb:x:1:table/desks"]
    own_statements = roles.own(source, project.settings.member_role)
    assert any(one["Action"] == "sts:AssumeRole" for one in own_statements)


def test_another_playbook_does_not_see_it(with_own) -> None:
    text = (with_own.root / "playbooks/tell-them/playbook.yaml").read_text("utf-8")
    other = text.replace("name: tell-them", "name: others").replace("TellThem", "Others")
    with_own.write("playbooks/others/playbook.yaml", other)
    with_own.write("playbooks/others/templates/note.md.j2", "# x\n")
    (error, *_) = errors(with_own.root)
    assert error.startswith("playbooks/others/playbook.yaml:12:23: unknown action `own.desk`")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def f(:\n", f"{FILE}:1:7: is not Python: invalid syntax"),
        ("x = 1\ny = x / 0\n", f"{FILE}:2:1: ZeroDivisionError: division by zero"),
        ("import msgspec\nimport pandas\n", f"{FILE}:2:1: `pandas` does not ship to Lambda."),
        ("from hub_toolkit import build\n", f"{FILE}:1:1: `hub_toolkit` does not ship to Lambda."),
        ("from .others import x\n", f"{FILE}:1:1: `.` does not ship to Lambda."),
        ("x = 1\n", f"{FILE}: declares no action: put `@action(...)`"),
        ("x = 1\nraise SystemExit(3)\n", f"{FILE}:2:1: SystemExit: 3"),
        ("\0", f"{FILE}: is not Python: source code string cannot contain null bytes"),
        (
            CODE.replace('("arn",)', '("arm",)'),
            f"{FILE}:15:1: params of desk have no 'arm'",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(project, code: str, message: str) -> None:
    project.write(FILE, code)
    found = errors(project.root)
    assert [one for one in found if one.startswith(message)], found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("own.desk", "own.desck", "12:23: unknown action `own.desck`; did you mean `own.desk`?"),
        ("{arn: ", "{arm: ", "12:40: unknown key in own.desk: `arm`; did you mean `arn`?"),
        (
            '"arn:aws:dynamodb:x:1:table/desks"',
            '"{{ finding.region }}"',
            "12:45: `arn` takes no expression: the role's permissions are made from it",
        ),
        ("where.floor", "where.flor", "18:15: unknown result `where.flor`"),
    ],
)
def test_a_step_is_checked_against_it(with_own, old: str, new: str, message: str) -> None:
    with_own.replace(old, new)
    assert f"playbooks/tell-them/playbook.yaml:{message}" in "\n".join(errors(with_own.root))


def test_what_parameters_must_be_together_is_checked(project) -> None:
    step = (
        "  - {uses: finding.suppress, with: {reason: x, owner: me, days: 3, until: '2026-12-31'}}\n"
    )
    project.replace("steps:\n", "steps:\n" + step)
    (error,) = errors(project.root)
    assert error.endswith("finding.suppress: give one of until (a date) and days")
    project.replace(", until: '2026-12-31'", "")
    load_project(project.root, "prod")
    project.replace("reason: x", 'reason: "{{ finding.title }}"')
    load_project(project.root, "prod")


def test_all_that_ships_can_be_imported() -> None:
    lines = (REPOSITORY / "functions/requirements.txt").read_text("utf-8").splitlines()
    shipped = {line.split("==")[0].strip().lower() for line in lines if "==" in line}
    tops = {
        top
        for top, names in metadata.packages_distributions().items()
        if any(name.lower() in shipped for name in names) and top.isidentifier()
    }
    assert {top for top in tops if not top.startswith("_")} <= SHIPPED
    assert tops >= {"boto3", "msgspec", "requests"}
