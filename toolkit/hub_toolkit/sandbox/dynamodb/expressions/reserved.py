"""The words that must not stand for an attribute in an expression (use a ``#name``).

``reserved_words.txt`` is the list of the developer guide's appendix "Reserved words in DynamoDB".
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def _words() -> frozenset[str]:
    text = resources.files(__package__ or "").joinpath("reserved_words.txt").read_text("ascii")
    return frozenset(text.split())


def is_reserved(name: str) -> bool:
    """Whether ``name``, in any case, is reserved."""
    return name.upper() in _words()
