"""Severity as an ordered type, so that ``finding.severity >= 'MEDIUM'`` means what it says."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """A severity label of Security Hub, ordered from INFORMATIONAL to CRITICAL.

    It is its label (``str(severity)``, JSON, hashing), but compares by order: with another
    `Severity` or with a label. Comparing with any other text, also for equality, raises
    ValueError: a misspelt label in an expression must fail, not silently never match.
    """

    INFORMATIONAL = "INFORMATIONAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """0 for INFORMATIONAL to 4 for CRITICAL."""
        return _RANK[self.value]

    def __eq__(self, other: object) -> bool:
        return self.rank == _rank(other) if isinstance(other, str) else NotImplemented

    def __lt__(self, other: str) -> bool:
        return self.rank < _rank(other) if isinstance(other, str) else NotImplemented

    def __le__(self, other: str) -> bool:
        return self.rank <= _rank(other) if isinstance(other, str) else NotImplemented

    def __gt__(self, other: str) -> bool:
        return self.rank > _rank(other) if isinstance(other, str) else NotImplemented

    def __ge__(self, other: str) -> bool:
        return self.rank >= _rank(other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return self.rank != _rank(other) if isinstance(other, str) else NotImplemented

    __hash__ = str.__hash__


_LABELS = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_RANK = {label: rank for rank, label in enumerate(_LABELS)}


def _rank(label: str) -> int:
    rank = _RANK.get(str(label))
    if rank is None:
        raise ValueError(f"{label[:40]!r} is no severity; there is {', '.join(_RANK)}")
    return rank


def from_normalized(score: float) -> Severity:
    """The label of ``Severity.Normalized`` (0 to 100).

    Ranges: Security Hub user guide, "Severity" of the AWS Security Finding Format.

    Raises:
        ValueError: the score is outside 0 to 100.
    """
    if not 0 <= score <= 100:  # noqa: PLR2004 - the scale of the format
        raise ValueError(f"{score} is outside 0 to 100")
    if score >= 90:  # noqa: PLR2004
        return Severity.CRITICAL
    if score >= 70:  # noqa: PLR2004
        return Severity.HIGH
    if score >= 40:  # noqa: PLR2004
        return Severity.MEDIUM
    return Severity.LOW if score >= 1 else Severity.INFORMATIONAL
