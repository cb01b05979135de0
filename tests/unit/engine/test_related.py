"""The other findings on an incident's resource: over the sandbox's Security Hub, and a scripted
one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import REPOSITORY, playbook
from hub_responder.deadline import Deadline
from hub_responder.engine.grouping import Cause
from hub_responder.engine.related import MAX_LISTED, Others, Related
from hub_responder.engine.rounds import Round, begin
from hub_responder.errors import CallError, PermanentError, TransientError
from hub_responder.events import decode_finding
from hub_responder.ledger.state import State
from hub_responder.playbook import Step
from inside import PASSING, Inside, inside
from loopback import Cloud, Reply, error
from world import ACCOUNT, World, event, finding

FIND = "securityhub.GetFindings"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Inside]:
    with inside(playbook(), tmp_path) as made:
        yield made


def incident(instance: int, *own: dict[str, Any], members: int = 0, number: int = 1) -> Round:
    """A round of the incident of an instance."""
    found = [decode_finding(one) for one in own or [finding(instance * 1000, instance)]]
    state = State(f"modelled#{instance}", round=number, members=members or len(found))
    return begin(state, found, Cause("imported", "e-1", 0.0), len(found))


def others(joined: Iterable[tuple[str, str]] = (), left: float = 60.0) -> Others:
    """What is looked up in one run; ``joined`` is what the ledger knows."""
    held = set(joined)
    return Others(lambda wanted: held & set(wanted), Deadline.after(left))


def look(one: Round, joined: Iterable[tuple[str, str]] = ()) -> Related:
    return others(joined).of(one)


def ids(related: Iterable[Any]) -> list[str]:
    return [one.id for one in related]


def seeded(hub: Inside, *made: dict[str, Any]) -> list[str]:
    for one in made:
        hub.hub.seed(one)
    return [one["Id"] for one in made]


def test_the_others_on_the_resource_are_listed_the_worst_first(hub: Inside) -> None:
    own = finding(1, 1, "CRITICAL")
    low, high = finding(2, 1, "LOW"), finding(3, 1, "HIGH")
    seeded(hub, own, low, high, finding(4, 2, "CRITICAL"))
    related = look(incident(1, own))
    assert ids(related) == [high["Id"], low["Id"]]
    assert related[0].severity == "HIGH"
    assert not related.more
    assert related[0].resource.instance_id == f"i-{1:017x}"


def test_what_is_settled_or_gone_is_not_listed(hub: Inside) -> None:
    seeded(
        hub,
        finding(1, 1) | {"RecordState": "ARCHIVED"},
        finding(2, 1) | {"Workflow": {"Status": "SUPPRESSED"}},
        finding(3, 1) | {"Workflow": {"Status": "RESOLVED"}},
    )
    (told,) = seeded(hub, finding(4, 1) | {"Workflow": {"Status": "NOTIFIED"}})
    assert ids(look(incident(1))) == [told]


def test_what_joined_the_incident_earlier_is_its_own(hub: Inside) -> None:
    earlier, other = seeded(hub, finding(2, 1), finding(3, 1))
    one = incident(1, finding(1, 1), members=2)
    assert ids(look(one, {(one.pk, earlier)})) == [other]


def test_an_incident_without_earlier_findings_asks_the_ledger_nothing(hub: Inside) -> None:
    def refuse(_wanted: Any) -> set[tuple[str, str]]:
        raise AssertionError

    (other,) = seeded(hub, finding(2, 1))
    assert ids(Others(refuse, Deadline.after(60)).of(incident(1, finding(1, 1)))) == [other]


def test_a_finding_of_the_new_security_hub_is_not_listed_beside_itself(hub: Inside) -> None:
    own = json.loads((REPOSITORY / "events" / "inspector-high-ec2-ocsf.json").read_bytes())
    raw = own["detail"]["findings"][0]
    hub.hub.seed_ocsf(raw)
    found = decode_finding(raw)
    state = State("modelled#1", round=1, members=1)
    related = look(begin(state, [found], Cause("imported", "e-1", 0.0), 1))
    assert list(related) == []
    twin = finding(7, 1) | {"Resources": [{"Type": "AwsEc2Instance", "Id": found.resource.id}]}
    seeded(hub, twin, twin | {"ProductArn": twin["ProductArn"].replace("inspector", "other")})
    assert ids(look(begin(state, [found], Cause("imported", "e-1", 0.0), 1))) == [twin["Id"]]


def test_a_product_that_names_an_instance_without_its_arn_is_heard(hub: Inside) -> None:
    bare = finding(2, 1) | {"Resources": [{"Type": "AwsEc2Instance", "Id": f"i-{1:017x}"}]}
    elsewhere = bare | {"Id": "elsewhere", "Region": "eu-west-1"}
    wanted = set(seeded(hub, bare, elsewhere))
    assert set(ids(look(incident(1)))) == wanted


def test_nothing_is_asked_until_it_is_read_and_then_once(cloud: Cloud) -> None:
    cloud.script["/findings"] = [Reply(200, {"Findings": [finding(2, 1)]})]
    run, one = others(), incident(1)
    run.know([one])
    related = run.of(one)
    assert cloud.requests == []
    assert related
    assert ids(related) == [finding(2, 1)["Id"]]
    assert not run.of(one).more
    (asked,) = [json.loads(request.body) for request in cloud.requests]
    assert asked["SortCriteria"] == [{"Field": "SeverityNormalized", "SortOrder": "desc"}]
    assert {one["Value"] for one in asked["Filters"]["WorkflowStatus"]} == {"NEW", "NOTIFIED"}


def test_one_call_asks_for_the_incidents_of_a_run(cloud: Cloud) -> None:
    page = {"Findings": [finding(n + 100, n) for n in range(1, 13)]}
    cloud.script["/findings"] = [Reply(200, page)]
    run, rounds = others(), [incident(n) for n in range(1, 13)]
    run.know(rounds)
    assert [ids(run.of(one)) for one in rounds] == [
        [finding(n + 100, n)["Id"]] for n in range(1, 13)
    ]
    asked = [json.loads(request.body)["Filters"]["ResourceId"] for request in cloud.requests]
    assert [len(values) for values in asked] == [20, 4]  # an instance goes by two names


def test_where_a_page_is_too_small_for_all_each_is_asked_for_alone(hub: Inside) -> None:
    wanted = {n: set(seeded(hub, *[finding(n * 100 + k, n) for k in range(40)])) for n in (1, 2, 3)}
    run, rounds = others(), {n: incident(n) for n in wanted}
    run.know(rounds.values())
    assert {n: set(ids(run.of(one))) for n, one in rounds.items()} == wanted


def test_the_many_findings_of_one_resource_hide_none_of_another(hub: Inside) -> None:
    seeded(hub, *[finding(n, 1, "CRITICAL") for n in range(10_000, 10_520)])
    (low,) = seeded(hub, finding(2, 2, "LOW"))
    run, rounds = others(), [incident(1), incident(2)]
    run.know(rounds)
    crowded, calm = (run.of(one) for one in rounds)
    assert (ids(calm), calm.more) == ([low], False)
    assert (len(crowded), crowded.more) == (MAX_LISTED, True)


def test_more_than_are_listed_is_said_and_the_worst_are_listed(hub: Inside) -> None:
    seeded(hub, *[finding(n, 1, "LOW") for n in range(1, 100)])
    high = seeded(hub, *[finding(n, 1, "HIGH") for n in range(100, 120)])
    related = look(incident(1))
    assert (len(related), related.more) == (MAX_LISTED, True)
    assert set(ids(related[:20])) == set(high)


def test_its_own_findings_hide_no_others(hub: Inside) -> None:
    own = [finding(n, 1, "CRITICAL") for n in range(1, 151)]
    seeded(hub, *own)
    (other,) = seeded(hub, finding(900, 1, "LOW"))
    related = look(incident(1, *own))
    assert (ids(related), related.more) == ([other], False)


def test_what_lies_beyond_the_bound_is_more(hub: Inside) -> None:
    own = [finding(n, 1, "CRITICAL") for n in range(1, 520)]
    seeded(hub, *own, finding(900, 1, "LOW"))
    related = look(incident(1, *own))
    assert (ids(related), related.more) == ([], True)


def test_a_later_round_of_an_incident_is_asked_for_anew(hub: Inside) -> None:
    run = others()
    assert ids(run.of(incident(1))) == []
    (other,) = seeded(hub, finding(2, 1))
    assert ids(run.of(incident(1))) == []
    assert ids(run.of(incident(1, number=2))) == [other]


def test_a_finding_that_cannot_be_read_hides_no_others(cloud: Cloud) -> None:
    page = {"Findings": [{"Id": "bad"}, finding(2, 1)]}
    cloud.script["/findings"] = [Reply(200, page)]
    assert ids(look(incident(1))) == [finding(2, 1)["Id"]]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error("InternalException", "down"), TransientError),
        (error("AccessDeniedException", "no", 403), PermanentError),
    ],
)
def test_a_hub_that_cannot_be_asked_is_an_error_for_all_and_asked_once(
    cloud: Cloud, reply: Reply, kind: type[CallError]
) -> None:
    cloud.script["/findings"] = [reply]
    run, rounds = others(), [incident(1), incident(2)]
    run.know(rounds)
    for one in (*rounds, *rounds):
        with pytest.raises(kind, match=FIND):
            len(run.of(one))
    assert len(cloud.requests) == 1


def test_without_time_left_nothing_is_asked(cloud: Cloud) -> None:
    with pytest.raises(TransientError, match="no time left"):
        len(others(left=1.0).of(incident(1)))
    assert cloud.requests == []


def test_a_step_that_reads_them_is_deferred_until_security_hub_answers(
    make_world: Any, cloud: Cloud
) -> None:
    cloud.script["/findings"] = [
        error("InternalException", "down"),
        Reply(200, {"Findings": [finding(2, 1)]}),
    ]
    world: World = make_world()
    steps = (
        Step(id="ticket", uses="ticket", if_="incident.related|length == 1"),
        Step(id="tell", uses="tell", if_="incident.related[0].severity == 'HIGH'"),
    )
    world.playbook = msgspec.structs.replace(world.playbook, steps=steps)
    world.send(event(finding(1, 1)))
    world.drain()
    assert len(world.opened) == 1
    assert [ids for _, ids in world.told] == [{finding(1, 1)["Id"]}]
    outcomes = [one for one in world.records() if one["kind"] == "outcome"]
    deferred = [one["step"] for one in outcomes if one["status"] == "deferred"]
    assert deferred == ["ticket", "tell"]
    assert FIND in next(one["detail"] for one in outcomes if one["status"] == "deferred")
    assert len([one for one in cloud.requests if one.path == "/findings"]) == 2


def test_a_step_over_several_incidents_makes_one_call(make_world: Any, cloud: Cloud) -> None:
    found = [finding(n + 100, n) for n in (1, 2, 3)]
    cloud.script["/findings"] = [Reply(200, {"Findings": found})]
    world: World = make_world()
    steps = (Step(id="tell", uses="tell", if_="incident.related|length == 1"),)
    world.playbook = msgspec.structs.replace(world.playbook, steps=steps)
    world.send(event(*[finding(n, n) for n in (1, 2, 3)]))
    world.drain()
    assert len(world.told) == 3
    assert len([one for one in cloud.requests if one.path == "/findings"]) == 1


def test_findings_of_earlier_rounds_are_known_from_the_ledger(
    make_world: Any, cloud: Cloud
) -> None:
    first, second, other = finding(1, 1), finding(2, 1), finding(3, 1, "LOW")
    cloud.script["/findings"] = [Reply(200, {"Findings": [first, second, other]})]
    world: World = make_world()
    steps = (Step(id="write", uses="write", if_="incident.related|length == 1"),)
    world.playbook = msgspec.structs.replace(world.playbook, steps=steps)
    for one in (first, second):
        world.send(event(one))
        world.drain()
    # In the first round the second was somebody else's; in the second the first is the incident's.
    assert world.written == {second["Id"]: 1}


def test_what_the_sandbox_says_of_a_fault_defers(hub: Inside) -> None:
    hub.faults.add([{"target": FIND, **PASSING}])
    with pytest.raises(TransientError):
        list(look(incident(1)))


MADE = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(["LOW", "HIGH", "CRITICAL"]),
        st.sampled_from(["NEW", "NOTIFIED", "RESOLVED"]),
        st.booleans(),
    ),
    max_size=60,
)


@given(made=MADE)
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
def test_each_incident_gets_what_is_on_its_own_resource(tmp_path: Path, made: Any) -> None:
    with inside(playbook(), tmp_path) as hub:
        own: dict[int, list[dict[str, Any]]] = {n: [finding(n, n)] for n in (1, 2, 3)}
        wanted: dict[int, dict[str, str]] = {1: {}, 2: {}, 3: {}}
        for number, (instance, severity, workflow, is_own) in enumerate(made, 10):
            one = finding(number, instance, severity) | {"Workflow": {"Status": workflow}}
            seeded(hub, one)
            if is_own:
                own[instance].append(one)
            elif workflow != "RESOLVED":
                wanted[instance][one["Id"]] = severity
        run, rounds = others(), {n: incident(n, *own[n]) for n in own}
        run.know(rounds.values())
        for n, one in rounds.items():
            related = run.of(one)
            assert {other.id: other.severity.value for other in related} == wanted[n]
            ranks = [other.severity.rank for other in related]
            assert ranks == sorted(ranks, reverse=True)
            assert {other.account.id for other in related} <= {ACCOUNT}
