"""``template.yaml`` read for the sandbox: what is to be made, with every name resolved.

A resource type or a kind of event that is not known here is an error: silence would mean that the
sandbox runs something else than AWS does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hub_toolkit.sandbox.identifiers import Place, identify
from hub_toolkit.sandbox.intrinsics import Resolver, TemplateError

RECORDED_ONLY = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::IAM::ManagedPolicy",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Logs::LogGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SES::ConfigurationSetEventDestination",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)
"""Types that change nothing here: policies of resources are not looked at, logs go nowhere, and
there is no Athena: what a Glue table would show is read where it lies."""

_KEPT = {
    "AWS::SQS::Queue": ("queues", "QueueName"),
    "AWS::DynamoDB::Table": ("tables", "Ref"),
    "AWS::SNS::Topic": ("topics", "TopicName"),
    "AWS::S3::Bucket": ("buckets", "Ref"),
    "AWS::KMS::Key": ("keys", "Arn"),
    "AWS::KMS::Alias": ("aliases", "Ref"),
    "AWS::Events::Rule": ("rules", "Ref"),
    "AWS::Scheduler::Schedule": ("schedules", "Ref"),
    "AWS::SecurityHub::ActionTarget": ("action_targets", "Ref"),
    "AWS::IAM::Role": ("roles", "Ref"),
}
"""Type -> where the plan has its resources, and the identifier that names one there."""

LAYER_ROOT = "/opt"
"""Where Lambda unpacks layers."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """An event source mapping: a queue whose messages invoke a function.

    Attributes:
        queue_arn: the queue. batch_size: messages of one invocation at most.
        window: seconds that a batch is collected. concurrency: invocations at once, None: no limit.
        partial: the function names the messages that failed (ReportBatchItemFailures).
    """

    queue_arn: str
    batch_size: int
    window: float
    concurrency: int | None
    partial: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """An event source mapping: a table's stream whose changes invoke a function.

    Attributes:
        stream_arn: the stream. batch_size: changes of one invocation at most.
        filters: patterns of what is passed on; empty: everything.
    """

    stream_arn: str
    batch_size: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Attributes:
        role: the ARN of its role.
        layers: the last part of each layer's ContentUri, which names what is in it.
        schedules: the schedule expressions that invoke it, in AWS's spelling.
        streams: those whose changes invoke it.
    """

    name: str
    logical_id: str
    handler: str
    environment: Mapping[str, str]
    timeout: float
    memory: int
    role: str = ""
    layers: tuple[str, ...] = ()
    sources: tuple[Mapped, ...] = ()
    schedules: tuple[str, ...] = ()
    streams: tuple[Followed, ...] = ()


@dataclass(slots=True)
class Plan:
    """What the template asks for, each by name with its resolved properties."""

    queues: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    action_targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The statements of each role's policies, by the role's name."""
    urls: set[str] = field(default_factory=set)
    """Names of the functions that have a URL."""
    public: dict[str, set[str]] = field(default_factory=dict)
    """What everybody may do through the URL of a function."""

    def switch_off(self, stack: str, playbooks: Iterable[str]) -> None:
        """Drop the rules, schedules and buttons of playbooks that the stage has disabled.

        In a deployed stage the template's conditions do that; the sandbox's stage is not in it.
        """
        for name in playbooks:
            queues = tuple(f":{stack}-{name}-{kind}" for kind in ("imports", "clicks"))
            for rule, properties in list(self.rules.items()):
                targets = [str(target.get("Arn", "")) for target in properties.get("Targets", [])]
                if any(arn.endswith(queues) for arn in targets):
                    del self.rules[rule]
                    for arn in properties.get("EventPattern", {}).get("resources", []):
                        self.action_targets.pop(arn, None)
            for schedule, properties in list(self.schedules.items()):
                if str(properties["Target"]["Arn"]).endswith(queues):
                    del self.schedules[schedule]


def read_template(path: Path) -> dict[str, Any]:
    """Parse a template; its intrinsics are in the long form, so it is plain YAML (or JSON).

    Raises:
        TemplateError: it cannot be read, or is no YAML mapping.
    """
    import yaml  # other commands do not pay for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        template = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - safe
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror}: run `hub-responder synth`") from error
    except yaml.YAMLError as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{path} is no CloudFormation template: it has no Resources")
    return template


def with_roles(
    template: Mapping[str, Any], statements: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """``template`` with other statements in its roles, by their logical ids.

    The sandbox's connections are of a stage of its own that is never deployed, so that the template
    does not hold what they need.
    """
    resources = dict(template["Resources"])
    for logical_id in statements.keys() & resources.keys():
        role = resources[logical_id]
        document = {"Version": "2012-10-17", "Statement": list(statements[logical_id])}
        policies = [{"PolicyName": "own", "PolicyDocument": document}]
        properties = {**role["Properties"], "Policies": policies}
        resources[logical_id] = {**role, "Properties": properties}
    return {**template, "Resources": resources}


def plan(template: Mapping[str, Any], place: Place, parameters: Mapping[str, str]) -> Plan:
    """Resolve a template.

    Raises:
        TemplateError: it holds what is not known here, or refers to what does not exist.
    """
    pseudo = {
        "AWS::AccountId": place.account,
        "AWS::Region": place.region,
        "AWS::Partition": "aws",
        "AWS::StackName": place.stack,
        "AWS::StackId": place.arn("cloudformation", f"stack/{place.stack}/sandbox"),
        "AWS::URLSuffix": "amazonaws.com",
    }
    declared = template.get("Parameters", {})
    given = {name: value for name, value in parameters.items() if name in declared}
    resolver = Resolver(template, given, pseudo, partial(identify, place))
    reader = _Reader(template, resolver)
    found = Plan()
    for logical_id in template["Resources"]:
        if resolver.active(logical_id):
            reader.add(found, logical_id)
    return found


class _Reader:
    """Turns resources into the entries of a `Plan`."""

    def __init__(self, template: Mapping[str, Any], resolver: Resolver) -> None:
        self._resources: Mapping[str, Any] = template["Resources"]
        self._resolver = resolver
        globals_ = template.get("Globals", {}).get("Function", {})
        self._globals: dict[str, Any] = resolver.resolve(globals_, "Globals.Function") or {}
        self._layers = {
            resolver.identifiers(logical_id)["Ref"]: str(
                resolver.properties(logical_id).get("ContentUri", "")
            )
            for logical_id, resource in self._resources.items()
            if resource["Type"] == "AWS::Serverless::LayerVersion" and resolver.active(logical_id)
        }
        self._mappings: dict[str, list[Mapped]] = {}
        self._streams: dict[str, list[Followed]] = {}
        self._separate_mappings()

    def add(self, found: Plan, logical_id: str) -> None:
        """Add one resource."""
        kind = self._resources[logical_id]["Type"]
        identifiers = self._resolver.identifiers(logical_id)
        properties = self._resolver.properties(logical_id)
        if kind in _KEPT:
            where, name = _KEPT[kind]
            getattr(found, where)[identifiers[name]] = properties
        if kind == "AWS::IAM::Role":
            for policy in properties.get("Policies", ()):
                _grant(found, identifiers["Ref"], policy)
        if kind in _KEPT:
            return
        match kind:
            case "AWS::Serverless::Function":
                function = self._function(logical_id, identifiers["Ref"], properties)
                found.functions[function.name] = function
            case "AWS::IAM::RolePolicy":
                _grant(found, str(properties["RoleName"]), properties)
            case "AWS::Lambda::Url":
                found.urls.add(_function_name(properties["TargetFunctionArn"]))
            case "AWS::Lambda::Permission":
                if properties["Principal"] == "*":
                    allowed = found.public.setdefault(
                        _function_name(properties["FunctionName"]), set()
                    )
                    allowed.add(str(properties["Action"]))
            case "AWS::Serverless::LayerVersion" | "AWS::Lambda::EventSourceMapping":
                pass  # read with the functions that they belong to
            case _ if kind not in RECORDED_ONLY:
                raise TemplateError(
                    f"Resources.{logical_id}: the sandbox does not know the resource type {kind}"
                )

    def _function(self, logical_id: str, name: str, own: Mapping[str, Any]) -> Function:
        merged = {**self._globals, **own}
        variables = {
            **self._globals.get("Environment", {}).get("Variables", {}),
            **own.get("Environment", {}).get("Variables", {}),
        }
        layers = [*self._globals.get("Layers", []), *own.get("Layers", [])]
        sources = list(self._mappings.get(name, ()))
        schedules: list[str] = []
        for event_id, event in own.get("Events", {}).items():
            details = event.get("Properties", {})
            if event["Type"] == "SQS":
                sources.append(_mapped(details, details["Queue"]))
            elif event["Type"] in {"Schedule", "ScheduleV2"}:
                schedules.append(str(details.get("ScheduleExpression") or details["Schedule"]))
            else:
                raise TemplateError(
                    f"Resources.{logical_id}.Events.{event_id}: the sandbox does not know the "
                    f"event type {event['Type']}"
                )
        return Function(
            name=name,
            logical_id=logical_id,
            handler=str(merged["Handler"]),
            environment={key: _text(value) for key, value in variables.items()},
            timeout=float(merged.get("Timeout", 3)),
            memory=int(merged.get("MemorySize", 128)),
            role=str(merged.get("Role", "")),
            layers=tuple(self._layer(logical_id, layer) for layer in layers),
            sources=tuple(sources),
            streams=tuple(self._streams.get(name, ())),
            schedules=tuple(schedules),
        )

    def _layer(self, logical_id: str, arn: str) -> str:
        if arn not in self._layers:
            raise TemplateError(
                f"Resources.{logical_id}: the layer {arn} is not one of this template; its content "
                "is not on this machine"
            )
        return Path(self._layers[arn]).name

    def _separate_mappings(self) -> None:
        for logical_id, resource in self._resources.items():
            if resource["Type"] != "AWS::Lambda::EventSourceMapping":
                continue
            if self._resolver.active(logical_id):
                properties = self._resolver.properties(logical_id)
                function = _function_name(properties["FunctionName"])
                source = str(properties["EventSourceArn"])
                if source.split(":")[2] == "dynamodb":
                    self._streams.setdefault(function, []).append(_followed(properties, source))
                else:
                    mapped = _mapped(properties, source)
                    self._mappings.setdefault(function, []).append(mapped)


def _grant(found: Plan, role: str, policy: Mapping[str, Any]) -> None:
    statements = policy["PolicyDocument"]["Statement"]
    found.policies.setdefault(role, []).extend(statements)


def _function_name(named: Any) -> str:
    """A function's name from its ARN or its name."""
    return str(named).rsplit(":", 1)[-1]


def _mapped(properties: Mapping[str, Any], queue_arn: str) -> Mapped:
    """Defaults are those of CreateEventSourceMapping for SQS."""
    concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
    return Mapped(
        queue_arn=queue_arn,
        batch_size=int(properties.get("BatchSize", 10)),
        window=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
        concurrency=None if concurrency is None else int(concurrency),
        partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
    )


def _followed(properties: Mapping[str, Any], stream_arn: str) -> Followed:
    """Defaults are those of CreateEventSourceMapping for streams."""
    filters = properties.get("FilterCriteria", {}).get("Filters", [])
    return Followed(
        stream_arn=stream_arn,
        batch_size=int(properties.get("BatchSize", 100)),
        filters=tuple(str(one["Pattern"]) for one in filters),
    )


def _text(value: Any) -> str:
    """An environment variable's value as Lambda gets it from YAML."""
    return str(value).lower() if isinstance(value, bool) else str(value)
