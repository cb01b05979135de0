"""What ships to Lambda is the lock's."""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from hub_toolkit.requirements import LOCK, RequirementsError, render

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", LOCK):
        shutil.copyfile(REPOSITORY / name, tmp_path / name)
    return tmp_path


def test_only_what_the_functions_need_ships_pinned_with_hashes(root: Path) -> None:
    text = render(root)
    pins = dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))
    assert {"boto3", "jinja2", "msgspec", "mistune", "requests", "botocore"} <= set(pins)
    assert not {"moto", "typer", "ruamel-yaml", "pytest", "colorama"} & set(pins)
    assert all(metadata.version(name) == version for name, version in pins.items())
    for block in text.split("\n\n")[-1].split("==")[1:]:
        assert "--hash=sha256:" in block


def test_what_writes_parquet_is_in_a_file_of_its_own_and_in_no_other(root: Path) -> None:
    pins = re.findall(r"^(\S+)==", render(root, "parquet"), re.MULTILINE)
    assert pins == ["duckdb"]
    assert "duckdb" not in render(root)


def test_a_lock_without_a_package_or_with_another_version_is_refused(root: Path) -> None:
    lock = root / LOCK
    text = lock.read_text(encoding="utf-8")
    lock.write_text(re.sub(r"(?m)^msgspec==\S+", "msgspec==0.0.1", text), encoding="utf-8")
    with pytest.raises(RequirementsError, match=r"msgspec .* is installed, .* has 0\.0\.1"):
        render(root)
    lock.write_text(re.sub(r"(?m)^msgspec==", "msgspeck==", text), encoding="utf-8")
    with pytest.raises(RequirementsError, match=r"requirements\.lock has no msgspec"):
        render(root)
