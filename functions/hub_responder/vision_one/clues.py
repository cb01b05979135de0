"""What is known of an instance that its agent's record could be recognized by.

It comes from the finding, and from ``enrich.ec2`` where a step before has asked EC2: only that one
tells MAC addresses. An address says where an instance stands and not which one it is: private
addresses repeat between networks, and EC2 makes host names of them. So names that are made of an
address count as the address, not as a second fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder import values
from hub_responder.vision_one import marks

if TYPE_CHECKING:
    from hub_responder.finding import Resource

DESCRIBED = (
    "instance", "name", "computer_name", "private_ip", "public_ip", "private_dns", "macs",
    "launched_at",
)  # fmt: skip
"""What is read of the result of ``enrich.ec2``."""
_MOST = 32


class Clues(msgspec.Struct, frozen=True, kw_only=True):
    """An instance as far as it is known; texts are in lower case.

    Attributes:
        names: that it was given: its Name tag, its host name, the name that Systems Manager knows.
        hosts: names that EC2 made of its address or its id.
        macs: of its interfaces, 12 hex digits each.
        launched: when it was started last (epoch seconds).
    """

    instance_id: str
    account: str = ""
    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    launched: float | None = None

    def marks(self) -> Iterator[str]:
        """What a record of it may be found by."""
        yield self.instance_id
        for name in (*self.names, *self.hosts):
            yield name
            label = marks.short(name)
            if label:
                yield label
        yield from self.addresses


def of(resource: Resource, known: Mapping[str, Any] | None = None) -> Clues:
    """The clues to an instance.

    Args:
        resource: of a finding, whose details are unchecked.
        known: the result of ``enrich.ec2`` about it, if there is one.
    """
    details = resource.details
    known = known if known and known.get("instance") == resource.instance_id else {}
    interfaces = [each for each in _list(details.get("network_interfaces")) if _is_object(each)]
    told = [resource.name, details.get("hostname"), known.get("name"), known.get("private_dns")]
    told.append(known.get("computer_name"))
    told += [each.get("private_dns_name") for each in interfaces]
    names = [name for name in marks.texts(told) if name.strip() not in marks.NO_NAMES]
    addresses = tuple(dict.fromkeys(_addresses(details, interfaces, known)))
    return Clues(
        instance_id=resource.instance_id.lower(),
        account=resource.account,
        names=_once(name.strip() for name in names if not marks.is_of_address(name.strip())),
        hosts=_once([*filter(marks.is_of_address, names), *map(_host, addresses)]),
        addresses=addresses,
        macs=_once(map(marks.mac, _list(known.get("macs")))),
        launched=_launched(details, known),
    )


def _addresses(
    details: Mapping[str, Any], interfaces: Iterable[Mapping[str, Any]], known: Mapping[str, Any]
) -> Iterator[str]:
    yield from marks.texts([known.get("private_ip"), details.get("ip")])
    for key in ("IpV4Addresses", "IpV6Addresses", "ip_addresses"):
        yield from marks.texts(details.get(key))
    yield from marks.texts([each.get("private_ip_address") for each in interfaces])
    yield from marks.texts([known.get("public_ip")])


def _host(address: str) -> str:
    """``ip-10-20-1-15``: the name that EC2 gives to what has the address."""
    return "" if ":" in address else "ip-" + address.replace(".", "-")


def _launched(details: Mapping[str, Any], known: Mapping[str, Any]) -> float | None:
    told = (known.get("launched_at"), details.get("LaunchedAt"), details.get("launch_time"))
    return next((at for at in map(values.seconds, told) if at is not None), None)


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _list(value: object) -> list[Any]:
    return list(value[:_MOST]) if isinstance(value, list | tuple) else []


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)
