"""EC2 Auto Scaling's groups in all accounts and regions: DescribeAutoScalingGroups by name.

Items are those of ``PUT /_sandbox/autoscaling/groups``: ``AutoScalingGroupName``, ``OwnerId``,
``Region`` and ``Instances``, each with ``InstanceId`` and optionally ``LifecycleState``. Filters
are not there. Names that are not known are passed over, and there may be as many as ``MaxRecords``
(EC2 Auto Scaling API reference); the wording of the error for more is a guess.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub_toolkit.sandbox.errors import AwsError
from hub_toolkit.sandbox.members.query import Form, listed, query_app

if TYPE_CHECKING:
    from hub_toolkit.sandbox.members.accounts import Caller
    from hub_toolkit.sandbox.wsgi import App, Environ

OPERATIONS = ("DescribeAutoScalingGroups",)
PAGE, MAX_PAGE = 50, 100


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """An instance of a group."""

    instance_id: Annotated[str, msgspec.Meta(pattern=r"^i-[0-9a-z]{1,40}$")]
    lifecycle_state: str = "InService"


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """An Auto Scaling group."""

    auto_scaling_group_name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    owner_id: Annotated[str, msgspec.Meta(pattern=r"^\d{12}$")]
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}$")]
    instances: list[Member] = []

    @property
    def arn(self) -> str:
        """Its ARN; the id in it is made of the name."""
        name = self.auto_scaling_group_name
        unique = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.owner_id}/{self.region}/{name}")
        return (
            f"arn:aws:autoscaling:{self.region}:{self.owner_id}:autoScalingGroup:{unique}"
            f":autoScalingGroupName/{name}"
        )


class Groups:
    """The groups. Safe for threads.

    Args:
        caller: tells in which account and region a request is made.
    """

    def __init__(self, caller: Callable[[Environ], Caller]) -> None:
        self._caller = caller
        self._held: list[Group] = []
        self._lock = threading.Lock()
        self.app: App = query_app(self._answer)
        """The operation over WSGI."""

    def replace(self, items: object) -> int:
        """Hold these groups and no others; how many there are.

        Raises:
            ValueError: an item is not as above.
        """
        found = msgspec.convert(items, list[Group])
        with self._lock:
            self._held = found
        return len(found)

    def _answer(self, environ: Environ, form: Form) -> dict[str, Any]:
        caller = self._caller(environ)
        names = listed(form, "AutoScalingGroupNames.member")
        size, token = form.get("MaxRecords", str(PAGE)), form.get("NextToken") or "0"
        if not size.isdecimal() or not 1 <= int(size) <= MAX_PAGE:
            raise AwsError("ValidationError", f"MaxRecords must be from 1 to {MAX_PAGE}")
        if len(names) > int(size):
            raise AwsError("ValidationError", f"AutoScalingGroupNames has over {size} names")
        if not token.isdecimal():
            raise AwsError("InvalidNextToken", "The NextToken value is not valid.")
        with self._lock:
            found = [
                one
                for one in self._held
                if (one.owner_id, one.region) == (caller.account, caller.region)
                and (not names or one.auto_scaling_group_name in names)
            ]
        start, end = int(token), int(token) + int(size)
        more = {"NextToken": str(end)} if end < len(found) else {}
        return {"AutoScalingGroups": [_told(one) for one in found[start:end]], **more}


def _told(group: Group) -> dict[str, Any]:
    zone = f"{group.region}a"
    return {
        "AutoScalingGroupName": group.auto_scaling_group_name,
        "AutoScalingGroupARN": group.arn,
        "MinSize": 0,
        "MaxSize": max(1, len(group.instances)),
        "DesiredCapacity": len(group.instances),
        "DefaultCooldown": 300,
        "AvailabilityZones": [zone],
        "HealthCheckType": "EC2",
        "CreatedTime": "2026-01-01T00:00:00.000Z",
        "Instances": [
            {
                "InstanceId": one.instance_id,
                "AvailabilityZone": zone,
                "LifecycleState": one.lifecycle_state,
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
            }
            for one in group.instances
        ],
    }
