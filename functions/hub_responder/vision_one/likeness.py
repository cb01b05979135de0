"""Is this record the instance's? What speaks for it, and what against.

Two things prove it: the instance's id in one of the record's names, and one of its MAC addresses.
A name and an address together are two facts that agree; one of them alone is none, since private
addresses repeat between networks and names between machines.

What two records with the same names and addresses in two accounts cannot be told apart by is the
MAC address, which EC2 tells: where it is known on both sides, it decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hub_responder.vision_one import marks

if TYPE_CHECKING:
    from hub_responder.vision_one.clues import Clues
    from hub_responder.vision_one.endpoint import Endpoint

Fact = Literal["instance_id", "mac", "name", "address"]
RECENT_S = 1800.0
"""An agent that was in contact within half an hour is no machine's that was replaced before; agents
report every ten minutes. It is asked for where it is not known when the instance was started."""


class Likeness(msgspec.Struct, frozen=True):
    """What a record without the instance's id has in common with it.

    Attributes:
        agrees: the facts that agree.
        against: the fact that contradicts (or ``account``, ``contact``); empty: none does.
        certain: what contradicts proves that it is another machine. Otherwise it is no match, yet
            may be the instance's: addresses that are told can be a part of them.
    """

    agrees: frozenset[Fact] = frozenset()
    against: str = ""
    certain: bool = False

    @property
    def proven(self) -> bool:
        """Whether nothing else can be meant."""
        return not self.against and bool(self.agrees & {"instance_id", "mac"})

    @property
    def corroborated(self) -> bool:
        """Whether two facts agree that do not follow from each other."""
        return not self.against and self.agrees >= {"name", "address"}


def likeness(clues: Clues, record: Endpoint, now: float) -> Likeness:
    """What ``record`` has in common with the instance; ``now`` in epoch seconds."""
    held = set(record.marks)
    named = {mark for mark in held if marks.is_instance_id(mark)}
    addresses = {mark for mark in held if marks.is_address(mark)}
    agrees: set[Fact] = set()
    if clues.instance_id in (*named, record.instance_id):
        agrees.add("instance_id")
    if clues.macs and not {each.mac for each in record.interfaces}.isdisjoint(clues.macs):
        agrees.add("mac")
    if _same_name(clues.names, held):
        agrees.add("name")
    if not held.isdisjoint((*clues.addresses, *clues.hosts)):
        agrees.add("address")
    found = Likeness(frozenset(agrees))
    if record.instance_id not in ("", clues.instance_id) or (named and not found.proven):
        return _against(found, "instance_id", certain=True)
    if clues.account and record.account_id not in ("", clues.account):
        return _against(found, "account", certain=True)
    if "mac" not in agrees and clues.macs and record.interfaces:
        return _against(found, "mac", certain=_has_address_elsewhere(clues, record))
    if addresses and clues.addresses and addresses.isdisjoint(clues.addresses):
        return _against(found, "address", certain=False)
    if not found.proven and not _alive_since(clues.launched, record, now):
        return _against(found, "contact", certain=False)
    return found


def _against(found: Likeness, fact: str, *, certain: bool) -> Likeness:
    return Likeness(found.agrees, fact, certain)


def _same_name(names: tuple[str, ...], held: set[str]) -> bool:
    """A name in full; or its first label, where one side knows no more than that."""
    for name in names:
        if name in held:
            return True
        label = marks.short(name)
        if label in held and not any(mark.startswith(f"{label}.") for mark in held):
            return True
    return False


def _has_address_elsewhere(clues: Clues, record: Endpoint) -> bool:
    """Whether another interface than the instance's has its address: it is another network's."""
    return any(not set(each.addresses).isdisjoint(clues.addresses) for each in record.interfaces)


def _alive_since(launched: float | None, record: Endpoint, now: float) -> bool:
    """Whether it was in contact since the instance was started: an earlier machine of the same name
    and address was not."""
    contact = record.last_connected
    since = now - RECENT_S if launched is None else launched
    return contact is not None and contact >= since
