"""The vendors that the playbooks' connections lead to: one simulator for each connection.

A connection keeps its name and type; only its address and its secret become the simulator's. The
simulator of connection NAME answers at ``/_vendors/NAME``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hub_responder.connections.settings import PLACES
from hub_toolkit.sandbox import faults as scripted
from hub_toolkit.sandbox import inbox as deliveries
from hub_toolkit.sandbox.kills import is_vendor_effect

if TYPE_CHECKING:
    from hub_toolkit.sandbox.faults import Faults
    from hub_toolkit.sandbox.inbox import Inbox
    from hub_toolkit.sandbox.kills import Kills
    from hub_toolkit.sandbox.tickets import Tickets
    from hub_toolkit.sandbox.vendors.hook import Hook
    from hub_toolkit.sandbox.vendors.smtp import Mailbox
    from hub_toolkit.sandbox.vendors.vision_one import VisionOne
    from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity
    from hub_toolkit.sandbox.wsgi import App

PATH = "/_vendors"
REGISTRATIONS = "trend-security-lake"
"""Where Trend's registrations service answers, and the name of the secret with its key."""
_EMAIL = "hub-responder@example.com"
JIRA_LAG_S = 30.0
"""How far Jira's search is behind: eventually consistent, by no time that is documented."""
_OWN = {"private": True, "ca": ""}
"""A simulator is on loopback, without TLS."""


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around each simulator.

    Attributes:
        clock: returns the sandbox's seconds since the epoch.
        endpoint: the sandbox's address.
        hooked: takes webhooks: the connection's name, the header that counts retries or "",
            headers, body; nobody, if not given.
    """

    clock: Callable[[], float]
    endpoint: str
    inbox: Inbox
    faults: Faults
    tickets: Tickets
    kills: Kills
    hooked: Callable[[str, str, Mapping[str, str], bytes], None] = lambda *_: None


@dataclass(slots=True)
class Simulators:
    """The simulators of one sandbox.

    Attributes:
        apps: by connection name.
        secrets: what Secrets Manager is to hold, by connection name.
        vision_ones: those of Vision One, which all hold the same estate.
        workload_securities: those of Server & Workload Protection, likewise.
        names: connection names by type, in the order of connections.yaml.
        led: settings with the simulator's address, by connection name.
        topics: names of SNS connections by their topic's ARN; "": the stack's own topic.
        mailers: the settings of SES connections, by name.
        connectors: the ids of Security Hub's connectors that connections name.
        closing: ends the mail servers; None: none listens, their applications are there alone.
    """

    around: Around
    apps: dict[str, App] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    vision_ones: list[VisionOne] = field(default_factory=list)
    workload_securities: list[WorkloadSecurity] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    led: dict[str, dict[str, Any]] = field(default_factory=dict)
    mailers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    connectors: list[str] = field(default_factory=list)
    closing: ExitStack | None = None
    _listening: dict[str, dict[str, Any]] = field(default_factory=dict)

    def name_of(self, kind: str, default: str) -> str:
        """The name of the first connection of a type."""
        return next(iter(self.names.get(kind, ())), default)

    def name_of_topic(self, arn: str) -> str:
        """The name of the SNS connection that publishes to a topic."""
        own = self.topics.get(arn) or self.topics.get("")
        return own or self.name_of("sns", "sns")

    def add(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Simulate a connection; its settings with the simulator's address.

        SNS, SES, OpsCenter and Security Hub are reached through the AWS endpoint.
        """
        kind = str(settings.get("type"))
        make = _MAKERS.get(kind)
        if kind == "sns":
            self.topics.setdefault(str(settings.get("topic_arn", "")), name)
        if kind == "ses":
            self.mailers[name] = settings
        if kind == "security_hub":
            self.connectors.append(str(settings["connector"]))
        if make is None:
            self.names.setdefault(kind, []).append(name)
            return dict(settings)
        if name not in self.apps:
            self.names.setdefault(kind, []).append(name)
            make(self, name, settings)
        address = addresses(kind, f"{self.around.endpoint}{PATH}/{name}")
        self.led[name] = {**settings, **address, **self._listening.get(name, {})}
        return self.led[name]

    def name_of_mailer(self, sender: str, recipients: Sequence[str]) -> str:
        """The name of the SES connection that such a message comes from."""
        for name, settings in self.mailers.items():
            if settings["sender"] == sender and list(settings["to"]) == list(recipients):
                return name
        return self.name_of("ses", "ses")

    def register(self) -> None:
        """Mount Trend's registrations service for Security Lake, which is no connection."""
        from hub_toolkit.sandbox.vendors.security_lake_registrations import Registrations

        api_key = _token("c1")
        self.secrets[REGISTRATIONS] = {"api_key": api_key}
        self.mount(REGISTRATIONS, REGISTRATIONS, Registrations(api_key=api_key).app)

    def listen(self, name: str, mailbox: Mailbox, tls: str) -> None:
        """Serve a mailbox that is mounted, where servers are wanted."""
        if self.closing is None:
            return
        from hub_toolkit.sandbox.vendors.smtp.listener import HOST, Listener

        served = Listener(mailbox, self.apps[name], self.around.faults, name, "smtp", tls=tls)
        self.closing.callback(served.close)
        at = {"host": HOST, "port": served.port, "security": tls}
        self._listening[name] = {**at, "private": True, "ca": served.ca}

    def hook(self, name: str, settings: Mapping[str, Any]) -> Hook | None:
        """The webhook that is set up in the system behind a connection, where it says so."""
        from hub_toolkit.sandbox.vendors.hook import Hook
        from hub_toolkit.sandbox.vendors.jira.webhook import RETRY

        if not settings.get("webhook"):
            return None
        secret = _token("hook")
        self.secrets[name]["webhook_secret"] = secret
        counter = RETRY if settings["type"] == "jira" else ""
        return Hook(secret, partial(self.around.hooked, name, counter))

    def mount(self, name: str, system: str, app: App) -> None:
        """Answer at the connection's path, with faults, kills and the inbox around it."""
        around = self.around
        failing = scripted.faulty(app, around.faults, name, system)
        recorded = deliveries.record(failing, around.inbox, system, name)
        self.apps[name] = around.kills.around(recorded, is_vendor_effect)


def addresses(kind: str, url: str) -> dict[str, Any]:
    """The settings of each type that hold its address; a webhook's stands in its secret."""
    found: dict[str, dict[str, Any]] = {
        "vision_one": {"base_url": url},
        "workload_security": {"base_url": url},
        "slack": {"base_url": f"{url}/api", **_OWN},
        "slack_webhook": _OWN,
        "teams": _OWN,
        "pagerduty": {"base_url": url, **_OWN},
        "jira": {"url": url},
        "jira_data_center": {"url": url, **_OWN},
        "github": {"base_url": f"{url}/api/v3", **_OWN},
        "servicenow": {"url": url, **_OWN},
        "webhook": {"url": f"{url}/", **_OWN},
    }
    return found.get(kind, {})


def _vision_one(simulators: Simulators, name: str, _settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.vision_one import VisionOne

    token = _token("v1")
    simulator = VisionOne(simulators.around.clock, token=token)
    simulators.vision_ones.append(simulator)
    simulators.secrets[name] = {"token": token}
    simulators.mount(name, "vision_one", simulator.app)


def _workload_security(simulators: Simulators, name: str, settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity

    api_key = _token("swp")
    kind: Any = settings.get("key", "cloud_one")
    simulator = WorkloadSecurity(simulators.around.clock, api_key=api_key, key=kind)
    simulators.workload_securities.append(simulator)
    simulators.secrets[name] = {"api_key": api_key}
    simulators.mount(name, "workload_security", simulator.app)


def _slack(simulators: Simulators, name: str, settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.slack import Slack

    token = _token("xoxb")
    simulator = Slack(simulators.around.clock, token=token, channels=_places(settings))
    simulators.secrets[name] = {"token": token}
    simulators.mount(name, "slack", simulator.app)


def _slack_webhook(simulators: Simulators, name: str, _settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.slack import Slack

    path = f"T0SANDBOX/B0SANDBOX/{secrets.token_hex(12)}"
    simulator = Slack(simulators.around.clock, token=_token("xoxb"), webhook=path)
    url = f"{simulators.around.endpoint}{PATH}/{name}/services/{path}"
    simulators.secrets[name] = {"webhook_url": url}
    simulators.mount(name, "slack", simulator.app)


def _teams(simulators: Simulators, name: str, _settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.teams import Teams
    from hub_toolkit.sandbox.vendors.teams.app import PATH as TRIGGER

    workflow, signature = secrets.token_hex(16), _token("sig")
    path = TRIGGER.format(id=workflow)
    url = f"{simulators.around.endpoint}{PATH}/{name}{path}?api-version=2016-06-01&sig={signature}"
    simulators.secrets[name] = {"webhook_url": url}
    simulators.mount(name, "teams", Teams(workflow=workflow, signature=signature).app)


def _pagerduty(simulators: Simulators, name: str, _settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.pagerduty import PagerDuty

    key = secrets.token_hex(16)
    simulators.secrets[name] = {"routing_key": key}
    simulators.mount(name, "pagerduty", PagerDuty(simulators.around.clock, routing_key=key).app)


def _jira(simulators: Simulators, name: str, settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.jira import Jira

    token = _token("jira")
    around = simulators.around
    simulators.secrets[name] = {"email": _EMAIL, "api_token": token}
    simulator = Jira(
        around.clock,
        email=_EMAIL,
        api_token=token,
        projects=_places(settings),
        index_lag_s=JIRA_LAG_S,
        components=tuple(settings.get("components", ())),
        further=tuple(settings.get("fields", {})),
        hook=simulators.hook(name, settings),
    )
    around.tickets.register("jira", name, simulator)
    simulators.mount(name, "jira", simulator.app)


def _jira_data_center(simulators: Simulators, name: str, settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.jira import DataCenter

    token = _token("jira")
    around = simulators.around
    simulators.secrets[name] = {"token": token}
    simulator = DataCenter(
        around.clock,
        token=token,
        projects=_places(settings),
        index_lag_s=JIRA_LAG_S,
        components=tuple(settings.get("components", ())),
        further=tuple(settings.get("fields", {})),
    )
    around.tickets.register("jira_data_center", name, simulator)
    simulators.mount(name, "jira_data_center", simulator.app)


def _github(simulators: Simulators, name: str, settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.github import GitHub

    token = _token("github")
    around = simulators.around
    simulators.secrets[name] = {"token": token}
    simulator = GitHub(
        around.clock,
        token=token,
        repository=str(settings["repository"]),
        people=[str(settings["assignee"])] if settings.get("assignee") else [],
        hook=simulators.hook(name, settings),
    )
    around.tickets.register("github", name, simulator)
    simulators.mount(name, "github", simulator.app)


def _smtp(simulators: Simulators, name: str, settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.smtp import Mailbox

    secret = {"username": _EMAIL, "password": _token("smtp")}
    mailbox = Mailbox(**secret)
    simulators.secrets[name] = secret
    simulators.mount(name, "smtp", mailbox.app)
    simulators.listen(name, mailbox, str(settings.get("security", "starttls")))


def _servicenow(simulators: Simulators, name: str, settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.servicenow import ServiceNow

    auth: Any = settings.get("auth", "basic")
    secret = {
        "basic": {"username": "hub-responder", "password": _token("now")},
        "oauth": {"client_id": "hub-responder", "client_secret": _token("now")},
        "api_key": {"api_key": _token("now")},
    }[auth]
    around = simulators.around
    simulators.secrets[name] = dict(secret)
    hook = simulators.hook(name, settings)
    simulator = ServiceNow(around.clock, auth=auth, secret=secret, hook=hook)
    around.tickets.register("servicenow", name, simulator)
    simulators.mount(name, "servicenow", simulator.app)


def _webhook(simulators: Simulators, name: str, _settings: Mapping[str, Any]) -> None:
    from hub_toolkit.sandbox.vendors.webhook import Webhook

    key = _token("key")
    simulators.secrets[name] = {"signing_key": key}
    simulators.mount(name, "webhook", Webhook(simulators.around.clock, signing_key=key).app)


def _places(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The channels or projects that a connection can lead to."""
    return tuple(settings.get("allow") or (str(settings[PLACES[settings["type"]]]),))


def _token(prefix: str) -> str:
    """New for every sandbox, so that one that leaks is seen and none is worth keeping."""
    return f"{prefix}-sandbox-{secrets.token_hex(12)}"


_MAKERS: dict[str, Callable[[Simulators, str, Mapping[str, Any]], None]] = {
    "vision_one": _vision_one,
    "workload_security": _workload_security,
    "slack": _slack,
    "slack_webhook": _slack_webhook,
    "teams": _teams,
    "pagerduty": _pagerduty,
    "jira": _jira,
    "jira_data_center": _jira_data_center,
    "github": _github,
    "servicenow": _servicenow,
    "smtp": _smtp,
    "webhook": _webhook,
}
