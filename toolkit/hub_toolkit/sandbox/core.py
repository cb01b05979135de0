"""The services of a sandbox and how requests reach them, without the functions that use them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from hub_toolkit.sandbox import dynamodb, kms, targets
from hub_toolkit.sandbox.aws_app import AwsApp, identify
from hub_toolkit.sandbox.aws_effects import AwsEffects, OpsItems
from hub_toolkit.sandbox.aws_json import json_app
from hub_toolkit.sandbox.control import PREFIX as CONTROL
from hub_toolkit.sandbox.deploy import Services
from hub_toolkit.sandbox.event_plane.bus import EventPlane
from hub_toolkit.sandbox.faults import Faults
from hub_toolkit.sandbox.function_urls import PATH as URLS
from hub_toolkit.sandbox.hooks import Hooks
from hub_toolkit.sandbox.inbox import Inbox
from hub_toolkit.sandbox.kills import AWS_EFFECTS, Kills
from hub_toolkit.sandbox.members.plane import Members
from hub_toolkit.sandbox.mounts import Mounts
from hub_toolkit.sandbox.opscenter import OPERATIONS, OpsCenter
from hub_toolkit.sandbox.security_hub.hub import SecurityHub
from hub_toolkit.sandbox.security_lake import S3_OPERATIONS, SecurityLake
from hub_toolkit.sandbox.ses import Ses
from hub_toolkit.sandbox.simulators import PATH as VENDORS
from hub_toolkit.sandbox.simulators import Around, Simulators
from hub_toolkit.sandbox.sqs import Queues
from hub_toolkit.sandbox.tickets import Tickets

if TYPE_CHECKING:
    from contextlib import ExitStack

    from hub_toolkit.sandbox.clock import Clock
    from hub_toolkit.sandbox.iam import Roles
    from hub_toolkit.sandbox.identifiers import Place
    from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse


class Rest(Protocol):
    """The rest of AWS; `hub_toolkit.sandbox.moto_store.MotoStore` is one."""

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI: answers an AWS request."""

    def create_topic(self, name: str) -> None:
        """Create an SNS topic."""

    def create_bucket(self, name: str, lock: Mapping[str, Any] | None = None) -> None:
        """Create an S3 bucket; ``lock``: its ``ObjectLockConfiguration``."""

    def create_stream(self, name: str) -> None:
        """Create a Kinesis stream."""

    def put_secret(self, name: str, value: Mapping[str, str]) -> None:
        """Create a secret that holds ``value`` as a JSON object."""


class Core:
    """The services of one sandbox, empty.

    Args:
        clock: their time. place: their account, region and endpoint. moto: carries the rest of AWS.
    """

    def __init__(self, clock: Clock, place: Place, moto: Rest) -> None:
        account, region = place.account, place.region
        self.clock = clock
        self.moto = moto
        self.queues = Queues(clock, region, account, place.endpoint)
        self.events = EventPlane(clock.now, self.queues, region, account)
        self.hub = SecurityHub(clock.now, self.events.put_event, region, account)
        self.tables = dynamodb.ItemStore(clock.now, region=region, account=account)
        self.center = OpsCenter(clock.now, region, account)
        self.kms = kms.Kms()
        self.machines = targets.StateMachines(clock.now)
        self.members = Members(clock.now, account, region, self.hub.get)
        self.lake = SecurityLake(account, region, self.members.accounts)
        moto.create_bucket(self.lake.bucket)
        self.inbox = Inbox(clock.now)
        self.faults = Faults(self._delay)
        self.tickets = Tickets()
        self.hooks = Hooks(clock)
        self.state_buckets: set[str] = set()
        """Names of the buckets whose objects no person or other program gets."""
        self._place = place

    def _delay(self, seconds: float) -> None:
        """A slow answer takes its time on the sandbox's clock as well, whoever gave up on it."""
        with self.clock.running():
            time.sleep(seconds)

    def simulators(self, kills: Kills, closing: ExitStack | None = None) -> Simulators:
        """The vendors, none yet.

        Args:
            closing: ends servers of their own; None: they have none.
        """
        return Simulators(
            Around(
                self.clock.now,
                self._place.endpoint,
                self.inbox,
                self.faults,
                self.tickets,
                kills,
                self.hooks.send,
            ),
            closing=closing,
        )

    def services(self) -> Services:
        """Where the template's resources are created."""
        return Services(
            queues=self.queues,
            events=self.events,
            dynamodb=self.tables.handle,
            topic=self.moto.create_topic,
            bucket=self.moto.create_bucket,
            key=self.kms.create,
            action_target=lambda request: self.hub.handle("CreateActionTarget", request),
        )

    def app(
        self,
        simulators: Simulators,
        kills: Kills,
        control: App,
        outside: frozenset[str] = frozenset(),
        *,
        urls: Mapping[str, App] = MappingProxyType({}),
        roles: Roles | None = None,
    ) -> App:
        """WSGI: everything behind the sandbox's one address.

        Args:
            outside: names of the queues that are not the responder's own.
            urls: what answers at the functions' URLs, by the functions' names.
            roles: what the functions may do; None: anything.
        """
        effects = AwsEffects(self.inbox, simulators, outside, self.state_buckets)
        name = simulators.name_of("opscenter", "opscenter")
        self.tickets.register("opscenter", name, OpsItems(self.center))
        for connector in simulators.connectors:
            self.hub.connectors.register(connector)
        hub = simulators.name_of("security_hub", "security_hub")
        self.tickets.register("security_hub", hub, self.hub.connectors)
        place = self._place
        aws = AwsApp(
            {
                "sqs": self.queues.app,
                "dynamodb": dynamodb.app(self.tables),
                "events": json_app("AWSEvents", self.events),
                "securityhub": self.hub.app,
                "securitylake": self.lake.app,
            },
            {
                **{f"ssm.{operation}": self.center.app for operation in OPERATIONS},
                **{f"kms.{operation}": self.kms.app for operation in kms.OPERATIONS},
                **self.members.operations,
                **dict.fromkeys(S3_OPERATIONS, self.lake.around(self.moto.app)),
                "lambda.Invoke": targets.functions,
                "states.StartExecution": self.machines.app,
                **dict.fromkeys(
                    ("ses.SendEmail", "ses.GetAccount", "ses.GetEmailIdentity"),
                    Ses(
                        self.clock.now,
                        simulators.mailers,
                        self.events.put_event,
                        place.account,
                        place.region,
                    ).app,
                ),
            },
            other=self.moto.app,
            faults=self.faults,
            targets=effects.targets,
            performed=effects.performed,
        )
        allowed = roles.around(aws) if roles else aws
        aws_app = kills.around(allowed, lambda environ: identify(environ).target in AWS_EFFECTS)
        mounts = {
            VENDORS: Mounts(simulators.apps, "connection"),
            URLS: Mounts(urls, "function with a URL"),
        }

        def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            path = str(environ["PATH_INFO"])
            if path.startswith(f"{CONTROL}/"):
                return control(environ, start_response)
            for prefix, mounted in mounts.items():
                if path.startswith(f"{prefix}/"):
                    environ["SCRIPT_NAME"], environ["PATH_INFO"] = prefix, path.removeprefix(prefix)
                    return mounted(environ, start_response)
            return aws_app(environ, start_response)

        return app
