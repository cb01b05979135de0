"""What happened before to the same threat on the same subject: items for ``seen()``. Pure.

Partition ``history#{subject and threat}``, which all playbooks share; sort key
``{ms}#{finding}#{what}``, so that the last days are one range. ``what`` is ``H#{playbook}`` for a
finding that a playbook handled and ``C#{as}`` for one that was closed, as ``FALSE_POSITIVE``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_responder.finding import Finding

PREFIX = "history"
KEEP_S = 400 * 86400
MAX_DAYS = 366
CLOSED_AS = re.compile(r"[A-Z][A-Z_]{0,39}")


def partition(finding: Finding) -> str:
    """The threat of ``finding`` on the resource that matched.

    A threat is what the product calls it: its vulnerabilities, else its types and title.
    """
    resource = finding.resource
    named = sorted(v.id for v in finding.vulnerabilities) or [*finding.types, finding.title]
    parts = (resource.account or finding.account.id, resource.region or finding.region, resource.id)
    text = "\x00".join((*parts, finding.product, *named))
    return f"{PREFIX}#{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def token(finding_id: str) -> str:
    """A finding in a sort key: 16 hex digits."""
    return hashlib.sha256(finding_id.encode("utf-8", "replace")).hexdigest()[:16]


def moment(at: float) -> str:
    """A time (epoch seconds) in a sort key."""
    return f"{max(0, int(at * 1000)):013d}"


def handled(playbook: str) -> str:
    """``what`` of a finding that ``playbook`` handled."""
    return f"H#{playbook}"


def closed(closed_as: str) -> str:
    """``what`` of a finding that was closed, as ``FALSE_POSITIVE``."""
    return f"C#{closed_as}"


def put(table: str, pk: str, finding_id: str, what: str, at: float) -> dict[str, Any]:
    """The transaction item that remembers it; writing it again is harmless."""
    return {
        "Put": {
            "TableName": table,
            "Item": {
                "pk": {"S": pk},
                "sk": {"S": f"{moment(at)}#{token(finding_id)}#{what}"},
                "expires": {"N": str(int(at) + KEEP_S)},
            },
        }
    }


def count(sort_keys: Iterable[str], finding_id: str, what: str) -> int:
    """How many findings other than ``finding_id`` have ``what`` among these sort keys."""
    found = (key.split("#", 2) for key in sort_keys)
    own = token(finding_id)
    return len({parts[1] for parts in found if parts[2:] == [what]} - {own})
