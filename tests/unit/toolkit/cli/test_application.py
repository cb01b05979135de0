from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["run"],
        ["sandbox"],
        ["sandbox", "up"],
        ["sandbox", "vision-one"],
        ["coverage"],
        ["inventory"],
        ["inventory", "report"],
        ["dlq"],
        ["dlq", "list"],
        ["dlq", "redrive"],
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = CliRunner().invoke(application(), [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    "command", [["run"], ["nothing"], ["sandbox", "up", "--port", "x"], ["coverage"]]
)
def test_wrong_usage_is_exit_2(command: list[str]) -> None:
    assert CliRunner().invoke(application(), command).exit_code == 2


def test_help_imports_nothing_slow() -> None:
    code = (
        "import sys; from hub_toolkit.cli import application; application();"
        "slow = {'boto3', 'duckdb', 'moto', 'requests', 'waitress', 'jinja2'};"
        "print(slow & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
