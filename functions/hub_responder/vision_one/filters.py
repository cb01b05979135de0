"""TMV1-Filter and TMV1-Query expressions.

How a quote inside a literal is escaped is not documented, so a value that would need it is refused
rather than sent. Fields: vision-one-mcp-server, ``tooldescriptions.FilterEndpoints``. Neither the
cloud instance id nor an address can be filtered on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hub_responder.errors import ConfigurationError

MAX_CHARACTERS = 1024
"""A longer header is refused with 400."""
SERVERS = "not (type eq 'desktop')"
"""What may be an EC2 instance: servers, and what has no type. Desktops are by far the most
endpoints of many tenants."""
DESKTOPS = "type eq 'desktop'"
CLOUD_DESKTOPS = f"{DESKTOPS} and securityDeployment eq 'workloadProtection'"
"""Desktops under Server & Workload Protection, whose records have the instance id: Macs and client
editions of Windows on EC2. Other desktops have no cloud details to be recognized by."""
_SAFE = re.compile(r"[A-Za-z0-9._:\-]{1,255}")


def is_safe(value: str) -> bool:
    """Whether ``value`` can stand in a literal."""
    return _SAFE.fullmatch(value) is not None


def equals(field: str, value: str) -> str:
    """``field eq 'value'``.

    Raises:
        ConfigurationError: the value has characters that could end the literal.
    """
    if not is_safe(value):
        raise ConfigurationError(f"{value[:80]!r} cannot be used in a Vision One filter")
    return f"{field} eq '{value}'"


def any_of(terms: list[str]) -> str:
    """``(a or b or c)``."""
    return f"({' or '.join(terms)})"


def packed(terms: Iterable[str], room: int = MAX_CHARACTERS) -> Iterator[str]:
    """``a or b or c``, as few of them as ``room`` allows; a term that is longer is left out."""
    held: list[str] = []
    for term in terms:
        if held and len(" or ".join([*held, term])) > room:
            yield " or ".join(held)
            held = []
        if len(term) <= room:
            held.append(term)
    if held:
        yield " or ".join(held)
