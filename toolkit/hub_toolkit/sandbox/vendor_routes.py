"""Control routes of Trend's simulators: what they hold, and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hub_toolkit.sandbox.control import Query, Route, a_list

if TYPE_CHECKING:
    from hub_toolkit.sandbox.faults import Faults
    from hub_toolkit.sandbox.vendors.vision_one import VisionOne
    from hub_toolkit.sandbox.vendors.workload_security import WorkloadSecurity

Replace = Callable[[Sequence[object]], None]


def table(
    vision_ones: Sequence[VisionOne],
    workload_securities: Sequence[WorkloadSecurity],
    faults: Faults,
) -> dict[tuple[str, str], Route]:
    """The routes; every simulator of a kind holds the same."""

    def add(body: Any, _query: Query) -> Any:
        faults.add(a_list(body))
        return faults.pending()

    def clear(_body: Any, _query: Query) -> Any:
        faults.clear()
        return []

    return {
        ("PUT", "/vision_one/endpoints"): _replacing(
            "endpoints", lambda: (one.replace_endpoints for one in vision_ones)
        ),
        ("PUT", "/vision_one/alerts"): _replacing(
            "alerts", lambda: (one.replace_alerts for one in vision_ones)
        ),
        ("PUT", "/workload_security/computers"): _replacing(
            "computers", lambda: (one.replace_computers for one in workload_securities)
        ),
        ("PUT", "/workload_security/rules"): _replacing(
            "rules", lambda: (one.replace_rules for one in workload_securities)
        ),
        ("GET", "/faults"): lambda _body, _query: faults.pending(),
        ("POST", "/faults"): add,
        ("DELETE", "/faults"): clear,
    }


def _replacing(what: str, targets: Callable[[], Iterable[Replace]]) -> Route:
    def route(body: Any, _query: Query) -> Any:
        items = a_list(body)
        for replace in targets():
            replace(items)
        return {what: len(items)}

    return route
