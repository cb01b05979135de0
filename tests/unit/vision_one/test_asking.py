"""A batch of questions to a tenant: the tiers one after the other, and both systems together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from estates import Tenant, endpoint
from factories import ACCOUNT, INSTANCE, NOW, resource
from hub_responder.deadline import Deadline
from hub_responder.errors import ConfigurationError
from hub_responder.vision_one import asking, clues
from hub_responder.vision_one.asking import Question, answers
from hub_responder.vision_one.client import Client
from hub_responder.vision_one.coverage import Coverage, Demand
from hub_responder.workload_security import shields
from hub_responder.workload_security.client import Client as WorkloadClient
from hub_responder.workload_security.shields import Shield
from loopback import Loopback, Reply
from workload import KEY, Workload, bare, by_agent, computer, ips, rule

DAY = 86_400.0
OTHER = "i-0fed9876cba543210"
CVE, NONE = "CVE-2026-1111", "CVE-2026-3333"
PLAIN = Demand(DAY)
WITH_IPS = Demand(DAY, ["intrusion_prevention"])
ADDRESS = {"IpV4Addresses": ["10.20.1.12"]}


@pytest.fixture
def workload() -> Iterator[Workload]:
    shields.forget()
    server = Loopback()
    made = Workload(server)
    made.holds(rules=[rule(11, CVE), rule(12, CVE)])
    yield made
    server.close()
    shields.forget()


@pytest.fixture
def alone(client: Client) -> asking.Tenant:
    return asking.Tenant(client)


@pytest.fixture
def linked(client: Client, workload: Workload) -> asking.Tenant:
    headers = {"Authorization": f"ApiKey {KEY}"}
    second = WorkloadClient(
        "workload", workload.server.url, lambda call: call(headers), Deadline.after(60)
    )
    return asking.Tenant(client, second)


def about(instance: str = INSTANCE, *cves: str, known: Any = None, **more: Any) -> Question:
    arn = f"arn:aws:ec2:x:{ACCOUNT}:instance/{instance}"
    return Question(clues.of(resource(instance_id=instance, id=arn, **more), known), cves)


def ask(tenant: asking.Tenant, *questions: Question, demand: Demand = PLAIN) -> list[Coverage]:
    return answers(tenant, questions, demand)


def told(found: Coverage) -> tuple[str, list[str], str]:
    return found.verdict, found.reasons, found.tier


def agent(guid: str, **overrides: Any) -> dict[str, Any]:
    """An agent's endpoint without cloud details."""
    return endpoint("x", agentGuid=guid, virtualMachineDetails=None, **overrides)


# Server & Workload Protection knows the instance


@pytest.mark.parametrize("made", [computer, by_agent])
def test_an_agent_is_found_by_the_instance_that_its_computer_is(
    tenant: Tenant, workload: Workload, linked: asking.Tenant, made: Any
) -> None:
    tenant.holds(agent("guid-1", endpointName="app", ipAddresses=[]))
    workload.holds(made(agentGUID="GUID-1"))
    (found,) = ask(linked, about())
    assert told(found) == ("PROTECTED", [], "workload_agent_guid")
    assert found.evidence["agent_guid"] == "guid-1"
    assert found.evidence["matched_by"].startswith("instance id in Server & Workload Protection")
    assert found.computer == 34


def test_without_the_link_the_tier_is_passed_over(
    tenant: Tenant, workload: Workload, alone: asking.Tenant
) -> None:
    tenant.holds(agent("guid-1", endpointName="app", ipAddresses=[]))
    workload.holds(computer(agentGUID="GUID-1"))
    (found,) = ask(alone, about(OTHER, tags={}))
    assert told(found) == ("UNPROTECTED", ["no_endpoint"], "")
    assert (found.cves, found.computer) == ([], None)
    assert workload.server.requests == []


def test_an_agent_of_a_desktop_is_asked_for_by_its_guid(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(agent("guid-1", type="desktop", _securityDeployment=["userProtection"]))
    workload.holds(computer(agentGUID="GUID-1"))
    (found,) = ask(linked, about())
    assert told(found) == ("PROTECTED", [], "workload_agent_guid")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, ("DEGRADED", ["not_in_vision_one"])),
        ({"agentGUID": None}, ("DEGRADED", ["not_in_vision_one"])),
        ({"agentFingerPrint": 7, "computerStatus": None}, ("UNKNOWN", ["agent_status_unknown"])),
    ],
)
def test_an_agent_that_vision_one_does_not_know_is_not_unprotected(
    workload: Workload,
    tenant: Tenant,
    linked: asking.Tenant,
    overrides: dict[str, Any],
    expected: tuple[str, list[str]],
) -> None:
    workload.holds(computer(**overrides))
    (found,) = ask(linked, about(), demand=WITH_IPS)
    assert told(found) == (*expected, "workload_instance_id")
    assert tenant.details == []


def test_a_clones_record_is_not_the_instances(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(endpoint(OTHER, agentGuid="guid-1"))
    workload.holds(computer(agentGUID="GUID-1"))
    (found,) = ask(linked, about())
    assert told(found) == ("DEGRADED", ["not_in_vision_one"], "workload_instance_id")


def test_two_records_of_one_agent_are_ambiguous(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(agent("guid-1", endpointName="a"), agent("guid-1", endpointName="b"))
    workload.holds(computer(agentGUID="GUID-1"))
    assert told(ask(linked, about())[0]) == ("UNKNOWN", ["ambiguous"], "")


def test_a_computer_without_an_agent_is_unprotected_unless_another_agent_is_there(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    workload.holds(bare(), bare(OTHER, ID=35))
    tenant.holds(agent("g", endpointName="web-01", displayName=f"web-01 [{INSTANCE}]"))
    first, second = ask(linked, about(), about(OTHER, tags={}))
    assert told(first) == ("PROTECTED", [], "host_name")
    assert told(second) == ("UNPROTECTED", ["no_endpoint"], "")
    assert second.computer == 35
    assert second.evidence["workload_security"].startswith("inactive: Unmanaged (Unknown)")


def test_a_connectors_record_is_not_the_whole_story(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    """Vision One lists the instance without an agent, and the agent without the instance."""
    empty = endpoint(version="", status="", protectionManager="", lastConnectedDateTime="",
                     agentGuid="bare", edrSensor=None)  # fmt: skip
    tenant.holds(empty, agent("guid-1", endpointName="app", ipAddresses=[]))
    workload.holds(computer(agentGUID="GUID-1"))
    assert told(ask(linked, about())[0]) == ("PROTECTED", [], "workload_agent_guid")
    workload.holds()
    assert told(ask(linked, about(tags={}))[0]) == ("UNPROTECTED", ["no_agent"], "instance_id")
    tenant.holds(empty, agent("guid-1", endpointName="web-01", ipAddresses=[]))
    tenant.now += 61
    assert told(ask(linked, about())[0]) == ("UNKNOWN", ["lookalike"], "")


# Both know it


def test_where_both_disagree_both_are_said_and_the_worse_counts(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(endpoint())
    offline = {"agentStatus": "inactive", "agentStatusMessages": ["Managed (Offline)"]}
    workload.holds(computer(agentGUID=f"guid-{INSTANCE}", computerStatus=offline))
    (found,) = ask(linked, about())
    assert told(found) == ("DEGRADED", ["offline"], "instance_id")
    assert found.evidence["agent_status"] == "on"
    assert found.evidence["workload_security"] == (
        "inactive: Managed (Offline); intrusion prevention prevent"
    )


@pytest.mark.parametrize("reply", [Reply(503), Reply(403), Reply(429), Reply(200, b"<html>")])
def test_its_trouble_changes_no_verdict_that_stands_without_it(
    tenant: Tenant, workload: Workload, linked: asking.Tenant, slept: list[float], reply: Reply
) -> None:
    tenant.holds(endpoint(), endpoint(OTHER, status="off"))
    workload.replies = [reply] * 99
    protected, degraded, absent = ask(
        linked, about(INSTANCE, CVE), about(OTHER, CVE), about("i-9", CVE, tags={})
    )
    assert told(protected) == ("PROTECTED", [], "instance_id")
    assert told(degraded) == ("DEGRADED", ["offline"], "instance_id")
    # But it could have known the third one.
    assert told(absent) == ("UNKNOWN", ["workload_security"], "")
    assert absent.evidence["cause"]
    for found in (protected, degraded, absent):
        assert found.cves == [Shield(CVE, "unknown")]
        assert found.evidence["workload_security"].startswith("not told: workload_security")


def test_a_link_that_is_wrong_is_said(tenant: Tenant, client: Client) -> None:
    tenant.holds(endpoint())
    wrong = asking.Tenant(client, ConfigurationError("there is no connection 'x'"))
    protected, absent = ask(wrong, about(INSTANCE, CVE), about(OTHER, tags={}))
    assert told(protected) == ("PROTECTED", [], "instance_id")
    assert protected.cves == [Shield(CVE, "unknown")]
    assert "no connection 'x'" in protected.evidence["workload_security"]
    assert told(absent) == ("UNKNOWN", ["workload_security"], "")


def test_modules_that_vision_one_does_not_tell_are_told_by_the_other(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(endpoint(_features={"AntiMalwareScans": "enabled"}))
    workload.holds(computer(agentGUID=f"guid-{INSTANCE}"))
    (found,) = ask(linked, about(), demand=WITH_IPS)
    assert told(found) == ("PROTECTED", [], "instance_id")


# Shields


def test_the_findings_cves_are_told_with_their_rules(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(endpoint(), endpoint(OTHER))
    workload.holds(
        computer(), computer(OTHER, ID=35, **ips(rules=[11])), rules=[rule(11, CVE), rule(12, CVE)]
    )
    first, second, absent = ask(
        linked,
        about(INSTANCE, CVE, NONE, "GHSA-x"),
        about(OTHER, CVE),
        about("i-9", CVE, NONE, tags={}),
    )
    assert first.cves == [Shield(CVE, "shielded", (11, 12)), Shield(NONE, "not_shieldable")]
    assert second.cves == [Shield(CVE, "shieldable", (12,))]
    assert absent.verdict == "UNPROTECTED"
    assert absent.cves == [Shield(CVE, "shieldable", (11, 12)), Shield(NONE, "not_shieldable")]
    assert absent.evidence["workload_security"] == "no computer"
    searches = workload.asked("/api/intrusionpreventionrules/search")
    assert len(searches) == 2


def test_no_more_than_twenty_cves_are_looked_up_and_the_rest_counted(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(endpoint())
    workload.holds(computer())
    (found,) = ask(linked, about(INSTANCE, *(f"CVE-2026-{n}" for n in range(5000, 5023))))
    assert len(found.cves) == 20
    assert found.evidence["cves_left_out"] == 3


def test_nothing_is_shielded_by_an_agent_that_is_out_of_contact(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(endpoint(status="off"))
    workload.holds(computer(agentGUID="other"))
    (found,) = ask(linked, about(INSTANCE, CVE))
    assert told(found) == ("DEGRADED", ["offline"], "instance_id")
    assert [one.state for one in found.cves] == ["unknown"]


def test_what_nobody_knows_is_not_called_shieldable(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(agent("g", endpointName="web-01"))
    (found,) = ask(linked, about(INSTANCE, CVE))
    assert (found.reasons, found.cves) == (["lookalike"], [Shield(CVE, "unknown")])
    tenant.replies = [Reply(403)]
    tenant.now += 61
    (found,) = ask(linked, about(INSTANCE, CVE))
    assert (found.reasons, found.cves) == (["denied_403"], [Shield(CVE, "unknown")])


def test_trouble_with_the_rules_leaves_the_verdict(
    tenant: Tenant, workload: Workload, linked: asking.Tenant
) -> None:
    tenant.holds(endpoint())
    workload.holds(computer())
    workload.replies = [None, None, Reply(403), Reply(403)]
    (found,) = ask(linked, about(INSTANCE, CVE))
    assert told(found) == ("PROTECTED", [], "instance_id")
    assert found.cves == [Shield(CVE, "unknown")]


# Records without an instance id


def test_a_name_and_an_address_lead_to_the_agent(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(agent("g", endpointName="WEB-01.corp.example"))
    (found,) = ask(alone, about(details=ADDRESS), demand=WITH_IPS)
    assert told(found) == ("PROTECTED", [], "host_name")
    assert found.evidence["matched_by"] == "host name and address"


def test_the_name_that_ec2_makes_of_an_address_is_not_enough(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    """Two accounts with the same private address have the same private DNS name too."""
    tenant.holds(agent("g"))  # ip-10-20-1-12.ec2.internal, 10.20.1.12
    (found,) = ask(alone, about(details=ADDRESS))
    assert told(found) == ("UNKNOWN", ["lookalike"], "")
    assert found.evidence["agrees"] == ["address"]


EC2 = {"instance": INSTANCE, "private_ip": "10.20.1.12", "macs": ["02:1c:42:be:22:5f"]}


def detail(guid: str, mac: str, **more: Any) -> Reply:
    told = {"interfaces": [{"ipAddresses": ["10.20.1.12"], "macAddress": mac}], **more}
    return Reply(200, {**agent(guid, lastConnectedDateTime="2026-11-21T23:55:00"), **told})


def test_a_mac_address_that_ec2_tells_decides(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(agent("g"))
    tenant.replies = [None, None, detail("g", "02-1C-42-BE-22-5F")]
    (found,) = ask(alone, about(known=EC2))
    assert told(found) == ("PROTECTED", [], "private_ip")
    tenant.now += 61
    tenant.replies = [None, None, detail("g", "06-AA-BB-CC-DD-EE")]
    (found,) = ask(alone, about(known=EC2))
    assert told(found) == ("UNPROTECTED", ["no_endpoint"], "")


def test_a_detail_that_names_the_instance_decides(tenant: Tenant, alone: asking.Tenant) -> None:
    for instance, expected in ((INSTANCE, "host_name"), (OTHER, "")):
        tenant.holds(agent("g"))
        machine = [{"key": "cloudInstanceId", "value": instance}]
        named = {**agent("g")["eppAgent"], "virtualMachineDetails": machine}
        tenant.replies = [None, None, Reply(200, {**agent("g"), "eppAgent": named})]
        (found,) = ask(alone, about(known=EC2))
        assert found.tier == expected
        tenant.now += 61


def test_trouble_with_a_detail_makes_nobody_unprotected(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(agent("g"))
    tenant.replies = [None, None, Reply(429)]
    (found,) = ask(alone, about(known=EC2))
    assert told(found) == ("UNKNOWN", ["rate_limited"], "")


def test_the_details_of_clones_tell_nothing_apart(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(agent("g"), endpoint(OTHER, agentGuid="g", ipAddresses=[]))
    (found,) = ask(alone, about(known=EC2))
    assert told(found) == ("UNKNOWN", ["lookalike"], "")
    assert tenant.details == []


def searching(tenant: Tenant, *items: dict[str, Any], reply: Reply | None = None) -> None:
    """Let the search by address find these, whatever it is asked."""
    answer = tenant.server.answer
    found = reply or Reply(200, {"items": items})
    tenant.server.answer = lambda r: found if "/eiqs/" in r.path else answer(r)


def hit(guid: str, name: str = "app") -> dict[str, Any]:
    return {
        "agentGuid": guid,
        "endpointName": {"value": name},
        "ip": {"value": ["10.20.1.12"]},
    }


def test_a_desktop_is_found_by_its_address(tenant: Tenant, alone: asking.Tenant) -> None:
    laptop = {"type": "desktop", "_securityDeployment": ["userProtection"], "ipAddresses": []}
    tenant.holds(agent("g", endpointName="web-01", displayName=f"[{INSTANCE}]", **laptop))
    searching(tenant, hit("g"))
    (found,) = ask(alone, about(details=ADDRESS))
    assert told(found) == ("PROTECTED", [], "host_name")


def test_an_address_alone_leaves_a_doubt_whoever_tells_it(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(agent("g", type="desktop", endpointName="app", ipAddresses=["10.20.1.12"]))
    searching(tenant, hit("g"))
    assert told(ask(alone, about(details=ADDRESS))[0]) == ("UNKNOWN", ["lookalike"], "")
    searching(tenant, hit("gone", name="old"))
    tenant.now += 61
    (found,) = ask(alone, about(details=ADDRESS))
    assert told(found) == ("UNKNOWN", ["lookalike"], "")
    assert found.evidence["endpoint"] == "old"


def test_a_server_whose_address_only_the_search_tells_is_found_by_it(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(agent("g", endpointName="app", ipAddresses=[]))
    searching(tenant, hit("g"))
    assert told(ask(alone, about(details=ADDRESS))[0]) == ("UNKNOWN", ["lookalike"], "")
    tenant.holds(agent("g", endpointName="web-01", ipAddresses=[]))
    tenant.now += 61
    assert told(ask(alone, about(details=ADDRESS))[0]) == ("UNKNOWN", ["lookalike"], "")


def test_a_record_of_the_instance_that_only_the_search_shows_is_its_own(
    tenant: Tenant, alone: asking.Tenant
) -> None:
    tenant.holds(endpoint(type="desktop", agentGuid="g", _securityDeployment=["userProtection"]))
    searching(tenant, hit("g"))
    assert told(ask(alone, about(details=ADDRESS))[0]) == ("PROTECTED", [], "instance_id")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(403), "denied_403"),
        (Reply(400), "vision_one_refused"),
        (Reply(429), "rate_limited"),
        (Reply(503), "vision_one_unreachable"),
        (Reply(200, b"<html>"), "incomplete"),
        (Reply(200, {"items": [7]}), "incomplete"),
        (Reply(404), ""),  # it is not offered here: the other tiers tell
    ],
)
def test_a_search_that_fails_makes_nobody_unprotected(
    tenant: Tenant, alone: asking.Tenant, slept: list[float], reply: Reply, reason: str
) -> None:
    tenant.holds(endpoint(OTHER))
    searching(tenant, reply=reply)
    there, absent = ask(alone, about(OTHER), about(details=ADDRESS))
    assert told(there) == ("PROTECTED", [], "instance_id")
    assert absent.reasons == [reason or "no_endpoint"]
    assert absent.verdict == ("UNKNOWN" if reason else "UNPROTECTED")


def test_no_name_from_a_finding_reaches_an_expression(tenant: Tenant, alone: asking.Tenant) -> None:
    searching(tenant)
    hostile = "x' or type eq 'server"
    details = {"IpV4Addresses": [hostile, "10.0.0.1' or ip eq '10.0.0.2"], "hostname": hostile}
    (found,) = ask(alone, about(tags={"Name": f"<b>{hostile}</b>"}, details=details))
    assert told(found) == ("UNPROTECTED", ["no_endpoint"], "")
    sent = str([request.headers for request in tenant.server.requests])
    assert "x'" not in sent
    assert "10.0.0" not in sent


def test_what_was_read_when_is_in_the_answer(tenant: Tenant, alone: asking.Tenant) -> None:
    tenant.holds(endpoint())
    ask(alone, about())
    tenant.now += 40
    kept, closer = (
        ask(alone, about())[0],
        ask(replace(alone), about(), demand=WITH_IPS)[0],
    )
    assert (kept.checked_at, closer.checked_at) == (NOW, NOW + 40)
