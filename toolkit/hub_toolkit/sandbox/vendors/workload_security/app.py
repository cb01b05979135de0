"""The WSGI application: routes, authentication, rate limit, and the estate that it holds."""

from __future__ import annotations

import hmac
import threading
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from werkzeug.routing import Rule as Route

from hub_toolkit.sandbox.vendors.base import Clock, Simulator, Verdict, json_response, mark
from hub_toolkit.sandbox.vendors.limits import SlidingWindow
from hub_toolkit.sandbox.vendors.workload_security import fields, replies
from hub_toolkit.sandbox.vendors.workload_security.computers import (
    Computer,
    ExpandError,
    computers,
    expanded,
)
from hub_toolkit.sandbox.vendors.workload_security.rules import Rule, rules
from hub_toolkit.sandbox.vendors.workload_security.search import SearchError, read, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Request, Response

COMPUTERS = "/api/computers"
RULES = "/api/intrusionpreventionrules"
PREVENTION = f"{COMPUTERS}/<int:computer>/intrusionprevention"
ASSIGNMENTS = f"{PREVENTION}/assignments"
_READS = frozenset({"GET"})


class RuleIds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an assignment."""

    ruleIDs: list[int]  # noqa: N815 - the API's name


class WorkloadSecurity(Simulator):
    """The API of one tenant, with an estate that can be replaced at any time.

    Args:
        clock: returns seconds since the epoch.
        api_key: the key that may do everything here.
        auditor_key: a key whose role is *Auditor*: 403 for what changes something. Empty: none.
        key: ``cloud_one`` keys come as ``Authorization: ApiKey ...``, keys of the Server & Workload
            Protection ``console`` as ``api-secret-key``. That each is refused in the other's header
            is a guess.
        agent_reported: whether ``noConnectorVirtualMachineSummary/...`` can be searched. The
            OpenAPI description says so; no program is known that does it: clients cope with both.
        requests_per_minute: the rate limit of each key; None for no limit.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        api_key: str,
        auditor_key: str = "",
        key: Literal["cloud_one", "console"] = "cloud_one",
        agent_reported: bool = True,
        requests_per_minute: int | None = None,
    ) -> None:
        super().__init__(
            [
                Route(f"{COMPUTERS}/search", methods=["POST"], endpoint=self._search_computers),
                Route(f"{COMPUTERS}/<int:computer>", methods=["GET"], endpoint=self._describe),
                Route(f"{RULES}/search", methods=["POST"], endpoint=self._search_rules),
                Route(
                    f"{PREVENTION}/rules/<int:rule>",
                    methods=["GET"],
                    endpoint=self._describe_rule,
                ),
                Route(ASSIGNMENTS, methods=["GET"], endpoint=self._list_assigned),
                Route(ASSIGNMENTS, methods=["POST"], endpoint=self._add_assigned),
                Route(ASSIGNMENTS, methods=["PUT"], endpoint=self._set_assigned),
                Route(
                    f"{ASSIGNMENTS}/<int:rule>", methods=["DELETE"], endpoint=self._remove_assigned
                ),
            ]
        )
        self._clock = clock
        self._api_key = api_key
        self._auditor_key = auditor_key
        self._key = key
        self._searchable = {**fields.COMPUTERS, **(fields.AGENT_REPORTED if agent_reported else {})}
        self._window = SlidingWindow(requests_per_minute)
        self._computers: dict[int, Computer] = {}
        self._rules: dict[int, Rule] = {}
        self._lock = threading.Lock()

    def replace_computers(self, items: Sequence[object]) -> None:
        """Makes ``items`` all the computers; the module ``computers`` says what an item may hold.

        Raises:
            EstateError: an item cannot be a computer; the computers stay as they were.
        """
        found = computers(items)
        with self._lock:
            self._computers = found

    def replace_rules(self, items: Sequence[object]) -> None:
        """Makes ``items`` all the rules; the module ``rules`` says what an item may hold.

        Raises:
            EstateError: an item cannot be a rule; the rules stay as they were.
        """
        found = rules(items)
        with self._lock:
            self._rules = found

    def before(self, request: Request) -> Response | None:
        """401, 400 for the version, 403 and 429, in this order: a guess."""
        if request.path.endswith("/search"):
            mark(request, Verdict.READ)
        given = self._given_key(request)
        auditor = bool(self._auditor_key) and _same(given, self._auditor_key)
        if not auditor and not _same(given, self._api_key):
            return replies.invalid_key()
        if request.headers.get("api-version") != "v1":
            return replies.bad_request("the header api-version must be v1")
        if auditor and request.method not in _READS and not request.path.endswith("/search"):
            return replies.not_authorized("edit", "computers")
        if self._window.admit(given, self._clock()):
            return replies.too_many_requests()
        return None

    def unmatched(self, request: Request, error: HTTPException) -> Response:  # noqa: ARG002
        """404, 405 and 413 in the shape of the others: a guess."""
        return replies.other(error.code or 500, error.name)

    def _given_key(self, request: Request) -> str:
        if self._key == "console":
            return request.headers.get("api-secret-key", "")
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return key if scheme.lower() == "apikey" else ""

    def _search_computers(self, request: Request) -> Response:
        now = self._clock()
        try:
            groups = _groups(request)
            found = search(
                read(request.get_data()), self._searchable, list(self._computers.values()), now
            )
        except (SearchError, ExpandError) as error:
            return replies.bad_request(str(error))
        return json_response({"computers": [each.shown(groups, now) for each in found]})

    def _describe(self, request: Request, computer: int) -> Response:
        found = self._computers.get(computer)
        if found is None:
            return replies.not_found(f"there is no computer {computer}")
        try:
            return json_response(found.shown(_groups(request), self._clock()))
        except ExpandError as error:
            return replies.bad_request(str(error))

    def _search_rules(self, request: Request) -> Response:
        now = self._clock()
        try:
            wanted = read(request.get_data())
            found = search(wanted, fields.RULES, list(self._rules.values()), now)
        except SearchError as error:
            return replies.bad_request(str(error))
        return json_response({"intrusionPreventionRules": [each.shown(now) for each in found]})

    def _describe_rule(self, request: Request, computer: int, rule: int) -> Response:
        """A rule with what the computer or its policy overrides; assigned or not is a guess."""
        if _overrides(request):
            return replies.bad_request("rules with overrides=true are not simulated")
        found, known = self._computers.get(computer), self._rules.get(rule)
        if found is None or known is None:
            return replies.not_found(f"computer {computer} has no rule {rule}")
        return json_response({**known.shown(self._clock()), **found.overridden(rule)})

    def _list_assigned(self, request: Request, computer: int) -> Response:
        found = self._computers.get(computer)
        if found is None:
            return replies.not_found(f"there is no computer {computer}")
        return _assignments(request, found)

    def _add_assigned(self, request: Request, computer: int) -> Response:
        return self._assign(request, computer, keep=True)

    def _set_assigned(self, request: Request, computer: int) -> Response:
        return self._assign(request, computer, keep=False)

    def _assign(self, request: Request, computer: int, *, keep: bool) -> Response:
        try:
            wanted = msgspec.json.decode(request.get_data(), type=RuleIds).ruleIDs
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return replies.bad_request(f"the body is not {{ruleIDs}}: {error}")
        with self._lock:
            unknown = [rule for rule in wanted if rule not in self._rules]
            if unknown:
                return replies.not_found(f"there is no intrusion prevention rule {unknown[0]}")
            found = self._computers.get(computer)
            if found is None:
                return replies.not_found(f"there is no computer {computer}")
            before = found.own if keep else ()
            return self._changed(request, found, [*before, *self._with_needed(wanted)])

    def _remove_assigned(self, request: Request, computer: int, rule: int) -> Response:
        with self._lock:
            found = self._computers.get(computer)
            if found is None or rule not in found.rules:
                return replies.not_found(f"computer {computer} has no rule {rule}")
            return self._changed(request, found, [one for one in found.own if one != rule])

    def _changed(self, request: Request, computer: Computer, own: Iterable[int]) -> Response:
        if not computer.has_prevention:
            return replies.bad_request("intrusion prevention is hidden from this tenant")
        changed = computer.assigned(own)
        self._computers = {**self._computers, changed.id: changed}
        return _assignments(request, changed)

    def _with_needed(self, wanted: Iterable[int]) -> list[int]:
        """The rules, and those that they depend on, which are assigned with them (documented)."""
        found: dict[int, None] = {}
        left = list(wanted)
        while left:
            rule = left.pop(0)
            if rule not in found and rule in self._rules:
                found[rule] = None
                left.extend(self._rules[rule].needs)
        return list(found)


def _groups(request: Request) -> frozenset[str]:
    """What ``expand`` asks for.

    Raises:
        ExpandError: something that there is not, or a view that is not simulated.
    """
    if _overrides(request):
        raise ExpandError("computers with overrides=true are not simulated")
    return expanded(request.args.getlist("expand"))


def _overrides(request: Request) -> bool:
    return request.args.get("overrides", "").lower() == "true"


def _assignments(request: Request, computer: Computer) -> Response:
    """``IntrusionPreventionAssignments``; ``overrides=true`` leaves the policy's rules out."""
    body: dict[str, Any] = {
        "assignedRuleIDs": sorted(computer.own) if _overrides(request) else computer.rules,
        "assignedApplicationTypeIDs": [],
        "recommendationScanStatus": "none",
    }
    return json_response(body)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
