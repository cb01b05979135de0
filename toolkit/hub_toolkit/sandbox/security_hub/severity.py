"""How Security Hub fills the two forms of a severity from each other.

Bands of the user guide, "Severity" of the finding format.
"""

from __future__ import annotations

from typing import Any

_LEAST = {"INFORMATIONAL": 0, "LOW": 1, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 90}


def completed(severity: dict[str, Any]) -> dict[str, Any]:
    """A severity with ``Label`` and ``Normalized``; the label counts where both are given."""
    label = severity.get("Label")
    if label in _LEAST:
        band = severity.get("Normalized")
        if not isinstance(band, int) or _label(band) != label:
            band = _LEAST[label]
        return {**severity, "Normalized": band}
    normalized = severity.get("Normalized")
    if isinstance(normalized, int):
        return {**severity, "Label": _label(normalized)}
    return {**severity, "Label": "INFORMATIONAL", "Normalized": 0}


def _label(normalized: int) -> str:
    return [label for label, least in _LEAST.items() if normalized >= least or least == 0][-1]
