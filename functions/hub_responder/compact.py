"""A finding small enough for the ledger, and back.

What is decided on is kept whole or kept right: ids, severity, fingerprint, scores, states, tags
and user-defined fields up to their share. What only decorates a message is cut. Typical findings
take 1 to 2 KB as JSON; one that fills every field to its limit, in Japanese, stays under 24 KB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from hub_responder.behind.clues import clues
from hub_responder.errors import UnreadableFinding
from hub_responder.finding import Finding, Malware, Package, Resource, Vulnerability
from hub_responder.values import clean, seconds, within

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAIRS_BYTES = 1000
_OTHER_RESOURCES = 4
_VULNERABILITIES = 6
_PACKAGES = 3
_MALWARE = 2
_URL = 256
_INTERFACES = 4
_ADDRESS = 45  # the longest form of an IPv6 address


def to_compact(finding: Finding) -> dict[str, Any]:
    """What the ledger keeps of ``finding``: JSON types only, empty fields left out."""
    user_fields = _within(finding.user_fields)
    whole = finding.user_fields_whole and len(user_fields) == len(finding.user_fields)
    small = replace(
        finding,
        resources=_resources(finding),
        matched=0,
        title=clean(finding.title, 200),
        description=clean(finding.description, 300),
        vulnerabilities=tuple(map(_small, _telling(finding.vulnerabilities))),
        malware=tuple(map(_small_malware, finding.malware[:_MALWARE])),
        types=tuple(clean(name, 100) for name in finding.types[:2]),
        remediation_text=clean(finding.remediation_text, 200),
        user_fields=user_fields,
        user_fields_whole=whole,
        problems=finding.problems[:3],
        clues=tuple(replace(clue, field=clean(clue.field, 120)) for clue in clues(finding)),
        raw={},
    )
    kept: dict[str, Any] = _without_empty(msgspec.to_builtins(small))
    del kept["matched"]
    if whole:
        del kept["user_fields_whole"]
    return kept


def from_compact(kept: Mapping[str, Any]) -> Finding:
    """The finding that `to_compact` made ``kept`` of, without what was cut.

    Raises:
        UnreadableFinding: ``kept`` is no such form.
    """
    try:
        finding = msgspec.convert(kept, Finding)
    except msgspec.ValidationError as error:
        raise UnreadableFinding(
            f"a kept finding is not as it was written: {error}", field=""
        ) from error
    if not finding.resources:
        raise UnreadableFinding("a kept finding has no resource", field="resources")
    return finding


def _resources(finding: Finding) -> tuple[Resource, ...]:
    """The one that matched, first and with its tags; a few others by name only."""
    matched = finding.resource
    details = _recognizable(matched.details)
    first = replace(matched, tags=_within(matched.tags), details=details)
    others = [r for index, r in enumerate(finding.resources) if index != finding.matched]
    return (
        first,
        *(replace(r, id=clean(r.id, 200), tags={}, details={}) for r in others[:_OTHER_RESOURCES]),
    )


def _recognizable(details: Mapping[str, Any]) -> dict[str, Any]:
    """Host names, addresses and the time of the start: what tells a record of another system from
    a look-alike."""
    kept: dict[str, Any] = {}
    for name in ("hostname", "ip", "LaunchedAt"):
        value = details.get(name)
        if type(value) is str:
            kept[name] = clean(value, 253)
    launched = details.get("launch_time")
    if type(launched) is int and seconds(launched) is not None:
        kept["launch_time"] = launched
    for name in ("IpV4Addresses", "IpV6Addresses", "ip_addresses"):
        values = details.get(name)
        if isinstance(values, list):
            kept[name] = _addresses(values)
    interfaces = details.get("network_interfaces")
    if isinstance(interfaces, list):
        held = [each for each in interfaces[:_INTERFACES] if isinstance(each, Mapping)]
        kept["network_interfaces"] = [_interface(each) for each in held]
    return kept


def _addresses(values: list[Any]) -> list[str]:
    texts = (one for one in values if type(one) is str and len(one) <= _ADDRESS)
    return [clean(one, _ADDRESS) for one in texts][:8]


def _interface(held: Mapping[str, Any]) -> dict[str, str]:
    limits = {"private_ip_address": _ADDRESS, "private_dns_name": 253}
    told = {name: held.get(name) for name in limits}
    return {name: clean(value, limits[name]) for name, value in told.items() if type(value) is str}


def _within(pairs: Mapping[str, str]) -> dict[str, str]:
    """The first of ``pairs`` that fit into their share of the form, the Name tag before all."""
    return within(pairs, _PAIRS_BYTES)


def _telling(vulnerabilities: tuple[Vulnerability, ...]) -> Iterable[Vulnerability]:
    """A few vulnerabilities from which the finding's scores and answers come out the same."""
    if len(vulnerabilities) <= _VULNERABILITIES:
        return vulnerabilities
    telling = (
        max(vulnerabilities, key=lambda v: -1.0 if v.cvss is None else v.cvss),
        max(vulnerabilities, key=lambda v: -1.0 if v.epss is None else v.epss),
        max(vulnerabilities, key=lambda v: _rank(v.exploit_available)),
        max(vulnerabilities, key=lambda v: _rank(v.fix_available)),
        *vulnerabilities[:_VULNERABILITIES],
    )
    return list({id(v): v for v in telling}.values())[:_VULNERABILITIES]


def _rank(answer: bool | None) -> int:
    return 0 if answer is None else 1 + answer


def _small(vulnerability: Vulnerability) -> Vulnerability:
    packages = (
        Package(clean(p.name, 64), clean(p.version, 48), clean(p.fixed_in, 48))
        for p in vulnerability.packages[:_PACKAGES]
    )
    return replace(
        vulnerability,
        id=clean(vulnerability.id, 64),
        cve_ids=vulnerability.cve_ids[:5],
        packages=tuple(packages),
        related=(),
        url=vulnerability.url if len(vulnerability.url) <= _URL else "",
    )


def _small_malware(malware: Malware) -> Malware:
    kind, path = clean(malware.kind, 32), clean(malware.path, 96)
    return replace(malware, kind=kind, path=path)


def _without_empty(value: Any) -> Any:
    """``value`` without the entries that `from_compact` fills in by default."""
    if isinstance(value, dict):
        return {k: _without_empty(v) for k, v in value.items() if v not in ("", None, [], {})}
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    return value
