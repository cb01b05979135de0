"""What each function's role may do: its own queues, logs and part of the ledger, and its steps'.

Which statement takes which resource follows the Service Authorization Reference (cfn-lint carries
its data and checks it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.connections.permissions import asking, metering, secrets_of
from hub_responder.inventory.history import PREFIX as HISTORY
from hub_responder.tickets import registry
from hub_responder.vision_one.permissions import snapshots
from hub_responder.vision_one.snapshot import PREFIX as CURRENT
from hub_toolkit.playbooks import followed, structs
from hub_toolkit.playbooks import inventory as inventory_of
from hub_toolkit.playbooks.vocabulary import RELATED
from hub_toolkit.synth.naming import attribute, hub, logical, ref

if TYPE_CHECKING:
    from hub_responder.actions.base import Action
    from hub_responder.playbook import Step
    from hub_toolkit.playbooks.connections import Connections
    from hub_toolkit.playbooks.format import Source
    from hub_toolkit.playbooks.load import Project

Statement = Mapping[str, Any]
NO_VALUE = {"Ref": "AWS::NoValue"}

LEDGER_ACTIONS = [
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
]


def allow(action: str | list[str], resource: Any, **rest: Any) -> dict[str, Any]:
    """One statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def role(
    description: str, statements: Sequence[Any], service: str = "lambda", **trust: Any
) -> dict[str, Any]:
    """A role that an AWS service assumes, with one inline policy; ``trust`` limits who may."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": description,
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": f"{service}.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        **trust,
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": "own",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
                }
            ],
        },
    }


def logs(group: str) -> Statement:
    """Writing to one log group, by its logical id."""
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], attribute(group))


def _looked_up(source: Source, member_role: str) -> list[Statement]:
    """What its expressions and templates look up, ``tag()``, ``seen()`` and ``incident.related``,
    and looking into member accounts."""
    found: list[Statement] = []
    if RELATED in source.used:
        found.append(allow("securityhub:GetFindings", hub()))
    if "tag" in source.used:
        found.append(allow("tag:GetResources", "*"))  # it knows no resource
    in_members = any(source.action(step.uses).in_members for step in source.steps)
    if member_role and ("tag" in source.used or in_members):
        found.append(_in_members(member_role))
    if "seen" in source.used:
        table = attribute("LedgerTable")
        found.append(allow(["dynamodb:PutItem", "dynamodb:Query"], table, **only("history")))
    elif suppresses(source):
        found.append(allow("dynamodb:PutItem", attribute("LedgerTable"), **only("history")))
    return found


def _in_members(role_name: str) -> Statement:
    """Looking into member accounts."""
    roles = {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::*:role/{role_name}"}
    return allow("sts:AssumeRole", roles)


def reports(source: Source) -> bool:
    """Some step writes files to the bucket of reports."""
    return any(source.action(step.uses).reports for step in source.steps)


def suppresses(source: Source) -> bool:
    """Some step suppresses findings until a day, as something that the history remembers."""
    return any(
        field.name == "closed_as"
        for step in source.steps
        for field in msgspec.structs.fields(source.action(step.uses).result)
    )


def mail_sets(source: Source, connections: Connections) -> set[tuple[str, str]]:
    """The configuration sets of SES that its messages go through, each with its region."""
    reaching = (reached(step, source.action(step.uses), connections) for step in source.steps)
    chosen = [connections.connections[name] for names in reaching for name in names]
    return {
        (str(one["configuration_set"]), str(one.get("region", "")))
        for one in chosen
        if one.get("type") == "ses" and one.get("configuration_set")
    }


def own(source: Source, member_role: str) -> list[Statement]:
    """What the engine needs for a playbook, whatever its steps do."""
    queues = [attribute(logical(source.name, f"{kind}Queue")) for kind in ("Imports", "Clicks")]
    statements = [
        logs(logical(source.name, "LogGroup")),
        allow(
            [
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            queues,
        ),
        allow("sqs:SendMessage", attribute("DeadLetterQueue")),
        allow(LEDGER_ACTIONS, attribute("LedgerTable"), **only(source.name)),
        # Whether all is paused; its own pause is in its own part.
        allow("dynamodb:GetItem", attribute("LedgerTable"), **only("pause")),
        *_looked_up(source, member_role),
        allow("dynamodb:PutItem", attribute("AuditTable")),
        # The default connection: what could not be decided or done is said there.
        allow("sns:Publish", ref("NotificationsTopic")),
    ]
    scheduled = source.on.schedule
    if source.on.custom_action is not None or (scheduled is not None and scheduled.insight):
        # An insight's findings are looked up.
        statements.append(allow(["securityhub:GetFindings", "securityhub:GetInsights"], hub()))
    if source.on.custom_action is not None:
        # A click is answered on the finding itself.
        statements.append(allow("securityhub:BatchUpdateFindings", hub()))
    return statements


def for_steps(source: Source, connections: Connections) -> list[Statement]:
    """What the steps' actions declare, for the connections that each of them reaches."""
    found: list[Statement] = []
    for step in source.steps:
        action = source.action(step.uses)
        names = reached(step, action, connections)
        chosen = {name: connections.connections[name] for name in names}
        found += [dict(one) for one in action.permissions(step.with_, chosen)]
    return found


def reached(step: Step, action: Action, connections: Connections) -> list[str]:
    """The connections that ``step`` delivers to, itself or through a route, sorted."""
    names: set[str] = set()
    for key in action.connection_kinds:
        given = step.with_.get(key, structs.fallback(action.params, key))
        if isinstance(given, str):
            names.update(connections.behind(given))
    return sorted(names)


def statements(
    source: Source, base: Project, stages: Mapping[str, tuple[Source, Project]]
) -> list[Any]:
    """A playbook's statements.

    Args:
        source: the playbook. base: what stages without files of their own share.
        stages: the others: stage -> the playbook there, and what it shares.
    """
    staged = {stage: _of(there, project) for stage, (there, project) in stages.items()}
    return by_stage(_of(source, base), staged)


def by_stage(plain: Sequence[Statement], staged: Mapping[str, Sequence[Statement]]) -> list[Any]:
    """Every statement once; those that only some stages need depend on the stage.

    Args:
        plain: of stages without files of their own. staged: of the others.
    """
    found: list[Any] = []
    for statement in _once([*plain, *(one for all_of in staged.values() for one in all_of)]):
        here = statement in plain
        value: Any = statement if here else NO_VALUE
        for stage, all_of in staged.items():
            there = statement in all_of
            if there != here:
                value = {"Fn::If": [condition(stage), statement if there else NO_VALUE, value]}
        found.append(value)
    return found


def _of(source: Source, project: Project) -> list[Statement]:
    needed = own(source, project.settings.member_role)
    return _once([*needed, *for_steps(source, project.connections)])


def condition(stage: str) -> str:
    """The name of the condition that holds in ``stage``."""
    return logical(stage, "Stage")


def _once(statements: Sequence[Statement]) -> list[Statement]:
    """One statement for each resource and condition, with everything that may be done there."""
    found: dict[str, dict[str, Any]] = {}
    for statement in statements:
        resources = sorted(_listed(statement["Resource"]), key=repr)
        rest = {key: held for key, held in statement.items() if key not in {"Action", "Resource"}}
        one = {"Effect": rest.pop("Effect"), "Action": [], "Resource": resources, **rest}
        kept = found.setdefault(repr(sorted(one.items())), one)
        kept["Action"] = sorted({*kept["Action"], *_listed(statement["Action"])})
    return list(found.values())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def unanswered() -> list[Statement]:
    """What the scheduled function needs: dead letters, its marks, the answer on the finding."""
    return [
        logs("UnansweredLogGroup"),
        allow("sqs:ReceiveMessage", attribute("DeadLetterQueue")),
        allow("dynamodb:PutItem", attribute("LedgerTable"), **only("unanswered")),
        allow("dynamodb:Query", attribute("LedgerTable"), **only("pause")),
        allow("dynamodb:PutItem", attribute("AuditTable")),
        allow("securityhub:BatchUpdateFindings", hub()),
    ]


def guard() -> list[Statement]:
    """What the function that sees changes of the audit trail needs: its stream, the queue of
    CloudTrail's events, and its records."""
    stream = attribute("AuditTable", "StreamArn")
    read = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    return [
        logs("GuardLogGroup"),
        allow(read, stream),
        allow("dynamodb:ListStreams", "*"),  # it knows no resource
        allow(
            ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            attribute("CallsQueue"),
        ),
        allow("dynamodb:PutItem", attribute("AuditTable")),
    ]


def reconcile() -> list[Statement]:
    """What the function that names unseen findings needs: the findings, the trail, how far it is,
    and its records."""
    own_part = ["dynamodb:GetItem", "dynamodb:PutItem"]
    return [
        logs("ReconcileLogGroup"),
        allow(own_part, attribute("LedgerTable"), **only("reconcile")),
        allow(["dynamodb:PutItem", "dynamodb:Query"], attribute("AuditTable")),
        allow("securityhub:GetFindings", hub()),
    ]


def lapsed() -> list[Statement]:
    """What the function that ends suppressions needs: the findings, and its records."""
    return [
        logs("LapsedLogGroup"),
        allow("dynamodb:ConditionCheckItem", attribute("LedgerTable"), **only("lapsed")),
        allow("dynamodb:PutItem", attribute("AuditTable")),
        allow(["securityhub:BatchUpdateFindings", "securityhub:GetFindings"], hub()),
    ]


def inventory(project: Project) -> list[Statement]:
    """What the function that walks the fleet needs: Vision One and what is linked to it, EC2, and
    its bucket. It reads of it when its snapshots were written."""
    planned = inventory_of.plan(project)
    written = [{"Fn::Sub": f"${{InventoryBucket.Arn}}/{at}/*"} for at in (CURRENT, HISTORY)]
    members = [_in_members(planned.member_role)] if planned.member_role else []
    return _once(
        [
            logs("InventoryLogGroup"),
            allow("ec2:DescribeInstances", "*"),
            *members,
            allow("s3:PutObject", written),
            *(_watched(one.playbook) for one in planned.watches),
            *(
                allow(
                    ["sqs:GetQueueUrl", "sqs:SendMessage"],
                    attribute(logical(one.playbook, "ImportsQueue")),
                )
                for one in planned.watches
            ),
            *snapshots(),
            *asking(planned.connections),
        ]
    )


def _watched(playbook: str) -> Statement:
    table = attribute("LedgerTable")
    return allow("dynamodb:BatchGetItem", table, **only(playbook))


_DOUBTS = ["dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem"]
"""A decision is written unless that is paused, and in doubt until its outcome is recorded."""


def sync(project: Project) -> list[Statement]:
    """What the function that follows tickets needs: the ticket systems, the incidents of those
    playbooks, their findings, its place in the walk and its records."""
    planned = followed.plan(project)
    table = attribute("LedgerTable")
    read = ["dynamodb:ConditionCheckItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    return _once(
        [
            logs("SyncLogGroup"),
            *_of_playbooks(read, planned.playbooks),
            allow(["dynamodb:GetItem", "dynamodb:Query", *_DOUBTS], table, **only("sync")),
            allow("dynamodb:PutItem", attribute("AuditTable")),
            allow(["securityhub:BatchUpdateFindings", "securityhub:GetFindings"], hub()),
            *registry.looking({str(one["type"]) for one in planned.connections.values()}),
            *asking(planned.connections),
        ]
    )


def ticket_webhook(project: Project) -> list[Statement]:
    """What the function that takes webhooks needs: what the one that follows tickets needs, of
    those connections alone, and a meter for each ticket; no place in the walk."""
    planned = followed.plan(project)
    if not planned.hooked:
        return [logs("TicketWebhookLogGroup")]
    used = ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    return _once(
        [
            logs("TicketWebhookLogGroup"),
            *_of_playbooks(["dynamodb:ConditionCheckItem", *used], planned.playbooks),
            allow(_DOUBTS, attribute("LedgerTable"), **only("sync")),
            allow("dynamodb:PutItem", attribute("AuditTable")),
            allow(["securityhub:BatchUpdateFindings", "securityhub:GetFindings"], hub()),
            *secrets_of(planned.hooked),
            metering(planned.hooked),
        ]
    )


def of_stage(project: Project) -> dict[str, list[Statement]]:
    """The statements of the roles that depend on a stage's connections, by the roles' logical ids:
    the template holds them for the stages that are deployed."""
    return {
        **{logical(one.name, "Role"): _of(one, project) for one in project.sources},
        "InventoryRole": inventory(project),
        "SyncRole": sync(project),
        "TicketWebhookRole": ticket_webhook(project),
    }


def _of_playbooks(actions: list[str], names: Iterable[str]) -> list[Statement]:
    """One statement for all: what a BatchGetItem asks of several playbooks, one must allow."""
    held = sorted(names)
    return [allow(actions, attribute("LedgerTable"), **only(*held))] if held else []


def only(*names: str) -> dict[str, Any]:
    """Only partitions of the ledger that begin with one of these and a ``#``.

    TransactWriteItems is authorised as the operations in it, with their keys.
    """
    keys = [f"{name}#*" for name in names]
    return {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}}
