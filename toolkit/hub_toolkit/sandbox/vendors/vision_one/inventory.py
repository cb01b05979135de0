"""One endpoint of the estate, as the list call and the detail call show it.

An endpoint is given as an item of ``GET /v3.0/endpointSecurity/endpoints``. Some things in it are
ours, and no answer of the list call shows them:

- ``_features``: state of the protection modules, ``{"IntrusionPreventionSystem": "disabled"}``.
  ``eppAgent.features``, a list as the detail call returns it, says the same. An item with neither
  has every module of Server & Workload Protection enabled while its agent is on, else disabled.
- ``_availableActions``, ``_securityDeployment``: lists of what the item matches in those two
  filters, which no real answer holds. Left out, they are derived from the agents' state: a guess.
- A time (a key that ends with ``DateTime``) can be relative, ``-PT5M``: always five minutes ago on
  the clock at the time of the answer, as of an agent that goes on reporting while time is jumped.

- ``_macAddresses``, ``_recommendedActions``: lists of texts, which only the detail call has.
- ``_response``: what becomes of isolating and restoring it; `response` names the values.

Keys that begin with ``_`` are never shown. All else is shown as given, odd shapes too: a missing
``edrSensor``, an empty ``eppAgent``, empty strings, a zone or none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub_toolkit.sandbox.vendors.estate import EstateError, relative_time
from hub_toolkit.sandbox.vendors.vision_one.filter_fields import (
    AVAILABLE_ACTIONS,
    FIELDS,
    SECURITY_DEPLOYMENT,
)

WORKLOAD_FEATURES = (
    "AntiMalwareScans",
    "WebReputation",
    "ActivityMonitoring",
    "Firewall",
    "IntrusionPreventionSystem",
    "IntegrityMonitoring",
    "LogInspection",
    "ApplicationControl",
    "DeviceControl",
)
"""The modules of Server & Workload Protection. ``AntiMalwareScans`` has been seen in the detail
call; that the others are called as the filter calls them is a guess."""

RESPONSES = frozenset(
    {
        "succeeded",
        "failed",
        "rejected",
        "canceled",
        "pendingApproval",
        "running",
        "notSupported",
        "outOfScope",
        "disabled",
    }
)
"""What ``_response`` may say: where a task ends or stays, or why none begins."""

_MOVED_TO_OS = {
    "osName": "name",
    "osPlatform": "platform",
    "osArchitecture": "architecture",
    "osVersion": "version",
    "osKernelVersion": "kernelVersion",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint; ``item`` is as it was given and is never changed."""

    item: Mapping[str, Any]
    features: Mapping[str, str]

    @property
    def guid(self) -> str:
        """The agent's GUID; clones of one image can share it."""
        return str(self.item["agentGuid"])

    @property
    def mac_addresses(self) -> list[str]:
        """Those of its network cards."""
        found: list[str] = self.item.get("_macAddresses", [])
        return found

    @property
    def deployments(self) -> list[str]:
        """What ``securityDeployment`` finds it by."""
        found: list[str] = self.item.get("_securityDeployment", self._deployment())
        return found

    @property
    def reachable(self) -> bool:
        """Whether an agent or a sensor is there that could take an action."""
        return self._has_agent() or self._has_sensor()

    def listed(self, now: float) -> dict[str, Any]:
        """The item of the list call."""
        item = _resolved(self.item, now)
        agent = item.get("eppAgent")
        if isinstance(agent, dict):
            agent.pop("features", None)
        return item

    def detailed(self, now: float) -> dict[str, Any]:
        """The answer of the detail call: ``os`` nested, ``virtualMachineDetails`` as pairs."""
        detail = self.listed(now)
        detail["description"] = detail.get("description", "")
        detail["os"] = {
            name: detail.pop(flat) for flat, name in _MOVED_TO_OS.items() if flat in detail
        }
        if detail["os"].get("platform") == "linux":
            detail["os"]["linuxDistribution"] = detail["os"].get("name", "")
        addresses = detail.get("ipAddresses") or []
        first, *others = self.mac_addresses or [""]
        detail["interfaces"] = [
            {"ipAddresses": addresses, "macAddress": first},
            *({"ipAddresses": [], "macAddress": one} for one in others),
        ]
        detail["recommendedActions"] = list(self.item.get("_recommendedActions", ()))
        agent = detail.get("eppAgent")
        if isinstance(agent, dict) and agent:
            self._extend_agent(agent)
        sensor = detail.get("edrSensor")
        if isinstance(sensor, dict) and sensor:
            sensor.setdefault(
                "edrSettings",
                {"monitoringLevel": "default", "deepfakeDetector": {"status": "disabled"}},
            )
        return detail

    def _extend_agent(self, agent: dict[str, Any]) -> None:
        machine = agent.get("virtualMachineDetails")
        if isinstance(machine, dict):
            agent["virtualMachineDetails"] = [
                {"key": key, "value": value} for key, value in machine.items()
            ]
        given = self.item["eppAgent"].get("features")
        agent["features"] = given if isinstance(given, list) else _as_features(self.features)
        for name, value in (("tags", []), ("domainHierarchy", ""), ("engines", [])):
            agent.setdefault(name, value)

    def value(self, field: str, now: float) -> object:
        """What a filterable field holds, or None; a list for those that hold several."""
        if field == AVAILABLE_ACTIONS:
            return self.item.get("_availableActions", self._actions())
        if field == SECURITY_DEPLOYMENT:
            return self.deployments
        path = FIELDS[field].path
        if not path:
            return self.features.get(field.removeprefix("eppAgent"), "notSupported")
        return self.at(path, now)

    def holding(self, now: float) -> Callable[[str], object]:
        """What each filterable field holds."""
        return lambda field: self.value(field, now)

    def at(self, path: tuple[str, ...], now: float) -> object:
        """The value at ``path`` in the list item, times resolved; None where there is none."""
        value: Any = self.item
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return _time(value, now) if path[-1].endswith("DateTime") else value

    def _has_agent(self) -> bool:
        agent = self.item.get("eppAgent")
        names = ("version", "protectionManager")
        return isinstance(agent, Mapping) and any(agent.get(name) for name in names)

    def _has_sensor(self) -> bool:
        return self.at(("edrSensor", "status"), 0.0) in ("enabled", "enabling")

    def _actions(self) -> list[str]:
        if not self._has_agent() and not self._has_sensor():
            return ["unmanaged"]
        return ["sensorDisabled"] if self.at(("edrSensor", "status"), 0.0) == "disabled" else []

    def _deployment(self) -> list[str]:
        if not self._has_agent():
            return ["managed", "sensorOnly"] if self._has_sensor() else []
        if self.item.get("type") == "desktop":
            return ["managed", "userProtection"]
        return ["managed", "workloadProtection"]


def endpoint(item: object, position: int) -> Endpoint:
    """An endpoint from an item of the list call with our keys; ``position`` is for the message.

    Raises:
        EstateError: the item is no object, has no ``agentGuid``, or our keys have another shape.
    """
    if not isinstance(item, dict):
        raise EstateError(f"endpoint {position} is not an object")
    guid = item.get("agentGuid")
    if not isinstance(guid, str) or not guid:
        raise EstateError(f"endpoint {position} has no agentGuid")
    for key in ("_availableActions", "_securityDeployment", "_macAddresses", "_recommendedActions"):
        if key in item and not _texts(item[key]):
            raise EstateError(f"endpoint {position}: {key} is not a list of strings")
    if item.get("_response", "succeeded") not in RESPONSES:
        known = ", ".join(sorted(RESPONSES))
        raise EstateError(f"endpoint {position}: _response is none of {known}")
    return Endpoint(item=item, features=_features(item, position))


def _features(item: dict[str, Any], position: int) -> dict[str, str]:
    agent = item.get("eppAgent")
    agent = agent if isinstance(agent, dict) else {}
    if "_features" in item:
        given = item["_features"]
        if not isinstance(given, dict) or not _texts(list(given.values())):
            raise EstateError(f"endpoint {position}: _features is not an object of strings")
        return given
    listed = agent.get("features")
    if isinstance(listed, list):
        return {
            str(feature["name"]): str(feature.get("status", ""))
            for feature in listed
            if isinstance(feature, dict) and "name" in feature
        }
    if not agent.get("version"):
        return {}
    state = "enabled" if agent.get("status") == "on" else "disabled"
    return dict.fromkeys(WORKLOAD_FEATURES, state)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _as_features(states: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "status": status, "outdatedPatternIds": [], "notCompliantSubFeatures": []}
        for name, status in states.items()
    ]


def _resolved(item: Mapping[str, Any], now: float) -> dict[str, Any]:
    """A copy two levels deep, without our keys, with times resolved."""
    copy: dict[str, Any] = {}
    for key, value in item.items():
        if key.startswith("_"):
            continue
        if isinstance(value, Mapping):
            copy[key] = {
                inner: _time(held, now) if inner.endswith("DateTime") else held
                for inner, held in value.items()
            }
        else:
            copy[key] = _time(value, now) if key.endswith("DateTime") else value
    return copy


def _time(value: Any, now: float) -> Any:
    """A relative time as the API writes times, without a zone; anything else as it is."""
    at = relative_time(value, now)
    return value if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
