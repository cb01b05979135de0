"""``message preview`` over this repository's own playbooks."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub_toolkit.cli import application

ROOT = Path(__file__).parents[4]
EVENT = "inspector-critical-ec2-unprotected"
_VOID = {"meta", "br", "hr"}


class Outline(HTMLParser):
    """What a page is made of; an end without its beginning fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


class Previews:
    """The command."""

    def run(self, *words: object, root: Path = ROOT) -> tuple[int, str, str]:
        """Exit code, what it printed, and its errors."""
        command = ["message", "preview", *map(str, words), "--root", str(root)]
        result = CliRunner(env={"COLUMNS": "200"}).invoke(application(), command)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    def told(self, *words: object) -> list[dict[str, Any]]:
        """What it prints as JSON, of a preview that goes well."""
        code, said, errors = self.run("inspector-coverage", *words, "--json")
        assert code == 0, said + errors
        told: list[dict[str, Any]] = json.loads(said)
        return told


@pytest.fixture
def previews() -> Previews:
    return Previews()
