"""What ``TMV1-Filter`` may name on the endpoint list, and where each name's value stands.

Source: the complete list in Trend's vision-one-mcp-server, ``tooldescriptions.FilterEndpoints``
(MIT), which also says what cannot be combined. What is not here (an IP address,
``cloudInstanceId``, ``displayName``) cannot be filtered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub_toolkit.sandbox.vendors.vision_one.filter_syntax import (
    Comparison,
    Equal,
    Field,
    FilterError,
    Language,
)

FEATURES = (
    "AntiMalwareScans",
    "BehaviorMonitoring",
    "PredictiveMachineLearning",
    "WebReputation",
    "SuspiciousConnectionSettings",
    "VulnerabilityProtection",
    "DeviceControl",
    "ApplicationControl",
    "Firewall",
    "IntegratedEndpointSensor",
    "DataLossPrevention",
    "SmartFeedback",
    "AntiMalware",
    "ActivityMonitoring",
    "IntrusionPreventionSystem",
    "LogInspection",
    "IntegrityMonitoring",
    "AgentSelfProtection",
    "SAPScanner",
    "SecurityAgentPasswordUnlock",
)
"""Suffixes of the ``eppAgent...`` module fields; taken as the names of the detail's features."""

AVAILABLE_ACTIONS = "availableActions"
SECURITY_DEPLOYMENT = "securityDeployment"
IMMEDIATE_ACTION = "immediateActionRequired"
LICENSES = "creditAllocatedLicenses"


def _one_of(path: str, *values: str) -> Field:
    return Field(tuple(path.split(".")), frozenset(values))


def _any(path: str) -> Field:
    return Field(tuple(path.split(".")))


_SENSOR_STATES = ("enabled", "disabled", "enabling", "disabling", "unknown")
_FEATURE_STATES = frozenset({"enabled", "disabled", "notSupported"})
_VERSION_POLICY = re.compile(r"n(?: - \d+)?")


def _plain() -> Iterable[tuple[str, Field]]:
    for name in ("endpointName", "agentGuid", "osName", "serviceGatewayOrProxy", "securityPolicy"):
        yield name, _any(name)
    yield "versionControlPolicy", _any("versionControlPolicy")
    yield "agentUpdatePolicy", _any("agentUpdatePolicy")
    yield "type", _one_of("type", "desktop", "server")
    yield "osPlatform", _one_of("osPlatform", "windows", "mac", "linux", "unix", "unknown")
    architectures = ("x86", "x86_64", "ppc64le", "sparc", "powerpc", "aarch64")
    yield "osArchitecture", _one_of("osArchitecture", *architectures)
    yield (
        "agentUpdateStatus",
        _one_of("agentUpdateStatus", "onSchedule", "pause", "disable", "notSupported"),
    )
    yield "isolationStatus", _one_of("isolationStatus", "on", "off", "unknown")
    overridden = "securityPolicyOverriddenStatus"
    yield overridden, _one_of(overridden, "enabled", "disabled")
    licenses = (
        "Endpoint sensor detection and response",
        "Advanced Endpoint Security",
        "Advanced Server & Workload Protection",
        "SAP Scanner for Trend Vision One - Endpoint Security (Pro)",
    )
    yield LICENSES, _one_of(LICENSES, *licenses)


def _of_agents() -> Iterable[tuple[str, Field]]:
    yield "edrSensorStatus", _one_of("edrSensor.status", *_SENSOR_STATES)
    yield (
        "edrSensorAdvancedRiskTelemetryStatus",
        _one_of("edrSensor.advancedRiskTelemetryStatus", *_SENSOR_STATES),
    )
    yield (
        "edrSensorConnectivity",
        _one_of("edrSensor.connectivity", "connected", "disconnected"),
    )
    for agent in ("edrSensor", "eppAgent"):
        policy = Field((agent, "componentUpdatePolicy"), pattern=_VERSION_POLICY)
        yield f"{agent}ComponentUpdatePolicy", policy
        yield (
            f"{agent}ComponentUpdateStatus",
            _one_of(f"{agent}.componentUpdateStatus", "pause", "onSchedule", "notSupported"),
        )
    yield "eppAgentProtectionManager", _any("eppAgent.protectionManager")
    yield "eppAgentEndpointGroup", _any("eppAgent.endpointGroup")
    yield "eppAgentPolicyName", _any("eppAgent.policyName")
    yield "eppAgentStatus", _one_of("eppAgent.status", "on", "off", "unknown")
    versions = ("outdatedVersion", "latestVersion", "unknownVersions", "controlledLatestVersion")
    yield "eppAgentComponentVersion", _one_of("eppAgent.componentVersion", *versions)


def _derived() -> Iterable[tuple[str, Field]]:
    for feature in FEATURES:
        yield f"eppAgent{feature}", Field(values=_FEATURE_STATES)
    actions = (
        IMMEDIATE_ACTION,
        "unmanaged",
        "sensorUpdateRequired",
        "sepMaintenanceRecommended",
        "a1MaintenanceRecommended",
        "swpMaintenanceRecommended",
        "c1MaintenanceRecommended",
        "sensorDisabled",
    )
    yield AVAILABLE_ACTIONS, Field(values=frozenset(actions))
    deployments = (
        "managed",
        "userProtection",
        "workloadProtection",
        "sensorOnly",
        "connectedEndpointProtection",
    )
    yield SECURITY_DEPLOYMENT, Field(values=frozenset(deployments))


FIELDS: dict[str, Field] = dict([*_plain(), *_of_agents(), *_derived()])


def _check(found: list[Comparison]) -> None:
    """``immediateActionRequired`` excludes all else; two fields exclude each other."""
    names = {comparison.field for comparison in found}
    if {AVAILABLE_ACTIONS, SECURITY_DEPLOYMENT} <= names:
        raise FilterError(f"{AVAILABLE_ACTIONS} and {SECURITY_DEPLOYMENT} cannot be combined")
    immediate = any(
        isinstance(comparison, Equal) and comparison.value == IMMEDIATE_ACTION
        for comparison in found
        if comparison.field == AVAILABLE_ACTIONS
    )
    if immediate and len(found) > 1:
        raise FilterError(f"{IMMEDIATE_ACTION} excludes every other filter")


ENDPOINTS = Language(FIELDS, 1024, subsets=frozenset({LICENSES}), check=_check)
