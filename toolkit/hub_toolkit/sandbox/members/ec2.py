"""EC2's instances in all accounts and regions: the estate, DescribeInstances, DescribeImages.

Items are those of the sandbox contract: ``InstanceId``, ``OwnerId``, ``Region``, ``State``,
``PrivateIpAddress``, ``PrivateDnsName``, ``Tags`` (an object), and optionally ``InstanceType``,
``ImageId``, ``ImageName``, ``PublicIpAddress``, ``VpcId``, ``SubnetId``, ``LaunchTime``,
``IamInstanceProfile`` (an ARN), ``Platform``, ``MacAddress`` (of its one network interface; made
of its id where it is left out, so that no two instances share one) and ``ComputerName`` (Systems
Manager manages those that have one). A terminated instance is told
of for an hour of the sandbox's clock and then is gone; EC2's documentation says "a short while".
Filters that EC2 has and this has not are refused rather than ignored.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.members.query import Form, filters, listed, query_app

if TYPE_CHECKING:
    from hub_toolkit.sandbox.members.accounts import Caller
    from hub_toolkit.sandbox.wsgi import App, Environ

OPERATIONS = ("DescribeInstances", "DescribeImages")
GONE_AFTER_S = 3600.0
MAX_VALUES = 200
"""Values of one filter (EC2 user guide, "List and filter your resources")."""
MIN_PAGE, MAX_PAGE = 5, 1000
_MALFORMED = re.compile(r"i-[0-9a-z]{1,40}")
_TAG = "tag:"
_PIECE = re.compile(r"\\[*?\\]|.", re.DOTALL)
_WILD = {"*": ".*", "?": "."}
_CODES = {
    "pending": "0",
    "running": "16",
    "shutting-down": "32",
    "terminated": "48",
    "stopping": "64",
    "stopped": "80",
}

State = Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]


class Instance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """One item of the estate."""

    instance_id: Annotated[str, msgspec.Meta(pattern=r"^i-[0-9a-z]{1,40}$")]
    owner_id: Annotated[str, msgspec.Meta(pattern=r"^\d{12}$")]
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}$")]
    state: State = "running"
    private_ip_address: str = ""
    private_dns_name: str = ""
    tags: dict[str, str] = {}
    instance_type: str = "t3.micro"
    image_id: str = "ami-0123456789abcdef0"
    image_name: str = ""
    public_ip_address: str = ""
    vpc_id: str = ""
    subnet_id: str = ""
    launch_time: str = "2026-01-01T00:00:00.000Z"
    iam_instance_profile: str = ""
    platform: str = ""
    mac_address: str = ""
    computer_name: str = ""

    @property
    def mac(self) -> str:
        """The MAC address of its network interface: locally administered, as EC2's are."""
        digest = hashlib.sha256(self.instance_id.encode()).hexdigest()
        made = ":".join(["02", *(digest[at : at + 2] for at in range(0, 10, 2))])
        return self.mac_address or made

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:ec2:{self.region}:{self.owner_id}:instance/{self.instance_id}"


class Instances:
    """The estate. Safe for threads.

    Args:
        clock: returns epoch seconds.
        caller: tells in which account and region a request is made.
    """

    def __init__(
        self, clock: Callable[[], float], caller: Callable[[Environ], Caller] | None = None
    ) -> None:
        self._clock = clock
        self.caller = caller
        self._held: dict[str, Instance] = {}
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()
        self.app: App = query_app(self._answer, ec2=True)
        """The two operations over WSGI."""

    def replace(self, items: object) -> int:
        """Hold these and no others; how many there are.

        Raises:
            ValueError: an item is not of the contract, or an id is there twice.
        """
        found = msgspec.convert(items, list[Instance])
        held = {one.instance_id: one for one in found}
        if len(held) < len(found):
            raise ValueError("an InstanceId is there twice")
        with self._lock:
            now = self._clock()
            self._ended = {
                one.instance_id: self._ended.get(one.instance_id, now)
                for one in found
                if one.state == "terminated"
            }
            self._held = held
        return len(held)

    def all(self) -> list[Instance]:
        """The whole estate."""
        with self._lock:
            return list(self._held.values())

    def accounts(self) -> set[str]:
        """The accounts that own instances."""
        with self._lock:
            return {one.owner_id for one in self._held.values()}

    def there(self, account: str, region: str) -> list[Instance]:
        """What is to be seen in one account and region, by id."""
        with self._lock:
            end = self._clock() - GONE_AFTER_S
            return sorted(
                (
                    one
                    for one in self._held.values()
                    if (one.owner_id, one.region) == (account, region)
                    and self._ended.get(one.instance_id, end) >= end
                ),
                key=lambda one: one.instance_id,
            )

    def _answer(self, environ: Environ, form: Form) -> dict[str, Any]:
        assert self.caller is not None, "Accounts was not connected"  # noqa: S101
        caller = self.caller(environ)
        there = self.there(caller.account, caller.region)
        if form.get("Action") == "DescribeImages":
            return _images(there, form)
        return _described(there, form)


def _described(there: list[Instance], form: Form) -> dict[str, Any]:
    wanted = listed(form, "InstanceId")
    for name in wanted:
        if not _MALFORMED.fullmatch(name):
            raise AwsError("InvalidInstanceID.Malformed", f'Invalid id: "{name[:80]}"')
    known = {one.instance_id for one in there}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        named = ", ".join(unknown)
        does = "do" if plural else "does"
        raise AwsError(
            "InvalidInstanceID.NotFound", f"The instance ID{plural} '{named}' {does} not exist"
        )
    if wanted and "MaxResults" in form:
        raise AwsError(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        )
    found = [one for one in there if not wanted or one.instance_id in wanted]
    for name, values in filters(form).items():
        read = _reader(name)
        if read is None or len(values) > MAX_VALUES:
            raise AwsError("InvalidParameterValue", f"The filter '{name[:80]}' is invalid")
        found = [one for one in found if _is_any_of(read(one), values)]
    page, token = _page(found, form)
    return {"reservationSet": [_reservation(one) for one in page], **token}


_READERS: Mapping[str, Callable[[Instance], str]] = {
    "instance-id": lambda one: one.instance_id,
    "instance-state-name": lambda one: one.state,
    "private-ip-address": lambda one: one.private_ip_address,
    "private-dns-name": lambda one: one.private_dns_name,
    "vpc-id": lambda one: one.vpc_id,
}


def _reader(name: str) -> Callable[[Instance], str | None] | None:
    """What a filter looks at; ``tag:KEY`` at a tag's value, which is None where there is none."""
    if name.startswith(_TAG):
        return lambda one: one.tags.get(name.removeprefix(_TAG))
    return _READERS.get(name)


def _is_any_of(text: str | None, values: Sequence[str]) -> bool:
    return text is not None and any(_form(value).fullmatch(text) for value in values)


@lru_cache(maxsize=MAX_VALUES)
def _form(value: str) -> re.Pattern[str]:
    """A filter's value: ``*`` is any text and ``?`` any character, unless after a backslash.

    Upper and lower case differ (EC2 user guide, "List and filter your resources").
    """
    parts = (
        re.escape(found[0].removeprefix("\\")) if found[0] not in _WILD else _WILD[found[0]]
        for found in _PIECE.finditer(value)
    )
    return re.compile("".join(parts), re.DOTALL)


def _page(found: list[Instance], form: Form) -> tuple[list[Instance], dict[str, str]]:
    """A page of instances; the token is the number of those before it."""
    size, token = form.get("MaxResults", str(MAX_PAGE)), form.get("NextToken") or "0"
    if not token.isdecimal() or not size.isdecimal() or not MIN_PAGE <= int(size) <= MAX_PAGE:
        raise AwsError("InvalidParameterValue", "MaxResults or NextToken is invalid")
    start, end = int(token), int(token) + int(size)
    return found[start:end], {"nextToken": str(end)} if end < len(found) else {}


def _reservation(one: Instance) -> dict[str, Any]:
    return {
        "reservationId": "r-" + one.instance_id.removeprefix("i-"),
        "ownerId": one.owner_id,
        "instancesSet": [_instance(one)],
    }


def _instance(one: Instance) -> dict[str, Any]:
    running = one.state not in ("terminated", "shutting-down")
    told: dict[str, Any] = {
        "instanceId": one.instance_id,
        "imageId": one.image_id,
        "instanceState": {"code": _CODES[one.state], "name": one.state},
        "instanceType": one.instance_type,
        "launchTime": one.launch_time,
        "platform": one.platform,
        "tagSet": [{"key": key, "value": value} for key, value in one.tags.items()],
    }
    if running:  # a terminated instance has lost its place in the network
        told |= {
            "privateIpAddress": one.private_ip_address,
            "privateDnsName": one.private_dns_name,
            "ipAddress": one.public_ip_address,
            "vpcId": one.vpc_id,
            "subnetId": one.subnet_id,
            "networkInterfaceSet": [
                {
                    "networkInterfaceId": "eni-" + one.instance_id.removeprefix("i-"),
                    "macAddress": one.mac,
                    "privateIpAddress": one.private_ip_address,
                }
            ],
        }
        if one.iam_instance_profile:
            told["iamInstanceProfile"] = {"arn": one.iam_instance_profile, "id": "AIPASANDBOX"}
    return {key: value for key, value in told.items() if value != ""}


def _images(there: list[Instance], form: Form) -> dict[str, Any]:
    """The images that instances here were made of, as far as the estate names them."""
    wanted = set(filters(form).get("image-id", listed(form, "ImageId")))
    named = {one.image_id: one.image_name for one in there if one.image_name}
    images = [
        {"imageId": image, "name": name, "imageState": "available"}
        for image, name in sorted(named.items())
        if not wanted or image in wanted
    ]
    return {"imagesSet": images}
