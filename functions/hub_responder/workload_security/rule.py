"""One intrusion prevention rule, read tolerantly.

Fields: the reference of the Workload Security API, ``IntrusionPreventionRule``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_CVE = re.compile(r"(?<![0-9A-Za-z-])CVE-[0-9]{4}-[0-9]{4,19}(?![0-9A-Za-z-])", re.IGNORECASE)
_MAX_TEXT = 256


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What shields are told from; texts are at most 256 characters.

    Attributes:
        id: in its tenant. identifier: Trend's own, as ``1008610``.
        cves: the CVE ids that it names, in capitals.
        detect_only: it is said to tell and not to block, whatever the module's mode.
        minimum_agent: the agent's version that it needs, or empty.
    """

    id: int
    name: str = ""
    identifier: str = ""
    cves: tuple[str, ...] = ()
    detect_only: bool = False
    minimum_agent: str = ""


class _Item(msgspec.Struct, gc=False):
    ID: int
    CVE: list[str] | str | None = None
    name: Any = None
    identifier: Any = None
    detectOnly: Any = None  # noqa: N815 - the API's names
    minimumAgentVersion: Any = None  # noqa: N815


class _Rules(msgspec.Struct, gc=False):
    intrusionPreventionRules: list[_Item]  # noqa: N815


_DECODER = msgspec.json.Decoder(_Item)
_PAGES = msgspec.json.Decoder(_Rules)


def read(body: bytes) -> Rule:
    """A rule as it is on a computer.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _rule(_DECODER.decode(body))


def read_all(body: bytes) -> tuple[Rule, ...]:
    """An answer's rules.

    Raises:
        msgspec.DecodeError: it is no JSON object with rules, or one of them cannot be read: that
            one could be the rule that counts.
    """
    return tuple(_rule(item) for item in _PAGES.decode(body).intrusionPreventionRules)


def _rule(item: _Item) -> Rule:
    named = [item.CVE] if isinstance(item.CVE, str) else item.CVE or []
    found = [match.upper() for text in named for match in _CVE.findall(text)]
    return Rule(
        id=item.ID,
        name=_text(item.name),
        identifier=_text(item.identifier),
        cves=tuple(dict.fromkeys(found)),
        detect_only=item.detectOnly is True,
        minimum_agent=_text(item.minimumAgentVersion),
    )


def _text(value: object) -> str:
    return value.strip()[:_MAX_TEXT] if type(value) is str else ""
