"""Security Hub's own tickets: one for each incident, and no claim of what it cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from factories import ACCOUNT, NOW, REGION, playbook, runtime
from hub_responder.connections.resolve import named
from hub_responder.errors import ConfigurationError, PermanentError, TransientError
from hub_responder.markdown.document import Document, Heading, Text
from hub_responder.tickets import registry
from hub_responder.tickets.ticket import Draft, TicketSystem
from hub_toolkit.sandbox.security_hub.hub import SecurityHub
from loopback import Cloud, Reply, error, simulated

UID = "0123456789abcdef0123456789abcdef"
CONNECTOR = "0f4e3d2c-1111"
BODY = Document((Heading(1, (Text("UNPROTECTED"),)),))
DRAFT = Draft(BODY, "ab" * 20, finding_uid=UID)
OCSF = {
    "class_uid": 2002,
    "finding_info": {"uid": "arn:aws:inspector2:x", "title": "CVE-2026-1111 <日本語>"},
    "metadata": {"uid": UID, "product": {"uid": "arn:aws:securityhub:us-east-1::product/x/y"}},
    "cloud": {"account": {"uid": ACCOUNT}, "region": REGION},
    "resources": [{"uid": "i-1", "type": "AWS::EC2::Instance"}],
    "severity": "High",
}


@pytest.fixture
def hub() -> SecurityHub:
    made = SecurityHub(lambda: NOW, lambda _event: None, REGION, ACCOUNT)
    made.connectors.register(CONNECTOR)
    made.seed_ocsf(OCSF)
    return made


@pytest.fixture
def system(cloud: Cloud, hub: SecurityHub) -> TicketSystem:
    scripted, answer = cloud.answer, simulated(Client(hub.app))

    def served(request: Any) -> Reply:
        told = scripted(request)
        return told if cloud.script.get(request.path) else answer(request)

    cloud.answer = served
    run_time = runtime(
        playbook=playbook(connections={"hub": {"type": "security_hub", "connector": CONNECTOR}})
    )
    return registry.find(named(run_time.playbook, "hub"), run_time)


def test_a_ticket_is_opened_once_however_often_it_is_asked_for(
    system: TicketSystem, hub: SecurityHub, cloud: Cloud
) -> None:
    first, again = system.open(DRAFT), system.open(DRAFT)
    assert first == again
    assert (first.id, first.url) == ("HUB-1", "https://sandbox.atlassian.net/browse/HUB-1")
    assert [one["summary"] for one in hub.connectors.tickets()] == ["CVE-2026-1111 <日本語>"]
    sent = cloud.requests[-1]
    assert (sent.method, sent.path) == ("POST", "/ticketsv2")
    assert set(sent.json) == {"ConnectorId", "FindingMetadataUid", "ClientToken"}
    assert 1 <= len(sent.json["ClientToken"]) <= 63


def test_a_finding_in_asff_says_what_to_do(system: TicketSystem, cloud: Cloud) -> None:
    with pytest.raises(PermanentError, match="`imported_v2`, or use another connection"):
        system.open(Draft(BODY, "ab" * 20))
    assert cloud.requests == []


def test_a_connector_that_is_not_there_is_a_wrong_connection(
    system: TicketSystem, hub: SecurityHub
) -> None:
    hub.connectors._known.clear()
    with pytest.raises(ConfigurationError, match="no connector '0f4e3d2c-1111'"):
        system.open(DRAFT)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error("ThrottlingException", status=429), TransientError),
        (error("InternalServerException", status=500), TransientError),
        (error("ValidationException"), PermanentError),
        (error("AccessDeniedException", status=403), PermanentError),
        (Reply(200, {}), PermanentError),
        (Reply(200, {"TicketId": 7}), PermanentError),
    ],
)
def test_each_refusal_is_what_it_means(
    system: TicketSystem, cloud: Cloud, reply: Reply, kind: type[Exception]
) -> None:
    cloud.script["/ticketsv2"] = [reply]
    with pytest.raises(kind):
        system.open(DRAFT)


def test_an_address_that_is_none_is_left_out(system: TicketSystem, cloud: Cloud) -> None:
    told = {"TicketId": "X-1", "TicketSrcUrl": "javascript:alert(1)"}
    cloud.script["/ticketsv2"] = [Reply(200, told)]
    assert system.open(DRAFT).url == ""


def test_a_role_may_use_the_connectors_of_its_connections_alone() -> None:
    arn = "arn:aws:securityhub:us-east-1:111122223333:connectorv2/c-9"
    known = [{"type": "security_hub", "connector": one} for one in ("c-2", arn, "c-1", "c-2")]
    (allowed,) = registry.statements([*known, {"type": "jira"}])
    own = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:connectorv2/"
    assert allowed["Action"] == ["securityhub:CreateTicketV2"]
    assert allowed["Resource"] == [arn, {"Fn::Sub": f"{own}c-1"}, {"Fn::Sub": f"{own}c-2"}]
    assert registry.statements([{"type": "jira"}]) == []


def test_nothing_is_claimed_of_what_it_cannot_do(system: TicketSystem) -> None:
    assert system.standings(["HUB-1"]) == {}
    calls: list[Any] = [
        lambda: system.comment("HUB-1", BODY, "m", in_doubt=False),
        lambda: system.close("HUB-1", BODY, "m", in_doubt=False),
        lambda: system.reopen("HUB-1", BODY, "m", in_doubt=False),
        lambda: system.prioritise("HUB-1", "1"),
        lambda: system.link("HUB-1", "HUB-2"),
    ]
    for call in calls:
        with pytest.raises(PermanentError, match="looks after its tickets itself"):
            call()
    assert "security_hub" not in registry.FOLLOWED
    assert not registry.takes_comments("security_hub")
