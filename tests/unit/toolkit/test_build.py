"""What `hub-responder build` makes, with a wheel of our own in place of the registry."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import msgspec
import pytest

from hub_responder import playbook
from hub_responder.inventory.plan import Plan, load
from hub_toolkit import build as builder
from hub_toolkit.build import BuildError, build, commit
from hub_toolkit.playbooks.problems import PlaybookErrors

REPOSITORY = Path(__file__).parents[3]


def _wheel(folder: Path) -> str:
    """A requirement with its hash for a wheel that is made in ``folder``."""
    files = {
        "tiny.py": b"VALUE = 1\n",
        "tiny-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any",
    }
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files["tiny-1.0.dist-info/RECORD"] = f"{record}tiny-1.0.dist-info/RECORD,,\n".encode()
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"tiny @ {path.as_uri()} --hash=sha256:{digest}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the shipped playbooks, a package of one module, and one requirement."""
    shutil.copytree(REPOSITORY / "playbooks", tmp_path / "playbooks")
    package = tmp_path / "functions" / "hub_responder"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "x.pyc").write_bytes(b"")
    (package / "__init__.py").write_text("ONE = 1\n", encoding="utf-8")
    for name in ("requirements.txt", "requirements-parquet.txt"):
        (tmp_path / "functions" / name).write_text(_wheel(tmp_path), encoding="utf-8")
    return tmp_path


def test_functions_hold_the_package_and_what_it_needs_and_nothing_compiled(root: Path) -> None:
    built = build(root, "prod")
    functions = root / "build" / "functions"
    assert (functions / "tiny.py").is_file()
    assert (functions / "hub_responder" / "__init__.py").read_text() == "ONE = 1\n"
    assert not list(functions.rglob("*.pyc"))
    assert built.dependencies
    assert built.code
    assert built.size > 0


def test_what_has_not_changed_is_not_made_again(root: Path) -> None:
    build(root, "prod")
    again = build(root, "prod")
    assert (again.dependencies, again.code) == (False, False)
    (root / "functions" / "hub_responder" / "new.py").write_text("TWO = 2\n", encoding="utf-8")
    changed = build(root, "prod")
    assert (changed.dependencies, changed.code) == (False, True)
    assert (root / "build" / "functions" / "hub_responder" / "new.py").is_file()
    (root / "functions" / "hub_responder" / "new.py").unlink()
    build(root, "prod")
    assert not (root / "build" / "functions" / "hub_responder" / "new.py").exists()


def test_each_playbook_is_a_layer_and_one_that_is_gone_goes(root: Path) -> None:
    (root / "build" / "playbooks" / "old").mkdir(parents=True)
    built = build(root, "prod")
    layers = root / "build" / "playbooks"
    shipped = {path.parent.name for path in (root / "playbooks").glob("*/playbook.yaml")}
    assert {path.name for path in layers.iterdir()} == shipped == set(built.playbooks)
    loaded = playbook.load(layers / "inspector-coverage")
    assert loaded.version == built.playbooks["inspector-coverage"]


def test_the_walk_of_the_fleet_has_its_plan_and_what_writes_parquet(root: Path) -> None:
    (root / "playbooks" / "settings.live.yaml").write_text(
        'accounts: ["444455556666"]\nregions: [us-east-1, eu-central-1]\nmember_role: look\n',
        encoding="utf-8",
    )
    built = build(root, "live")
    planned = load(root / "build" / "inventory")
    watching = {watch.playbook for watch in planned.watches}
    assert watching == {"guardduty-instance", "inspector-coverage"}
    assert msgspec.structs.replace(planned, watches=()) == Plan(
        connections={"vision-one": {"type": "vision_one", "region": "us"}},
        accounts=("444455556666",),
        regions=("us-east-1", "eu-central-1"),
        member_role="look",
    )
    layer = root / "build" / "layers" / "parquet"
    assert (layer / "python" / "tiny.py").is_file()
    assert built.largest > built.size
    stamp = (layer / "python" / "tiny.py").stat().st_ino
    build(root, "live")
    assert (layer / "python" / "tiny.py").stat().st_ino == stamp


ASKING = ("check-coverage", "guardduty-instance", "inspector-coverage", "unprotected-report")


def test_nobody_walks_where_no_playbook_asks(root: Path) -> None:
    build(root, "prod")
    for name in ASKING:
        shutil.rmtree(root / "playbooks" / name)
    built = build(root, "prod")
    assert not (root / "build" / "inventory").exists()
    assert built.largest > built.size  # the archive writes Parquet, whoever asks


def test_a_stage_that_disables_who_asks_has_nothing_to_walk(root: Path) -> None:
    """The template is every stage's, so the layers that it names must be there."""
    lines = [f"  {name}: {{enabled: false}}\n" for name in ASKING]
    text = "".join(["playbooks:\n", *lines])
    (root / "playbooks" / "settings.off.yaml").write_text(text, encoding="utf-8")
    build(root, "off")
    assert load(root / "build" / "inventory") == Plan()
    assert (root / "build" / "layers" / "parquet" / "python").is_dir()


def test_what_lambda_would_not_take_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "MAX_UNZIPPED", 100)
    with pytest.raises(BuildError, match="with its layers, unzipped; Lambda takes"):
        build(root, "prod")


def test_a_wheel_that_is_not_the_pinned_one_is_refused_and_nothing_is_left(root: Path) -> None:
    path = root / "functions" / "requirements.txt"
    text = path.read_text(encoding="utf-8").rstrip()
    path.write_text(text[:-4] + "0000\n", encoding="utf-8")
    with pytest.raises(BuildError, match="DO NOT MATCH THE HASHES"):
        build(root, "prod")
    assert not (root / "build" / "functions.new").exists()
    assert not (root / "build" / "functions").exists()


def test_a_requirement_without_a_hash_is_refused(root: Path) -> None:
    path = root / "functions" / "requirements.txt"
    path.write_text(path.read_text(encoding="utf-8").split(" --hash")[0], encoding="utf-8")
    with pytest.raises(BuildError, match="Hashes are required"):
        build(root, "prod")


def test_nothing_is_made_of_playbooks_that_are_wrong(root: Path) -> None:
    (root / "playbooks" / "settings.yaml").write_text("timezone: nowhere\n", encoding="utf-8")
    with pytest.raises(PlaybookErrors):
        build(root, "prod")
    assert not (root / "build").exists()


def test_missing_requirements_name_the_command_that_writes_them(root: Path) -> None:
    (root / "functions" / "requirements.txt").unlink()
    with pytest.raises(BuildError, match="run `hub-responder synth`"):
        build(root, "prod")


def test_the_commit_is_the_checked_out_one_and_says_when_files_differ(tmp_path: Path) -> None:
    assert commit(tmp_path) == ""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    (tmp_path / "a").write_text("1", encoding="utf-8")
    for command in (["init", "-q"], ["add", "a"], [*identity, "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    clean = commit(tmp_path)
    assert len(clean) == 12
    (tmp_path / "a").write_text("2", encoding="utf-8")
    assert commit(tmp_path) == f"{clean}-dirty"


def test_the_sandboxs_stage_is_not_built(root: Path) -> None:
    with pytest.raises(BuildError, match="never deployed"):
        build(root, "sandbox")
    assert not (root / "build").exists()
