"""A project of connections, AWS and a vendor on loopback, and the command over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application
from loopback import Cloud, Loopback, Reply, Request

PLAYBOOK = """\
format: 1
name: watch
summary: For tests
on:
  custom_action: {id: Watch, name: Watch, description: Look at it}
steps:
  - {uses: finding.update, with: {note: Seen}}
"""


@dataclass
class Checks:
    """The command ``connections check``.

    ``answers`` are the vendor's by path; a path that there is none for gets 404.
    """

    root: Path
    cloud: Cloud
    vendor: Loopback
    answers: dict[str, Reply] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.vendor.answer = self._answer

    def _answer(self, request: Request) -> Reply:
        return self.answers.get(request.path, Reply(404, {"message": "Not Found"}))

    def connections(self, **held: dict[str, Any]) -> None:
        """Write connections.yaml; JSON is YAML."""
        folder = self.root / "playbooks"
        (folder / "watch").mkdir(parents=True, exist_ok=True)
        (folder / "watch" / "playbook.yaml").write_text(PLAYBOOK, encoding="utf-8")
        (folder / "settings.yaml").write_text("language: en\n", encoding="utf-8")
        text = json.dumps({"connections": held})
        (folder / "connections.yaml").write_text(text, encoding="utf-8")

    def secret(self, name: str, value: Any) -> None:
        """What Secrets Manager holds for a connection."""
        self.cloud.secrets[f"hub-responder/prod/{name}"] = value

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, what was printed, and errors."""
        command = ["connections", "check", *words, "--endpoint", self.cloud.url]
        runner = CliRunner(env={"COLUMNS": "300"})
        result = runner.invoke(application(), [*command, "--root", str(self.root)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    def told(self, *words: str) -> dict[str, list[tuple[str, str, str]]]:
        """By connection: what, state, and what was said with what to do."""
        code, said, errors = self.run(*words, "--json")
        assert code in (0, 1), errors
        told = {
            one["name"]: [
                (each["what"], each["state"], f"{each['said']} → {each['do']}")
                for each in one["told"]
            ]
            for one in json.loads(said)
        }
        failed = any(state == "failed" for some in told.values() for _, state, _ in some)
        assert code == int(failed)
        return told

    def last(self, name: str, *words: str) -> tuple[str, str, str]:
        """The last that is told of a connection and was tried."""
        return [one for one in self.told(name, *words)[name] if one[1] != "skipped"][-1]


@pytest.fixture
def checks(tmp_path: Path) -> Iterator[Checks]:
    cloud, vendor = Cloud(), Loopback()
    yield Checks(tmp_path, cloud, vendor)
    cloud.close()
    vendor.close()
