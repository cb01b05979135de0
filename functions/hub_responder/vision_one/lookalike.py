"""Servers that Vision One holds without an instance id, and that could yet be the instance.

An endpoint with the sensor alone has no cloud details, nor need an agent outside Server & Workload
Protection have them: that no record bears the instance's id does not prove that no agent is there.
A name or an address in common proves nothing either (private addresses repeat between networks,
names between machines), so such a record is a reason to doubt and never a match.

How EC2 names hosts (``ip-10-20-1-15`` or the instance id) is in its user guide, "EC2 instance
hostnames and domains"; that consoles show ``host (name) [i-0abc...]`` is seen in Trend's schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_responder.finding import Resource

_INSTANCE_ID = re.compile(r"(?<![0-9a-z])m?i-[0-9a-f]{8,17}(?![0-9a-z])")
_ADDRESS_LISTS = ("IpV4Addresses", "IpV6Addresses", "ip_addresses")
"""In the details of a finding's resource: ASFF's names, and OCSF's."""
_MOST = 32


def of_endpoint(names: Iterable[str], addresses: object) -> tuple[str, ...]:
    """What an endpoint can be recognized by: its names and ``ipAddresses``, in lower case."""
    return tuple(dict.fromkeys([*_of_names(names), *_texts(addresses)]))


def of_resource(resource: Resource) -> Iterator[str]:
    """What the instance of a finding can be recognized by, as far as the finding tells."""
    yield from _of_names([resource.instance_id, resource.name])
    for address in _addresses(resource.details):
        yield address
        yield "ip-" + address.replace(".", "-")
    host = resource.details.get("hostname")
    yield from _of_names([host] if type(host) is str else [])


def _of_names(names: Iterable[str]) -> Iterator[str]:
    """Each name, its first label, and the instance ids in it."""
    for name in filter(None, (name.strip().lower() for name in names)):
        yield name
        label = name.partition(".")[0]
        if label and not label.isdigit():  # an address is a name too
            yield label
        yield from _INSTANCE_ID.findall(name)


def _addresses(details: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts([details.get("ip")])
    for key in _ADDRESS_LISTS:
        yield from _texts(details.get(key))


def _texts(values: object) -> Iterator[str]:
    for value in values[:_MOST] if isinstance(values, list) else ():
        if type(value) is str and value:
            yield value.lower()
