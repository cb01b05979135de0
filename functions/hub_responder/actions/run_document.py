"""``ssm.run_document``: a command document on the incident's instance, and how it ended.

SendCommand has no token of its own, so the effect's key stands in the command's comment and an
attempt in doubt is looked up there
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html). The result
is not waited for in the run: the step comes again until the command has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from botocore.exceptions import ClientError

from hub_responder import aws, clock, member
from hub_responder.actions.base import Action, Outcome, Statement, Work, each, line
from hub_responder.errors import ConfigurationError, TransientError
from hub_responder.finding import INSTANCE
from hub_responder.values import clean

if TYPE_CHECKING:
    from hub_responder.runtime import Runtime

ASK_AGAIN_S = 30.0
SHOWN_AFTER_S = 60.0
"""A command that was sent longer ago and is not listed was never sent."""
REF = "ssm"
MAX_PAGES = 4
PAGE = 50
MAX_OUTPUT = 2000
_GOING_ON = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
_DOCUMENT = r"^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:document/)?[A-Za-z0-9_.-]{3,128}$"

_Document = Annotated[str, msgspec.Meta(pattern=_DOCUMENT)]
_Allowed = Annotated[tuple[_Document, ...], msgspec.Meta(min_length=1, max_length=10)]
_Delivery = Annotated[float, msgspec.Meta(ge=30, le=172_800)]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``document`` runs if it is one of ``allow``, which is written out: the role names them.

    ``parameters`` are the document's: name -> text or list of texts. ``deliver_within``: seconds
    in which the instance must take the command. Without ``wait`` the step is done once the command
    was sent.
    """

    document: str
    allow: _Allowed
    parameters: dict[str, str | list[str]] = {}
    version: Annotated[str, msgspec.Meta(pattern=r"^(\$LATEST|\$DEFAULT|[1-9]\d{0,8})?$")] = ""
    deliver_within: _Delivery = 600.0
    wait: bool = True


class Result(msgspec.Struct, frozen=True):
    """The command's id and status (Success, Failed, TimedOut, Cancelled, or Pending).

    ``output`` is the beginning of what it printed (2,000 characters).
    """

    command: str
    status: str
    code: int | None = None
    output: str = ""


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """Send the command for each incident, or see how that which was sent has ended."""
    return each(lambda work: _run(work, runtime), works)


def _run(work: Work, runtime: Runtime) -> Outcome:
    resource = work.incident.resource
    if resource.type != INSTANCE or not resource.instance_id:
        return Outcome("skipped", line(f"{resource.id} is no instance"))
    params: Params = work.params
    _check(params)
    runtime.deadline.timeout(10.0, target="ssm")
    # One client for all: a list or a status that is asked twice has no effect, a command has.
    client = member.client(
        "ssm",
        resource.account,
        resource.region,
        role=runtime.playbook.member_role,
        deadline=runtime.deadline,
        once=True,
    )
    command = _find(client, work) if work.in_doubt else ""
    if not command:
        command = _send(client, work)
        if params.wait:
            return _later(f"command {command} was sent", _ref(work, command))
        result = Result(command, "Pending")
        said = f"sent {params.document} to {resource.instance_id}: {command}"
        return Outcome("done", line(said), result=msgspec.to_builtins(result))
    return _ended(client, command, work) if params.wait else _sent_before(command)


def _check(params: Params) -> None:
    if params.document not in params.allow:
        raise ConfigurationError(
            f"document {params.document[:80]!r} is not allowed; there is {', '.join(params.allow)}"
        )


def _comment(work: Work) -> str:
    return f"hub-responder {work.key}"


def _send(client: Any, work: Work) -> str:
    params: Params = work.params
    request: dict[str, Any] = {
        "InstanceIds": [work.incident.resource.instance_id],
        "DocumentName": params.document,
        "Comment": _comment(work),
        "TimeoutSeconds": int(params.deliver_within),
        "Parameters": {
            name: [given] if isinstance(given, str) else given
            for name, given in params.parameters.items()
        },
    }
    if params.version:
        request["DocumentVersion"] = params.version
    try:
        answer = client.send_command(**request)
    except aws.ERRORS as error:
        raise aws.translate(error, "ssm.SendCommand") from error
    return str(answer["Command"]["CommandId"])


def _find(client: Any, work: Work) -> str:
    """The command of an earlier attempt, or empty where there was none.

    Raises:
        TransientError: the attempt is too young for its command to be surely listed.
    """
    key, _, command = str(_kept(work).get(work.params.document, "")).partition(" ")
    if key == work.key:
        return command
    request: dict[str, Any] = {
        "InstanceId": work.incident.resource.instance_id,
        "MaxResults": PAGE,
    }
    try:
        for _ in range(MAX_PAGES):
            answer = client.list_commands(**request)
            for command in answer.get("Commands", ()):
                if command.get("Comment") == _comment(work):
                    return str(command["CommandId"])
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
    except aws.ERRORS as error:
        raise aws.translate(error, "ssm.ListCommands") from error
    since = clock.now() - (work.attempted_at or 0.0)
    if since < SHOWN_AFTER_S:
        said = "an earlier attempt may have sent the command; it is not listed yet"
        raise TransientError(said, target="ssm", sent=True, retry_after=SHOWN_AFTER_S)
    return ""


def _kept(work: Work) -> Mapping[str, Any]:
    return work.incident.refs.get(REF, {})


def _ref(work: Work, command: str) -> dict[str, dict[str, str]]:
    """Kept with the incident, so that the next attempt need not look for the command."""
    return {REF: {work.params.document: f"{work.key} {command}"}}


def _later(said: str, refs: Mapping[str, Mapping[str, Any]] | None = None) -> Outcome:
    """Again: ``in_doubt`` makes the next attempt look the command up instead of sending it."""
    detail = line(f"{said}; its end is awaited")
    return Outcome("deferred", detail, refs=refs or {}, retry_after=ASK_AGAIN_S, in_doubt=True)


def _sent_before(command: str) -> Outcome:
    result = Result(command, "Pending")
    said = f"was sent by an earlier attempt: {command}"
    return Outcome("done", line(said), result=msgspec.to_builtins(result))


def _ended(client: Any, command: str, work: Work) -> Outcome:
    instance = work.incident.resource.instance_id
    try:
        told = client.get_command_invocation(CommandId=command, InstanceId=instance)
    except aws.ERRORS as error:
        if _not_there_yet(error):
            return _later(f"command {command} has not begun")
        raise aws.translate(error, "ssm.GetCommandInvocation") from error
    status = str(told.get("Status", ""))
    if status in _GOING_ON:
        return _later(f"command {command} is {status}")
    code = told.get("ResponseCode")
    result = Result(
        command,
        clean(status, 32),
        code if isinstance(code, int) and code >= 0 else None,
        clean(str(told.get("StandardOutputContent") or ""), MAX_OUTPUT),
    )
    said = line(f"{work.params.document} on {instance}: {told.get('StatusDetails') or status}")
    if status != "Success":
        return Outcome("failed", said, result=msgspec.to_builtins(result))
    return Outcome("done", said, result=msgspec.to_builtins(result))


def _not_there_yet(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return False
    return error.response.get("Error", {}).get("Code") == "InvocationDoesNotExist"


def plan(work: Work, runtime: Runtime) -> str:
    """Which document would run where."""
    del runtime
    resource, params = work.incident.resource, work.params
    if resource.type != INSTANCE or not resource.instance_id:
        return line(f"would run nothing: {resource.id} is no instance")
    _check(params)
    return line(f"would run {params.document} on {resource.instance_id} in {resource.account}")


def permissions(
    with_: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Sending the documents of ``allow`` to instances of this account, and reading how they end.

    In member accounts the assumed role decides.
    """
    allowed = with_.get("allow", ())
    documents = [_document_arn(str(name)) for name in allowed] or ["*"]
    instances = {"Fn::Sub": "arn:${AWS::Partition}:ec2:*:${AWS::AccountId}:instance/*"}
    reads = ["ssm:GetCommandInvocation", "ssm:ListCommands"]  # they know no resources
    return [
        {
            "Effect": "Allow",
            "Action": ["ssm:SendCommand"],
            "Resource": [*documents, instances],
        },
        {"Effect": "Allow", "Action": reads, "Resource": ["*"]},
    ]


def _document_arn(name: str) -> Any:
    """AWS's own documents (AWS-RunPatchBaseline) belong to no account."""
    if name.startswith("arn:"):
        return name
    account = "" if name.startswith("AWS") else "${AWS::AccountId}"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:ssm:*:{account}:document/{name}"}


ACTION = Action(
    name="ssm.run_document",
    summary="Runs an allowed Systems Manager document on the instance and tells how it ended.",
    effects=True,
    params=Params,
    result=Result,
    permissions=permissions,
    example="""\
- id: patch
  uses: ssm.run_document
  with:
    document: AWS-RunPatchBaseline
    allow: [AWS-RunPatchBaseline]
    parameters: {Operation: Scan}
""",
    run=run,
    constants=("allow",),
    in_members=True,
    about=(INSTANCE,),
    plan=plan,
)
