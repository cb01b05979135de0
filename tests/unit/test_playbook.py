"""Reading a compiled playbook, in a Lambda."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import factories
from hub_responder.errors import ConfigurationError
from hub_responder.playbook import Route, Step, Wait, load


def test_a_playbook_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = factories.playbook(
        steps=(Step("a", "notify", {"to": "chat"}, "x.y", "continue", ("x",)),),
        wait=Wait(1, 2),
        routes={"r": Route("finding.id", {"a": "chat"}, "ops")},
        language="ja",
    )
    (tmp_path / "playbook.json").write_bytes(msgspec.json.encode(written))
    assert load(tmp_path) == written


def test_a_step_is_spelt_in_the_file_as_people_spell_it(tmp_path: Path) -> None:
    content = msgspec.json.encode(factories.playbook(steps=(Step("a", "b", {"c": 1}, "d"),)))
    assert b'{"id":"a","uses":"b","with":{"c":1},"if":"d"}' in content


def test_a_missing_layer_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="attach the playbook's layer"):
        load(tmp_path / "nowhere")
    (tmp_path / "playbook.json").mkdir()
    with pytest.raises(ConfigurationError, match="there is no "):
        load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"name": "\xff"}',
        b"[" * 100_000,
        msgspec.json.encode(factories.playbook()).replace(b'"version"', b'"verzion"'),
        msgspec.json.encode(factories.playbook()).replace(b'"steps":[', b'"steps":[7,'),
    ],
)
def test_what_is_no_compiled_playbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "playbook.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match="build` again"):
        load(tmp_path)


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "playbook.json").write_bytes(content)
    with pytest.raises(ConfigurationError):
        load(tmp_path)
