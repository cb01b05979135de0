"""``enrich.ec2``: what EC2 knows of the incident's instance, asked in the account that owns it.

DescribeInstances with a filter passes over ids that do not exist, where ``InstanceIds`` would
refuse the whole call for one of them; a terminated instance is told of for about an hour
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import aws, member
from hub_responder.actions.base import Action, Outcome, Statement, Work, attempt, line
from hub_responder.clock import iso
from hub_responder.errors import CallError, HubResponderError
from hub_responder.finding import INSTANCE
from hub_responder.instances import described
from hub_responder.systems_manager import PERMISSION, computer_names
from hub_responder.values import clean, within

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.runtime import Runtime

AT_ONCE = 200
"""Values that one filter takes."""
MAX_TAGS_BYTES = 4000
MAX_INTERFACES = 15
"""The most that an instance has (EC2 user guide, "Maximum IP addresses per network interface")."""
UNKNOWN = "unknown"
NOT_APPLICABLE = "not_applicable"

Place = tuple[str, str]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tags name the owner: the first of ``owner_tags`` that the instance has.

    ``systems_manager`` asks Systems Manager too, for the computer's own name; in member accounts
    the role needs ``ssm:DescribeInstanceInformation`` for it.
    """

    owner_tags: tuple[str, ...] = ("Owner", "owner")
    systems_manager: bool = False


class Result(msgspec.Struct, frozen=True):
    """What EC2 knows; what it does not tell is empty.

    ``state`` is EC2's (pending, running, stopping, stopped, shutting-down, terminated), ``unknown``
    where EC2 knows no such instance (it never was, or ended more than an hour ago), or
    ``not_applicable`` where the resource is no instance. ``exists``: from pending to stopped.
    ``image`` is the AMI's id, ``profile`` the instance profile's ARN, ``launched_at`` ISO 8601.
    ``macs`` are the MAC addresses of its network interfaces, and ``computer_name`` the computer's
    own name, where Systems Manager was asked and manages it: a coverage check after this one
    recognizes records of Vision One by them.
    """

    instance: str = ""
    state: str = NOT_APPLICABLE
    exists: bool = False
    name: str = ""
    owner: str = ""
    type: str = ""
    image: str = ""
    image_name: str = ""
    private_ip: str = ""
    public_ip: str = ""
    private_dns: str = ""
    vpc: str = ""
    subnet: str = ""
    launched_at: str = ""
    profile: str = ""
    platform: str = ""
    tags: dict[str, str] = {}
    macs: tuple[str, ...] = ()
    computer_name: str = ""


def run(works: Sequence[Work], runtime: Runtime) -> list[Outcome]:
    """A few calls for each account and region, whatever the number of incidents."""
    wanted: dict[Place, list[str]] = {}
    for work in works:
        if _is_instance(work):
            resource = work.incident.resource
            wanted.setdefault(_place(work), []).append(resource.instance_id)
    named = any(work.params.systems_manager for work in works)
    found = {place: _ask(place, ids, runtime, named=named) for place, ids in wanted.items()}
    return [attempt(lambda work: _outcome(work, found.get(_place(work))), work) for work in works]


def _is_instance(work: Work) -> bool:
    resource = work.incident.resource
    return resource.type == INSTANCE and resource.instance_id.startswith("i-")


def _place(work: Work) -> Place:
    return work.incident.resource.account, work.incident.resource.region


Found = Mapping[str, Result]


def _ask(
    place: Place, ids: Sequence[str], runtime: Runtime, *, named: bool
) -> Found | HubResponderError:
    """The instances of one account and region by id, or why they cannot be told.

    A name that is asked for and cannot be told is trouble too: without it the agent might seem not
    to be there.
    """
    account, region = place
    target = f"ec2.DescribeInstances in {account[:64]} {region}"
    role, deadline = runtime.playbook.member_role, runtime.deadline
    try:
        client = member.client("ec2", account, region, role=role, deadline=deadline)
        found: dict[str, Result] = {}
        unique = list(dict.fromkeys(ids))
        for start in range(0, len(unique), AT_ONCE):
            one_of = [{"Name": "instance-id", "Values": unique[start : start + AT_ONCE]}]
            for item in described(client, one_of, target, deadline):
                found[str(item.get("InstanceId", ""))] = result_of(item)
        if named and found:
            target = f"ssm.DescribeInstanceInformation in {account[:64]} {region}"
            manager = member.client("ssm", account, region, role=role, deadline=deadline)
            names = computer_names(manager, [*found], target, deadline)
            for name, own in names.items():
                if name in found:
                    found[name] = msgspec.structs.replace(found[name], computer_name=own)
    except aws.ERRORS as error:
        return aws.translate(error, target)
    except HubResponderError as error:
        return error
    return _with_image_names(client, found, deadline)


def result_of(item: Mapping[str, Any]) -> Result:
    """An instance as DescribeInstances tells of it, without its owner and its image's name."""
    tags = {clean(tag["Key"], 128): clean(tag["Value"], 256) for tag in item.get("Tags", ())}
    state = str(item.get("State", {}).get("Name", ""))
    launched = item.get("LaunchTime")

    def text(key: str) -> str:
        return clean(str(item.get(key) or ""), 256)

    return Result(
        instance=text("InstanceId"),
        state=clean(state, 32) or UNKNOWN,
        exists=state in {"pending", "running", "stopping", "stopped"},
        name=tags.get("Name", ""),
        type=text("InstanceType"),
        image=text("ImageId"),
        private_ip=text("PrivateIpAddress"),
        public_ip=text("PublicIpAddress"),
        private_dns=text("PrivateDnsName"),
        vpc=text("VpcId"),
        subnet=text("SubnetId"),
        launched_at=iso(launched.timestamp()) if launched is not None else "",
        profile=clean(str(item.get("IamInstanceProfile", {}).get("Arn", "")), 256),
        platform=text("PlatformDetails") or text("Platform"),
        tags=within(tags, MAX_TAGS_BYTES),
        macs=tuple(_macs(item)),
    )


def _macs(item: Mapping[str, Any]) -> Iterator[str]:
    for interface in item.get("NetworkInterfaces", ())[:MAX_INTERFACES]:
        if address := str(interface.get("MacAddress") or ""):
            yield clean(address, 32)


def _with_image_names(client: Any, found: dict[str, Result], deadline: Deadline) -> Found:
    """The same with the images' names, as far as they can be told: they only decorate."""
    images = sorted({one.image for one in found.values() if one.image})
    names: dict[str, str] = {}
    target = "ec2.DescribeImages"
    try:
        for start in range(0, len(images), AT_ONCE):
            deadline.timeout(10.0, target=target)
            filters = [{"Name": "image-id", "Values": images[start : start + AT_ONCE]}]
            answer = client.describe_images(Filters=filters, IncludeDeprecated=True)
            names |= {one["ImageId"]: str(one.get("Name", "")) for one in answer.get("Images", ())}
    except (*aws.ERRORS, CallError):
        pass
    return {
        name: msgspec.structs.replace(one, image_name=clean(names.get(one.image, ""), 128))
        for name, one in found.items()
    }


def _outcome(work: Work, found: Found | HubResponderError | None) -> Outcome:
    resource = work.incident.resource
    if not _is_instance(work) or found is None:
        told = f"{resource.id} is no EC2 instance"
        return Outcome("done", line(told), result=msgspec.to_builtins(Result()))
    if isinstance(found, HubResponderError):
        raise found
    one = found.get(resource.instance_id)
    if one is None:
        one = Result(instance=resource.instance_id, state=UNKNOWN)
        told = f"EC2 knows no {one.instance} in {resource.account} {resource.region}"
        return Outcome("done", line(told), result=msgspec.to_builtins(one))
    params: Params = work.params
    owner = next((one.tags[key] for key in params.owner_tags if one.tags.get(key)), "")
    told = f"{one.instance} is {one.state}" + (f", owner {owner}" if owner else "")
    result = msgspec.structs.replace(one, owner=owner)
    return Outcome("done", line(told), result=msgspec.to_builtins(result))


def permissions(
    params: Mapping[str, Any], _connections: Mapping[str, Mapping[str, Any]]
) -> list[Statement]:
    """Describing instances, images and what Systems Manager manages; none knows resources."""
    actions = ["ec2:DescribeImages", "ec2:DescribeInstances"]
    if params.get("systems_manager"):
        actions.append(PERMISSION)
    return [{"Effect": "Allow", "Action": actions, "Resource": ["*"]}]


ACTION = Action(
    name="enrich.ec2",
    summary="Asks EC2, in the instance's own account, for its state, tags, owner, image and place.",
    effects=False,
    params=Params,
    result=Result,
    permissions=permissions,
    example="- {id: ec2, uses: enrich.ec2, with: {owner_tags: [Owner, team]}}",
    run=run,
    about=(INSTANCE,),
    in_members=True,
    constants=("systems_manager",),
)
