"""Calls to the API of Server & Workload Protection (Workload Security, ``api-version: v1``).

Searches are safe to repeat, though they are POST; assigning rules is the only change. The rate is
counted over 60 seconds (cloudone.trendmicro.com/docs/workload-security/api-rate-limits).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hub_responder import http, identifiers, pace, secrets
from hub_responder.connections.settings import VisionOne, WorkloadSecurity
from hub_responder.connections.settings import read as settings_of
from hub_responder.errors import (
    ConfigurationError,
    DeniedError,
    IncompleteError,
    PermanentError,
)
from hub_responder.pace import Pace
from hub_responder.retry import Patience, twice
from hub_responder.values import clean
from hub_responder.workload_security import computer as computers
from hub_responder.workload_security import rule as rules
from hub_responder.workload_security.computer import Computer
from hub_responder.workload_security.regions import base_url
from hub_responder.workload_security.rule import Rule

if TYPE_CHECKING:
    from hub_responder.deadline import Deadline
    from hub_responder.playbook import Playbook

TARGET = "workload_security"
KIND = "workload_security"
PAGE = 1000
"""Computers of one answer; 5,000 are the most, and 50 MB of them too much for a function."""
FEW = 50
MAX_PAGES = 200
MAX_RULES = 500
MAX_BYTES = 32_000_000
TIMEOUT_S = 20.0
BAD_REQUEST = 400
_EXPANDED = (
    "computerStatus",
    "ec2VirtualMachineSummary",
    "noConnectorVirtualMachineSummary",
    "intrusionPrevention",
    "antiMalware",
)
_EXPAND = "&".join(f"expand={name}" for name in _EXPANDED)
_INSTANCE_FIELDS = (
    "ec2VirtualMachineSummary/instanceID",
    "noConnectorVirtualMachineSummary/instanceID",
)
_MAX_REASON = 120

T = TypeVar("T")
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """One tenant, for one run.

    Args:
        name: the connection's. base_url: without ``/api``, and without a slash at its end.
        with_key: calls a function with the headers that bear the API key, again with a fresh key
            if it is refused.
        deadline: bounds every call and every pause.
        pace: that all functions keep together; None: this one goes its own.
    """

    name: str
    base_url: str
    with_key: Callable[[Callable[[Headers], Any]], Any]
    deadline: Deadline
    patience: Patience = field(default_factory=Patience)
    pace: Pace | None = None

    def by_instance(self, instance_id: str) -> list[Computer]:
        """The computers that an EC2 instance is, as its connector or its agent tells.

        Raises:
            IncompleteError: what came is of another shape, or not what was searched for.
            TransientError: it cannot be told now.
            PermanentError: the search is refused.
        """
        by_connector, by_agent = _INSTANCE_FIELDS
        found = self._search(by_connector, instance_id)
        try:
            found += self._search(by_agent, instance_id)
        except DeniedError:
            raise
        except PermanentError as error:
            # The reference says that the field is searchable; nobody has shown it.
            if error.status != BAD_REQUEST:
                raise
        if not all(each.instance_id == instance_id.lower() for each in found):
            raise _other("another instance than was searched for")
        return list({each.id: each for each in found}.values())

    def by_guid(self, guid: str) -> list[Computer]:
        """The computers whose agent has this GUID, which Vision One calls ``agentGuid``.

        That the field can be searched for is a guess, and so is in which letters it is written.

        Raises:
            IncompleteError, TransientError, PermanentError: as `by_instance`.
        """
        found = self._search("agentGUID", guid)
        if not found and guid != guid.upper():
            found = self._search("agentGUID", guid.upper())
        if not all(each.guid == guid.lower() for each in found):
            raise _other("another agent than was searched for")
        return found

    def by_host(self, name: str) -> list[Computer]:
        """The computers of this host name.

        Raises:
            IncompleteError, TransientError, PermanentError: as `by_instance`.
        """
        found = self._search("hostName", name)
        if not all(each.host.lower() == name.lower() for each in found):
            raise _other("another host than was searched for")
        return found

    def pages(self) -> Iterator[list[Computer | None]]:
        """All computers in the order of their ids; None is one that cannot be read.

        Raises:
            IncompleteError: the paging is not sound, or a page is of another shape.
            TransientError: a page cannot be had now.
            PermanentError: the search is refused.
        """
        last = 0
        for _ in range(MAX_PAGES):
            test = {"idTest": "greater-than", "idValue": last}
            page = self._computers([test], PAGE)
            if not page.computers:
                return
            if page.last_id is None or page.last_id <= last:
                raise _other("a page that does not follow the one before")
            yield page.computers
            last = page.last_id
        raise IncompleteError(f"{TARGET}'s paging does not end", target=TARGET)

    def get(self, computer_id: int) -> Computer:
        """One computer as it is now.

        Raises:
            IncompleteError: what came is of another shape, or another computer.
            TransientError, PermanentError: as `by_instance`.
        """
        found = self._get(f"/computers/{computer_id}?{_EXPAND}", computers.read)
        if found is None or found.id != computer_id:
            raise _other("another computer than was asked for")
        return found

    def rules_for(self, cve: str) -> tuple[Rule, ...]:
        """The rules that name this CVE, and not only one that begins like it.

        Raises:
            ConfigurationError: it is no CVE id; nothing is sent.
            IncompleteError, TransientError, PermanentError: as `by_instance`.
        """
        if identifiers.cve_ids(cve) != (cve,):
            raise ConfigurationError(f"{clean(cve, 40)!r} is no CVE id")
        # The field holds a list, so equal asks for wildcards around it.
        wanted = {"fieldName": "CVE", "stringTest": "equal", "stringValue": f"%{cve}%"}
        search = {"maxItems": MAX_RULES, "searchCriteria": [wanted]}
        found = self._read("/intrusionpreventionrules/search", search, rules.read_all)
        if len(found) >= MAX_RULES:
            raise _other("too many rules for one CVE")
        return tuple(each for each in found if cve in each.cves)

    def rule_on(self, computer_id: int, rule_id: int) -> Rule:
        """A rule as it is on a computer, which may have been changed there or by its policy.

        Raises:
            IncompleteError, TransientError, PermanentError: as `by_instance`.
        """
        path = f"/computers/{computer_id}/intrusionprevention/rules/{rule_id}"
        found = self._get(path, rules.read)
        if found.id != rule_id:
            raise _other("another rule than was asked for")
        return found

    def assign(self, computer_id: int, rule_ids: Sequence[int]) -> None:
        """Assign rules to a computer, beside those that it has; what is there already stays.

        Raises:
            TransientError: it did not arrive, or is in doubt where ``sent``; it is not repeated.
            PermanentError: it is refused, with the reason where one is given.
        """
        path = f"/computers/{computer_id}/intrusionprevention/assignments"
        answer = self._once("POST", path, {"ruleIDs": list(rule_ids)}, check=False)
        try:
            http.raise_for_status(answer, TARGET)
        except DeniedError:
            raise
        except PermanentError as error:
            said = f"{error}{_reason(answer)}"
            raise PermanentError(said, target=TARGET, status=error.status) from None

    def _search(self, name: str, value: str) -> list[Computer]:
        """The computers whose field is exactly ``value``, in which % and _ are no wildcards."""
        test = {
            "fieldName": name,
            "stringTest": "equal",
            "stringValue": value,
            "stringWildcards": False,
        }
        found = self._computers([test], FEW).computers
        readable = [each for each in found if each is not None]
        if len(readable) < len(found) or len(found) >= FEW:
            raise _other("computers that cannot be read, or too many")
        return readable

    def _computers(self, criteria: Sequence[Mapping[str, Any]], most: int) -> computers.Page:
        search = {"maxItems": most, "searchCriteria": criteria, "sortByObjectID": True}
        return self._read(f"/computers/search?{_EXPAND}", search, computers.read_page)

    def _get(self, path: str, decode: Callable[[bytes], T]) -> T:
        once = partial(self._decoded, "GET", path, None, decode)
        return twice(once, self.patience, self.deadline)

    def _read(self, path: str, body: Any, decode: Callable[[bytes], T]) -> T:
        """A search: it changes nothing, so it is tried twice."""
        once = partial(self._decoded, "POST", path, body, decode)
        return twice(once, self.patience, self.deadline)

    def _decoded(self, method: str, path: str, body: Any, decode: Callable[[bytes], T]) -> T:
        answer = self._once(method, path, body)
        try:
            return decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # 200 with HTML, cut short or of another shape: a gateway's trouble.
            raise IncompleteError(
                f"{TARGET} answered {answer.status} with something else than was asked for",
                target=TARGET,
                status=answer.status,
            ) from None

    def _once(self, method: str, path: str, body: Any, *, check: bool = True) -> http.Response:
        def call(key: Headers) -> http.Response:
            if self.pace is not None:
                self.pace.take(TARGET, self.patience, self.deadline)
            answer = http.call(
                method,
                f"{self.base_url}/api{path}",
                target=TARGET,
                deadline=self.deadline,
                headers={**key, "api-version": "v1"},
                json=body,
                timeout=TIMEOUT_S,
                max_bytes=MAX_BYTES,
            )
            if check or answer.status in (401, 403):
                http.raise_for_status(answer, TARGET)
            return answer

        answer: http.Response = self.with_key(call)
        return answer


def _other(what: str) -> IncompleteError:
    return IncompleteError(f"{TARGET} answered with {what}", target=TARGET)


def _reason(answer: http.Response) -> str:
    """What an error's ``message`` says, in one line of at most 120 characters."""
    try:
        said = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    message = said.get("message") if isinstance(said, dict) else None
    text = " ".join(message.split()) if isinstance(message, str) else ""
    return f": {clean(text, _MAX_REASON)}" if text else ""


def linked(connections: Playbook | Mapping[str, Mapping[str, Any]], name: str) -> str:
    """The connection of this type that ``name`` is, or that Vision One's ``name`` is linked to.

    Raises:
        ConfigurationError: there is no such connection, or it has no link.
    """
    settings = _settings(connections, name)
    if settings.get("type") != "vision_one":
        return name
    found = settings_of(settings, VisionOne, name).workload_security
    if not found:
        raise ConfigurationError(
            f"connection {name} is not linked to Server & Workload Protection: "
            "give it `workload_security` in connections.yaml"
        )
    return found


def connect(
    connections: Playbook | Mapping[str, Mapping[str, Any]],
    name: str,
    stage: str,
    deadline: Deadline,
) -> Client:
    """A client for the connection ``name``, or for the one that Vision One's ``name`` is linked to.

    Args:
        connections: the playbook, or name -> type and settings.
        stage: the deployment's, which names the secret.
        deadline: bounds every call.

    Raises:
        ConfigurationError: there is no such connection, it has no link or is of another type.
    """
    name = linked(connections, name)
    settings = _settings(connections, name)
    if settings.get("type") != KIND:
        raise ConfigurationError(f"connection {name} is of type {settings.get('type')}, not {KIND}")
    known = settings_of(settings, WorkloadSecurity, name)

    def with_key(call: Callable[[Headers], Any]) -> Any:
        return secrets.use(stage, name, lambda secret: call(_headers(secret, known.key, name)))

    url = base_url(known.region, known.base_url)
    metered = pace.of(name, pace.Rate.per_minute(known.requests_per_minute))
    return Client(name, url, with_key, deadline, pace=metered)


def _settings(
    connections: Playbook | Mapping[str, Mapping[str, Any]], name: str
) -> Mapping[str, Any]:
    held = connections if isinstance(connections, Mapping) else connections.connections
    settings = held.get(name)
    if settings is None:
        raise ConfigurationError(f"there is no connection {name!r}; see connections.yaml")
    return settings


def _headers(secret: Mapping[str, str], kind: str, name: str) -> Headers:
    """The headers that bear the API key, which they must be able to carry.

    Raises:
        ConfigurationError: there is none, or it has characters that no key has.
    """
    key = secrets.value(secret, "api_key", name)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(f"the api_key of connection {name} is no API key")
    return {"api-secret-key": key} if kind == "console" else {"Authorization": f"ApiKey {key}"}
