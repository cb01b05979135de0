"""What records and instances are recognized by where no record bears the instance's id.

An endpoint with the sensor alone has no cloud details, nor need an agent outside Server & Workload
Protection have them: that no record bears the instance's id does not prove that no agent is there.
Names, addresses and the instance ids in names are its *marks*, all in lower case.

How EC2 names hosts (``ip-10-20-1-15`` or the instance id) is in its user guide, "EC2 instance
hostnames and domains"; that consoles show ``host (name) [i-0abc...]`` is seen in Trend's schema
(tm-v1-schema) and in its samples (deep-security/amazon-sns).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_INSTANCE_ID = re.compile(r"(?<![0-9a-z])m?i-[0-9a-f]{8,17}(?![0-9a-z])")
_SHOWN = re.compile(
    r"(?P<host>[^\s()\[\]]+)(?: \((?P<name>[^()\[\]]+)\))?(?: \[m?i-[0-9a-f]{8,17}\])?"
)
_OF_ADDRESS = re.compile(r"ip-(?:[0-9]{1,3}(?:-[0-9]{1,3}){3}|[0-9a-f]{8})")
"""``ip-10-20-1-15`` of Linux, and ``ip-0a14010f`` of older Windows images."""
NO_NAMES = frozenset({"localhost", "localhost.localdomain", "localhost6"})
"""Names that every machine has."""
_NO_HEX = re.compile(r"[^0-9a-f]")
_MOST = 32
_HEX_DIGITS = 12


def of_endpoint(names: Iterable[str], addresses: Iterable[object]) -> tuple[str, ...]:
    """What an endpoint can be recognized by: its names, the parts of them, and its addresses."""
    return tuple(dict.fromkeys([*of_names(names), *texts(addresses)]))


def of_names(names: Iterable[str]) -> Iterator[str]:
    """Each name, its first label, what it puts in brackets, and the instance ids in it."""
    for name in filter(None, (name.strip().lower() for name in names)):
        shown = _SHOWN.fullmatch(name)
        for part in (name, *(shown.groups() if shown else ())):
            if part and part not in NO_NAMES:
                yield part
                label = short(part)
                if label and label not in NO_NAMES:
                    yield label
        yield from _INSTANCE_ID.findall(name)


def short(name: str) -> str:
    """The first label of a host's name; empty where there is none: an address is a name too."""
    label = name.partition(".")[0]
    return "" if label.isdigit() else label


def is_instance_id(mark: str) -> bool:
    """Whether a mark is an instance's id."""
    return _INSTANCE_ID.fullmatch(mark) is not None


def is_of_address(name: str) -> bool:
    """Whether a host's name is made of its address or its instance id, as EC2 makes names."""
    label = short(name)
    return _OF_ADDRESS.fullmatch(label) is not None or is_instance_id(label)


@lru_cache(maxsize=4096)
def is_address(mark: str) -> bool:
    """Whether a mark is an IP address."""
    try:
        ipaddress.ip_address(mark)
    except ValueError:
        return False
    return True


def mac(value: object) -> str:
    """A MAC address as 12 hex digits in lower case, however it is parted; empty if it is none."""
    digits = _NO_HEX.sub("", value.lower()) if type(value) is str else ""
    return digits if len(digits) == _HEX_DIGITS and digits.strip("0") else ""


def texts(values: object) -> Iterator[str]:
    """The texts of a list, in lower case; what is no list has none."""
    for value in values[:_MOST] if isinstance(values, list | tuple) else ():
        if type(value) is str and value:
            yield value.lower()
