"""``hub-responder playbook actions``: the declarations, as text and as data."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hub_responder import actions
from hub_toolkit.cli import application
from hub_toolkit.synth import actions_doc

PAGE = actions_doc.render()
"""What `hub-responder synth` writes to docs/actions.md."""


def _run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["playbook", "actions", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_all_of_it_is_what_the_docs_page_says() -> None:
    code, said, _ = _run()
    assert code == 0
    mark, _, page = PAGE.partition("\n")
    assert mark.startswith("<!-- Written by `hub-responder synth`")
    assert said == page


@pytest.mark.parametrize("name", actions.names())
def test_one_action_is_its_part_of_that_page(name: str) -> None:
    code, said, _ = _run(name)
    assert code == 0
    assert said.startswith(f"## {name}\n")
    assert said.count("\n## ") == 0
    assert said in PAGE


def test_programs_get_parameters_results_permissions_and_example() -> None:
    code, said, _ = _run("notify", "--json")
    assert code == 0
    (told,) = json.loads(said)
    assert told["name"] == "notify"
    assert [(one["name"], one["required"]) for one in told["parameters"]] == [
        ("to", True),
        ("template", True),
    ]
    assert {"name": "sent", "type": "true or false"} in told["results"]
    assert {"connection": "sns", "actions": ["dynamodb:UpdateItem", "sns:Publish"]} in told[
        "permissions"
    ]
    assert "uses: notify" in told["example"]


def test_all_actions_are_told_to_programs_by_name() -> None:
    told = json.loads(_run("--json")[1])
    assert [one["name"] for one in told] == sorted(actions.names())


def test_an_unknown_action_is_exit_2_with_the_nearest_name() -> None:
    code, said, wrong = _run("notfy")
    assert (code, said) == (2, "")
    assert "unknown action `notfy`; did you mean `notify`?" in wrong
