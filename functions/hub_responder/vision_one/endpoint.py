"""One endpoint of the inventory, read tolerantly.

The list and the detail call differ (``virtualMachineDetails`` is an object in one and a list of
keys and values in the other), time stamps may have no zone (they are UTC), empty texts are normal,
``edrSensor`` can be missing and ``eppAgent`` empty. Sources: pytmv1 0.11.0 ``model/common.py``; the
shape of real tenants' data as independent programs report it.

Only what is needed is decoded: a page of 1,000 endpoints has megabytes, most of them pattern lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType
from typing import Any

import msgspec

from hub_responder import values
from hub_responder.vision_one import marks

_MAX_TEXT = 256
_MAX_LISTED = 32
_AWS = ("aws", "amazon")
"""What the inventory calls AWS is not published; the events of the same product say amazon."""
NO_VERSION = ("", "0.0.0.0")  # noqa: S104 - an agent's version, not an address
"""Server & Workload Protection's version of a computer without an agent is 0.0.0.0; that the
inventory shows it too is a guess."""
_NAMED = re.compile(rb'"(m?i-[0-9a-f]{8,17})"')
UNREADABLE = "unreadable"
"""A status that is said in another type than text."""


class Interface(msgspec.Struct, frozen=True, gc=False):
    """A network interface: its MAC address (12 hex digits) and its addresses, in lower case."""

    mac: str
    addresses: tuple[str, ...] = ()


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the verdict needs; texts are at most 256 characters.

    Attributes:
        type: server, desktop, or empty.
        account_id, instance_id: of the cloud instance; the instance id in lower case.
        identified: False where it is a cloud instance but its id cannot be read, or where nothing
            tells what it is: it could be any instance of ``account_id``, or of all accounts where
            that is empty.
        epp_status: on, off, unknown, or empty where nothing is said; ``UNREADABLE`` where what is
            said of the agent has another type than text.
        epp_installed: whether a protection agent is or was there; the object alone says nothing.
        epp_contact, sensor_contact: time of the last contact, as it was written.
        agent_version: the protection agent's, as ``20.0.2.1234``.
        policy: the protection policy's name; None where nothing is said about policies.
        sensor_status: enabled, disabled, ..., ``UNREADABLE``, or empty where there is no sensor.
        features: module -> status, as the detail call gives them.
        marks: what it can be recognized by where it has no instance id; see `marks`.
        interfaces: as the detail call gives them, where a MAC address is told.
        actions: what the detail call recommends to do, as it is written there.
    """

    guid: str = ""
    name: str = ""
    type: str = ""
    account_id: str = ""
    instance_id: str = ""
    identified: bool = True
    epp_status: str = ""
    epp_installed: bool = False
    epp_contact: str = ""
    agent_version: str = ""
    policy: str | None = None
    component_version: str = ""
    sensor_status: str = ""
    sensor_contact: str = ""
    isolation: str = ""
    features: Mapping[str, str] = {}
    marks: tuple[str, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    actions: tuple[str, ...] = ()

    @property
    def has_agent(self) -> bool:
        """Whether a protection agent is there, as far as is told."""
        return self.epp_installed or self.epp_status == "on"

    @property
    def bare(self) -> bool:
        """Whether there is plainly no agent: cloud connectors list instances without any."""
        silent = self.epp_status in ("", "off") and self.sensor_status in ("", "disabled")
        return silent and not self.has_agent

    @property
    def epp_last_connected(self) -> float | None:
        """The last contact of the protection agent (epoch seconds)."""
        return values.seconds(self.epp_contact)

    @property
    def last_connected(self) -> float | None:
        """The last contact of the protection agent, else of the sensor (epoch seconds)."""
        return self.epp_last_connected or values.seconds(self.sensor_contact)


class _Agent(msgspec.Struct, gc=False):
    status: Any = None
    version: Any = None
    protectionManager: Any = None  # noqa: N815 - the API's names
    policyName: Any = None  # noqa: N815
    componentVersion: Any = None  # noqa: N815
    lastConnectedDateTime: Any = None  # noqa: N815
    virtualMachineDetails: Any = None  # noqa: N815
    features: Any = None


class _Sensor(msgspec.Struct, gc=False):
    status: Any = None
    lastConnectedDateTime: Any = None  # noqa: N815


class _Item(msgspec.Struct, gc=False):
    agentGuid: Any = None  # noqa: N815
    endpointName: Any = None  # noqa: N815
    displayName: Any = None  # noqa: N815
    type: Any = None
    ipAddresses: Any = None  # noqa: N815
    isolationStatus: Any = None  # noqa: N815
    securityPolicy: Any = None  # noqa: N815
    interfaces: Any = None
    recommendedActions: Any = None  # noqa: N815
    eppAgent: _Agent | None = None  # noqa: N815
    edrSensor: _Sensor | None = None  # noqa: N815


class _Page(msgspec.Struct, gc=False):
    items: list[_Item]
    nextLink: Any = None  # noqa: N815
    totalCount: Any = None  # noqa: N815
    count: Any = None


class _RawPage(msgspec.Struct, gc=False):
    items: list[msgspec.Raw]
    nextLink: Any = None  # noqa: N815
    totalCount: Any = None  # noqa: N815
    count: Any = None


class Page(msgspec.Struct, frozen=True):
    """A page of the list; None is an item that is no endpoint. The rest is as it was sent."""

    items: list[Endpoint | None]
    next_link: Any = None
    total: Any = None
    count: Any = None


_DECODER = msgspec.json.Decoder(_Item)
_PAGES = msgspec.json.Decoder(_Page)
_RAW_PAGES = msgspec.json.Decoder(_RawPage)


def read(raw: bytes | msgspec.Raw) -> Endpoint | None:
    """The endpoint that ``raw`` (the JSON of an item of the list, or of a detail) is.

    None where it is none: nothing can be said of it, so it could be any instance.
    """
    try:
        return _endpoint(_item(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _attributed(bytes(raw))


def _attributed(raw: bytes) -> Endpoint | None:
    """An item of another shape that names one instance: it costs that one, and no other."""
    named = {found.decode() for found in _NAMED.findall(raw)}
    if len(named) != 1:
        return None
    return Endpoint(instance_id=named.pop(), epp_status=UNREADABLE, sensor_status=UNREADABLE)


def read_page(body: bytes) -> Page:
    """A page of the list: all items at once, or one by one where one is of another shape.

    Raises:
        msgspec.DecodeError: it is no JSON object with ``items``.
    """
    try:
        page = _PAGES.decode(body)
        items: list[Endpoint | None] = [_endpoint(item) for item in page.items]
    except msgspec.ValidationError:
        raws = _RAW_PAGES.decode(body)
        items = [read(raw) for raw in raws.items]
        return Page(items, raws.nextLink, raws.totalCount, raws.count)
    return Page(items, page.nextLink, page.totalCount, page.count)


def _item(raw: bytes | msgspec.Raw) -> _Item:
    """The item; a sensor of another shape costs only the sensor.

    Raises:
        msgspec.DecodeError: it is no object, or its ``eppAgent`` is none.
    """
    try:
        return _DECODER.decode(raw)
    except msgspec.ValidationError:
        item = msgspec.json.decode(raw)
        if isinstance(item, dict) and not isinstance(item.get("edrSensor"), dict | None):
            item["edrSensor"] = {"status": UNREADABLE}
        return msgspec.convert(item, _Item)


def _endpoint(item: _Item) -> Endpoint:
    epp, sensor = item.eppAgent or _Agent(), item.edrSensor or _Sensor()
    account, instance, identified = _machine(epp.virtualMachineDetails)
    guid, version = _text(item.agentGuid), _text(epp.version)
    contact = _text(epp.lastConnectedDateTime)
    name, shown = _text(item.endpointName), _text(item.displayName)
    interfaces = tuple(_interfaces(item.interfaces)) if item.interfaces else ()
    return Endpoint(
        guid=guid,
        name=name or shown,
        type=_text(item.type).lower(),
        account_id=account,
        instance_id=instance,
        identified=bool(instance) or (identified and bool(guid) and _tells_itself(item)),
        epp_status=_status(epp.status, epp.version, epp.protectionManager),
        epp_installed=_installed(version, _text(epp.protectionManager), contact),
        epp_contact=contact,
        agent_version=version,
        policy=_policy(epp.policyName, item.securityPolicy),
        component_version=_text(epp.componentVersion),
        sensor_status=_status(sensor.status),
        sensor_contact=_text(sensor.lastConnectedDateTime),
        isolation=_text(item.isolationStatus).lower(),
        features=_features(epp.features) if epp.features else {},
        marks=() if instance else _marks((name, shown), item.ipAddresses, interfaces),
        interfaces=interfaces,
        actions=tuple(_texts(item.recommendedActions)),
    )


def _tells_itself(item: _Item) -> bool:
    """Whether what it could be recognized by can be read, as far as it is there."""
    texts = type(item.endpointName), type(item.displayName)
    known = all(kind in (str, NoneType) for kind in texts)
    return known and (item.ipAddresses in (None, "") or type(item.ipAddresses) is list)


def _marks(
    names: Iterable[str], addresses: object, interfaces: Iterable[Interface]
) -> tuple[str, ...]:
    told = [address for each in interfaces for address in each.addresses]
    return marks.of_endpoint(names, [*marks.texts(addresses), *told])


def _interfaces(raw: object) -> Iterator[Interface]:
    """Those with a MAC address: where none is told, a machine cannot be told from another."""
    for each in raw[:_MAX_LISTED] if isinstance(raw, list) else ():
        if isinstance(each, Mapping) and (mac := marks.mac(each.get("macAddress"))):
            yield Interface(mac, tuple(marks.texts(each.get("ipAddresses"))))


def _texts(raw: object) -> Iterator[str]:
    for each in raw[:_MAX_LISTED] if isinstance(raw, list) else ():
        if text := _text(each):
            yield text


def _text(value: object) -> str:
    if type(value) is not str:
        return ""
    return value.strip() if len(value) <= _MAX_TEXT else value.strip()[:_MAX_TEXT]


def _status(status: object, *others: object) -> str:
    """``status`` in lower case; ``UNREADABLE`` where it or one of the others is no text."""
    for value in (status, *others):
        if value is not None and type(value) is not str:
            return UNREADABLE
    return _text(status).lower()


def _installed(version: str, manager: str, contact: str) -> bool:
    """An agent has a version, and a manager; or it has at least been in contact."""
    return version not in NO_VERSION or bool(contact) or bool(manager and not version)


def _policy(name: object, security_policy: object) -> str | None:
    if type(name) is not str and type(security_policy) is not str:
        return None
    return _text(name) or _text(security_policy)


def _machine(raw: object) -> tuple[str, str, bool]:
    """``virtualMachineDetails``, whichever of its two shapes it has: account, instance, identified.

    Without AWS, an account or an instance it is no cloud instance. The names in the list of keys
    and values are not published; they are taken to be those of the object.
    """
    if raw is None or raw in ({}, [], ""):
        return "", "", True
    if isinstance(raw, list):
        pairs = [pair for pair in raw if isinstance(pair, Mapping)]
        raw = {str(pair.get("key")): pair.get("value") for pair in pairs}
        if "cloudInstanceId" not in raw:
            return _text(raw.get("cloudAccountId")), "", False
    if not isinstance(raw, Mapping):
        return "", "", False
    account, instance = raw.get("cloudAccountId"), raw.get("cloudInstanceId")
    instance_id = _text(instance).lower()
    odd = instance is not None and type(instance) is not str
    aws = _text(raw.get("cloudProvider")).lower() in _AWS
    return _text(account), instance_id, bool(instance_id) or not (odd or account or aws)


def _features(raw: object) -> Mapping[str, str]:
    found = raw if isinstance(raw, list) else []
    pairs = [(f.get("name"), f.get("status")) for f in found if isinstance(f, Mapping)]
    return {_text(name): _text(status).lower() for name, status in pairs if _text(name)}


def merged(listed: Endpoint, detail: Endpoint, *, shared: bool) -> Endpoint:
    """The listed endpoint with what its detail says, which is newer and has the features.

    Clones of one image share an agent GUID: the detail of another instance says nothing here.
    ``shared``: the GUID is known to be, so the detail must name its instance to count.
    """
    own = (listed.instance_id,) if shared else (listed.instance_id, "")
    of_own_account = detail.account_id in (listed.account_id, "")
    if detail.guid != listed.guid or detail.instance_id not in own or not of_own_account:
        return listed
    said = {name: getattr(detail, name) for name in _MERGED}
    newer = {name: value for name, value in said.items() if value not in _NOTHING}
    return msgspec.structs.replace(listed, **newer)


_MERGED = tuple(n for n in Endpoint.__struct_fields__ if n not in ("identified", "marks"))
_NOTHING: Iterable[object] = ("", None, {}, False, ())
