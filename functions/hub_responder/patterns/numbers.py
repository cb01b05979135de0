"""Numbers as EventBridge's own matcher compares them.

A number is comparable from -5,000,000,000 to 5,000,000,000 with up to six decimals; 300, 300.0 and
3e2 are then equal. Any other number equals only a literal that is written alike. Sources: the
EventBridge user guide for the limit (the matcher's newest version goes further),
``ComparableNumber`` in github.com/aws/event-ruler for the rest.
"""

from __future__ import annotations

import math
from decimal import Decimal

LIMIT = 5_000_000_000
_SCALE = 10**6


def comparable(value: object) -> int | None:
    """``value`` in millionths, or None where it is no number that can be compared.

    True and false are no numbers, text never is.
    """
    if type(value) is int:
        return value * _SCALE if -LIMIT <= value <= LIMIT else None
    if type(value) is not float or not math.isfinite(value) or abs(value) > LIMIT:
        return None
    scaled = Decimal(repr(value)) * _SCALE
    whole = int(scaled)
    return whole if whole == scaled else None


def is_number(value: object) -> bool:
    """Whether ``value`` is a JSON number."""
    return type(value) is int or type(value) is float
