"""One endpoint of the inventory, read tolerantly.

The list and the detail call differ (``virtualMachineDetails`` is an object in one and a list of
keys and values in the other), time stamps may have no zone (they are UTC), empty texts are normal,
``edrSensor`` can be missing and ``eppAgent`` empty. Sources: pytmv1 0.11.0 ``model/common.py``; the
shape of real tenants' data as independent programs report it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_MAX_TEXT = 256


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the verdict needs; times are epoch seconds, texts are at most 256 characters.

    Attributes:
        epp_status: on, off, unknown, or empty where there is no protection agent.
        epp_installed: whether a protection agent is there at all; the object alone says nothing.
        sensor_status: enabled, disabled, ..., or empty where there is no sensor.
        features: module -> status, as the detail call gives them.
    """

    guid: str
    name: str
    account_id: str = ""
    instance_id: str = ""
    epp_status: str = ""
    epp_installed: bool = False
    epp_last_connected: float | None = None
    policy: str = ""
    component_version: str = ""
    sensor_status: str = ""
    sensor_last_connected: float | None = None
    isolation: str = ""
    features: Mapping[str, str] = field(default_factory=dict)

    @property
    def last_connected(self) -> float | None:
        """The last contact of the protection agent, else of the sensor."""
        return self.epp_last_connected or self.sensor_last_connected


def read(raw: object) -> Endpoint | None:
    """The endpoint that ``raw`` (an item of the list, or a detail) is; None where it is none."""
    if not isinstance(raw, Mapping) or not _text(raw, "agentGuid"):
        return None
    epp, sensor = _object(raw, "eppAgent"), _object(raw, "edrSensor")
    machine = _machine(epp.get("virtualMachineDetails"))
    return Endpoint(
        guid=_text(raw, "agentGuid"),
        name=_text(raw, "endpointName") or _text(raw, "displayName"),
        account_id=machine.get("cloudAccountId", ""),
        instance_id=machine.get("cloudInstanceId", ""),
        epp_status=_text(epp, "status").lower(),
        epp_installed=bool(_text(epp, "version") or _text(epp, "protectionManager")),
        epp_last_connected=_time(epp.get("lastConnectedDateTime")),
        policy=_text(epp, "policyName"),
        component_version=_text(epp, "componentVersion"),
        sensor_status=_text(sensor, "status").lower(),
        sensor_last_connected=_time(sensor.get("lastConnectedDateTime")),
        isolation=_text(raw, "isolationStatus").lower(),
        features=_features(epp.get("features")),
    )


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return value.strip()[:_MAX_TEXT] if isinstance(value, str) else ""


def _machine(raw: object) -> Mapping[str, str]:
    """``virtualMachineDetails``, whichever of its two shapes it has."""
    if isinstance(raw, Mapping):
        return {str(key): value for key, value in raw.items() if isinstance(value, str)}
    if not isinstance(raw, list):
        return {}
    pairs = [pair for pair in raw if isinstance(pair, Mapping)]
    return {str(p.get("key")): p["value"] for p in pairs if isinstance(p.get("value"), str)}


def _features(raw: object) -> Mapping[str, str]:
    if not isinstance(raw, list):
        return {}
    found = [feature for feature in raw if isinstance(feature, Mapping)]
    return {_text(f, "name"): _text(f, "status") for f in found if _text(f, "name")}


def _time(raw: object) -> float | None:
    """Epoch seconds of a time stamp with or without its zone; None where there is none."""
    if not isinstance(raw, str) or not raw:
        return None
    try:
        read_ = datetime.fromisoformat(raw)
        return (read_ if read_.tzinfo else read_.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
