"""One deployment in this process: rules, queues, tables, functions, vendors, and what they did.

Made as ``synth`` would make the stack of these playbooks, over the sandbox's services. Messages
are handled one batch after the other; when none is visible, the clock is moved to the next.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import msgspec

from hub_responder.actions.base import Action, Outcome
from hub_responder.connections.settings import GITHUB_API
from hub_responder.errors import PermanentError, TransientError
from hub_responder.handlers import playbook as playbook_handler
from hub_responder.playbook import load
from hub_responder.secrets import name_of
from hub_toolkit.dry.clock import StillClock
from hub_toolkit.dry.elsewhere import Elsewhere
from hub_toolkit.dry.traffic import TICKET_SYSTEMS, Call, Delivery, delivery
from hub_toolkit.dry.wires import Wires, forget, printed_to, through, variables
from hub_toolkit.playbooks import inventory
from hub_toolkit.sandbox import audit_reader, deploy, mail, outside
from hub_toolkit.sandbox.aws_app import identify, is_form
from hub_toolkit.sandbox.core import Core
from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.in_process import call
from hub_toolkit.sandbox.inbox import shown_body, shown_path
from hub_toolkit.sandbox.kills import AWS_EFFECTS, Kills, is_vendor_effect
from hub_toolkit.sandbox.pollers import failed_ids, to_record
from hub_toolkit.sandbox.routes import learn
from hub_toolkit.sandbox.schedule import Schedule
from hub_toolkit.sandbox.simulators import PATH as VENDORS
from hub_toolkit.sandbox.simulators import addresses
from hub_toolkit.sandbox.sqs import Message
from hub_toolkit.sandbox.template import Function, Plan
from hub_toolkit.sandbox.template import plan as read_plan
from hub_toolkit.sandbox.vendors.base import VERDICT_KEY
from hub_toolkit.sandbox.vendors.smtp.app import PATH as MESSAGES
from hub_toolkit.sandbox.workers import environment
from hub_toolkit.sandbox.workers.context import Context
from hub_toolkit.sandbox.wsgi import Environ, StartResponse, read_body, respond_error
from hub_toolkit.synth import archive, calls, roles, shared
from hub_toolkit.synth import playbook as synthesized
from hub_toolkit.synth.naming import logical

if TYPE_CHECKING:
    import requests

    from hub_toolkit.playbooks.connections import Connections
    from hub_toolkit.playbooks.format import Source as Playbook
    from hub_toolkit.playbooks.load import Project
    from hub_toolkit.sandbox.pollers import Source
    from hub_toolkit.sandbox.sqs import Queues

ENDPOINT = "https://dry.invalid"
"""No name ends so (RFC 6761): a request that should get out by mistake finds nobody."""
STACK = "hub-responder"
HANDLER = "hub_responder.handlers.playbook.handler"
MAX_RUNS = 2000
PATIENCE_S = 3 * 86_400.0
"""How far the clock is moved in all: longer than anything is deferred."""
_TIME_LEFT_S = 60.0


class Restless(Exception):  # noqa: N818 - reads as the fact
    """Messages go on being sent and received: something does not come to an end."""


def host(place: Place) -> environment.Host:
    """Where functions find themselves."""
    return environment.Host(ENDPOINT, place.region, place.account)


@dataclass(slots=True)
class Happened:
    """What the functions did.

    Attributes:
        calls: every request, in order. deliveries: those that people would have got.
        refused: deliveries that the other system did not take, with ``status``, ``reason`` and
            ``playbook``.
        crashes: of invocations that failed as a whole: the playbook and the traceback.
    """

    calls: list[Call] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    crashes: list[tuple[str, str]] = field(default_factory=list)


class World:
    """One deployment. Only one at a time is plugged into a process's `Wires`.

    Args:
        wires: this process's ways out. project: the stage's connections.
        playbooks: each with the folder it was compiled to. plan: their `stack`.
        place: account and region of the deployment. stage: names the secrets.
        start: what the clock says at first (epoch seconds).
    """

    def __init__(
        self,
        wires: Wires,
        project: Project,
        playbooks: Mapping[str, tuple[Playbook, Path]],
        plan: Plan,
        *,
        place: Place,
        stage: str,
        start: float,
    ) -> None:
        self.clock = StillClock(start)
        self.place = place
        self.answers: dict[str, dict[str, Any]] = {}
        """What actions answer instead of asking, by the name that steps use."""
        self.beside: Callable[[Action], Action] | None = None
        """Makes of each action the one that runs, as a preview looks at what one gets."""
        self.happened = Happened()
        self._wires = wires
        self._stage = stage
        self._names = itertools.count(1)
        self._elsewhere = Elsewhere(place)
        self.core = Core(self.clock, place, self._elsewhere)
        kills = Kills(self.core.faults, lambda _port: False, lambda _port: False)
        self.simulators = self.core.simulators(kills)
        self._hosts: dict[str, list[str]] = {}
        for name, settings in project.connections.connections.items():
            self._connect(name, settings)
        for name, value in self.simulators.secrets.items():
            self._elsewhere.put_secret(name_of(stage, name), value)
        self._plan = plan
        deploy.deploy(self._plan, self.core.services())
        self.core.members.accounts.roles.add(project.settings.member_role)
        self._schedule = Schedule(
            self._plan, place, self.clock.now, _no_invocation, self.core.queues.send
        )
        self._functions = _functions(self._plan, playbooks)
        self._sources = [
            source for source in deploy.sources(self._plan) if source.function in self._functions
        ]
        self._running = ""
        self._systems = {
            name: kind for kind, names in self.simulators.names.items() for name in names
        }
        compiled = [load(folder) for _, folder in playbooks.values()]
        beyond = outside.provide(compiled, place, self._elsewhere, self.core.queues)
        self._app = self.core.app(self.simulators, kills, _no_control, beyond)
        forget()
        wires.app, wires.http, wires.now = self._recorded, self._http, self.clock.now
        wires.mail = self._mail

    def close(self) -> None:
        """Forget everything."""
        self._elsewhere.close()
        self.core.queues.close()

    @property
    def queues(self) -> Queues:
        """The queues, by ARN or URL."""
        return self.core.queues

    def learn(self, event: Mapping[str, Any]) -> None:
        """Let Security Hub hold the findings of an event, unless it does already."""
        learn(self.core.hub, dict(event["detail"]))

    def put(self, event: Mapping[str, Any]) -> list[str]:
        """Put an event on the bus; Security Hub then holds its findings.

        Returns:
            The names of the rules that it matched, without the stack's name.
        """
        self.learn(event)
        return [name.removeprefix(f"{STACK}-") for name in self.core.events.put_event(event)]

    def hold(self, source: Playbook, findings: Sequence[Mapping[str, Any]]) -> None:
        """Let Security Hub hold the insight of a playbook's schedule, with these findings."""
        if source.on.schedule is not None and source.on.schedule.insight:
            self.core.hub.seed_insight(source.on.schedule.insight, "As the case gives it", "Id")
            self.learn({"detail": {"findings": list(findings)}})

    def start(self, playbook: str) -> None:
        """Let a playbook's schedule start it now.

        Raises:
            ControlError: it has none.
        """
        self._schedule.tick(playbook)

    def drop_secret(self, connection: str) -> None:
        """Take away a connection's secret."""
        self._elsewhere.drop_secret(name_of(self._stage, connection))

    @property
    def ledger_table(self) -> str:
        """The ledger's table."""
        return self._table("Ledger")

    def patterns(self) -> dict[str, Mapping[str, Any]]:
        """The event patterns of the rules, by name without the stack's."""
        return {
            name.removeprefix(f"{STACK}-"): rule["EventPattern"]
            for name, rule in self._plan.rules.items()
            if rule.get("EventPattern")
        }

    def drain(self) -> None:
        """Handle messages until no queue of a function holds any.

        Raises:
            Restless: after `MAX_RUNS` invocations, or `PATIENCE_S` of the clock.
        """
        end = self.clock.now() + PATIENCE_S
        for _ in range(MAX_RUNS):
            if sum(self._serve(source) for source in self._sources):
                continue
            due = [self.queues.next_visible(source.queue) for source in self._sources]
            following = min((at for at in due if at is not None), default=None)
            if following is None:
                return
            if following > end:
                break
            self.clock.advance_to(following)
        raise Restless("messages do not come to an end: something waits for itself")

    def records(self) -> list[dict[str, Any]]:
        """The audit trail, oldest first."""
        table = self._table("Audit")
        items: list[dict[str, Any]] = []
        request: dict[str, Any] = {"TableName": table}
        while True:
            answer = self.core.tables.handle("Scan", request)
            items += answer.get("Items", [])
            if "LastEvaluatedKey" not in answer:
                return audit_reader.records(items)
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def dead_letters(self) -> list[Message]:
        """What ended in the dead-letter queue."""
        arns = deploy.dead_letter_queues(self._plan)
        return [message for arn in arns for message in self.queues.messages(arn)]

    def tickets(self) -> list[dict[str, Any]]:
        """The tickets of all systems."""
        return self.core.tickets.list()

    def finding(self, finding_id: str) -> dict[str, Any]:
        """A finding as Security Hub holds it now; empty where it does not."""
        return self.core.hub.get(finding_id) or {}

    def _table(self, what: str) -> str:
        return next(name for name in self._plan.tables if what in name)

    # Functions

    def _serve(self, source: Source) -> bool:
        """One invocation with what is visible in a queue; whether there was any."""
        taken: list[Message] = []
        while len(taken) < source.batch_size:
            received = self.queues.receive(source.queue, min(10, source.batch_size - len(taken)))
            if not received:
                break
            taken += received
        if not taken:
            return False
        function, playbook = self._functions[source.function]
        region = self.place.region
        event = {"Records": [to_record(one, source.queue, region) for one in taken]}
        answer = self._invoke(function, playbook, event)
        failed = failed_ids(answer, {one.id for one in taken}) if answer is not None else None
        for message in taken:
            if failed is not None and message.id not in failed:
                self.queues.delete(source.queue, message.receipt)
        return True

    def _invoke(self, function: Function, playbook: str, event: Mapping[str, Any]) -> Any:
        """The handler's answer, or None where it failed."""
        if function.handler != HANDLER:
            raise AssertionError(f"no queue leads to {function.handler}")
        context = _Context(
            aws_request_id=f"00000000-0000-4000-8000-{next(self._names):012d}",
            function_name=function.name,
            function_version=environment.VERSION,
            invoked_function_arn=host(self.place).function_arn(function.name),
            memory_limit_in_mb=str(function.memory),
            log_group_name=environment.log_group(function.name),
            log_stream_name="dry",
            end=0.0,
        )
        given = environment.variables(
            host(self.place),
            name=function.name,
            handler=function.handler,
            memory_mb=function.memory,
            directory="",
            log_stream="dry",
            template=function.environment,
        )
        inbox = self.core.inbox
        seen, turned_away = len(inbox.deliveries()), len(inbox.refused())
        self._running = playbook
        try:
            with variables(given), printed_to(self._wires.log):
                return playbook_handler.handle(dict(event), context, self._answered)
        except Exception:  # noqa: BLE001 - whatever a handler raises is its error
            self.happened.crashes.append((playbook, traceback.format_exc()))
            return None
        finally:
            self._running = ""
            self.happened.deliveries += [
                delivery(playbook, entry) for entry in inbox.deliveries()[seen:]
            ]
            self.happened.refused += [
                {"playbook": playbook, **entry} for entry in inbox.refused()[turned_away:]
            ]

    def _answered(self, action: Action) -> Action:
        """The action, or one that answers what was given."""
        given = self.answers.get(action.name)
        if given is None:
            return action if self.beside is None else self.beside(action)
        outcome = Outcome("done", "as the case gives it", result=given)
        return replace(action, run=lambda works, _runtime: [outcome] * len(works))

    # Requests

    def _connect(self, name: str, settings: Mapping[str, Any]) -> None:
        """Simulate a connection, and know it by the address that it keeps."""
        self.simulators.add(name, settings)
        if name in self.simulators.apps and settings.get("type") in TICKET_SYSTEMS:
            address = settings.get("url") or settings.get("base_url") or GITHUB_API
            self._hosts.setdefault(urlsplit(str(address)).netloc, []).append(name)

    def _http(self, request: requests.PreparedRequest) -> Any:
        url = str(request.url)
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != ENDPOINT:
            name = self._connection_at(parts.netloc, str(request.headers.get("Authorization", "")))
            rest = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
            url = f"{ENDPOINT}{VENDORS}/{name}{rest}"
        return through(self._recorded, request, url)

    def _mail(self, name: str, recipients: Sequence[str], content: bytes) -> None:
        """What a mail server takes.

        Raises:
            CallError: it is no message, or a scripted fault refuses it.
        """
        try:
            shown = mail.shown(mail.parsed(content), recipients)
        except mail.MailError as error:
            raise PermanentError(f"{name} takes no such message: {error}", target=name) from error
        url = f"{ENDPOINT}{VENDORS}/{name}{MESSAGES}"
        headers = [("Content-Type", "application/json")]
        status = call(self._recorded, "POST", url, headers, msgspec.json.encode(shown)).status
        if status >= 400:  # noqa: PLR2004 - SMTP's refusals begin there too
            refused = PermanentError if status >= 500 else TransientError  # noqa: PLR2004
            raise refused(f"{name} answered {status} to the message", target=name)

    def _connection_at(self, netloc: str, authorization: str) -> str:
        """The connection at a host: where several are there, the one whose secret was sent."""
        names = self._hosts.get(netloc, [])
        sent = _credentials(authorization)
        for name in names if len(names) > 1 else ():
            if all(value in sent for value in self.simulators.secrets.get(name, {}).values()):
                return name
        return names[0] if names else "unknown"

    def _recorded(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The deployment's surroundings, with every request kept."""
        body = read_body(environ)
        method, path = str(environ["REQUEST_METHOD"]), str(environ["PATH_INFO"])
        form = is_form(environ)
        vendor = path.startswith(f"{VENDORS}/")
        target = "" if vendor else identify(environ).target
        told: list[str] = []

        def watch(status: str, *rest: Any) -> Any:
            told[:] = [status]
            return start_response(status, *rest)

        effect = is_vendor_effect(environ) if vendor else target in AWS_EFFECTS
        answer = list(self._app(environ, watch))
        status = int(told[0][:3])
        name, _, rest = path.removeprefix(f"{VENDORS}/").partition("/")
        done = status < 400 and VERDICT_KEY not in environ  # noqa: PLR2004 - HTTP's errors
        self.happened.calls.append(
            Call(
                playbook=self._running,
                system=self._systems.get(name, "http") if vendor else "aws",
                connection=name if vendor else target,
                method=method,
                path=shown_path(f"/{rest}") if vendor else path,
                body=shown_body(body, form=form),
                status=status,
                effect=effect and done,
            )
        )
        return answer


class _Context(Context):
    """A context whose time does not run: only the world's clock passes."""

    def get_remaining_time_in_millis(self) -> int:
        """The function's whole time, always."""
        return int(_TIME_LEFT_S * 1000)


def stack(sources: Sequence[Playbook], place: Place, stage: str, connections: Connections) -> Plan:
    """The stack of these playbooks as ``synth`` makes it, but that roles stay empty."""
    return read_plan(_template(sources, connections), place, {"Stage": stage})


def _template(sources: Sequence[Playbook], connections: Connections) -> dict[str, Any]:
    queues = [
        logical(source.name, suffix)
        for source in sources
        for suffix in ("ImportsQueue", "ClicksQueue")
    ]
    scheduled = {
        logical(source.name, "ImportsQueue"): "" for source in sources if source.on.schedule
    }
    resources = dict(shared.resources(dict.fromkeys(queues, ""), scheduled))
    resources |= archive.resources()
    if any(roles.reports(source) for source in sources):
        resources |= shared.reports()
    if any(inventory.takes(source) for source in sources):
        resources |= shared.inventory([])
    for source in sources:
        mails = bool(roles.mail_sets(source, connections))
        resources |= synthesized.resources(source, [], mails=mails)
    resources |= calls.resources(resources)
    return {
        "Parameters": {**shared.PARAMETERS, **archive.PARAMETERS},
        "Conditions": archive.CONDITIONS,
        "Globals": shared.GLOBALS,
        "Resources": resources,
    }


def rewritten(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A connection's settings as the world's functions get them.

    The address of a ticket system stays, for people see it in links: a world knows it by that. The
    others become the simulator's.
    """
    kind = str(settings.get("type"))
    found = {} if kind in TICKET_SYSTEMS else addresses(kind, f"{ENDPOINT}{VENDORS}/{name}")
    return {**settings, **found}


def _functions(
    plan: Plan, playbooks: Mapping[str, tuple[Playbook, Path]]
) -> dict[str, tuple[Function, str]]:
    """The playbooks' functions with the playbook's name; each finds its playbook's folder."""
    found = {}
    for function in plan.functions.values():
        named = [layer for layer in function.layers if layer in playbooks]
        if named:
            given = {**function.environment, "PLAYBOOK_DIR": str(playbooks[named[0]][1])}
            found[function.name] = (replace(function, environment=given), named[0])
    return found


def _credentials(authorization: str) -> str:
    """What an Authorization header says, with a Basic one's base64 read."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(value).decode("utf-8", "replace")
    return value


def _no_control(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return respond_error(start_response, 404, "there are no control routes here")


def _no_invocation(name: str, _event: Any) -> NoReturn:
    raise AssertionError(f"nothing invokes {name} by itself")


def decoded(message: Message) -> Any:
    """A message's body, parsed where it is JSON."""
    try:
        return msgspec.json.decode(message.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return message.body
