"""A playbook's own actions: what a function becomes, and that its bugs stay its own."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from factories import finding, incident, resource, runtime, work
from hub_responder import actions
from hub_responder.actions import own
from hub_responder.actions.base import Action, Outcome
from hub_responder.actions.own import Nothing, action
from hub_responder.errors import ConfigurationError, TransientError

FILE = '''\
"""Where machines stand."""

from __future__ import annotations

import msgspec

from hub_responder.actions.own import action

FLOORS = {"web-01": "3rd"}


class Params(msgspec.Struct, frozen=True):
    """What is said of others."""

    default: str = "unknown"


class Desk(msgspec.Struct, frozen=True):
    """Where the machine stands."""

    floor: str


@action("Finds the floor that a machine stands on.", params=Params, result=Desk)
def desk(work, runtime):
    return Desk(floor=FLOORS.get(work.incident.resource.name, work.params.default))
'''


class Desk(msgspec.Struct, frozen=True):
    floor: str


def written(folder: Path, text: str = FILE) -> Path:
    (folder / "actions.py").write_text(text, encoding="utf-8")
    return folder


def outcome(made: Action) -> Outcome:
    (one,) = made.run([work(Nothing())], runtime())
    return one


def test_a_function_is_an_action_of_its_own_file(tmp_path: Path) -> None:
    find = actions.finder(written(tmp_path))
    desk = find("own.desk")
    assert (desk.name, desk.effects, desk.plan) == ("own.desk", False, None)
    assert desk.summary == "Finds the floor that a machine stands on."
    web = work(desk.params())
    of = incident(findings=(finding(resources=(resource(tags={"Name": "db-01"}),)),))
    other = work(msgspec.convert({"default": "cellar"}, desk.params), of)
    outcomes = desk.run([web, other], runtime())
    assert [one.result for one in outcomes] == [{"floor": "3rd"}, {"floor": "cellar"}]


def test_built_in_actions_are_found_as_ever(tmp_path: Path) -> None:
    find = actions.finder(tmp_path)
    assert find("notify") is actions.get("notify")
    with pytest.raises(ConfigurationError, match=r"there is no action 'own\.desk'"):
        find("own.desk")
    with pytest.raises(ConfigurationError, match=r"there is own\.desk"):
        actions.finder(written(tmp_path))("own.desck")


def test_no_built_in_action_begins_as_own_ones_do() -> None:
    assert not [name for name in actions.names() if name.startswith(actions.OWN)]


def test_the_file_is_run_once_and_again_when_it_changes(tmp_path: Path) -> None:
    first = own.load(written(tmp_path))
    assert own.load(tmp_path)["own.desk"] is first["own.desk"]
    changed = own.load(written(tmp_path, FILE.replace("def desk", "def table")))
    assert set(changed) == {"own.table"}
    assert own.load(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize("text", ["1 / 0", "import nothing_of_that_name", "exit(3)", "def f(:"])
def test_a_file_that_cannot_be_run_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"actions\.py"):
        own.load(written(tmp_path, text))


def test_a_bug_in_one_incident_costs_the_others_nothing() -> None:
    @action("Fails for some.", result=Desk)
    def desk(one: object, run_time: object) -> Desk:
        if one.incident.count == 2:  # type: ignore[attr-defined]
            raise KeyError("token=s3cret")
        return Desk("1st")

    works = [work(Nothing()), work(Nothing(), incident(count=2)), work(Nothing())]
    outcomes = desk.run(works, runtime())
    assert [one.status for one in outcomes] == ["done", "failed", "done"]
    assert outcomes[1].detail == "internal error in own.desk: KeyError"


def test_an_error_of_ours_means_what_it_says() -> None:
    @action("Waits.", result=Desk)
    def desk(one: object, run_time: object) -> Desk:
        raise TransientError("later", target="desks", retry_after=7, sent=True)

    found = outcome(desk)
    assert (found.status, found.retry_after, found.in_doubt) == ("deferred", 7, True)


def test_a_function_may_return_nothing_or_an_outcome() -> None:
    @action("Does it.", effects=True)
    def quiet(one: object, run_time: object) -> None:
        return None

    @action("Does it.")
    def skips(one: object, run_time: object) -> Outcome:
        return Outcome("skipped", "not today")

    assert outcome(quiet).status == "done"
    assert outcome(skips) == Outcome("skipped", "not today")
    assert quiet.plan is not None
    assert quiet.plan(work(Nothing()), runtime()) == (
        f"would run own.quiet (Does it) on {resource().id}"
    )


@pytest.mark.parametrize("returned", [{"floor": "1st"}, "x", None])
def test_what_is_not_the_declared_result_fails(returned: object) -> None:
    @action("Lies.", result=Desk)
    def desk(one: object, run_time: object) -> object:
        return returned

    found = outcome(desk)
    assert found.status == "failed"
    assert f"returned {type(returned).__name__}, not Desk" in found.detail


def test_a_result_that_is_no_json_fails() -> None:
    class Odd(msgspec.Struct):
        held: object

    @action("Lies.", result=Odd)
    def odd(one: object, run_time: object) -> Odd:
        return Odd(object())

    assert outcome(odd).detail == "own.odd returned what is no JSON"


def test_a_wrong_declaration_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no name of an action"):
        action("X.")(lambda *_: None)
    with pytest.raises(ConfigurationError, match="no 'arn'"):

        @action("X.", constants=("arn",))
        def first(one: object, run_time: object) -> None:
            """Nothing."""

    with pytest.raises(ConfigurationError, match=r"result of second must be a msgspec.Struct"):

        @action("X.", result=dict)  # type: ignore[arg-type]
        def second(one: object, run_time: object) -> None:
            """Nothing."""


def test_permissions_are_those_that_are_declared() -> None:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/*"]}

    @action("Reads.", permissions=[statement])
    def fixed(one: object, run_time: object) -> None:
        """Nothing."""

    @action("Reads.", permissions=lambda with_, _connections: [dict(with_)])
    def made(one: object, run_time: object) -> None:
        """Nothing."""

    assert fixed.permissions({}, {}) == [statement]
    assert made.permissions(statement, {}) == [statement]
