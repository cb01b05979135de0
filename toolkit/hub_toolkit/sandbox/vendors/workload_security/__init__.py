"""A simulator of the Server & Workload Protection API (Workload Security, ``api-version: v1``).

- ``app``: the WSGI application, its routes, and the control of what it holds.
- ``computers``: one computer, as much of it as ``expand`` asks for, and its assigned rules.
- ``rules``: the intrusion prevention rules.
- ``fields``: what can be searched, and by which kind of test.
- ``search``: the search filter: criteria in, a test for items out.
- ``replies``: the error bodies.

Sources: Trend's OpenAPI description of the API, version 50.0.827, as generated clients show it;
cloudone.trendmicro.com/docs/workload-security (API troubleshooting, rate limits, performance tips,
overrides, "Search for resources"); the samples in deep-security/automation-center-sdk-samples
(Apache-2.0). Policies are not simulated. It depends on nothing of the sandbox but a clock.
"""

from hub_toolkit.sandbox.vendors.workload_security.app import WorkloadSecurity

__all__ = ["WorkloadSecurity"]
