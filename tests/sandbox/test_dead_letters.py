"""A message that kills its runs: soon in the dead-letter queue, and once more from there."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from hub_toolkit.cli import application
from live import ACTION, SPEED, Live

SOON_S = 8 * 60
STEP_S = 5


def dlq(live: Live, *words: str) -> Any:
    """A command on the sandbox's letters, as programs run it."""
    args = ["dlq", *words, "--json", "--endpoint", live.endpoint, "--stage", "sandbox"]
    result = CliRunner().invoke(application(), args)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def letters(live: Live, finding: dict[str, Any]) -> list[dict[str, Any]]:
    """The letters that name a finding."""
    found = dlq(live, "list")["letters"]
    return [letter for letter in found if finding["Id"] in letter["findings"]]


def test_a_poisonous_message_is_a_letter_in_under_8_minutes_and_is_handled_once_redriven(
    live: Live,
) -> None:
    finding = live.finding(live.instance(), Severity={"Label": "MEDIUM"})  # by clicks only
    live.imported(finding)
    live.control("POST", "clock", {"speed": 1})
    live.fault(target="lambda", kill="before_effect", times=5)
    begun = live.control("GET", "clock")["now"]
    live.control("POST", "click", {"action_id": ACTION, "finding_ids": [finding["Id"]]})
    while finding["Id"] not in json.dumps(live.control("GET", "dlq")):
        now = live.control("POST", "clock", {"advance_s": STEP_S})["now"]
        assert now - begun < SOON_S
    live.control("POST", "clock", {"speed": SPEED})
    assert live.control("GET", "faults") == []
    (letter,) = letters(live, finding)
    assert letter["reason"] == "5 runs in a row died of it"
    assert (letter["playbook"], letter["trigger"]) == ("inspector-coverage", "custom_action")
    (done,) = dlq(live, "redrive", letter["id"], "--why", "the cause is mended")["letters"]
    assert done["status"] == "redriven"
    live.settle()
    assert live.held(finding)["Note"]["Text"].startswith("UNPROTECTED")
    assert letters(live, finding) == []
    (record,) = live.records(finding, "redriven")
    assert record["why"] == "the cause is mended"
    assert record["actor"].startswith("arn:aws:sts::")
